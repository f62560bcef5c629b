//! The real-window tests.

use anyhow::bail;

use crate::context::Context;

/// Drives the real app with a real browser and keyring.
///
/// # Errors
/// Until the app exists.
pub fn run(_context: &Context) -> anyhow::Result<()> {
    bail!("there is no app to drive yet");
}
