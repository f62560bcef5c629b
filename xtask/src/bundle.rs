//! The app as a program and as packages.

use crate::context::{Context, Platform};
use crate::shell::Line;
use crate::{setup, ui};

/// Serves the built UI from inside the program; without it a Tauri app asks a development server.
const FEATURES: &str = "tauri/custom-protocol";

/// Builds the app for development and for the real-window tests. The UI must be built.
///
/// # Errors
/// When cargo fails.
pub fn debug_app(context: &Context) -> anyhow::Result<()> {
    let words = ["build", "--package", "luminous", "--features", FEATURES];
    Ok(Line::cargo().args(words).dir(&context.root).run()?)
}

/// Builds the UI, the release app and the packages of this platform.
///
/// # Errors
/// When a step fails.
pub fn run(context: &Context) -> anyhow::Result<()> {
    setup::product(context)?;
    ui::script(context, "build")?;
    let words = ["build", "--release", "--package", "luminous", "--features", FEATURES];
    Line::cargo().args(words).dir(&context.root).run()?;
    packages(context)
}

fn packages(context: &Context) -> anyhow::Result<()> {
    let kinds = match context.platform {
        Platform::Linux => "deb,rpm",
        Platform::MacOs => "app",
        Platform::Windows => "nsis",
    };
    let cli = context.ui().join("node_modules/@tauri-apps/cli/tauri.js");
    let line = Line::new("node").arg(cli).args(["bundle", "--bundles", kinds]);
    Ok(line.dir(&context.root).run()?)
}
