//! Linux: desktop entries (freedesktop.org), process attributes and the page on a wall.

mod kiosk;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

pub(super) use self::kiosk::keep_on_the_wall;

pub(super) fn host_name() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/hostname").ok()
}

/// A board says it in its device tree, a PC in its firmware.
pub(super) fn model() -> Option<String> {
    let board = fs::read_to_string("/sys/firmware/devicetree/base/model");
    let text = board.or_else(|_| fs::read_to_string("/sys/devices/virtual/dmi/id/product_name"));
    // The device tree ends its strings with a zero byte.
    text.ok().map(|text| text.trim_matches(['\0', '\n']).to_owned())
}

pub(super) fn forbid_memory_dumps() {
    if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "memory dumps could not be switched off");
    }
}

pub(super) fn opens_scheme(scheme: &str) -> bool {
    let Some(entry) = default_entry(scheme) else { return false };
    let Ok(own) = std::env::current_exe().and_then(fs::canonicalize) else { return false };
    // An AppImage runs from a mount that changes with each start; its own file is the handler.
    let image = std::env::var_os("APPIMAGE").and_then(|image| fs::canonicalize(image).ok());
    data_folders()
        .iter()
        .filter_map(|folder| fs::read_to_string(folder.join("applications").join(&entry)).ok())
        .next()
        .and_then(|text| handler_program(&text))
        .and_then(|program| resolve(&program))
        .is_some_and(|program| program == own || Some(program) == image)
}

/// The desktop entry that the system would use, asked the way browsers ask.
fn default_entry(scheme: &str) -> Option<String> {
    let answer = Command::new("xdg-mime")
        .args(["query", "default", &format!("x-scheme-handler/{scheme}")])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let name = String::from_utf8(answer.stdout).ok()?.trim().to_owned();
    (answer.status.success() && name.ends_with(".desktop") && !name.contains('/')).then_some(name)
}

/// Where desktop entries are looked for, in order (XDG Base Directory Specification).
fn data_folders() -> Vec<PathBuf> {
    let home = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share")));
    let shared = std::env::var_os("XDG_DATA_DIRS")
        .filter(|dirs| !dirs.is_empty())
        .unwrap_or_else(|| "/usr/local/share:/usr/share".into());
    home.into_iter().chain(std::env::split_paths(&shared)).collect()
}

/// The program of the entry's `Exec` line, if that line passes the address on. Without `%u` the
/// link opens the app and loses the redirect, so such an entry is not ours to rely on.
fn handler_program(entry: &str) -> Option<String> {
    let exec = entry
        .lines()
        .skip_while(|line| line.trim() != "[Desktop Entry]")
        .skip(1)
        .take_while(|line| !line.trim_start().starts_with('['))
        .find_map(|line| line.split_once('=').filter(|(key, _)| key.trim() == "Exec"))?
        .1
        .trim();
    let (program, arguments) = first_word(exec)?;
    let passes_the_address = arguments.split_whitespace().any(|a| a == "%u" || a == "%U");
    passes_the_address.then_some(program)
}

/// The first word of an `Exec` value and what follows it. A quoted word may escape `"`, `` ` ``,
/// `$` and `\` by a backslash (Desktop Entry Specification, "The Exec key").
fn first_word(exec: &str) -> Option<(String, &str)> {
    let Some(quoted) = exec.strip_prefix('"') else {
        let end = exec.find(char::is_whitespace).unwrap_or(exec.len());
        return Some((exec[..end].to_owned(), &exec[end..]));
    };
    let mut word = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((word, &quoted[at + 1..])),
            '\\' => word.push(letters.next()?.1),
            _ => word.push(letter),
        }
    }
    None
}

/// The file behind a program's name, through `PATH` and links.
fn resolve(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return fs::canonicalize(program).ok();
    }
    let path = std::env::var_os("PATH")?;
    find_in(&path, program).and_then(|file| fs::canonicalize(file).ok())
}

fn find_in(path: &OsStr, program: &str) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(exec: &str) -> String {
        format!(
            "# ours\n[Desktop Entry]\nName=Luminous\nExec={exec}\n[Desktop Action new]\nExec=other %u\n"
        )
    }

    #[test]
    fn the_packaged_entry_names_its_program_and_passes_the_address() {
        assert_eq!(handler_program(&entry("luminous %u")).as_deref(), Some("luminous"));
        assert_eq!(
            handler_program(&entry("/opt/x/luminous --a %U")).as_deref(),
            Some("/opt/x/luminous")
        );
    }

    #[test]
    fn a_quoted_program_may_hold_spaces_and_escapes() {
        let program = handler_program(&entry(r#""/opt/my apps/lu\"minous" %u"#));
        assert_eq!(program.as_deref(), Some(r#"/opt/my apps/lu"minous"#));
    }

    #[test]
    fn an_entry_that_would_lose_the_address_is_not_relied_on() {
        assert_eq!(handler_program(&entry("luminous")), None);
        assert_eq!(handler_program(&entry("\"luminous %u")), None);
        assert_eq!(handler_program("[Desktop Entry]\nName=x\n[Other]\nExec=luminous %u\n"), None);
    }

    #[test]
    fn the_packaged_template_carries_the_address() {
        let template = include_str!("../linux/luminous.desktop");
        assert_eq!(handler_program(template).as_deref(), Some("{{exec}}"));
    }
}
