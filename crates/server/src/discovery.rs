//! `/.well-known/luminous`: what a client must know, from one address.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use luminous_wire::api::{Discovery, IdentityProviderHint, ProviderDiscovery};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::problem::ApiError;
use crate::state::AppState;
use crate::trust::TrustedIssuer;

/// The version of the document.
const VERSION: u32 = 1;

/// The one route.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(discovery))
}

/// What a client must know to begin
///
/// Anybody may read it and keep it for five minutes. Pages of other origins have no use for it, so
/// it sends no CORS headers.
#[utoipa::path(
    get,
    path = "/.well-known/luminous",
    tag = "server",
    security(()),
    responses((status = 200, description = "It", body = Discovery)),
)]
async fn discovery(State(state): State<AppState>) -> Result<impl IntoResponse, ApiError> {
    let first = state.trust().issuers().first();
    let issuer = first.ok_or_else(|| ApiError::Internal("there is no issuer".to_owned()))?;
    let document = Discovery {
        version: VERSION,
        name: state.config().name.clone(),
        api: state.config().base(),
        provider: provider(issuer),
    };
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], Json(document)))
}

/// The first issuer: the one new sign-ins go to.
fn provider(issuer: &TrustedIssuer) -> ProviderDiscovery {
    let settings = &issuer.settings;
    let hints = settings.hints.iter().map(|hint| IdentityProviderHint {
        domain_hint: hint.domain_hint.clone(),
        name: hint.name.clone(),
    });
    ProviderDiscovery {
        address: settings.address.clone(),
        issuer: issuer.sign_in.pinned_issuer(),
        client_id: settings.app_client_id.clone(),
        scopes: settings.scopes.clone(),
        password_reset_policy: settings.password_reset_policy.clone(),
        profile_edit_policy: settings.profile_edit_policy.clone(),
        step_up_policy: settings.step_up_policy.clone(),
        hints: hints.collect(),
    }
}
