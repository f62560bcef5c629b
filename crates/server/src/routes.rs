//! Every route, on one page.
//!
//! | route | who |
//! |---|---|
//! | `GET /api/me` | a person |
//! | `GET /api/me/export` | a person |
//! | `GET /api/me/sessions`, `DELETE /api/me/sessions/{session_id}` | a person |
//! | `POST /api/me/sign-out-everywhere` | a person |
//! | `POST /api/families` | a person outside |
//! | `GET PATCH DELETE /api/families/{family_id}` | `family.read` `family.rename` `family.delete` |
//! | `POST /api/families/{family_id}/leave` | `family.read` |
//! | `GET /api/families/{family_id}/members` | `members.read` |
//! | `POST /api/families/{family_id}/members` | `children.manage` |
//! | `PATCH /api/families/{family_id}/members/{member_id}` | `members.manage` |
//! | `PATCH /api/families/{family_id}/children/{member_id}` | `children.manage` (name only) |
//! | `DELETE /api/families/{family_id}/members/{member_id}` | `members.manage` |
//! | `DELETE /api/families/{family_id}/children/{member_id}` | `children.manage` |
//! | `GET POST /api/families/{family_id}/invites` | `invites.manage` |
//! | `DELETE /api/families/{family_id}/invites/{invite_id}` | `invites.manage` |
//! | `POST /api/invites/preview`, `POST /api/invites/accept` | a person |
//! | `POST /api/link/lookup`, `POST /api/link/confirm`, `POST /api/link/decline` | `devices.link` |
//! | `GET /api/families/{family_id}/devices` | `devices.read` |
//! | `PATCH /api/devices/{device_id}` | `devices.manage` |
//! | `POST /api/devices/{device_id}/revoke`, `POST /api/devices/{device_id}/renew` | `devices.manage` |
//! | `POST /api/devices/{device_id}/undo` | `devices.link`, within a day |
//! | `GET /api/wall` | `family.read`, and displays |
//! | `GET /api/families/{family_id}/audit` | `audit.read`; CSV by `Accept: text/csv` or `?format=csv` |
//! | `GET /api/families/{family_id}/notes` | `notes.read` |
//! | `POST /api/families/{family_id}/notes` | `notes.post` |
//! | `DELETE /api/families/{family_id}/notes/{note_id}` | `notes.post` |
//! | `POST /api/hub/ticket` | `family.read`, or a display |
//! | `POST /oauth2/link_ticket` | a display's proof of its key, and its device code |
//! | `/hubs/family`, `/hubs/link` | a ticket |
//! | `POST /connectors/b2c/claims` | B2C's API connector, with its own credentials |
//! | `POST /connectors/entra/token-issuance-start` | Entra's, with its own token |
//! | `GET /`, `GET /login`, `GET /callback`, `GET /signed-out`, `GET /assets/..` | a browser |
//! | `POST /logout`, `POST /logout/everywhere` | a browser's session, with its form's token |
//! | `GET POST /join`, `POST /join/accept` | the same |
//! | `GET POST /link`, `POST /link/confirm`, `POST /link/decline` | the same, with `devices.link` |
//! | `GET /link/done`, `POST /link/undo` | the same |
//! | `POST /oauth2/device_authorization`, `POST /oauth2/token`, `POST /oauth2/revoke` | a display, with a proof of its key |
//! | `POST /oauth2/introspect` | another service, with its own token |
//! | `GET /.well-known/oauth-authorization-server`, `GET /.well-known/jwks.json` | anybody |
//! | `GET /.well-known/luminous`, `GET /openapi.json` | anybody |
//! | `GET /healthz`, `GET /readyz`, `GET /version` | anybody |
//! | `GET /metrics` | whoever reaches the separate listener or holds its token |

mod audit;
mod devices;
mod families;
mod invites;
mod link;
pub mod me;
mod members;
mod notes;
mod sessions;
mod wall;

use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::{Json, Router};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::hubs::Hubs;
use crate::problem::ApiError;
use crate::state::AppState;
use crate::visit::Visit;
use crate::{connectors, discovery, health, hubs, oauth, openapi, web};

/// The routes of the API, which the OpenAPI document describes.
fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(openapi::frame())
        .merge(me::routes())
        .merge(sessions::routes())
        .merge(families::routes())
        .merge(members::routes())
        .merge(invites::routes())
        .merge(link::routes())
        .merge(devices::routes())
        .merge(wall::routes())
        .merge(hubs::api_routes())
        .merge(notes::routes())
        .merge(audit::routes())
}

/// The routes for programs that have no person behind them: public, or with credentials of their own.
fn without_people() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(discovery::routes())
        .merge(health::routes())
        .merge(connectors::routes())
        .merge(oauth::routes())
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> OpenApi {
    openapi::complete(api().merge(without_people()).into_openapi())
}

/// All routes.
pub fn router(state: AppState, hubs: &Hubs) -> Router {
    let (api, _) = api().split_for_parts();
    let (without_people, _) = without_people().split_for_parts();
    let document = document();
    let document = move || std::future::ready(Json(document.clone()));
    let others = Router::new()
        .merge(without_people)
        .merge(web::routes())
        .merge(hubs.routes())
        .route("/openapi.json", axum::routing::get(document))
        // The API's routes are met at the door, which spares them the layer.
        .route_layer(middleware::from_fn(meet));
    api.merge(others)
        .fallback(|| async { ApiError::NotFound })
        .method_not_allowed_fallback(|| async { ApiError::MethodNotAllowed })
        .with_state(state)
}

/// Writes down which route a request met.
async fn meet(request: Request, next: Next) -> Response {
    Visit::meet(request.extensions());
    next.run(request).await
}
