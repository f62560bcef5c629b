//! `cargo xtask bench`: figures, each a ratio of two things measured in the same run.

use crate::context::Context;
use crate::setup;
use crate::shell::Line;
use crate::stage::{self, Stage};

/// The measurements, in order; each says its ratio and fails above its bar.
const STAGES: &[Stage] = &[Stage { name: "verify a token", needs: &[], run: verify }];

/// Measures everything.
///
/// # Errors
/// When a bar is missed.
pub fn run(context: &Context) -> anyhow::Result<()> {
    setup::product(context)?;
    stage::run_all(context, STAGES)
}

/// An uncached RS256 verification beside a bare RSA-2048 verify of the same bytes.
fn verify(context: &Context) -> anyhow::Result<()> {
    let words = ["bench", "--package", "luminous-oidc", "--bench", "verify"];
    Ok(Line::cargo().args(words).dir(&context.root).run()?)
}
