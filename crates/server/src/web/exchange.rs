//! The code goes out, an ID token comes back (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
//!
//! Access and refresh tokens that come along are dropped at once: a browser's sign-in is for
//! knowing who somebody is, and what nobody keeps nobody can steal.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::{Request, StatusCode, header};
use luminous_domain::{AccessToken, IdToken};
use luminous_oidc::{HttpClient, HttpError, Limits};
use serde::Deserialize;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::refusal::{Meaning, ProviderRefusal};

/// Tokens with many claims are some 10 KiB.
const LIMITS: Limits = Limits { timeout: Duration::from_secs(8), max_body: 256 * 1024 };

/// What is asked.
pub struct Redemption<'a> {
    /// The token endpoint, its query kept (B2C's `?p=`).
    pub endpoint: &'a Url,
    /// Who we are there.
    pub client_id: &'a str,
    /// What proves it.
    pub client_secret: &'a str,
    /// As at the authorization endpoint.
    pub redirect_uri: &'a str,
    /// What came back.
    pub code: &'a str,
    /// What only who began it has.
    pub verifier: &'a str,
}

/// What counts of the answer. The access token only vouches for the ID token (`at_hash`).
pub struct Answer {
    /// Who signed in.
    pub id: IdToken,
    /// To be dropped.
    pub access: Option<AccessToken>,
}

/// Why there is no ID token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The provider says no.
    #[error("the provider refuses the code: {}", .0.code())]
    Refused(ProviderRefusal),
    /// The provider cannot just now.
    #[error("the provider is busy (status {0})")]
    Busy(u16),
    /// No answer.
    #[error(transparent)]
    Unreachable(#[from] HttpError),
    /// Neither tokens nor an OAuth error.
    #[error("the provider's answer (status {0}) cannot be read")]
    Unreadable(u16),
}

impl ExchangeError {
    /// Whether it is worth trying again in a moment.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Unreachable(_))
    }
}

#[derive(Deserialize)]
struct Tokens<'a> {
    #[serde(borrow)]
    id_token: Cow<'a, str>,
    #[serde(borrow)]
    access_token: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct OAuthError {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Redemption<'_> {
    /// Asks once: a code is spent by the first try.
    ///
    /// # Errors
    /// [`ExchangeError`]; none of them holds anything secret.
    pub async fn redeem(self, http: &dyn HttpClient) -> Result<Answer, ExchangeError> {
        let response = http.send(self.request()?, LIMITS).await?;
        let status = response.status();
        let body = Zeroizing::new(response.into_body());
        if status == StatusCode::OK {
            let tokens: Tokens<'_> = serde_json::from_slice(&body)
                .map_err(|_| ExchangeError::Unreadable(status.as_u16()))?;
            let access = tokens.access_token.filter(|token| !token.is_empty());
            return Ok(Answer {
                id: IdToken::new(tokens.id_token),
                access: access.map(AccessToken::new),
            });
        }
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(ExchangeError::Busy(status.as_u16()));
        }
        let OAuthError { error, error_description } = serde_json::from_slice(&body)
            .map_err(|_| ExchangeError::Unreadable(status.as_u16()))?;
        let refusal = ProviderRefusal::new(&error, &error_description);
        match refusal.meaning() {
            Meaning::Busy => Err(ExchangeError::Busy(status.as_u16())),
            _ => Err(ExchangeError::Refused(refusal)),
        }
    }

    fn request(&self) -> Result<Request<Vec<u8>>, ExchangeError> {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", self.code)
            .append_pair("redirect_uri", self.redirect_uri)
            .append_pair("client_id", self.client_id)
            .append_pair("client_secret", self.client_secret)
            .append_pair("code_verifier", self.verifier)
            .finish();
        Request::post(self.endpoint.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(body.into_bytes())
            .map_err(|_| ExchangeError::Unreadable(0))
    }
}
