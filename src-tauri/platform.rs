//! What differs between operating systems, in one place.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as this;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as this;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
use self::windows as this;

use tauri::{Runtime, WebviewWindow};

/// Whether the operating system starts this very program for addresses of `scheme`.
///
/// Asks the system anew each time and may block for a moment; "no" for any doubt, since the
/// loopback redirect is always there instead.
#[must_use]
pub fn opens_scheme(scheme: &str) -> bool {
    this::opens_scheme(scheme)
}

/// Keeps the memory of this process, where tokens live, out of core dumps and away from other
/// programs of the same person.
pub fn forbid_memory_dumps() {
    this::forbid_memory_dumps();
}

/// What this computer is called, where the system says.
#[must_use]
pub fn host_name() -> Option<String> {
    this::host_name()
}

/// What this computer is, where the system says.
#[must_use]
pub fn model() -> Option<String> {
    this::model()
}

/// Takes from a wall display's window what opens beside the page (menus, dialogs, chords), and brings
/// the page back when its process ends.
pub fn keep_on_the_wall<R: Runtime>(window: &WebviewWindow<R>) {
    this::keep_on_the_wall(window);
}
