//! `POST /emulator/control`: the control for those outside this process.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::{json as answer, page};
use crate::control::{Command, Control, ControlError};
use crate::engine::Core;
use crate::random;

/// Where the secret stands.
const SECRET: &str = "x-emulator-control";

/// Carries out one [`Command`]. A header of its own makes browsers ask first, so no web page can
/// send it, and without the secret nothing happens.
pub(super) async fn control(
    State(core): State<Arc<Core>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(secret) = core.config.control_secret.clone() else { return page::not_found() };
    let given = headers.get(SECRET).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !random::same(&secret, given) {
        return answer(StatusCode::FORBIDDEN, &json!({ "error": "wrong control secret" }));
    }
    let command: Command = match serde_json::from_slice(&body) {
        Ok(command) => command,
        Err(_) => {
            return answer(StatusCode::BAD_REQUEST, &json!({ "error": "not a known command" }));
        }
    };
    let control = Control::new(core);
    // Keys and passwords take their time.
    let done = tokio::task::spawn_blocking(move || control.apply(command)).await;
    match done {
        Ok(Ok(value)) => answer(StatusCode::OK, &value),
        Ok(Err(error @ (ControlError::NoSuchUser | ControlError::Account(_)))) => {
            answer(StatusCode::CONFLICT, &json!({ "error": error.to_string() }))
        }
        Ok(Err(error)) => {
            answer(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": error.to_string() }))
        }
        Err(_) => answer(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": "it failed" })),
    }
}
