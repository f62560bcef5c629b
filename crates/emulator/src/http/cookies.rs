//! The two cookies: who is signed in, and which browser opened a page.
//!
//! `Secure` is missing because the emulator speaks plain HTTP to its own machine.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use crate::config::Tenant;
use crate::random;

const BROWSER: &str = "x-ms-cpim-browser";

/// The session cookie of a tenant: single sign-on ends at the tenant.
fn session_name(tenant: &Tenant) -> String {
    format!("x-ms-cpim-sso-{}", tenant.id)
}

/// The session cookie's value.
pub(super) fn session(headers: &HeaderMap, tenant: &Tenant) -> Option<String> {
    read(headers, &session_name(tenant))
}

/// The browser's own value, a new one for a browser that has none.
pub(super) fn browser(headers: &HeaderMap) -> String {
    read(headers, BROWSER).filter(|value| value.len() == 43).unwrap_or_else(random::token)
}

/// Signs the browser in.
pub(super) fn set_session(response: &mut Response, tenant: &Tenant, value: &str) {
    set(response, &format!("{}={value}", session_name(tenant)));
}

/// Signs the browser out.
pub(super) fn clear_session(response: &mut Response, tenant: &Tenant) {
    set(response, &format!("{}=; Max-Age=0", session_name(tenant)));
}

/// Lets the browser prove later that it opened a page.
pub(super) fn set_browser(response: &mut Response, value: &str) {
    set(response, &format!("{BROWSER}={value}"));
}

fn set(response: &mut Response, pair: &str) {
    let cookie = format!("{pair}; Path=/; HttpOnly; SameSite=Lax");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

fn read(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}
