//! The runtime for one provider and policy: its metadata, its keys, and the judgement of tokens.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use luminous_domain::{AccessToken, Clock, IdToken};

use crate::config::{ExpectedIssuer, ProviderConfig};
use crate::discovery::{self, DiscoveryError, ProviderMetadata};
use crate::http::HttpClient;
use crate::identity::{AccessClaims, Identity};
use crate::keys::{KeysError, KeysProblem};
use crate::token::TokenError;

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

/// One provider and policy at run time. Cheap to share, made once.
pub struct Provider {
    config: ProviderConfig,
    http: Arc<dyn HttpClient>,
    #[expect(dead_code, reason = "the verifier lands next")]
    clock: Arc<dyn Clock>,
    metadata: RwLock<Option<Arc<ProviderMetadata>>>,
}

impl Provider {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new(config: ProviderConfig, http: Arc<dyn HttpClient>, clock: Arc<dyn Clock>) -> Self {
        Self { config, http, clock, metadata: RwLock::new(None) }
    }

    /// What this provider was made from.
    #[must_use]
    pub fn config(&self) -> &ProviderConfig {
        &self.config
    }

    /// The issuer, once it is known: persist it and use [`ExpectedIssuer::Exact`] the next time.
    #[must_use]
    pub fn pinned_issuer(&self) -> Option<String> {
        match &self.config.expected_issuer {
            ExpectedIssuer::Exact(exact) => Some(exact.clone()),
            ExpectedIssuer::Discovered => self.known().map(|known| known.issuer.clone()),
        }
    }

    /// The provider's metadata: as known, else asked for now.
    ///
    /// # Errors
    /// [`DiscoveryError`] when there is none to trust.
    pub async fn metadata(&self) -> Result<Arc<ProviderMetadata>, DiscoveryError> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let fresh = Arc::new(discovery::fetch(&self.config, None, &*self.http).await?);
        if let Ok(mut known) = self.metadata.write() {
            *known = Some(fresh.clone());
        }
        Ok(fresh)
    }

    fn known(&self) -> Option<Arc<ProviderMetadata>> {
        self.metadata.read().ok().and_then(|known| known.clone())
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
        let _ = (token, expected, self.metadata().await?);
        Err(KeysError::Unavailable(KeysProblem::Empty).into())
    }

    /// Verifies an access token made for us ([`ProviderConfig::audiences`]; RFC 9068 section 4).
    ///
    /// # Errors
    /// As for ID tokens.
    pub async fn verify_access_token(
        &self,
        token: &AccessToken,
    ) -> Result<AccessClaims, VerifyError> {
        let _ = (token, self.metadata().await?);
        Err(KeysError::Unavailable(KeysProblem::Empty).into())
    }
}
