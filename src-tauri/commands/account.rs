//! What the family server keeps about a person, and the end of all their sign-ins.

use luminous_wire::AppError;
use tauri::{AppHandle, Manager, Runtime};

use crate::{Shared, export};

/// Writes everything the family server keeps about who is signed in into a file of their own, and
/// answers where it is.
#[tauri::command]
pub async fn export_my_data<R: Runtime>(
    app: AppHandle<R>,
    state: Shared<'_>,
) -> Result<String, AppError> {
    let text = state.session.export_my_data().await?;
    let folder = app.path().download_dir().map_err(export::no_folder)?;
    export::write(&folder, state.today(), &text)
}

/// Ends every sign-in of this person, everywhere.
#[tauri::command]
pub async fn sign_out_everywhere(state: Shared<'_>) -> Result<(), AppError> {
    state.session.sign_out_everywhere().await
}
