//! Where tickets are bought.

use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};
use bytes::Bytes;
use http::HeaderMap;
use luminous_wire::api::{HubTicket, OAuthProblem};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Caller, ticket};
use crate::door::{Viewer, needs, proved_at};
use crate::oauth::{self, OAuthError};
use crate::visit::Visit;
use crate::{ApiError, AppState};

/// The route of the API.
pub fn api_routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(buy_family_ticket))
}

/// The route of the authorization server.
pub fn oauth_routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(buy_link_ticket))
}

/// Buy a ticket to the family's hub
///
/// For one connection to `/hubs/family`, presented there as a bearer token within half a minute.
#[utoipa::path(
    post,
    path = "/api/hub/ticket",
    tag = "wall",
    security(("bearer" = ["family.read"]), ("dpop" = [])),
    responses((status = 200, description = "The ticket", body = HubTicket)),
)]
async fn buy_family_ticket(
    State(state): State<AppState>,
    viewer: Viewer<needs::FamilyRead>,
) -> Result<Json<HubTicket>, ApiError> {
    let caller = match viewer {
        Viewer::Person(insider) => {
            let identity = &insider.person.verified.identity;
            Caller::Person {
                person: identity.person.clone(),
                account: insider.person.standing.account.id,
                family: insider.membership.family.id,
                proved_at_s: proved_at(identity).as_second(),
                until_s: identity.expires_at.as_second(),
            }
        }
        Viewer::Display(display) => Caller::Display {
            device: display.device.id,
            family: display.device.family,
            token: display.token,
            until_s: display.expires_at.as_second(),
        },
    };
    ticket::issue(&state, caller).map(Json)
}

/// What the form holds, for the document.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form is read parameter by parameter; this describes it")]
struct LinkTicketRequest {
    /// `luminous-display`.
    client_id: String,
    /// The display's device code.
    device_code: String,
}

/// Buy a ticket to the hub of displays that wait
///
/// For one connection to `/hubs/link`, presented there as a bearer token within half a minute. The
/// `DPoP` header holds a proof of the key that the code was asked with.
#[utoipa::path(
    post,
    path = "/oauth2/link_ticket",
    tag = "displays",
    security(("dpop" = [])),
    request_body(content = LinkTicketRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The ticket", body = HubTicket),
        (status = 400, description = "In the words of RFC 6749 and 9449", body = OAuthProblem),
        (status = 401, description = "`invalid_client`", body = OAuthProblem),
        (status = 503, description = "`temporarily_unavailable`: poll instead", body = OAuthProblem),
    ),
)]
async fn buy_link_ticket(
    State(state): State<AppState>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let bought = sell(&state, &visit, &headers, &body).await;
    oauth::answer(&visit, bought.map(Json))
}

async fn sell(
    state: &AppState,
    visit: &Visit,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<HubTicket, OAuthError> {
    let (link, expires_at) = oauth::waiting_link(state, headers, body).await?;
    let until_ms = expires_at.as_millisecond();
    let ticket = ticket::issue(state, Caller::Waiting { link, until_ms, network: visit.network() });
    ticket.map_err(|error| OAuthError::Internal(error.to_string()))
}
