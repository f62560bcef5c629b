//! macOS: schemes are claimed by the bundle's Info.plist.

use tauri::{Runtime, WebviewWindow};

pub(super) fn opens_scheme(_scheme: &str) -> bool {
    // Launch Services knows the schemes of applications, never those of a bare executable.
    std::env::current_exe().is_ok_and(|program| {
        program.ancestors().any(|folder| folder.extension().is_some_and(|ext| ext == "app"))
    })
}

pub(super) fn forbid_memory_dumps() {
    // Core dumps are off unless somebody turns them on, and the hardened runtime of a signed bundle
    // keeps other programs from attaching.
}

pub(super) fn host_name() -> Option<String> {
    None
}

pub(super) fn model() -> Option<String> {
    None
}

pub(super) fn keep_on_the_wall<R: Runtime>(_window: &WebviewWindow<R>) {
    // Not a system that walls run on: a page whose process ended stays blank until the display is
    // started again, and the context menu is the page's own affair.
}
