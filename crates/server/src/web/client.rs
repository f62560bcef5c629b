//! The providers a browser can sign in with, and this server's own registration at each.

use std::sync::Arc;

use luminous_domain::{Clock, PersonKey};
use luminous_oidc::{Authority, HttpClient, Provider, ProviderConfig, ProviderMetadata};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::csrf::Guard;
use crate::config::{Config, ConfigError, Hint, IssuerSettings, Secrets};

/// What the pages are made of.
pub struct Web {
    /// The address browsers know, without a slash at the end.
    pub(super) base: String,
    /// Whether browsers come by https.
    pub(super) secure: bool,
    pub(super) guard: Guard,
    pub(super) clients: Vec<WebClient>,
    pub(super) http: Arc<dyn HttpClient>,
}

/// Our registration at one provider: a confidential client.
pub struct WebClient {
    pub(super) provider: Provider,
    /// The policy that gives a new password; it only ever sends the browser back.
    pub(super) reset: Option<Provider>,
    pub(super) hints: Vec<Hint>,
    secret: SecretString,
}

/// Which of a client's policies the browser was sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Signing in.
    SignIn,
    /// Signing in by a new proof, whomever the provider knows: what it knew them by was ended.
    SignInAgain,
    /// Getting a new password, to sign in with afterwards (R9).
    NewPassword,
}

impl Web {
    /// The pages as the configuration wants them. Without a web client anywhere they say that
    /// nobody can sign in here.
    ///
    /// # Errors
    /// [`ConfigError`] when a provider's settings are not usable.
    pub fn new(
        config: &Config,
        secrets: &Secrets,
        http: &Arc<dyn HttpClient>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let mut clients = Vec::new();
        for (at, issuer) in config.issuers.iter().enumerate() {
            let (Some(id), Some(secret)) = (&issuer.web_client_id, secrets.web_client(at)) else {
                continue;
            };
            let provider = issuer.provider(config.profile).map_err(|error| {
                ConfigError::new(format!("issuers[{at}].address"), error.to_string())
            })?;
            let setup = Setup { at, issuer, secret, http, clock };
            clients.push(setup.client(as_web_client(provider, id))?);
        }
        let base = config.base();
        Ok(Self {
            guard: Guard::new(&secrets.key("web forms"), &base),
            base,
            secure: config.is_https(),
            clients,
            http: Arc::clone(http),
        })
    }

    /// Where providers send the browser back to.
    pub(super) fn redirect_uri(&self) -> String {
        format!("{}/callback", self.base)
    }

    /// The client and its policy that `asked` names; see [`WebClient::name`].
    pub(super) fn asked(&self, asked: &str) -> Option<(&WebClient, Purpose)> {
        self.clients.iter().find_map(|client| {
            [Purpose::SignIn, Purpose::SignInAgain, Purpose::NewPassword]
                .into_iter()
                .find(|&purpose| client.name(purpose).as_deref() == Some(asked))
                .map(|purpose| (client, purpose))
        })
    }

    /// The provider that knows `person`, if it can be asked now.
    pub(super) async fn provider_of(
        &self,
        person: &PersonKey,
    ) -> Option<(&Provider, Arc<ProviderMetadata>)> {
        for WebClient { provider, .. } in &self.clients {
            let Ok(metadata) = provider.metadata().await else { continue };
            if provider.tenant().as_ref() == Some(&person.tenant) {
                return Some((provider, metadata));
            }
        }
        None
    }
}

struct Setup<'a> {
    at: usize,
    issuer: &'a IssuerSettings,
    secret: &'a str,
    http: &'a Arc<dyn HttpClient>,
    clock: &'a Arc<dyn Clock>,
}

impl Setup<'_> {
    fn client(&self, config: ProviderConfig) -> Result<WebClient, ConfigError> {
        let reset = self.issuer.password_reset_policy.as_deref();
        let reset =
            reset.map(|policy| config.with_policy(policy)).transpose().map_err(|error| {
                let setting = format!("issuers[{}].password_reset_policy", self.at);
                ConfigError::new(setting, error.to_string())
            })?;
        let provider =
            |config| Provider::new(config, Arc::clone(self.http), Arc::clone(self.clock));
        Ok(WebClient {
            provider: provider(config),
            reset: reset.map(provider),
            hints: self.issuer.hints.clone(),
            secret: SecretString::from(self.secret),
        })
    }
}

impl WebClient {
    /// The provider for that purpose.
    pub(super) fn at(&self, purpose: Purpose) -> Option<&Provider> {
        match purpose {
            Purpose::SignIn | Purpose::SignInAgain => Some(&self.provider),
            Purpose::NewPassword => self.reset.as_ref(),
        }
    }

    /// What a sign-in under way remembers: the metadata's address names provider and policy.
    pub(super) fn name(&self, purpose: Purpose) -> Option<String> {
        let mut url = self.at(purpose)?.config().metadata_url();
        if purpose == Purpose::SignInAgain {
            url.set_fragment(Some("again"));
        }
        Some(url.into())
    }

    /// What proves at the token endpoint that it is us.
    pub(super) fn secret(&self) -> &str {
        self.secret.expose_secret()
    }

    /// The shortcut of that name, if it is one of those configured: nobody else's text goes into
    /// the provider's address.
    pub(super) fn hint(&self, asked: &str) -> Option<&Hint> {
        self.hints.iter().find(|hint| hint.domain_hint == asked)
    }

    /// Where browsers go to sign in and out.
    pub(super) fn origin(&self) -> String {
        let url: &Url = self.provider.config().authority.origin();
        url.origin().ascii_serialization()
    }
}

/// Only who somebody is gets asked for; no API of anybody's is called with what comes back.
fn as_web_client(mut provider: ProviderConfig, id: &str) -> ProviderConfig {
    let mut scopes = vec!["openid"];
    match provider.authority {
        // B2C wants a resource named beside `openid` in a code flow (AADB2C90115).
        Authority::B2c { .. } => scopes.push(id),
        Authority::ExternalId { .. } | Authority::Oidc { .. } => {
            scopes.extend(["profile", "email"]);
        }
    }
    provider.scopes = scopes.into_iter().map(str::to_owned).collect();
    id.clone_into(&mut provider.client_id);
    provider
}
