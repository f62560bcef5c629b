//! Signing out: this browser, or everywhere.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;

use super::client::Web;
use super::cookies::Cookie;
use super::page::{Action, Tone, see_other};
use super::visitor::{Button, SignedIn, Submitted, Visitor};
use crate::state::AppState;

/// Where a browser is told that it is signed out; the provider must know this address.
const SIGNED_OUT: &str = "/signed-out";

/// Signs this browser out here. The provider goes on knowing the person, as do the other browsers.
pub async fn here(State(state): State<AppState>, sent: Submitted<Button>) -> Response {
    let Submitted { visitor, person, .. } = sent;
    let session = &person.owner.session;
    let act = person.act(visitor.network);
    match state.store().end_session(session.account, session.id, &act).await {
        Ok(_) => leave(state.web(), SIGNED_OUT),
        Err(error) => visitor.failed(&state, &error.into()),
    }
}

/// Ends every session and every token of the person, then their session at the provider.
pub async fn everywhere(State(state): State<AppState>, sent: Submitted<Button>) -> Response {
    let Submitted { visitor, person, .. } = sent;
    let account = &person.owner.standing.account;
    if let Err(error) = state.store().end_sign_ins(account.id, &person.act(visitor.network)).await {
        return visitor.failed(&state, &error.into());
    }
    state.forget(&account.person);
    let place = at_provider(&state, &person).await;
    leave(state.web(), place.as_deref().unwrap_or(SIGNED_OUT))
}

/// Where the provider ends its own session. No `id_token_hint`: a token in an address ends up in
/// histories and logs. Providers that cannot be asked just now are left out; here it is done.
async fn at_provider(state: &AppState, person: &SignedIn) -> Option<String> {
    let web = state.web();
    let known = web.provider_of(&person.owner.standing.account.person).await;
    let (provider, metadata) = known?;
    let mut url = metadata.end_session_endpoint.clone()?;
    url.query_pairs_mut().append_pair("client_id", &provider.config().client_id);
    if web.secure {
        // B2C takes no other than https here (AADB2C90067); without it, it shows a page of its own.
        let back = format!("{}{SIGNED_OUT}", web.base);
        url.query_pairs_mut().append_pair("post_logout_redirect_uri", &back);
    }
    Some(url.into())
}

fn leave(web: &Web, place: &str) -> Response {
    let mut response = see_other(web, place);
    response.headers_mut().append(header::SET_COOKIE, Cookie::Session.take(web.secure));
    response
}

/// Says so.
pub async fn signed_out(State(state): State<AppState>, visitor: Visitor) -> Response {
    if visitor.signed_in.is_some() {
        return see_other(state.web(), "/");
    }
    let w = visitor.language.words();
    let actions = vec![
        Action::new("/login", w.sign_in),
        Action::new("/login?person=another", w.sign_in_as_other),
    ];
    visitor.say(&state, StatusCode::OK, (Tone::Good, w.signed_out), actions)
}
