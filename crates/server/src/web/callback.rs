//! `GET /callback`: back from the provider.
//!
//! The query is hostile until its state is found among the sign-ins that this very browser has under
//! way; finding it takes it, so an answer counts once. Until then nothing is asked of anybody.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use luminous_domain::{AccountId, AuthorizationCode, NoEntropy, WebSessionId};
use luminous_oidc::{DiscoveryError, IdTokenExpectation, Identity, Provider, VerifyError};
use luminous_store::{Account, Act, Actor, NewWebSession, PendingSignIn, StoreError};

use super::begin::Start;
use super::client::{Purpose, WebClient};
use super::cookies::{Cookie, CookieValue, sha256};
use super::exchange::{ExchangeError, Redemption};
use super::login::cannot_begin;
use super::page::{Action, Tone, see_other};
use super::query::Callback;
use super::refusal::{Meaning, ProviderRefusal};
use super::return_to::ReturnTo;
use super::visitor::Visitor;
use super::{SESSION_IDLE, SESSION_LIFETIME};
use crate::door::is_ended;
use crate::introduction::Introduction;
use crate::problem::ApiError;
use crate::state::AppState;

/// Why nobody is signed in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum CallbackError {
    /// The answer belongs to no sign-in that this browser has under way.
    #[error("the answer belongs to no sign-in of this browser")]
    NotOpen,
    /// It names another issuer than the one asked, or none where it must (RFC 9207 section 2.4).
    #[error("the answer comes from another issuer than the one asked")]
    IssuerMismatch,
    /// The provider says no.
    #[error("the provider refused: {}", .0.code())]
    Refused(ProviderRefusal),
    /// Asked for a new proof, it sent the old one again.
    #[error("the provider did not ask who it is")]
    NotProved,
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    #[error(transparent)]
    Token(#[from] VerifyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl CallbackError {
    /// For the log and the figures.
    const fn code(&self) -> &'static str {
        match self {
            Self::NotOpen => "redirect.state_mismatch",
            Self::IssuerMismatch => "redirect.issuer_mismatch",
            Self::Refused(_) => "redirect.refused",
            Self::NotProved => "redirect.not_proved",
            Self::Exchange(_) => "redirect.exchange_rejected",
            Self::Discovery(error) => error.code(),
            Self::Token(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::NoEntropy(_) => "internal",
        }
    }
}

/// What comes after an answer that counts.
enum Next {
    /// Somebody is signed in, with this cookie.
    SignedIn(CookieValue),
    /// To the provider again: for another of its policies (R9), or for a new proof (V21).
    Away(Purpose),
}

/// An answer, and the sign-in it belongs to.
struct Answered<'a> {
    callback: Callback,
    pending: PendingSignIn,
    client: &'a WebClient,
    purpose: Purpose,
}

/// Takes the browser back, signs it in and sends it on.
pub async fn callback(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    // What belongs to nothing changes nothing: nobody can end a sign-in by sending nonsense (R3).
    let answered = match take(&state, &headers, &query.unwrap_or_default()).await {
        Ok(answered) => answered,
        Err(error) => return trouble(&state, &visitor, error),
    };
    let return_to = ReturnTo::parse(&answered.pending.return_to).unwrap_or_else(ReturnTo::home);
    let client = answered.client;
    let web = state.web();
    // The browser's cookie stays until it ends by itself, for another tab may be under way; what
    // cannot be used again is the state.
    match answered.finish(&state, &visitor).await {
        Ok(Next::Away(purpose)) => {
            let language = visitor.language;
            let start = Start {
                client,
                purpose,
                return_to: &return_to,
                domain_hint: None,
                ask_again: purpose == Purpose::SignInAgain,
                language,
            };
            let begun = start.begin(&state, &headers).await;
            begun.unwrap_or_else(|error| cannot_begin(&state, &visitor, error))
        }
        Ok(Next::SignedIn(cookie)) => {
            count(&state, "ok");
            let mut response = see_other(web, return_to.as_str());
            let cookie = Cookie::Session.give(&cookie, web.secure, SESSION_LIFETIME);
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        Err(error) => trouble(&state, &visitor, error),
    }
}

/// The sign-in of this browser that the answer belongs to. Both are found by hash, so that how long
/// it takes tells nothing about how much of a guess was right.
async fn take<'a>(
    state: &'a AppState,
    headers: &HeaderMap,
    query: &str,
) -> Result<Answered<'a>, CallbackError> {
    let web = state.web();
    let browser = Cookie::Browser.read(headers, web.secure).ok_or(CallbackError::NotOpen)?;
    let callback = Callback::parse(query).ok_or(CallbackError::NotOpen)?;
    let ticket = sha256(callback.state.as_bytes());
    let pending = state.store().take_pending(&ticket, &browser.hash()).await?;
    let pending = pending.ok_or(CallbackError::NotOpen)?;
    // A restart may have brought another configuration.
    let (client, purpose) = web.asked(&pending.issuer).ok_or(CallbackError::NotOpen)?;
    Ok(Answered { callback, pending, client, purpose })
}

