//! `cargo xtask demo`: the app with the embedded identity emulator, on this screen or on a virtual
//! one.

use std::env;

use crate::context::{Context, Platform};
use crate::shell::Line;
use crate::{bundle, e2e, setup, ui};

/// Builds everything, then opens the window; where there is no display, drives the whole journey
/// under a virtual one and keeps a picture of each screen in `target/demo/`.
///
/// # Errors
/// When the set-up or the build fails, or a step of the journey is not what it says.
pub fn run(context: &Context) -> anyhow::Result<()> {
    setup::product(context)?;
    ui::script(context, "build")?;
    bundle::debug_app(context)?;
    if has_display(context.platform) {
        println!("\nLuminous opens with the embedded identity emulator. Sign up with any address.");
        let app = context.target().join("debug/luminous");
        return Ok(Line::new(app).arg("--demo").dir(&context.root).run()?);
    }
    println!("\nNo display here: the journey runs by itself under a virtual one.");
    e2e::drive(context, &["demo"])?;
    println!("A picture of each screen is in target/demo/.");
    Ok(())
}

/// Windows and macOS always have one; on Linux it is named in the environment.
fn has_display(platform: Platform) -> bool {
    let named = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    platform != Platform::Linux || named("DISPLAY") || named("WAYLAND_DISPLAY")
}
