//! Whether the server lives, and whether it can work.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{StatusCode, header};
use luminous_oidc::{KeysReport, bearer_token};
use serde::Serialize;
use subtle::ConstantTimeEq as _;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::ApiError;
use crate::state::AppState;

/// Keys this old judge nothing any more, however long their provider is away.
const KEYS_END: Duration = Duration::from_secs(24 * 3600);
/// How long the database may take to answer the question whether it is there.
const PING: Duration = Duration::from_secs(2);

/// Health, readiness, version and, for whoever holds its token, the figures.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(version))
        .routes(routes!(metrics))
}

/// The figures alone, for a listener of their own.
pub fn metrics_only() -> Router<AppState> {
    Router::new().route("/metrics", get(figures))
}

#[derive(Serialize, ToSchema)]
struct Readiness {
    ready: bool,
    /// The codes of what is missing.
    missing: Vec<&'static str>,
}

#[derive(Serialize, ToSchema)]
struct Version {
    name: &'static str,
    version: &'static str,
}

/// Whether the process lives
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "server",
    security(()),
    responses(
        (status = 200, description = "It does", body = str, content_type = "text/plain"),
    ),
)]
async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the server can work
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "server",
    security(()),
    responses(
        (status = 200, description = "It can", body = Readiness),
        (status = 503, description = "Something is missing", body = Readiness),
    ),
)]
async fn readyz(State(state): State<AppState>) -> Response {
    let missing = missing(&state).await;
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready: missing.is_empty(), missing })).into_response()
}

/// The codes of what keeps the server from working.
pub async fn missing(state: &AppState) -> Vec<&'static str> {
    let mut missing = Vec::new();
    match tokio::time::timeout(PING, state.store().ping()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => missing.push(error.code()),
        Err(_) => missing.push("store.busy"),
    }
    let has_keys = |keys: &KeysReport| keys.age.is_some_and(|age| age < KEYS_END);
    if !state.trust().providers().all(|(_, provider)| has_keys(&provider.keys())) {
        missing.push("keys.unavailable");
    }
    missing
}

/// What runs
#[utoipa::path(
    get,
    path = "/version",
    tag = "server",
    security(()),
    responses(
        (status = 200, description = "It", body = Version),
    ),
)]
async fn version() -> Json<Version> {
    Json(Version { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") })
}

/// Figures for Prometheus
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "server",
    security(("metrics" = [])),
    responses(
        (status = 200, description = "Them", body = str, content_type = "text/plain; version=0.0.4"),
        (status = 401, description = "`token.*`: not the token of `metrics.token_file`"),
        (status = 404, description = "`resource.not_found`: no token is configured"),
    ),
)]
async fn metrics(
    State(state): State<AppState>,
    headers: http::HeaderMap,
) -> Result<Response, ApiError> {
    // Without a token there is no such route here.
    let wanted = state.secrets().metrics().ok_or(ApiError::NotFound)?;
    let given = bearer_token(&headers).map_err(luminous_oidc::VerifyError::from)?;
    if bool::from(given.expose().as_bytes().ct_eq(wanted.as_bytes())) {
        Ok(figures(State(state)).await)
    } else {
        Err(luminous_oidc::VerifyError::from(luminous_oidc::TokenError::SignatureInvalid).into())
    }
}

async fn figures(State(state): State<AppState>) -> Response {
    let text = state.meters().render(state.claims().len());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}
