//! The family itself, and our place in it.

use luminous_wire::api::{CreateFamily, DeleteFamily, Me, RenameFamily};
use luminous_wire::{AppError, FamilyNews};
use tauri::ipc::Channel;

use crate::Shared;

/// Asks the family server who we are and where we belong; the snapshot shows it too.
#[tauri::command]
pub async fn load_family(state: Shared<'_>) -> Result<Me, AppError> {
    state.session.load_family().await
}

/// Creates a family with who is signed in as its owner.
#[tauri::command]
pub async fn create_family(state: Shared<'_>, request: CreateFamily) -> Result<Me, AppError> {
    state.session.create_family(&request).await
}

/// Gives the family another name.
#[tauri::command]
pub async fn rename_family(state: Shared<'_>, request: RenameFamily) -> Result<(), AppError> {
    state.session.rename_family(&request).await
}

/// Leaves the family.
#[tauri::command]
pub async fn leave_family(state: Shared<'_>) -> Result<(), AppError> {
    state.session.leave_family().await
}

/// Deletes the family for good.
#[tauri::command]
pub async fn delete_family(state: Shared<'_>, request: DeleteFamily) -> Result<(), AppError> {
    state.session.delete_family(&request).await
}

/// Tells what happens in the family from now on, until the window asks anew or is gone.
#[tauri::command]
pub fn watch_family(state: Shared<'_>, channel: Channel<FamilyNews>) {
    state.watch_family(channel);
}
