//! `cargo xtask vectors FOLDER`.

use std::path::Path;

use anyhow::bail;

/// Judges the token verifier by the Wycheproof files in a folder.
///
/// # Errors
/// Until the verifier exists.
pub fn run(folder: &Path) -> anyhow::Result<()> {
    bail!("there is no verifier to judge {} with yet", folder.display());
}
