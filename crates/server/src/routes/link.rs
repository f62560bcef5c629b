//! Linking a wall display, as the approving person does it in the app.

use axum::extract::State;
use axum::{Extension, Json};
use http::StatusCode;
use luminous_wire::api::{ConfirmLink, DeclineLink, DeviceView, LinkChallenge, LookUpLink};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::door::{Insider, needs};
use crate::links::{Asker, Linker, Shown};
use crate::visit::Visit;
use crate::{ApiError, AppState, views};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(look_up_code))
        .routes(routes!(confirm_display))
        .routes(routes!(decline_display))
}

type Adult = Insider<needs::DevicesLink>;

/// Look up the code on a display
///
/// The display shows a number from now on, for three minutes at most. Asking again gives the same
/// challenge. What is wrong with a code (unknown, over, used, somebody else's) is not told.
#[utoipa::path(
    post,
    path = "/api/link/lookup",
    tag = "link",
    security(("bearer" = ["devices.link"])),
    request_body = LookUpLink,
    responses(
        (status = 200, description = "What the display says of itself", body = LinkChallenge),
        (status = 403, description = "`device.proximity_required`: in another network; `authz.*`"),
        (status = 404, description = "`device.code_invalid`"),
        (status = 429, description = "`device.rate_limited`: too many wrong codes; also for a right one"),
    ),
)]
async fn look_up_code(
    State(state): State<AppState>,
    Extension(visit): Extension<Visit>,
    insider: Adult,
    Body(asked): Body<LookUpLink>,
) -> Result<Json<LinkChallenge>, ApiError> {
    let shown = Shown::typed(&asked.user_code)?;
    Ok(Json(linker(&state, &insider, &visit)?.look_up(&shown).await?))
}

/// Link the display
///
/// A wrong number burns the code: the display shows another one.
#[utoipa::path(
    post,
    path = "/api/link/confirm",
    tag = "link",
    security(("bearer" = ["devices.link"])),
    request_body = ConfirmLink,
    responses(
        (status = 200, description = "Linked; it fetches its tokens now", body = DeviceView),
        (status = 404, description = "`device.code_invalid`: answered already, over, or not this person's"),
        (status = 409, description = "`device.confirm_mismatch`; `limit.reached`: 50 displays"),
    ),
)]
async fn confirm_display(
    State(state): State<AppState>,
    Extension(visit): Extension<Visit>,
    insider: Adult,
    Body(yes): Body<ConfirmLink>,
) -> Result<Json<DeviceView>, ApiError> {
    let device = linker(&state, &insider, &visit)?.confirm(&yes).await?;
    let is_connected = state.presence().is_online(device.id);
    let view = views::device(device, is_connected, state.clock().now());
    view.map(Json).ok_or(ApiError::NotFound)
}

/// Decline the display
#[utoipa::path(
    post,
    path = "/api/link/decline",
    tag = "link",
    security(("bearer" = ["devices.link"])),
    request_body = DeclineLink,
    responses(
        (status = 204, description = "Declined; the code is over"),
        (status = 404, description = "`device.code_invalid`: answered already, over, or not this person's"),
    ),
)]
async fn decline_display(
    State(state): State<AppState>,
    Extension(visit): Extension<Visit>,
    insider: Adult,
    Body(no): Body<DeclineLink>,
) -> Result<StatusCode, ApiError> {
    linker(&state, &insider, &visit)?.decline(no.challenge).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn linker<'a>(
    state: &'a AppState,
    insider: &'a Adult,
    visit: &Visit,
) -> Result<Linker<'a>, ApiError> {
    let asker = Asker {
        account: &insider.person.standing.account,
        place: &insider.membership,
        is_email_unverified: insider.person.verified.identity.is_email_unverified,
        act: insider.person.act(),
        address: visit.address(),
    };
    Linker::new(state, asker)
}
