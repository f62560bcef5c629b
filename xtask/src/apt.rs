//! Debian's and Ubuntu's package manager, as root or through sudo.

use anyhow::{Context as _, bail};

use crate::shell::{self, Line};

/// Who may install here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rights {
    Root,
    Sudo,
    Neither,
}

impl Rights {
    fn look() -> Self {
        let root = Line::new("id").args(["-u"]).read().is_ok_and(|id| id.trim() == "0");
        match (root, shell::find("sudo").is_some()) {
            (true, _) => Self::Root,
            (false, true) => Self::Sudo,
            (false, false) => Self::Neither,
        }
    }

    /// The words before `apt-get`. sudo drops the environment, so the variable goes behind it.
    fn prefix(self) -> &'static [&'static str] {
        match self {
            Self::Sudo => &["sudo", "env", "DEBIAN_FRONTEND=noninteractive"],
            Self::Root | Self::Neither => &["env", "DEBIAN_FRONTEND=noninteractive"],
        }
    }
}

/// True on a system whose package manager is apt.
pub fn is_here() -> bool {
    shell::find("apt-get").is_some()
}

/// Fetches the lists, so that [`offers`] and [`install`] know today's packages.
///
/// # Errors
/// Without the right to install, with the command for somebody who has it; when apt fails.
pub fn update(packages: &[&str]) -> anyhow::Result<()> {
    let rights = Rights::look();
    if rights == Rights::Neither {
        bail!(
            "system packages are missing, this is not root, and there is no sudo. Ask whoever may \
             to run:\n  apt-get update && apt-get install -y {}",
            packages.join(" ")
        );
    }
    apt_get(rights, &["update"])
}

/// Installs packages without their recommendations.
///
/// # Errors
/// When apt fails.
pub fn install(packages: &[&str]) -> anyhow::Result<()> {
    let words = [&["install", "--yes", "--no-install-recommends"], packages].concat();
    apt_get(Rights::look(), &words)
}

fn apt_get(rights: Rights, words: &[&str]) -> anyhow::Result<()> {
    let line = [rights.prefix(), &["apt-get"], words].concat();
    Line::new(line[0])
        .args(&line[1..])
        .run_with_input()
        .context("the system packages could not be installed")
}

/// True when apt has a real package of this name, and not one that only points to a snap.
pub fn offers(package: &str) -> bool {
    let policy = Line::new("apt-cache").args(["policy", package]).env("LC_ALL", "C").read();
    policy.is_ok_and(|text| has_real_candidate(&text))
}

fn has_real_candidate(policy: &str) -> bool {
    policy
        .lines()
        .find_map(|line| line.trim().strip_prefix("Candidate:"))
        .map(str::trim)
        .is_some_and(|version| version != "(none)" && !version.contains("snap"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debians_chromium_is_a_real_package() {
        let policy = "chromium:\n  Installed: (none)\n  Candidate: 156.0.8078.79-1~deb12u1\n";
        assert!(has_real_candidate(policy));
    }

    #[test]
    fn ubuntus_chromium_is_absent_or_points_to_a_snap() {
        let shim = "chromium-browser:\n  Installed: (none)\n  Candidate: 2:1snap1-0ubuntu2\n";
        assert!(!has_real_candidate(shim));
        assert!(!has_real_candidate("chromium:\n  Installed: (none)\n  Candidate: (none)\n"));
        assert!(!has_real_candidate(""));
    }

    #[test]
    fn sudo_keeps_apt_from_asking_although_it_drops_the_environment() {
        assert_eq!(Rights::Sudo.prefix(), ["sudo", "env", "DEBIAN_FRONTEND=noninteractive"]);
        assert_eq!(Rights::Root.prefix(), ["env", "DEBIAN_FRONTEND=noninteractive"]);
    }
}
