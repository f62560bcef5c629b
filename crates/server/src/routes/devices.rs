//! Wall displays. Linking them is another page's; here they are listed.

use axum::Json;
use axum::extract::State;
use luminous_domain::FamilyId;
use luminous_wire::api::DeviceList;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::door::{Insider, needs};
use crate::{ApiError, AppState, views};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_devices))
}

/// List the family's displays
#[utoipa::path(
    get,
    path = "/api/families/{family_id}/devices",
    tag = "devices",
    security(("bearer" = ["devices.read"])),
    params(("family_id" = FamilyId, Path, description = "The family")),
    responses((status = 200, description = "Them, by name", body = DeviceList)),
)]
async fn list_devices(
    State(state): State<AppState>,
    insider: Insider<needs::DevicesRead>,
) -> Result<Json<DeviceList>, ApiError> {
    let devices = state.store().devices(insider.membership.family.id).await?;
    let now = state.clock().now();
    let view = |device| views::device(device, false, now);
    Ok(Json(DeviceList { devices: devices.into_iter().filter_map(view).collect() }))
}
