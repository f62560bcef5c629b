//! A refusal that somebody who looks at a page meets before any page does: a limit, a deadline, an
//! address without a page.

use axum::http::{StatusCode, header};
use axum::response::Response;

use super::page::{Action, Frame, Says, Tone, render};
use super::words::Language;
use crate::problem::ApiError;
use crate::state::AppState;

/// Puts a page in the place of the problem document that `response` holds. Its status and its other
/// headers, such as when to come back, stay.
pub fn dress(
    state: &AppState,
    language: Language,
    (request_id, error): (&str, &ApiError),
    response: &mut Response,
) {
    let w = language.words();
    let (tone, message) = match error.status() {
        StatusCode::TOO_MANY_REQUESTS => (Tone::Plain, w.too_fast),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => (Tone::Plain, w.no_page),
        status if status.is_client_error() => (Tone::Bad, w.forgery),
        _ => (Tone::Bad, w.failed),
    };
    let page = Says {
        frame: Frame::new(language),
        tone,
        title: message.title,
        text: message.text.to_owned(),
        actions: vec![Action::new("/", w.home)],
        request_id: error.status().is_server_error().then(|| request_id.to_owned()),
    };
    let (parts, body) = render(state.web(), &page, error.status()).into_parts();
    *response.body_mut() = body;
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().extend(parts.headers);
}
