//! The logout endpoint.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{authorize::language, cookies, deliver, page};
use crate::authorize::Params;
use crate::engine::{Core, Event};
use crate::realm::Realm;
use crate::refusal::Refusal;

/// What native clients may name instead of a page of their own.
const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

/// Signs the browser out, then sends it where it asked to go. Any https address will do, as at
/// B2C; a custom scheme will not (AADB2C90067).
pub(super) fn logout(core: &Core, realm: &Realm, params: &Params, headers: &HeaderMap) -> Response {
    if let Some(cookie) = cookies::session(headers, &realm.tenant) {
        match core.store.close_session(&cookie) {
            Ok(()) => core.note(Event::SignedOut),
            Err(error) => {
                tracing::error!(%error, "a sign-out failed");
                return page::failed(language(params, headers));
            }
        }
    }
    let mut response = destination(core, realm, params, headers);
    cookies::clear_session(&mut response, &realm.tenant);
    response
}

fn destination(core: &Core, realm: &Realm, params: &Params, headers: &HeaderMap) -> Response {
    let language = language(params, headers);
    match params.get("post_logout_redirect_uri") {
        None | Some(OUT_OF_BAND) => page::signed_out(language),
        Some(uri) => match https_location(uri, params.get("state")) {
            Some(location) => (StatusCode::FOUND, [(header::LOCATION, location)]).into_response(),
            None => {
                let refusal = Refusal::LogoutUri { uri: uri.to_owned() };
                page::refused(language, &deliver::report(core, realm, refusal))
            }
        },
    }
}

fn https_location(uri: &str, state: Option<&str>) -> Option<HeaderValue> {
    let mut url = url::Url::parse(uri).ok().filter(|url| url.scheme() == "https")?;
    if let Some(state) = state {
        url.query_pairs_mut().append_pair("state", state);
    }
    HeaderValue::from_str(url.as_str()).ok()
}
