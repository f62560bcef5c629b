//! The family's displays.

use luminous_domain::DeviceId;
use luminous_wire::AppError;
use luminous_wire::api::{ChangeDevice, DeviceList};

use crate::Shared;

/// The family's displays.
#[tauri::command]
pub async fn list_devices(state: Shared<'_>) -> Result<DeviceList, AppError> {
    state.session.list_devices().await
}

/// Gives a display another name or room.
#[tauri::command]
pub async fn change_device(
    state: Shared<'_>,
    device_id: DeviceId,
    request: ChangeDevice,
) -> Result<(), AppError> {
    state.session.change_device(device_id, &request).await
}

/// Takes a display off the wall.
#[tauri::command]
pub async fn revoke_device(state: Shared<'_>, device_id: DeviceId) -> Result<(), AppError> {
    state.session.revoke_device(device_id).await
}

/// Lets a display stay for another term.
#[tauri::command]
pub async fn renew_device(state: Shared<'_>, device_id: DeviceId) -> Result<(), AppError> {
    state.session.renew_device(device_id).await
}

/// Takes back that a display was linked.
#[tauri::command]
pub async fn undo_link(state: Shared<'_>, device_id: DeviceId) -> Result<(), AppError> {
    state.session.undo_link(device_id).await
}
