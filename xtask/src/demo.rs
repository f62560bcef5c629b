//! `cargo xtask demo`.

use anyhow::bail;

use crate::context::Context;

/// Starts the app with the built-in identity emulator.
///
/// # Errors
/// Until the app exists.
pub fn run(_context: &Context) -> anyhow::Result<()> {
    bail!("there is no app to show yet");
}
