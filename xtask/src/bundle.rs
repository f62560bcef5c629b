//! The app as a program and as packages.

use crate::context::{Context, Platform};
use crate::shell::Line;
use crate::{setup, ui};

/// Builds what the demo and the tests of whole programs run: the app with its embedded identity
/// emulator and server, both as programs of their own, and the driver. The UI must be built.
///
/// # Errors
/// When cargo fails.
pub fn debug_app(context: &Context) -> anyhow::Result<()> {
    let packages = ["luminous", "luminous-emulator", "luminous-server", "luminous-e2e"];
    let words = packages.iter().flat_map(|name| ["--package", name]);
    let line = Line::cargo().args(["build"]).args(words).args(["--features", "luminous/demo"]);
    Ok(line.dir(&context.root).run()?)
}

/// Builds the app as it is shipped. The UI must be built.
///
/// # Errors
/// When cargo fails.
fn release_app(context: &Context) -> anyhow::Result<()> {
    let words = ["build", "--release", "--package", "luminous"];
    Ok(Line::cargo().args(words).dir(&context.root).run()?)
}

/// Builds the UI, the release app and the packages of this platform.
///
/// # Errors
/// When a step fails.
pub fn run(context: &Context) -> anyhow::Result<()> {
    setup::product(context)?;
    ui::script(context, "build")?;
    release_app(context)?;
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
