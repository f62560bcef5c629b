//! Windows: schemes are claimed in the registry.

use tauri::{Runtime, WebviewWindow};
use windows_registry::CLASSES_ROOT;

pub(super) fn opens_scheme(scheme: &str) -> bool {
    let Ok(own) = std::env::current_exe() else { return false };
    CLASSES_ROOT
        .open(format!("{scheme}\\shell\\open\\command"))
        .and_then(|key| key.get_string(""))
        .is_ok_and(|command| runs(&command, &own.display().to_string()))
}

/// Whether a registered command starts `program` and passes the address on.
fn runs(command: &str, program: &str) -> bool {
    // `current_exe` may carry the verbatim prefix that installers never write.
    let program = program.strip_prefix(r"\\?\").unwrap_or(program);
    let quoted = format!("\"{program}\"");
    command.get(..quoted.len()).is_some_and(|start| start.eq_ignore_ascii_case(&quoted))
        && command.contains("%1")
}

pub(super) fn forbid_memory_dumps() {
    // Windows Error Reporting keeps no full dump of a program unless an administrator asks for it.
}

pub(super) fn host_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok()
}

pub(super) fn model() -> Option<String> {
    None
}

pub(super) fn keep_on_the_wall<R: Runtime>(_window: &WebviewWindow<R>) {
    // Not a system that walls run on: a page whose process ended stays blank until the display is
    // started again, and the context menu is the page's own affair.
}

#[cfg(test)]
mod tests {
    use super::runs;

    #[test]
    fn the_installer_writes_the_program_in_quotes_and_passes_the_address() {
        let command = r#""C:\Program Files\Luminous\luminous.exe" "%1""#;
        assert!(runs(command, r"C:\Program Files\Luminous\luminous.exe"));
        assert!(runs(command, r"\\?\c:\program files\luminous\luminous.exe"));
        assert!(!runs(command, r"C:\Other\luminous.exe"));
        assert!(!runs(
            r#""C:\Program Files\Luminous\luminous.exe""#,
            r"C:\Program Files\Luminous\luminous.exe"
        ));
    }
}
