//! The real app with a real browser and keyring: `tests/e2e`, once it is built.

use anyhow::bail;

use crate::context::{Context, Platform};
use crate::shell::Line;

/// Runs every case. The app and the driver must be built.
///
/// # Errors
/// When a case fails, and on systems that have no WebKitWebDriver.
pub fn run(context: &Context) -> anyhow::Result<()> {
    drive(context, &["test"])
}

/// Calls the driver of the end-to-end tests.
///
/// # Errors
/// As [`run`].
pub fn drive(context: &Context, words: &[&str]) -> anyhow::Result<()> {
    if context.platform != Platform::Linux {
        bail!("the real window can be driven on Linux only: no other system has WebKitWebDriver");
    }
    let driver = context.target().join("debug/luminous-e2e");
    let target = context.target();
    Ok(Line::new(driver).arg("--target").arg(target).args(words).dir(&context.root).run()?)
}
