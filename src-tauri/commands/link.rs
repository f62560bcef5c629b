//! Linking a display.

use luminous_wire::AppError;
use luminous_wire::api::{ConfirmLink, DeclineLink, DeviceView, LinkChallenge, LookUpLink};

use crate::Shared;

/// Finds the display that shows a code.
#[tauri::command]
pub async fn look_up_link(
    state: Shared<'_>,
    request: LookUpLink,
) -> Result<LinkChallenge, AppError> {
    state.session.look_up_link(&request).await
}

/// Takes the display into the family: this is the number on it.
#[tauri::command]
pub async fn confirm_link(state: Shared<'_>, request: ConfirmLink) -> Result<DeviceView, AppError> {
    state.session.confirm_link(&request).await
}

/// Sends the display away.
#[tauri::command]
pub async fn decline_link(state: Shared<'_>, request: DeclineLink) -> Result<(), AppError> {
    state.session.decline_link(&request).await
}
