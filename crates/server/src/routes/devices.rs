//! Wall displays that are linked. How they come to be is in [`super::link`].

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use luminous_domain::{DeviceId, FamilyId, Permission};
use luminous_store::{Device, DeviceChange};
use luminous_wire::api::{ChangeDevice, DeviceList, DeviceView};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::Body;
use crate::door::{Insider, needs};
use crate::path::PathId;
use crate::{ApiError, AppState, input, links, views};

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_devices))
        .routes(routes!(change_device))
        .routes(routes!(revoke_device))
        .routes(routes!(renew_device))
        .routes(routes!(undo_device))
}

/// List the family's displays
///
/// And those that were ended in the last week because a refresh token of theirs came back: somebody else
/// has it too.
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
    let family = insider.membership.family.id;
    let devices = state.store().devices(family).await?;
    let devices = devices.into_iter().filter_map(|device| view(&state, device)).collect();
    let ended = state.store().reused_devices(family, views::REUSE_TOLD).await?;
    let ended = ended.into_iter().filter_map(views::ended).collect();
    Ok(Json(DeviceList { devices, ended }))
}

/// Rename or move a display
#[utoipa::path(
    patch,
    path = "/api/devices/{device_id}",
    tag = "devices",
    security(("bearer" = ["devices.manage"])),
    params(("device_id" = DeviceId, Path, description = "The display")),
    request_body = ChangeDevice,
    responses(
        (status = 200, description = "As it is now", body = DeviceView),
        (status = 404, description = "`resource.not_found`"),
    ),
)]
async fn change_device(
    State(state): State<AppState>,
    insider: Insider<needs::DevicesManage>,
    PathId(id): PathId<DeviceId>,
    Body(asked): Body<ChangeDevice>,
) -> Result<Json<DeviceView>, ApiError> {
    let change = DeviceChange {
        name: asked.name.as_deref().map(input::name).transpose()?,
        room: asked.room.as_deref().map(read_room).transpose()?,
    };
    if change == DeviceChange::default() {
        return Err(ApiError::Input("there is nothing to change".to_owned()));
    }
    let (place, act) = (&insider.membership, insider.person.act());
    let store = state.store();
    let device = store.change_device(place.family.id, id, &change, place.member, &act).await;
    let device = device.map_err(|failure| ApiError::of(failure, Permission::DevicesManage))?;
    view(&state, device).map(Json).ok_or(ApiError::NotFound)
}

/// Revoke a display
///
/// All its tokens are dead with the next request; it forgets what it showed.
#[utoipa::path(
    post,
    path = "/api/devices/{device_id}/revoke",
    tag = "devices",
    security(("bearer" = ["devices.manage"])),
    params(("device_id" = DeviceId, Path, description = "The display")),
    responses(
        (status = 204, description = "Revoked"),
        (status = 404, description = "`resource.not_found`, also when it was revoked before"),
    ),
)]
async fn revoke_device(
    State(state): State<AppState>,
    insider: Insider<needs::DevicesManage>,
    PathId(id): PathId<DeviceId>,
) -> Result<StatusCode, ApiError> {
    let (place, act) = (&insider.membership, insider.person.act());
    let revoked = state.store().revoke_device(place.family.id, id, place.member, &act).await;
    revoked.map_err(|failure| ApiError::of(failure, Permission::DevicesManage))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Renew a display
///
/// It may stay for as long from now as if it were linked anew.
#[utoipa::path(
    post,
    path = "/api/devices/{device_id}/renew",
    tag = "devices",
    security(("bearer" = ["devices.manage"])),
    params(("device_id" = DeviceId, Path, description = "The display")),
    responses(
        (status = 200, description = "As it is now", body = DeviceView),
        (status = 404, description = "`resource.not_found`, also when it has ended"),
    ),
)]
async fn renew_device(
    State(state): State<AppState>,
    insider: Insider<needs::DevicesManage>,
    PathId(id): PathId<DeviceId>,
) -> Result<Json<DeviceView>, ApiError> {
    let (place, act) = (&insider.membership, insider.person.act());
    let (family, absolute) = (place.family.id, links::absolute(&state));
    let device = state.store().renew_device(family, id, absolute, place.member, &act).await;
    let device = device.map_err(|failure| ApiError::of(failure, Permission::DevicesManage))?;
    view(&state, device).map(Json).ok_or(ApiError::NotFound)
}

/// Take a link back
///
/// Within a day of it, by anybody who may link, without a second factor.
#[utoipa::path(
    post,
    path = "/api/devices/{device_id}/undo",
    tag = "devices",
    security(("bearer" = ["devices.link"])),
    params(("device_id" = DeviceId, Path, description = "The display")),
    responses(
        (status = 204, description = "Taken back: it is revoked"),
        (status = 404, description = "`resource.not_found`, also when it was linked longer ago"),
    ),
)]
async fn undo_device(
    State(state): State<AppState>,
    insider: Insider<needs::DevicesLink>,
    PathId(id): PathId<DeviceId>,
) -> Result<StatusCode, ApiError> {
    let (place, act) = (&insider.membership, insider.person.act());
    links::undo(&state, place, id, &act).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn view(state: &AppState, device: Device) -> Option<DeviceView> {
    let is_connected = state.presence().is_online(device.id);
    views::device(device, is_connected, state.clock().now())
}

/// A room, or none where nothing is left of it.
fn read_room(typed: &str) -> Result<Option<String>, ApiError> {
    if typed.trim().is_empty() { Ok(None) } else { input::room(typed).map(Some) }
}