impl Answered<'_> {
    async fn finish(self, state: &AppState, visitor: &Visitor) -> Result<Next, CallbackError> {
        let provider = self.client.at(self.purpose).ok_or(CallbackError::NotOpen)?;
        let metadata = provider.metadata().await?;
        match &self.callback.issuer {
            Some(issuer) if *issuer != metadata.issuer => {
                return Err(CallbackError::IssuerMismatch);
            }
            None if metadata.authorization_response_iss_parameter_supported => {
                return Err(CallbackError::IssuerMismatch);
            }
            _ => {}
        }
        let code = match (&self.callback.answer, self.purpose) {
            (Ok(code), Purpose::SignIn | Purpose::SignInAgain) => code,
            // The new password is all that was wanted there; its code is worth nothing to us.
            (Ok(_), Purpose::NewPassword) => return Ok(Next::Away(Purpose::SignIn)),
            (Err(refusal), Purpose::SignIn | Purpose::SignInAgain)
                if refusal.meaning() == Meaning::ForgotPassword && self.client.reset.is_some() =>
            {
                return Ok(Next::Away(Purpose::NewPassword));
            }
            (Err(refusal), _) => return Err(CallbackError::Refused(refusal.clone())),
        };
        let identity = self.redeem(state, provider, &metadata.token_endpoint, code).await?;
        let account = arrive(state, visitor, &identity).await?;
        match (is_ended(&identity, account.not_before), self.purpose) {
            (false, _) => {
                open_session(state, visitor, &identity, account).await.map(Next::SignedIn)
            }
            // The provider still knows somebody who signed out everywhere since.
            (true, Purpose::SignIn) => Ok(Next::Away(Purpose::SignInAgain)),
            (true, _) => Err(CallbackError::NotProved),
        }
    }

    async fn redeem(
        &self,
        state: &AppState,
        provider: &Provider,
        endpoint: &url::Url,
        code: &AuthorizationCode,
    ) -> Result<Identity, CallbackError> {
        let web = state.web();
        let redemption = Redemption {
            endpoint,
            client_id: &provider.config().client_id,
            client_secret: self.client.secret(),
            redirect_uri: &web.redirect_uri(),
            code: code.expose(),
            verifier: &self.pending.verifier,
        };
        let answer = redemption.redeem(&*web.http).await?;
        let expected = IdTokenExpectation {
            nonce: Some(&self.pending.nonce),
            access_token: answer.access.as_ref(),
            max_age: None,
        };
        Ok(provider.verify_id_token(&answer.id, expected).await?)
    }
}

/// The account of whoever signed in.
async fn arrive(
    state: &AppState,
    visitor: &Visitor,
    identity: &Identity,
) -> Result<Account, CallbackError> {
    let known = state.store().standing(&identity.person).await?.map(|standing| standing.account);
    let id = AccountId::new(state.clock().now(), state.entropy())?;
    let introduction = Introduction::of(identity);
    let arrival = introduction.arrival(identity, known.as_ref(), id, visitor.network);
    Ok(state.store().arrive(&arrival).await?.account)
}

/// A new session with a new cookie. The one the browser had ends in the same transaction, so a
/// cookie that somebody planted is worth nothing afterwards (session fixation).
async fn open_session(
    state: &AppState,
    visitor: &Visitor,
    identity: &Identity,
    account: Account,
) -> Result<CookieValue, CallbackError> {
    let (now, entropy) = (state.clock().now(), state.entropy());
    let cookie = CookieValue::new(entropy)?;
    let session = NewWebSession {
        id: WebSessionId::new(now, entropy)?,
        token: cookie.hash(),
        account: account.id,
        user_agent: visitor.user_agent.clone(),
        auth_time: identity.auth_time,
        is_email_unverified: identity.is_email_unverified,
        idle: SESSION_IDLE,
        lifetime: SESSION_LIFETIME,
    };
    let actor = Actor::Account { id: account.id, name: account.name };
    let act = Act { actor, network: visitor.network };
    let replaced = visitor.signed_in.as_ref().map(super::visitor::SignedIn::hash);
    state.store().open_session(&session, replaced.as_ref(), &act).await?;
    Ok(cookie)
}

fn count(state: &AppState, outcome: &str) {
    state.meters().count("luminous_web_sign_ins_total", &[("outcome", outcome)]);
}

/// The page for it. What the provider said stays in the log.
fn trouble(state: &AppState, visitor: &Visitor, error: CallbackError) -> Response {
    let (code, request_id) = (error.code(), &visitor.request_id);
    tracing::warn!(%request_id, code, %error, "nobody was signed in");
    count(state, code);
    let w = visitor.language.words();
    let again = || vec![Action::new("/login", w.try_again), Action::new("/", w.home)];
    let passing = match error {
        CallbackError::NotOpen => {
            let words = (Tone::Plain, w.not_open);
            return visitor.say(state, StatusCode::BAD_REQUEST, words, again());
        }
        CallbackError::Refused(refusal) => match refusal.meaning() {
            Meaning::Cancelled => {
                return visitor.say(state, StatusCode::OK, (Tone::Plain, w.cancelled), again());
            }
            Meaning::Busy => true,
            Meaning::ForgotPassword | Meaning::Other => false,
        },
        CallbackError::Exchange(error) => error.is_passing(),
        CallbackError::Discovery(_) => true,
        CallbackError::Token(error) => !matches!(error, VerifyError::Token(_)),
        CallbackError::IssuerMismatch | CallbackError::NotProved => false,
        CallbackError::Store(error) => return visitor.failed(state, &error.into()),
        CallbackError::NoEntropy(error) => {
            return visitor.failed(state, &ApiError::Internal(error.to_string()));
        }
    };
    let (status, message) = match passing {
        true => (StatusCode::SERVICE_UNAVAILABLE, w.provider_busy),
        false => (StatusCode::BAD_REQUEST, w.refused),
    };
    visitor.say_trouble(state, status, message, again())
}
