//! The web interface through npm: its packages, and the scripts of `ui/package.json`.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context as _, bail};

use crate::browser;
use crate::context::Context;
use crate::shell::Line;
use crate::tools;

/// The oldest Node that the UI's packages take (`engines` in `ui/package.json`).
const OLDEST_NODE: [u64; 3] = [20, 19, 0];

/// Installs the UI's packages when they are missing or older than the lock file.
///
/// # Errors
/// Without Node, with a Node that is too old, or when npm fails.
pub fn install(context: &Context) -> anyhow::Result<()> {
    let Some(version) = tools::node_version() else {
        bail!("Node.js is missing: install version 20.19 or newer from nodejs.org");
    };
    if version < OLDEST_NODE {
        let [major, minor, patch] = version;
        bail!("Node.js {major}.{minor}.{patch} is too old: install version 20.19 or newer");
    }
    install_packages(context, &context.ui()).context("the UI's packages could not be installed")
}

/// Installs the packages that a folder's lock file names, unless they are there.
///
/// # Errors
/// When npm fails.
pub fn install_packages(context: &Context, folder: &Path) -> anyhow::Result<()> {
    if is_fresh(folder) {
        return Ok(());
    }
    Ok(Line::new(context.platform.npm()).dir(folder).args(["ci"]).run()?)
}

/// npm writes its hidden lock file last, so a run that broke off does not look complete.
fn is_fresh(ui: &Path) -> bool {
    let changed = |file: &str| -> Option<SystemTime> {
        fs::metadata(ui.join(file)).and_then(|data| data.modified()).ok()
    };
    match (changed("node_modules/.package-lock.json"), changed("package-lock.json")) {
        (Some(installed), Some(locked)) => installed >= locked,
        _ => false,
    }
}

/// Runs one script of `ui/package.json`; a browser test finds its browser in the environment.
///
/// # Errors
/// When the script fails.
pub fn script(context: &Context, name: &str) -> anyhow::Result<()> {
    Ok(npm(context).args(["run", "--silent", name]).run()?)
}

/// Runs the UI's tests in a real browser.
///
/// # Errors
/// Without a Chromium, or when a test fails.
pub fn browser_tests(context: &Context) -> anyhow::Result<()> {
    let chromium = browser::find(context).context("no Chromium: run `cargo xtask setup`")?;
    let line = npm(context).args(["run", "--silent", "test:browser"]);
    Ok(line.env(browser::VARIABLE, chromium).run()?)
}

fn npm(context: &Context) -> Line {
    Line::new(context.platform.npm()).dir(context.ui())
}

#[cfg(test)]
mod tests {
    use std::fs::{File, create_dir_all, remove_dir_all};
    use std::time::Duration;

    use super::*;

    fn touch(file: &Path, seconds: u64) {
        let file = File::create(file).expect("a file");
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        file.set_modified(time).expect("a time");
    }

    #[test]
    fn packages_are_fresh_only_when_they_are_complete_and_not_older_than_the_lock() {
        let ui = std::env::temp_dir().join(format!("xtask-ui-{}", std::process::id()));
        create_dir_all(ui.join("node_modules")).expect("a folder");
        touch(&ui.join("package-lock.json"), 100);
        assert!(!is_fresh(&ui), "npm did not finish");
        touch(&ui.join("node_modules/.package-lock.json"), 99);
        assert!(!is_fresh(&ui), "the lock is newer");
        touch(&ui.join("node_modules/.package-lock.json"), 100);
        assert!(is_fresh(&ui));
        remove_dir_all(&ui).expect("the folder goes");
    }
}
