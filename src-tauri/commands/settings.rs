//! What a person chose about the window, and the first connection.

use luminous_wire::{AppError, ConnectRequest, Settings};

use crate::Shared;

/// What was chosen so far.
#[tauri::command]
pub fn load_settings(state: Shared<'_>) -> Settings {
    state.session.settings()
}

/// Chooses anew.
#[tauri::command]
pub fn save_settings(state: Shared<'_>, settings: Settings) -> Result<(), AppError> {
    state.session.save_settings(settings)
}

/// Names the family server, on first start.
#[tauri::command]
pub async fn connect(state: Shared<'_>, request: ConnectRequest) -> Result<(), AppError> {
    state.session.connect(request).await
}

/// Forgets the family server, so that another one can be named; only while nobody is signed in.
#[tauri::command]
pub async fn disconnect(state: Shared<'_>) -> Result<(), AppError> {
    state.session.disconnect().await
}
