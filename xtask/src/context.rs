//! Where and how a command runs: the checkout, the platform, and whether a person can be asked.

use std::env;
use std::io::{IsTerminal, stdin};
use std::path::{Path, PathBuf};

/// What every command is told.
#[derive(Clone, Debug)]
pub struct Context {
    /// The root of the checkout; commands run here unless they say otherwise.
    pub root: PathBuf,
    /// True where nobody watches (`CI` is set): the nextest profile `ci`, and no questions.
    pub ci: bool,
    /// True when a person is there to be asked before system packages are installed.
    pub asks: bool,
    /// The operating system this runs on.
    pub platform: Platform,
}

impl Context {
    /// Looks at the environment and the terminal once, at the start.
    pub fn find() -> Self {
        let ci = env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
        Self {
            root: checkout().to_path_buf(),
            ci,
            asks: stdin().is_terminal() && !ci,
            platform: Platform::current(),
        }
    }

    /// The same, without questions when `yes` is given.
    pub fn saying_yes(mut self, yes: bool) -> Self {
        self.asks &= !yes;
        self
    }

    /// The folder of the web interface.
    pub fn ui(&self) -> PathBuf {
        self.root.join("ui")
    }

    /// The folder cargo builds into: `CARGO_TARGET_DIR` when set, else `target/` of the checkout.
    pub fn target(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| self.root.join("target"), |folder| self.root.join(folder))
    }
}

/// The folder above this package: the checkout this program was built from.
pub fn checkout() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// The operating systems a developer may sit at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Debian and Ubuntu are set up by themselves; other distributions are told what is missing.
    Linux,
    /// Apple's.
    MacOs,
    /// Microsoft's.
    Windows,
}

impl Platform {
    /// The one this program was compiled for. Anything that is neither of the others is treated
    /// like a Linux without apt.
    pub fn current() -> Self {
        match env::consts::OS {
            "windows" => Self::Windows,
            "macos" => Self::MacOs,
            _ => Self::Linux,
        }
    }

    /// npm's program: on Windows it is a script with an ending of its own.
    pub fn npm(self) -> &'static str {
        if self == Self::Windows { "npm.cmd" } else { "npm" }
    }

    /// The endings under which a program may lie in a folder of `PATH`.
    pub fn program_endings(self) -> &'static [&'static str] {
        if self == Self::Windows { &[".exe", ".cmd", ".bat"] } else { &[""] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_ends_the_questions_and_nothing_else_starts_them() {
        let asking = Context {
            root: PathBuf::from("/house"),
            ci: false,
            asks: true,
            platform: Platform::Linux,
        };
        assert!(asking.clone().saying_yes(false).asks);
        assert!(!asking.clone().saying_yes(true).asks);
        let silent = Context { asks: false, ..asking };
        assert!(!silent.saying_yes(false).asks);
    }
}
