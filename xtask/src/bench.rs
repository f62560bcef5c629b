//! `cargo xtask bench`: figures, each a ratio of two things measured in the same run.

use crate::context::Context;
use crate::shell::Line;
use crate::stage::{self, Stage};
use crate::{bundle, e2e, setup, ui};

/// The measurements, in order; each says its figures beside their bars.
const STAGES: &[Stage] = &[
    Stage { name: "verify a token", needs: &[], run: |context| one(context, "oidc", "verify") },
    Stage { name: "write credentials", needs: &[], run: |context| one(context, "store", "writes") },
    Stage { name: "ask the API", needs: &[], run: |context| one(context, "server", "api") },
    Stage { name: "link a display", needs: &[], run: |context| one(context, "server", "link") },
    Stage { name: "release build", needs: &[], run: build },
    Stage {
        name: "window",
        needs: &["release build"],
        run: |context| e2e::drive(context, &["bench"]),
    },
];

/// Measures everything.
///
/// # Errors
/// When a step fails.
pub fn run(context: &Context) -> anyhow::Result<()> {
    setup::product(context)?;
    stage::run_all(context, STAGES)
}

/// One crate's own measurement; what it measures it says itself.
fn one(context: &Context, package: &str, bench: &str) -> anyhow::Result<()> {
    let package = format!("luminous-{package}");
    let words = ["bench", "--package", &package, "--bench", bench];
    Ok(Line::cargo().args(words).dir(&context.root).run()?)
}

/// The app as it is shipped, the bare window it is measured against, and what drives both.
fn build(context: &Context) -> anyhow::Result<()> {
    ui::script(context, "build")?;
    bundle::debug_app(context)?;
    // One call for both, so that they are built from the same features of the same crates.
    let words = ["build", "--release", "--package", "luminous", "--bins", "--example"];
    Ok(Line::cargo().args(words).arg("bare_window").dir(&context.root).run()?)
}
