//! The runtime for one provider and policy: its metadata, its keys, and the judgement of tokens.

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::{AccessToken, Clock, IdToken, TenantId};

use crate::claims::Claims;
use crate::config::ProviderConfig;
use crate::discovery::{DiscoveryError, ProviderMetadata};
use crate::http::HttpClient;
use crate::identity::{AccessClaims, Identity};
use crate::issuer;
use crate::jose::Jws;
use crate::keys::{KeyCache, KeysError, KeysReport};
use crate::metadata::MetadataCache;
use crate::token::TokenError;
use crate::verify::{self, Against};

/// What an ID token must match.
#[derive(Debug, Clone, Copy, Default)]
pub struct IdTokenExpectation<'a> {
    /// The nonce of this sign-in; `None` on refresh, where the provider need not repeat it.
    pub nonce: Option<&'a str>,
    /// The access token that came along, for `at_hash`.
    pub access_token: Option<&'a AccessToken>,
    /// How long ago the person may have proved who they are.
    pub max_age: Option<Duration>,
}

/// Why a token could not be verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The token is refused.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The keys cannot be had; nothing is said about the token.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The metadata cannot be had; nothing is said about the token.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
}

impl VerifyError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::Keys(error) => error.code(),
            Self::Discovery(error) => error.code(),
        }
    }
}

/// One provider and policy at run time: made once, shared by everybody who signs in or verifies.
pub struct Provider {
    config: Arc<ProviderConfig>,
    clock: Arc<dyn Clock>,
    metadata: Arc<MetadataCache>,
    keys: KeyCache,
}

impl Provider {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(config: ProviderConfig, http: Arc<dyn HttpClient>, clock: Arc<dyn Clock>) -> Self {
        let config = Arc::new(config);
        let metadata = Arc::new(MetadataCache::new(config.clone(), http.clone(), clock.clone()));
        let keys = KeyCache::new(config.clone(), http, clock.clone(), metadata.clone());
        Self { config, clock, metadata, keys }
    }

    /// What this provider was made from.
    #[must_use]
    pub fn config(&self) -> &ProviderConfig {
        &self.config
    }

    /// The issuer, once it is known: persist it and use [`crate::ExpectedIssuer::Exact`] the next
    /// time.
    #[must_use]
    pub fn pinned_issuer(&self) -> Option<String> {
        self.metadata.issuer()
    }

    /// The directory whose people this provider knows, once the issuer is known: the same value as
    /// in [`luminous_domain::PersonKey::tenant`].
    #[must_use]
    pub fn tenant(&self) -> Option<TenantId> {
        self.pinned_issuer().map(|issuer| issuer::directory(&issuer))
    }

    /// The provider's metadata: as known, else asked for now. Known metadata is asked for again
    /// after 12 h, and goes on if that fails.
    ///
    /// # Errors
    /// [`DiscoveryError`] when there is none to trust.
    pub async fn metadata(&self) -> Result<Arc<ProviderMetadata>, DiscoveryError> {
        self.metadata.get().await
    }

    /// How the keys stand, for diagnosis and readiness.
    #[must_use]
    pub fn keys(&self) -> KeysReport {
        self.keys.report()
    }

    /// Makes sure that there are keys to judge by, as a token would: asks for them when there are
    /// none, or when they grow old. For a server that wants to be ready before the first token.
    ///
    /// # Errors
    /// [`VerifyError::Keys`] or [`VerifyError::Discovery`] when there are none.
    pub async fn warm(&self) -> Result<(), VerifyError> {
        self.keys.warm().await
    }

    /// Verifies an ID token (OpenID Connect Core section 3.1.3.7).
    ///
    /// # Errors
    /// [`VerifyError`], which tells a refused token from keys or metadata that cannot be had.
    pub async fn verify_id_token(
        &self,
        token: &IdToken,
        expected: IdTokenExpectation<'_>,
    ) -> Result<Identity, VerifyError> {
        let jws = Jws::parse(token.expose(), &self.config.algorithms)?;
        let claims = Claims::parse(jws.payload())?;
        let issuer = self.trust_signature(&jws).await?;
        Ok(verify::id_token(&jws, &claims, &self.against(&issuer), &expected)?)
    }

    /// Verifies an access token made for [`ProviderConfig::audiences`] (RFC 9068 section 4).
    ///
    /// # Errors
    /// As for ID tokens.
    pub async fn verify_access_token(
        &self,
        token: &AccessToken,
    ) -> Result<AccessClaims, VerifyError> {
        let jws = Jws::parse(token.expose(), &self.config.algorithms)?;
        let claims = Claims::parse(jws.payload())?;
        let issuer = self.trust_signature(&jws).await?;
        Ok(verify::access_token(&jws, &claims, &self.against(&issuer))?)
    }

    /// Verifies a token that the application `client` got for itself to call
    /// [`ProviderConfig::audiences`]. It needs neither scope nor role, so it allows nothing but what
    /// the caller grants to exactly this application.
    ///
    /// # Errors
    /// As for ID tokens.
    pub async fn verify_application_token(
        &self,
        token: &AccessToken,
        client: &str,
    ) -> Result<(), VerifyError> {
        let jws = Jws::parse(token.expose(), &self.config.algorithms)?;
        let claims = Claims::parse(jws.payload())?;
        let issuer = self.trust_signature(&jws).await?;
        Ok(verify::application_token(&jws, &claims, &self.against(&issuer), client)?)
    }

    /// Checks the signature and answers the issuer whose keys they are.
    async fn trust_signature(&self, jws: &Jws<'_>) -> Result<String, VerifyError> {
        self.keys.verify(jws).await?;
        // Keys are only ever fetched by way of metadata, so the issuer is known by now.
        self.metadata.issuer().ok_or(VerifyError::Token(TokenError::IssuerUntrusted))
    }

    fn against<'a>(&'a self, issuer: &'a str) -> Against<'a> {
        Against::new(&self.config, issuer, self.clock.now())
    }
}
