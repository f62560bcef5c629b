//! The beginning of a sign-in: what to keep, and where to send the browser (RFC 6749 section 4.1.1,
//! RFC 7636 section 4.3, OpenID Connect Core section 3.1.2.1).

use axum::http::{HeaderMap, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use luminous_domain::NoEntropy;
use luminous_oidc::DiscoveryError;
use luminous_store::{NewPendingSignIn, StoreError};

use super::SIGN_IN_LIFETIME;
use super::client::{Purpose, WebClient};
use super::cookies::{Cookie, CookieValue, secret, sha256};
use super::page::see_other;
use super::return_to::ReturnTo;
use super::words::Language;
use crate::state::AppState;

/// What is wanted.
pub struct Start<'a> {
    /// At which provider.
    pub client: &'a WebClient,
    /// For what.
    pub purpose: Purpose,
    /// Where to go afterwards.
    pub return_to: &'a ReturnTo,
    /// Straight to a provider behind the provider.
    pub domain_hint: Option<&'a str>,
    /// Ask who it is, even if the provider knows somebody.
    pub ask_again: bool,
    /// The language of the provider's pages.
    pub language: Language,
}

/// Why a sign-in cannot begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BeginError {
    /// This client has no such policy.
    #[error("there is no policy for this")]
    NoPolicy,
    /// The provider does not say where to go.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No randomness, no secrets.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl Start<'_> {
    /// Keeps the sign-in and sends the browser to the provider.
    ///
    /// A browser that has begun one already keeps its cookie, so that two tabs can sign in; the
    /// state is another one each time.
    ///
    /// # Errors
    /// [`BeginError`].
    pub async fn begin(
        self,
        state: &AppState,
        headers: &HeaderMap,
    ) -> Result<Response, BeginError> {
        let web = state.web();
        let provider = self.client.at(self.purpose).ok_or(BeginError::NoPolicy)?;
        let issuer = self.client.name(self.purpose).ok_or(BeginError::NoPolicy)?;
        let metadata = provider.metadata().await?;
        let entropy = state.entropy();
        let browser = match Cookie::Browser.read(headers, web.secure) {
            Some(browser) => browser,
            None => CookieValue::new(entropy)?,
        };
        let (ticket, nonce, verifier) = (secret(entropy)?, secret(entropy)?, secret(entropy)?);
        let pending = NewPendingSignIn {
            state: sha256(ticket.as_bytes()),
            browser: browser.hash(),
            nonce: nonce.as_str().to_owned(),
            verifier: verifier.as_str().to_owned(),
            issuer,
            return_to: self.return_to.as_str().to_owned(),
            lifetime: SIGN_IN_LIFETIME,
        };
        state.store().begin_pending(&pending).await?;

        let mut url = metadata.authorization_endpoint.clone();
        let config = provider.config();
        let challenge = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
        url.query_pairs_mut()
            .append_pair("client_id", &config.client_id)
            .append_pair("response_type", "code")
            .append_pair("response_mode", "query")
            .append_pair("redirect_uri", &web.redirect_uri())
            .append_pair("scope", &config.scopes.join(" "))
            .append_pair("state", &ticket)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("ui_locales", self.language.tag());
        if let Some(hint) = self.domain_hint {
            url.query_pairs_mut().append_pair("domain_hint", hint);
        }
        if self.ask_again {
            url.query_pairs_mut().append_pair("prompt", "login");
        }
        let mut response = see_other(web, url.as_str());
        let cookie = Cookie::Browser.give(&browser, web.secure, SIGN_IN_LIFETIME);
        response.headers_mut().append(header::SET_COOKIE, cookie);
        Ok(response)
    }
}
