//! Notes on the wall.

use luminous_domain::NoteId;
use luminous_wire::AppError;
use luminous_wire::api::{NoteList, PostNote};

use crate::Shared;

/// The notes on the wall.
#[tauri::command]
pub async fn list_notes(state: Shared<'_>) -> Result<NoteList, AppError> {
    state.session.list_notes().await
}

/// Puts a note on the wall.
#[tauri::command]
pub async fn post_note(state: Shared<'_>, request: PostNote) -> Result<(), AppError> {
    state.session.post_note(&request).await
}

/// Takes a note down.
#[tauri::command]
pub async fn remove_note(state: Shared<'_>, id: NoteId) -> Result<(), AppError> {
    state.session.remove_note(id).await
}
