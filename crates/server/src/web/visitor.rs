//! Who looks at a page, and whether a form comes from one of ours.

use std::net::{IpAddr, Ipv4Addr};

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::Response;
use luminous_store::{Act, Actor, Network, SessionOwner};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::Web;
use super::cookies::{Cookie, CookieValue};
use super::page::{Action, Frame, Says, Tone, render, see_other};
use super::words::{Language, Message};
use crate::problem::ApiError;
use crate::state::AppState;
use crate::visit::Visit;

/// The largest form of ours, in bytes.
const LARGEST_FORM: usize = 4 * 1024;
/// What a browser says of itself is kept up to this many characters.
const USER_AGENT_MOST: usize = 200;

/// Whoever looks at a page.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The language of their browser.
    pub language: Language,
    /// The request's id.
    pub request_id: String,
    /// From where.
    pub address: IpAddr,
    /// What kind of network that is.
    pub network: Network,
    /// What the browser says of itself, cut to 200 characters.
    pub user_agent: String,
    /// Who they are, if they signed in.
    pub signed_in: Option<SignedIn>,
}

/// Somebody with a session that stands.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub(super) cookie: CookieValue,
    /// The session, and where its owner stands.
    pub owner: SessionOwner,
}

/// A form that somebody signed in sent from one of our pages.
pub struct Submitted<T> {
    /// Who looked at the page.
    pub visitor: Visitor,
    /// The same, as somebody.
    pub person: SignedIn,
    /// What the form says.
    pub form: T,
}

/// A form without fields of its own: a button.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Button {}

#[derive(Deserialize)]
struct Guarded<T> {
    #[serde(default)]
    csrf: String,
    #[serde(flatten)]
    form: T,
}

impl SignedIn {
    /// What the audit log is to say about who does it.
    #[must_use]
    pub fn act(&self, network: Network) -> Act {
        let account = &self.owner.standing.account;
        Act { actor: Actor::Account { id: account.id, name: account.name.clone() }, network }
    }

    /// What this session's forms carry.
    pub(super) fn csrf(&self, web: &Web) -> String {
        web.guard.token(&self.cookie)
    }

    /// The hash of its cookie.
    pub(super) fn hash(&self) -> luminous_store::SecretHash {
        self.cookie.hash()
    }
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let visit = parts.extensions.get::<Visit>();
        let agent: String = text(header::USER_AGENT)
            .unwrap_or_default()
            .chars()
            .filter(|one| !one.is_control())
            .take(USER_AGENT_MOST)
            .collect();
        let mut visitor = Self {
            language: Language::of(&parts.headers),
            request_id: visit.map(|visit| visit.id().to_owned()).unwrap_or_default(),
            address: visit.map_or(Ipv4Addr::UNSPECIFIED.into(), Visit::address),
            network: visit.map_or(Network::Public, Visit::network),
            user_agent: agent,
            signed_in: None,
        };
        if let Some(cookie) = Cookie::Session.read(&parts.headers, state.web().secure) {
            let owner = state.store().resume_session(&cookie.hash()).await;
            let owner = owner.map_err(|error| visitor.failed(state, &error.into()))?;
            visitor.signed_in = owner.map(|owner| SignedIn { cookie, owner });
        }
        Ok(visitor)
    }
}

impl<T: DeserializeOwned> FromRequest<AppState> for Submitted<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, state).await?;
        let web = state.web();
        if !web.guard.is_from_here(&parts.headers) {
            return Err(visitor.forgery(state, "another origin"));
        }
        // Without a session there is nothing that a forged form could do.
        let Some(person) = visitor.signed_in.clone() else { return Err(see_other(web, "/")) };
        let body = axum::body::to_bytes(body, LARGEST_FORM).await;
        let form = body.ok().and_then(|body| serde_urlencoded::from_bytes(&body).ok());
        let Some(Guarded { csrf, form }) = form else {
            return Err(visitor.forgery(state, "not our form"));
        };
        if !web.guard.is_ours(&csrf, &person.cookie) {
            return Err(visitor.forgery(state, "another token"));
        }
        Ok(Self { visitor, person, form })
    }
}

impl Visitor {
    /// A page that says one thing, with ways to go on.
    pub(super) fn say(
        &self,
        state: &AppState,
        status: StatusCode,
        (tone, Message { title, text }): (Tone, Message),
        actions: Vec<Action>,
    ) -> Response {
        self.say_filled(state, status, (tone, title, text.to_owned()), actions)
    }

    /// The same with a text that something was put into.
    pub(super) fn say_filled(
        &self,
        state: &AppState,
        status: StatusCode,
        (tone, title, text): (Tone, &'static str, String),
        actions: Vec<Action>,
    ) -> Response {
        let frame = Frame::new(self.language);
        let page = Says { frame, tone, title, text, actions, request_id: None };
        render(state.web(), &page, status)
    }

    /// The same about something that somebody may have to look into.
    pub(super) fn say_trouble(
        &self,
        state: &AppState,
        status: StatusCode,
        Message { title, text }: Message,
        actions: Vec<Action>,
    ) -> Response {
        let (frame, tone, text) = (Frame::new(self.language), Tone::Bad, text.to_owned());
        let request_id = Some(self.request_id.clone());
        render(state.web(), &Says { frame, tone, title, text, actions, request_id }, status)
    }

    /// Something of ours failed.
    pub(super) fn failed(&self, state: &AppState, error: &ApiError) -> Response {
        tracing::error!(request_id = %self.request_id, %error, "a page failed");
        let w = self.language.words();
        let actions = vec![Action::new("/", w.home)];
        self.say_trouble(state, StatusCode::SERVICE_UNAVAILABLE, w.failed, actions)
    }

    fn forgery(&self, state: &AppState, what: &str) -> Response {
        tracing::warn!(request_id = %self.request_id, what, "a form was refused");
        state.meters().count("luminous_web_forgeries_total", &[]);
        let w = self.language.words();
        let actions = vec![Action::new("/", w.home)];
        self.say(state, StatusCode::FORBIDDEN, (Tone::Bad, w.forgery), actions)
    }
}
