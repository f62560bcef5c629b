//! What a person chose about the window, and the first connection.

use luminous_wire::{AppError, ConnectRequest, Settings};
use tauri::{AppHandle, Manager, Runtime};

use crate::Shared;
use crate::state::AppState;

/// What was chosen so far. At a wall display nobody chooses: it speaks the system's language.
#[tauri::command]
pub fn load_settings<R: Runtime>(app: AppHandle<R>) -> Settings {
    app.try_state::<AppState>().map(|state| state.session.settings()).unwrap_or_default()
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
