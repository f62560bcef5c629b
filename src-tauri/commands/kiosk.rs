//! A wall display, as its own window may call it.

use luminous_wire::KioskSnapshot;
use tauri::State;
use tauri::ipc::Channel;

use crate::kiosk::KioskState;

/// The whole truth about the display now.
#[tauri::command]
pub fn kiosk_snapshot(state: State<'_, KioskState>) -> KioskSnapshot {
    state.snapshot()
}

/// Sends the whole snapshot now and after each change, until the window asks anew or is gone.
#[tauri::command]
pub fn watch_kiosk(state: State<'_, KioskState>, channel: Channel<KioskSnapshot>) {
    state.watch(channel);
}

/// Somebody touched the idle display: it shows a code again.
#[tauri::command]
pub fn show_code(state: State<'_, KioskState>) {
    state.display.show_code();
}

/// Asks the keyring again.
#[tauri::command]
pub fn retry_kiosk_storage(state: State<'_, KioskState>) {
    state.display.retry_storage();
}
