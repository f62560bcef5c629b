//! The cargo tools the checks need, at fixed versions.
//!
//! One that is in `PATH` and new enough is taken as it is; else it is built once into
//! `target/tools`, where it does not touch the person's own.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::context::{self, Context};
use crate::shell::{self, Line};

/// One tool of cargo.
pub struct Tool {
    /// Its crate, which is also its program.
    name: &'static str,
    /// The version that is built, and the oldest that is taken.
    version: &'static str,
    /// What the program must be told to say its version.
    asks: &'static [&'static str],
    /// Which of its features are built.
    features: &'static [&'static str],
}

/// Runs the Rust tests.
pub const NEXTEST: Tool = Tool {
    name: "cargo-nextest",
    version: "0.9.143",
    asks: &["nextest", "--version"],
    // Without the part that updates itself, which is a third of the whole.
    features: &["--no-default-features", "--features", "default-no-update"],
};

/// Judges bans, licences and sources of every dependency.
pub const DENY: Tool =
    Tool { name: "cargo-deny", version: "0.20.2", asks: &["--version"], features: &[] };

impl Tool {
    /// Where it is: ours if it was built, else the person's own if it is new enough.
    fn find(&self, context: &Context) -> Option<PathBuf> {
        let ending = context.platform.program_endings()[0];
        let ours = folder().join("bin").join(format!("{}{ending}", self.name));
        [Some(ours), shell::find(self.name)]
            .into_iter()
            .flatten()
            .find(|program| program.is_file() && self.is_new_enough(program))
    }

    fn is_new_enough(&self, program: &Path) -> bool {
        let answer = Line::new(program).args(self.asks).read().unwrap_or_default();
        version_in(&answer) >= version_in(self.version)
    }

    /// A command line that runs it, as cargo would.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn line(&self, context: &Context) -> anyhow::Result<Line> {
        let program = self
            .find(context)
            .with_context(|| format!("{} is missing: run `cargo xtask setup`", self.name))?;
        Ok(Line::new(program).dir(&context.root))
    }

    /// Builds it into `target/tools` unless it is there. Without optimisation: that takes a
    /// quarter of the time (cargo-deny on two cores: 60 s, not 5 min), and it is fast enough.
    ///
    /// # Errors
    /// When cargo fails.
    pub fn install(&self, context: &Context) -> anyhow::Result<()> {
        if self.find(context).is_some() {
            return Ok(());
        }
        println!("Building {} {} once, into target/tools", self.name, self.version);
        Line::cargo()
            .args(["install", "--debug", "--locked", "--force", "--root"])
            .arg(folder())
            .args(self.features)
            .args(["--version", self.version, self.name])
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .dir(&context.root)
            .run()?;
        Ok(())
    }
}

/// Where set-up puts programs (`bin/` in it) that the system's package manager does not have.
pub fn folder() -> PathBuf {
    context::checkout().join("target").join("tools")
}

/// The first `1.2.3` in a text; `None` sorts before every version.
fn version_in(text: &str) -> Option<[u64; 3]> {
    text.split_whitespace().find_map(|word| {
        let mut parts = word.trim_start_matches('v').split(['.', '-', '+']).map(str::parse);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch))) => Some([major, minor, patch]),
            _ => None,
        }
    })
}

/// The version of Node, when it is there.
pub fn node_version() -> Option<[u64; 3]> {
    version_in(&Line::new("node").args(["--version"]).read().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_each_program_answers() {
        let nextest = "cargo-nextest 0.9.143 (60fa45f63 2026-08-04)\nrelease: 0.9.143\n";
        assert_eq!(version_in(nextest), Some([0, 9, 143]));
        assert_eq!(version_in("cargo-deny 0.20.2\n"), Some([0, 20, 2]));
        assert_eq!(version_in("v20.20.2\n"), Some([20, 20, 2]));
        assert_eq!(version_in("1.2.3-rc.1"), Some([1, 2, 3]));
        assert_eq!(version_in("no version here 1.2"), None);
    }

    #[test]
    fn versions_are_compared_as_numbers_and_no_version_is_too_old() {
        assert!(version_in("0.9.143") > version_in("0.9.99"));
        assert!(version_in("") < version_in("0.0.1"));
    }
}
