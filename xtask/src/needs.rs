//! What the machine must have, and how to tell that it has it.
//!
//! Each need is looked for itself (a program in `PATH`, a library known to pkg-config) and not by
//! the name of its package: that works on every distribution, costs no package manager, and a
//! package that is only a stand-in for something else does not pass for the thing.

use crate::browser;
use crate::context::Context;
use crate::shell::{self, Line};

/// How to see that a need is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// One of these programs is in `PATH`.
    Program(&'static [&'static str]),
    /// One of the folders in the first holds the second, as where each major version has its own.
    Below(&'static str, &'static str),
    /// pkg-config knows this library.
    Library(&'static str),
    /// A Chromium that answers; see [`browser::find`].
    Browser,
}

/// One thing the machine must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// How to see that it is there.
    pub probe: Probe,
    /// The Debian and Ubuntu package that brings it.
    pub package: &'static str,
    /// What it is for, in words that follow the package's name.
    pub purpose: &'static str,
}

/// What Linux must have besides Rust and Node.
pub const LINUX: &[Need] = &[
    need(Probe::Program(&["cc"]), "build-essential", "compiles SQLite and the cryptography"),
    need(
        Probe::Below("/usr/lib/postgresql", "bin/initdb"),
        "postgresql",
        "the other database of the family server, in tests",
    ),
    need(Probe::Program(&["pkg-config"]), "pkg-config", "finds the libraries of the window"),
    need(Probe::Library("webkit2gtk-4.1"), "libwebkit2gtk-4.1-dev", "draws the window"),
    need(Probe::Program(&["xdg-open"]), "xdg-utils", "opens the system browser"),
    need(Probe::Program(&["update-desktop-database"]), "desktop-file-utils", "registers the link"),
    need(Probe::Program(&["gio"]), "libglib2.0-bin", "follows a link to its application"),
    need(Probe::Program(&["dbus-run-session"]), "dbus", "a session bus of its own for each test"),
    need(Probe::Program(&["gnome-keyring-daemon"]), "gnome-keyring", "keeps the sign-in"),
    need(Probe::Program(&["Xvfb"]), "xvfb", "the display of the window tests"),
    need(Probe::Program(&["WebKitWebDriver"]), "webkit2gtk-driver", "drives the window in tests"),
    need(Probe::Browser, "chromium", "the system browser of the tests"),
    need(Probe::Program(&["chromedriver"]), "chromium-driver", "drives that browser in tests"),
];

const fn need(probe: Probe, package: &'static str, purpose: &'static str) -> Need {
    Need { probe, package, purpose }
}

/// The needs of this list that are not met here.
pub fn missing(context: &Context, needs: &[Need]) -> Vec<Need> {
    needs.iter().filter(|need| !is_met(context, need.probe)).copied().collect()
}

fn is_met(context: &Context, probe: Probe) -> bool {
    match probe {
        Probe::Program(names) => names.iter().any(|name| shell::find(name).is_some()),
        Probe::Below(parent, file) => holds(parent, file),
        Probe::Library(name) => Line::new("pkg-config").args(["--exists", name]).read().is_ok(),
        Probe::Browser => browser::find(context).is_some(),
    }
}

fn holds(parent: &str, file: &str) -> bool {
    let folders = std::fs::read_dir(parent).into_iter().flatten().flatten();
    folders.into_iter().any(|folder| folder.path().join(file).is_file())
}

/// The list for people: one line for each need.
pub fn listed(needs: &[Need]) -> String {
    needs.iter().map(|need| format!("  {:<24} {}\n", need.package, need.purpose)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_need_is_listed_once_with_its_package_and_its_purpose() {
        let mut packages: Vec<_> = LINUX.iter().map(|need| need.package).collect();
        packages.sort_unstable();
        packages.dedup();
        assert_eq!(packages.len(), LINUX.len());
        assert_eq!(listed(LINUX).lines().count(), LINUX.len());
        assert!(listed(LINUX).contains("  xvfb                     the display of the window"));
    }

    #[test]
    fn a_program_that_is_not_there_is_missing_and_one_that_is_there_is_not() {
        let context = Context::find();
        let nothing = need(Probe::Program(&["no-such-program-of-ours"]), "nothing", "nothing");
        let either = need(Probe::Program(&["no-such-program-of-ours", "cargo"]), "cargo", "builds");
        assert_eq!(missing(&context, &[nothing, either]), [nothing]);
    }

    #[test]
    fn what_is_in_a_folder_for_each_version_is_found_in_any_of_them() {
        let context = Context::find();
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let here = need(Probe::Below(root, "src/needs.rs"), "here", "one of the folders has it");
        let gone = need(Probe::Below(root, "src/no-such-file"), "gone", "none of them has it");
        let nowhere = need(Probe::Below("/no-such-folder", "bin"), "nowhere", "no folders");
        assert_eq!(missing(&context, &[here, gone, nowhere]), [gone, nowhere]);
    }
}
