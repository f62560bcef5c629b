//! A sign-in as a value (RFC 6749 section 4.1 with PKCE, RFC 7636; OpenID Connect Core 3.1).
//!
//! [`begin`] makes the URL for the browser and the [`PendingSignIn`] to be kept until the answer
//! comes; [`PendingSignIn::accept`] judges the answer. Neither does any I/O.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use luminous_domain::entropy::NoEntropy;
use luminous_domain::{AuthorizationCode, Entropy, Timestamp};
use luminous_oidc::{ProviderConfig, ProviderMetadata};
use luminous_wire::{AppError, BrowserPurpose, ErrorCode, Language};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use url::Url;
use zeroize::Zeroizing;

use crate::provider_error::ProviderWords;
use crate::redirect::{Answer, Redirect};

/// How long the person has in the browser. B2C's own codes live about as long.
pub const LIFETIME: Duration = Duration::from_secs(600);

/// What the person shall do in the browser, and how its page is asked for.
///
/// Goes into the vault with the pending sign-in, so that an answer after a restart is still taken
/// for what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ask {
    /// What.
    pub purpose: BrowserPurpose,
    /// The B2C policy, where it is another than the one people sign in with.
    pub policy: Option<String>,
    /// Whether the browser shall not go on with whom it remembers (`prompt=login`).
    pub anew: bool,
    /// The identity provider to go to at once (`domain_hint`, Microsoft's).
    pub domain_hint: Option<String>,
    /// Who it is, as far as we know (OpenID Connect Core 3.1.2.1).
    pub login_hint: Option<String>,
    /// How they must prove it, where that is no policy of its own (RFC 9470 section 4).
    pub acr_values: Option<String>,
    /// How long ago, in seconds, they may have proved it.
    pub max_age_s: Option<u64>,
}

impl Default for Ask {
    /// A plain sign-in.
    fn default() -> Self {
        Self {
            purpose: BrowserPurpose::SignIn,
            policy: None,
            anew: false,
            domain_hint: None,
            login_hint: None,
            acr_values: None,
            max_age_s: None,
        }
    }
}

impl Ask {
    /// What of `configured` to ask for. Only a sign-in gives a grant that lasts: the results of
    /// the other policies must never replace it, so they are not given one at all.
    fn scopes(&self, configured: &[String]) -> Vec<String> {
        match self.purpose {
            BrowserPurpose::SignIn => configured.to_vec(),
            BrowserPurpose::StepUp => {
                configured.iter().filter(|scope| *scope != "offline_access").cloned().collect()
            }
            BrowserPurpose::ResetPassword | BrowserPurpose::EditProfile => {
                vec!["openid".to_owned()]
            }
        }
    }

    /// What goes into the URL beside the protocol's own.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let max_age = self.max_age_s.map(|seconds| seconds.to_string());
        let given = [
            ("prompt", self.anew.then(|| "login".to_owned())),
            ("domain_hint", self.domain_hint.clone()),
            ("login_hint", self.login_hint.clone()),
            ("acr_values", self.acr_values.clone()),
            ("max_age", max_age),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Whoever waits for the end of a sign-in. Dropped without a word when it is given up.
pub(crate) type Waiter = Arc<watch::Sender<Option<Result<(), AppError>>>>;

/// What a sign-in is made of.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Our registration.
    pub config: &'a ProviderConfig,
    /// The provider's endpoints.
    pub metadata: &'a ProviderMetadata,
    /// Where the answer shall go; one of those registered.
    pub redirect_uri: &'a str,
    /// What the person shall do there.
    pub ask: &'a Ask,
    /// The language for the provider's pages.
    pub language: Language,
    /// The wall clock, which a restart survives.
    pub now: Timestamp,
}

/// A sign-in the browser has the word on. Everything the answer is judged by was fixed when it was
/// begun: a provider that answers cannot change where the code is sent (mix-up, RFC 9700 4.4).
#[derive(Clone)]
pub struct PendingSignIn {
    /// What the answer must repeat.
    pub(crate) state: Zeroizing<String>,
    /// What the ID token must repeat.
    pub(crate) nonce: Zeroizing<String>,
    /// The PKCE verifier; whoever has it and the code can sign in.
    pub(crate) verifier: Zeroizing<String>,
    /// Where the answer must arrive.
    pub redirect_uri: String,
    /// Who must answer.
    pub issuer: String,
    /// Whether the answer must name its issuer (RFC 9207).
    pub issuer_required: bool,
    /// Where the code goes.
    pub token_endpoint: Url,
    /// Who we are there.
    pub client_id: String,
    /// When it ends by itself, by the wall clock.
    pub expires_at: Timestamp,
    /// What the person was asked to do.
    pub ask: Ask,
    /// Who waits for it, in this process.
    pub(crate) waiter: Option<Waiter>,
}

impl fmt::Debug for PendingSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSignIn")
            .field("redirect_uri", &self.redirect_uri)
            .field("issuer", &self.issuer)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Why a sign-in cannot begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BeginError {
    /// No randomness, no secrets.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The redirect URI is not a URL.
    #[error("the redirect URI is not a URL")]
    RedirectUri,
}

/// Why an answer with the right state brings no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It names another issuer, or none where it must (RFC 9207 section 2.4).
    #[error("the answer comes from another issuer than the one asked")]
    IssuerMismatch,
    /// The provider says no.
    #[error("the provider refused: {}", .0.error)]
    Refused(ProviderWords),
}

