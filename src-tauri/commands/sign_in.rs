//! Signing in, in the system browser.

use luminous_wire::{AppError, SignInIntent};

use crate::Shared;

/// Opens the system browser for what the person wants to do there; `hint` names one of the identity
/// providers that the snapshot offers.
#[tauri::command]
pub async fn begin_sign_in(
    state: Shared<'_>,
    intent: SignInIntent,
    hint: Option<String>,
) -> Result<(), AppError> {
    state.session.begin_sign_in(intent, hint.as_deref()).await
}

/// Opens the browser again for the sign-in that waits.
#[tauri::command]
pub async fn open_browser_again(state: Shared<'_>) -> Result<(), AppError> {
    state.session.open_again().await
}

/// The address of the sign-in that waits, to be copied into a browser by hand. It carries a state
/// and a PKCE challenge, no secret.
#[tauri::command]
pub fn sign_in_link(state: Shared<'_>) -> Result<String, AppError> {
    state.session.sign_in_link()
}

/// Gives the waiting sign-in up.
#[tauri::command]
pub async fn cancel_sign_in(state: Shared<'_>) -> Result<(), AppError> {
    state.session.cancel_sign_in().await
}

/// Gives up the proof of a second factor that acts of administration wait for.
#[tauri::command]
pub async fn cancel_step_up(state: Shared<'_>) -> Result<(), AppError> {
    state.session.cancel_step_up().await;
    Ok(())
}
