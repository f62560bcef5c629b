//! What a wall shows.

use axum::Json;
use axum::extract::State;
use luminous_wire::api::{WallPlace, WallView};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::door::{Viewer, needs};
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
    security(("bearer" = ["family.read"]), ("dpop" = ["family.read"])),
    responses((status = 200, description = "The family's wall", body = WallView)),
)]
async fn read_wall(
    State(state): State<AppState>,
    viewer: Viewer<needs::FamilyRead>,
) -> Result<Json<WallView>, ApiError> {
    let wall = state.store().wall(viewer.family()).await?;
    let wall = wall.ok_or(ApiError::FamilyMismatch)?;
    let place = match viewer {
        Viewer::Person(_) => None,
        Viewer::Display(display) => {
            Some(WallPlace { name: display.device.name, room: display.device.room })
        }
    };
    Ok(Json(views::wall(wall, place)))
}
