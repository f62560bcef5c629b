//! What a client needs to know of us: the metadata (RFC 8414) and the public keys (RFC 7517).

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header::CACHE_CONTROL;
use luminous_wire::api::{DEVICE_CODE_GRANT, DISPLAY_SCOPE};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::TOKEN_PATH;
use crate::AppState;

/// For how long both may be kept: shorter than a next key is announced.
const KEPT: &str = "public, max-age=300";

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(authorization_server)).routes(routes!(signing_keys))
}

/// RFC 8414 section 2, RFC 8628 section 4, RFC 9449 section 5.1.
#[derive(Serialize, ToSchema)]
struct Metadata {
    issuer: String,
    device_authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    /// Absent where no service may introspect.
    #[serde(skip_serializing_if = "Option::is_none")]
    introspection_endpoint: Option<String>,
    jwks_uri: String,
    scopes_supported: [&'static str; 1],
    /// None: there is no authorization endpoint.
    response_types_supported: [&'static str; 0],
    grant_types_supported: [&'static str; 2],
    token_endpoint_auth_methods_supported: [&'static str; 1],
    revocation_endpoint_auth_methods_supported: [&'static str; 1],
    dpop_signing_alg_values_supported: [&'static str; 1],
}

/// What the authorization server for displays offers
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    tag = "displays",
    security(()),
    responses((status = 200, description = "RFC 8414", body = Metadata)),
)]
async fn authorization_server(State(state): State<AppState>) -> impl IntoResponse {
    let base = state.config().base();
    let at = |path: &str| format!("{base}{path}");
    let metadata = Metadata {
        device_authorization_endpoint: at("/oauth2/device_authorization"),
        token_endpoint: at(TOKEN_PATH),
        revocation_endpoint: at("/oauth2/revoke"),
        introspection_endpoint: state.secrets().introspection().map(|_| at("/oauth2/introspect")),
        jwks_uri: at("/.well-known/jwks.json"),
        scopes_supported: [DISPLAY_SCOPE],
        response_types_supported: [],
        grant_types_supported: [DEVICE_CODE_GRANT, "refresh_token"],
        token_endpoint_auth_methods_supported: ["none"],
        revocation_endpoint_auth_methods_supported: ["none"],
        dpop_signing_alg_values_supported: ["ES256"],
        issuer: base,
    };
    ([(CACHE_CONTROL, KEPT)], Json(metadata))
}

/// The public keys of displays' access tokens
///
/// The next one is here ten minutes before it signs.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    tag = "displays",
    security(()),
    responses((status = 200, description = "RFC 7517", body = Value)),
)]
async fn signing_keys(State(state): State<AppState>) -> impl IntoResponse {
    let keys = state.displays().keys.published(state.clock().now());
    ([(CACHE_CONTROL, KEPT)], Json(keys))
}
