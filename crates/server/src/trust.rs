//! Whose tokens are believed, at run time: one [`Provider`] for each issuer and each of its policies
//! that counts, because B2C's keys belong to a policy.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use luminous_domain::{AccessToken, Clock};
use luminous_oidc::{
    Caller, HttpClient, Identity, Origin, Provider, ProviderConfig, TokenError, VerifyError,
};

use crate::config::{Config, ConfigError, IssuerSettings};
use crate::problem::ApiError;

/// A person whom a token proved, and by whose word.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Who.
    pub identity: Identity,
    /// The number of the issuer among the configured ones.
    pub issuer: usize,
    /// For how long this may be remembered, at most, in seconds, for the sake of keys that are
    /// withdrawn.
    pub lifetime_s: u64,
}

/// One configured issuer.
pub struct TrustedIssuer {
    /// What was configured.
    pub settings: IssuerSettings,
    /// The sign-in policy, or the whole of a provider without policies.
    pub sign_in: Provider,
    /// The policy that proves a second factor.
    pub step_up: Option<Provider>,
}

/// All configured issuers.
pub struct Trust {
    issuers: Vec<TrustedIssuer>,
}

/// Keys this old are asked for again, so nothing that was judged by them is remembered beyond it.
const KEYS_LIFETIME_S: u64 = 600;
/// While a provider is away its old keys go on; what they say is remembered for so long.
const BRIDGED_LIFETIME_S: u64 = 30;

impl Trust {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting that makes no provider.
    pub fn new(
        config: &Config,
        http: &Arc<dyn HttpClient>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let open = |config: ProviderConfig| Provider::new(config, http.clone(), clock.clone());
        let issuers = config.issuers.iter().enumerate().map(|(at, settings)| {
            let wrong = |field: &str, error: luminous_oidc::ConfigError| {
                ConfigError::new(format!("issuers[{at}].{field}"), error.to_string())
            };
            Ok(TrustedIssuer {
                settings: settings.clone(),
                sign_in: open(settings.provider(config.profile).map_err(|e| wrong("address", e))?),
                step_up: settings
                    .step_up(config.profile)
                    .map_err(|error| wrong("step_up_policy", error))?
                    .map(open),
            })
        });
        Ok(Self { issuers: issuers.collect::<Result<_, _>>()? })
    }

    /// All of them, in the order they were configured; the first is the one new sign-ins go to.
    #[must_use]
    pub fn issuers(&self) -> &[TrustedIssuer] {
        &self.issuers
    }

    /// Every provider, with the number of its issuer.
    pub fn providers(&self) -> impl Iterator<Item = (usize, &Provider)> {
        self.issuers.iter().enumerate().flat_map(|(at, issuer)| {
            std::iter::once(&issuer.sign_in).chain(&issuer.step_up).map(move |one| (at, one))
        })
    }

    /// Verifies the access token of a person.
    ///
    /// # Errors
    /// [`ApiError::Token`], which tells a refused token from a provider that cannot be had, and
    /// [`ApiError::NotAPerson`].
    pub async fn verify(&self, token: &AccessToken) -> Result<Verified, ApiError> {
        let origin = Origin::peek(token).map_err(VerifyError::from)?;
        let (issuer, provider) = self.provider_for(&origin).await?;
        match provider.verify_access_token(token).await?.caller {
            Caller::Person(identity) => {
                let age = provider.keys().age.map_or(KEYS_LIFETIME_S, |age| age.as_secs());
                let lifetime_s = KEYS_LIFETIME_S.saturating_sub(age).max(BRIDGED_LIFETIME_S);
                Ok(Verified { identity: *identity, issuer, lifetime_s })
            }
            Caller::Daemon { .. } => Err(ApiError::NotAPerson),
        }
    }

    /// The provider that can judge a token of this origin.
    async fn provider_for(&self, origin: &Origin) -> Result<(usize, &Provider), VerifyError> {
        let mut fits = Fits::default();
        let mut unmet = Vec::new();
        for (at, provider) in self.providers() {
            match provider.pinned_issuer() {
                Some(issuer) if fits.judges(provider, &issuer, origin) => {
                    return Ok((at, provider));
                }
                Some(_) => {}
                None => unmet.push((at, provider)),
            }
        }
        // Until these say who they are, nobody can tell whose token this is. Their keys bring their
        // metadata along, at most once in their cool-down; none has to wait for another.
        let warming = unmet.into_iter().map(async |(at, provider)| {
            let warmed = provider.warm().await;
            (at, provider, warmed)
        });
        let mut warming: FuturesUnordered<_> = warming.collect();
        let mut away = None;
        while let Some((at, provider, warmed)) = warming.next().await {
            match (warmed, provider.pinned_issuer()) {
                (_, Some(issuer)) if fits.judges(provider, &issuer, origin) => {
                    return Ok((at, provider));
                }
                (Err(error), None) => away = Some(error),
                _ => {}
            }
        }
        Err(match away {
            Some(error) => error,
            None if fits.issuer_is_known => TokenError::PolicyNotAllowed.into(),
            None => TokenError::IssuerUntrusted.into(),
        })
    }
}

/// What came of holding a token's origin against the providers.
#[derive(Default)]
struct Fits {
    issuer_is_known: bool,
}

impl Fits {
    /// Whether `provider`, which is `issuer`, can judge a token of this origin.
    fn judges(&mut self, provider: &Provider, issuer: &str, origin: &Origin) -> bool {
        if origin.issuer.as_deref() != Some(issuer) {
            return false;
        }
        self.issuer_is_known = true;
        let policies = &provider.config().policies;
        origin.policy.as_ref().is_none_or(|policy| policies.allows(policy))
    }
}
