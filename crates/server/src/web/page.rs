//! Rendering, and the headers that every page has.

use askama::Template;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::client::Web;
use super::words::{Language, Words};

/// What every template needs.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) w: &'static Words,
    pub(super) language: &'static str,
}

impl Frame {
    pub(super) fn new(language: Language) -> Self {
        Self { w: language.words(), language: language.tag() }
    }
}

/// A link that looks like a button.
pub(super) struct Action {
    pub(super) href: String,
    pub(super) label: String,
}

impl Action {
    pub(super) fn new(href: impl Into<String>, label: impl Into<String>) -> Self {
        Self { href: href.into(), label: label.into() }
    }
}

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Plain,
    Bad,
}

impl Tone {
    const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Plain => "plain",
            Self::Bad => "bad",
        }
    }

    /// The path of a tick, an arrow back, an exclamation mark.
    const fn sign(self) -> &'static str {
        match self {
            Self::Good => "M18 29l7 7 14-15",
            Self::Plain => "M24 20l-8 8 8 8M16 28h24",
            Self::Bad => "M28 16v15M28 39v.5",
        }
    }
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "message.html")]
pub(super) struct Says {
    pub(super) frame: Frame,
    pub(super) tone: Tone,
    pub(super) title: &'static str,
    pub(super) text: String,
    pub(super) actions: Vec<Action>,
    /// Shown where somebody may have to look into the log.
    pub(super) request_id: Option<String>,
}

/// Renders a page. Its forms lead here and, by a redirect, to the providers: browsers apply
/// `form-action` to the redirect that follows a form, too.
pub(super) fn render(web: &Web, page: &impl Template, status: StatusCode) -> Response {
    let html = match page.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let mut response = (status, html).into_response();
    put_headers(response.headers_mut(), web);
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}

/// The headers of everything a browser is shown or sent on by, beside those that all answers have.
pub(super) fn put_headers(headers: &mut HeaderMap, web: &Web) {
    let fixed = [
        (header::CACHE_CONTROL, "no-store"),
        // Not `no-referrer`: under that, browsers call the origin of our own forms `null`.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&content_policy(web)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

fn content_policy(web: &Web) -> String {
    let mut places = vec!["'self'".to_owned()];
    for client in &web.clients {
        let origin = client.origin();
        if !places.contains(&origin) {
            places.push(origin);
        }
    }
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action {}; base-uri 'none'; \
         frame-ancestors 'none'",
        places.join(" ")
    )
}

/// Sends the browser on, to be fetched with GET whatever came before (RFC 9110 section 15.4.4).
pub(super) fn see_other(web: &Web, place: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(place) else {
        tracing::error!("a browser cannot be sent to an address that is no header");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = StatusCode::SEE_OTHER.into_response();
    put_headers(response.headers_mut(), web);
    response.headers_mut().insert(header::LOCATION, location);
    response
}
