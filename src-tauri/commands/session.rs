//! The session and where it is kept.

use luminous_wire::{AppError, SessionSnapshot, SignOutScope};
use tauri::ipc::Channel;

use crate::Shared;
use crate::page::Page;

/// The whole truth about the session now.
#[tauri::command]
pub fn session_snapshot(state: Shared<'_>) -> SessionSnapshot {
    state.snapshot()
}

/// Sends the whole snapshot now and after each change, until the window asks anew or is gone.
///
/// A channel, not an event: a window that may listen to events would also hear the deep link.
#[tauri::command]
pub fn watch_session(state: Shared<'_>, channel: Channel<SessionSnapshot>) {
    state.watch(channel);
}

/// Signs out here, or here and at the provider.
#[tauri::command]
pub async fn sign_out(state: Shared<'_>, scope: SignOutScope) -> Result<(), AppError> {
    state.session.sign_out(scope).await
}

/// Asks the keyring again.
#[tauri::command]
pub async fn retry_storage(state: Shared<'_>) -> Result<(), AppError> {
    state.session.retry_storage().await
}

/// Goes on without the keyring: the sign-in is gone when the app quits.
#[tauri::command]
pub async fn use_memory_only(state: Shared<'_>) -> Result<(), AppError> {
    state.session.use_memory_only().await
}

/// The window has drawn a screen for the first time since it changed.
#[tauri::command]
pub fn screen_drawn(page: tauri::State<'_, Page>, screen: &str) {
    page.screen_drawn(screen);
}