impl AnswerError {
    /// The code for people.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::IssuerMismatch => ErrorCode::RedirectIssuerMismatch,
            Self::Refused(words) => words.redirect_code(),
        }
    }
}

/// The URL to open, and what to keep until the answer comes.
///
/// State, nonce and verifier are 256 random bits each, as 43 unreserved characters; the challenge
/// method is always S256.
///
/// # Errors
/// [`BeginError`].
pub fn begin(
    request: Request<'_>,
    entropy: &dyn Entropy,
) -> Result<(Url, PendingSignIn), BeginError> {
    let (state, nonce, verifier) = (secret(entropy)?, secret(entropy)?, secret(entropy)?);
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(
        verifier.as_str().to_owned(),
    ));
    let redirect_uri =
        RedirectUrl::new(request.redirect_uri.to_owned()).map_err(|_| BeginError::RedirectUri)?;
    let metadata = request.metadata;
    let client = BasicClient::new(ClientId::new(request.config.client_id.clone()))
        .set_auth_uri(AuthUrl::from_url(metadata.authorization_endpoint.clone()))
        .set_redirect_uri(redirect_uri);
    let mut url = client
        .authorize_url(|| CsrfToken::new(state.as_str().to_owned()))
        .add_scopes(request.ask.scopes(&request.config.scopes).into_iter().map(Scope::new))
        .set_pkce_challenge(challenge)
        .add_extra_param("nonce", nonce.as_str());
    for (name, value) in request.ask.parameters() {
        url = url.add_extra_param(name, value);
    }
    if let Some(tag) = language_tag(request.language) {
        url = url.add_extra_param("ui_locales", tag);
    }
    let url = url.url().0;
    let pending = PendingSignIn {
        state,
        nonce,
        verifier,
        redirect_uri: request.redirect_uri.to_owned(),
        issuer: metadata.issuer.clone(),
        issuer_required: metadata.authorization_response_iss_parameter_supported,
        token_endpoint: metadata.token_endpoint.clone(),
        client_id: request.config.client_id.clone(),
        expires_at: request.now + LIFETIME,
        ask: request.ask.clone(),
        waiter: None,
    };
    Ok((url, pending))
}

impl PendingSignIn {
    /// The code of an answer whose state was already found to be this sign-in's.
    ///
    /// # Errors
    /// [`AnswerError`]; the code goes nowhere then.
    pub fn accept(&self, answer: Redirect) -> Result<AuthorizationCode, AnswerError> {
        match answer.issuer {
            Some(issuer) if issuer != self.issuer => return Err(AnswerError::IssuerMismatch),
            None if self.issuer_required => return Err(AnswerError::IssuerMismatch),
            _ => {}
        }
        match answer.answer {
            Answer::Code(code) => Ok(code),
            Answer::Refused(words) => Err(AnswerError::Refused(words)),
        }
    }
}

fn secret(entropy: &dyn Entropy) -> Result<Zeroizing<String>, NoEntropy> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    entropy.fill(bytes.as_mut_slice())?;
    Ok(Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

const fn language_tag(language: Language) -> Option<&'static str> {
    match language {
        Language::System => None,
        Language::En => Some("en"),
        Language::De => Some("de"),
        Language::Es => Some("es"),
    }
}
