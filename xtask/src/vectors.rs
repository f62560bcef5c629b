//! `cargo xtask vectors FOLDER`.

use std::path::Path;

use anyhow::Context as _;

use crate::shell::Line;

/// Judges the token verifier by the Wycheproof files in a folder.
///
/// # Errors
/// When the folder cannot be found, or when the judge disagrees with a vector in a way its list of
/// exceptions does not name.
pub fn run(folder: &Path) -> anyhow::Result<()> {
    let folder =
        folder.canonicalize().with_context(|| format!("{} cannot be read", folder.display()))?;
    let words = ["run", "--quiet", "--package", "luminous-oidc", "--example", "vectors", "--"];
    Ok(Line::cargo().args(words).arg(folder).run()?)
}
