//! `GET /login`: off to the provider.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::begin::{BeginError, Start};
use super::client::Purpose;
use super::page::{Action, Tone};
use super::return_to::ReturnTo;
use super::visitor::Visitor;
use crate::problem::ApiError;
use crate::state::AppState;

/// What a link to `/login` may ask for. Texts, because a link that cannot be read is answered with a
/// page in words.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// Where to go afterwards: a page of ours.
    return_to: Option<String>,
    /// A provider behind the provider, one of those configured.
    provider: Option<String>,
    /// `another`: ask who it is, even if the provider knows somebody.
    person: Option<String>,
}

/// Begins a sign-in at the first configured provider, or at the one that has the shortcut asked for.
pub async fn login(
    State(state): State<AppState>,
    visitor: Visitor,
    headers: HeaderMap,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let asked = asked.map(|Query(asked)| asked).ok();
    let return_to = asked.as_ref().and_then(|asked| match &asked.return_to {
        None => Some(ReturnTo::home()),
        Some(place) => ReturnTo::parse(place),
    });
    let (Some(asked), Some(return_to)) = (asked, return_to) else {
        tracing::warn!(request_id = %visitor.request_id, "a link to /login leads elsewhere");
        let w = visitor.language.words();
        let actions = vec![Action::new("/", w.home)];
        return visitor.say(&state, StatusCode::BAD_REQUEST, (Tone::Bad, w.bad_link), actions);
    };
    let clients = &state.web().clients;
    let shortcut = asked.provider.as_deref().and_then(|asked| {
        clients.iter().find_map(|client| client.hint(asked).map(|hint| (client, hint)))
    });
    let client = shortcut.map_or_else(|| clients.first(), |(client, _)| Some(client));
    let Some(client) = client else {
        return visitor.failed(&state, &ApiError::Internal("no web client is configured".into()));
    };
    let start = Start {
        client,
        purpose: Purpose::SignIn,
        return_to: &return_to,
        domain_hint: shortcut.map(|(_, hint)| hint.domain_hint.as_str()),
        ask_again: asked.person.as_deref() == Some("another"),
        language: visitor.language,
    };
    match start.begin(&state, &headers).await {
        Ok(response) => response,
        Err(error) => cannot_begin(&state, &visitor, error),
    }
}

/// The page for a sign-in that could not begin.
pub(super) fn cannot_begin(state: &AppState, visitor: &Visitor, error: BeginError) -> Response {
    match error {
        BeginError::Discovery(error) => {
            tracing::warn!(request_id = %visitor.request_id, code = error.code(), %error, "no sign-in");
            let w = visitor.language.words();
            let actions = vec![Action::new("/login", w.try_again), Action::new("/", w.home)];
            visitor.say_trouble(state, StatusCode::SERVICE_UNAVAILABLE, w.provider_busy, actions)
        }
        BeginError::Store(error) => visitor.failed(state, &error.into()),
        BeginError::NoPolicy | BeginError::NoEntropy(_) => {
            visitor.failed(state, &ApiError::Internal(error.to_string()))
        }
    }
}
