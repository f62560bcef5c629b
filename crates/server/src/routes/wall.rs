//! What a wall shows.

use axum::Json;
use axum::extract::State;
use luminous_wire::api::WallView;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::door::{Insider, needs};
use crate::{ApiError, AppState, views};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(read_wall))
}

/// Read everything that a wall shows
///
/// As of one moment: `seq` is the newest event that it already shows, and `/hubs/family` goes on from
/// there.
#[utoipa::path(
    get,
    path = "/api/wall",
    tag = "wall",
    security(("bearer" = ["family.read"])),
    responses((status = 200, description = "The family's wall", body = WallView)),
)]
async fn read_wall(
    State(state): State<AppState>,
    insider: Insider<needs::FamilyRead>,
) -> Result<Json<WallView>, ApiError> {
    let wall = state.store().wall(insider.membership.family.id).await?;
    let wall = wall.ok_or(ApiError::FamilyMismatch)?;
    Ok(Json(views::wall(wall, None)))
}
