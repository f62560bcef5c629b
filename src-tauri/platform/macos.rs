//! macOS: schemes are claimed by the bundle's Info.plist.

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
