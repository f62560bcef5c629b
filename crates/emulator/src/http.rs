//! The HTTP side: thin. It reads requests, asks the pure modules, writes answers.

mod authorize;
mod control;
mod cookies;
mod deliver;
mod enrich;
mod faults;
mod finish;
mod form;
mod logout;
mod open;
mod page;
mod profile;
mod provider;
mod reset;
mod second_factor;
mod sign_in;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::Value;

use crate::address::{self, Endpoint};
use crate::authorize::Params;
use crate::engine::{Core, RequestLine, lock};
use crate::lies::{self, Fault, KeysLie};
use crate::listen::Line;
use crate::realm::Realm;

/// Larger bodies than this are no honest request.
const BODY_LIMIT: usize = 64 * 1024;

/// All routes. Everything that depends on a tenant goes through the fallback, which reads the
/// path itself: B2C's three URL forms do not fit one route table.
pub(crate) fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/", get(page::welcome))
        .route("/assets/style.css", get(page::style))
        .route("/assets/mark.svg", get(page::mark))
        .route("/assets/submit.js", get(page::submit))
        .route("/ui/sign-in", get(sign_in::show_sign_in).post(sign_in::sign_in))
        .route("/ui/sign-up", get(sign_in::show_sign_up).post(sign_in::sign_up))
        .route("/ui/forgot-password", get(sign_in::forgot_password))
        .route("/ui/provider", get(provider::begin).post(provider::submit))
        .route("/ui/reset", get(reset::again).post(reset::submit))
        .route("/ui/profile", get(profile::again).post(profile::submit))
        .route("/ui/second-factor", get(second_factor::again).post(second_factor::submit))
        .route("/emulator/control", post(control::control))
        .fallback(dispatch)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(guard))
        .with_state(core)
}

/// Answers only those who mean this machine, so that no web page can reach the emulator through a
/// name of its own (DNS rebinding), and marks every answer as not to be sniffed or framed.
async fn guard(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(is_this_machine) {
        return (StatusCode::MISDIRECTED_REQUEST, "this is not the host you asked for")
            .into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let nosniff = header::HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]") || name.ends_with(".localhost")
}

async fn dispatch(
    State(core): State<Arc<Core>>,
    ConnectInfo(line): ConnectInfo<Line>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = Params::parse(uri.query().unwrap_or_default().as_bytes());
    let form = Params::parse(&body);
    let Some((name, endpoint)) = address::parse(uri.path(), query.get("p")) else {
        return page::not_found();
    };
    let mut released = core.released.subscribe();
    core.note_request(request_line(&core, &method, &uri, endpoint, &query, &form));
    let fault = lock(&core.lies).fault(endpoint);
    match &fault {
        None | Some(Fault::LoseAnswer) => {}
        // An error means that the emulator is going away: answer, so that it can.
        Some(Fault::Hang) => drop(released.changed().await),
        Some(fault) => return faults::answer(fault, &line),
    }
    let Some(realm) = Realm::resolve(&name, &core.config, &core.base) else {
        return page::not_found();
    };
    let response = match (endpoint, method) {
        (Endpoint::Discovery, Method::GET) => discovery(&core, &realm),
        (Endpoint::Keys, Method::GET) => keys(&core),
        (Endpoint::Authorize, Method::GET) => {
            authorize::authorize(&core, realm, &query, &headers).await
        }
        (Endpoint::Authorize, Method::POST) => {
            authorize::authorize(&core, realm, &form, &headers).await
        }
        (Endpoint::Token, Method::POST) => token::token(&core, &realm, &form, &headers).await,
        (Endpoint::Logout, Method::GET) => logout::logout(&core, &realm, &query, &headers),
        (Endpoint::Logout, Method::POST) => logout::logout(&core, &realm, &form, &headers),
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    };
    if fault == Some(Fault::LoseAnswer) {
        line.reset();
    }
    response
}

fn request_line(
    core: &Core,
    method: &Method,
    uri: &Uri,
    endpoint: Endpoint,
    query: &Params,
    form: &Params,
) -> RequestLine {
    RequestLine {
        at: core.config.clock.now(),
        method: method.to_string(),
        path: uri.path().to_owned(),
        endpoint,
        grant_type: form.get("grant_type").map(str::to_owned),
        parameters: query.names().into_iter().chain(form.names()).collect(),
    }
}

fn discovery(core: &Core, realm: &Realm) -> Response {
    let mut document = realm.metadata(core.config.response_iss);
    for lie in lock(&core.lies).metadata.take_all() {
        lies::falsify_metadata(&lie, &mut document);
    }
    json(StatusCode::OK, &document)
}

fn keys(core: &Core) -> Response {
    let document = match lock(&core.lies).keys.take_first() {
        None => core.keys().jwks(),
        Some(KeysLie::Empty) => serde_json::json!({ "keys": [] }),
        Some(KeysLie::Document(document)) => document,
    };
    json(StatusCode::OK, &document)
}

/// JSON, as B2C labels it.
fn json(status: StatusCode, body: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (status, headers, body.to_string()).into_response()
}

/// JSON with tokens or their refusal in it (RFC 6749 section 5.1).
fn private_json(status: StatusCode, body: &Value) -> Response {
    let mut response = json(status, body);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, header::HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for host in
            ["localhost:1", "localhost", "127.0.0.1:80", "[::1]:80", "[::1]", "x.localhost:9"]
        {
            assert!(is_this_machine(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:80", "", "127.0.0.1.evil.example"] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
