//! Answers that no provider should give.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::lies::Fault;
use crate::listen::Line;

const HUGE: usize = 10 * 1024 * 1024;

const CAPTIVE_PORTAL: &str = "<!doctype html><html><head><title>Hotel Wi-Fi</title></head>\
    <body><h1>Welcome</h1><p>Accept our terms to go online.</p></body></html>";

/// The answer of a fault that does not let the request through.
pub(super) fn answer(fault: &Fault, line: &Line) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    match fault {
        Fault::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, "internal error").into_response(),
        Fault::Unavailable(seconds) => {
            let headers = [(header::RETRY_AFTER, seconds.to_string())];
            (StatusCode::SERVICE_UNAVAILABLE, headers, "try again later").into_response()
        }
        Fault::CaptivePortal => {
            let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            (StatusCode::OK, headers, CAPTIVE_PORTAL).into_response()
        }
        Fault::Huge => (StatusCode::OK, json, huge()).into_response(),
        Fault::Garbage => {
            (StatusCode::OK, json, vec![0xff, 0xfe, 0x00, b'{', 0x80]).into_response()
        }
        Fault::Redirect(to) => {
            let headers = [(header::LOCATION, to.as_str())];
            (StatusCode::FOUND, headers, "").into_response()
        }
        Fault::Answer(status, text) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, json, text.clone()).into_response()
        }
        Fault::Reset | Fault::Hang | Fault::LoseAnswer => {
            line.reset();
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Well-formed JSON that is only large.
fn huge() -> String {
    let mut text = String::with_capacity(HUGE + 16);
    text.push_str("{\"padding\":\"");
    text.extend(std::iter::repeat_n('x', HUGE));
    text.push_str("\"}");
    text
}
