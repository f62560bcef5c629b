//! `cargo xtask demo`: the app with the embedded identity emulator and a wall display beside it, on
//! this screen or on a virtual one.

use std::env;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::context::{Context, Platform};
use crate::shell::Line;
use crate::{bundle, e2e, setup, ui};

/// The port of the demo's family server: the one after the emulator's (`--demo-port`).
const SERVER: u16 = 18456;

/// How the display looks beside the desktop window; on a real wall it fills the screen.
const WALL: &str = "960x600";

/// How often the server is looked for.
const LOOK: Duration = Duration::from_millis(200);

/// Builds everything, then opens the two windows; where there is no display, drives the whole journey
/// under a virtual one and keeps a picture of each screen in `target/demo/`.
///
/// # Errors
/// When the set-up or the build fails, or a step of the journey is not what it says.
pub fn run(context: &Context) -> anyhow::Result<()> {
    setup::product(context)?;
    ui::script(context, "build")?;
    bundle::debug_app(context)?;
    if has_display(context.platform) {
        println!("\nLuminous opens with the embedded identity emulator, and a display beside it.");
        println!("Sign up with any address, then link the display by the code that it shows.");
        return side_by_side(context, &context.target().join("debug/luminous"));
    }
    println!("\nNo display here: the journey runs by itself under a virtual one.");
    e2e::drive(context, &["demo"])?;
    println!("A picture of each screen is in target/demo/.");
    Ok(())
}

/// Two processes, two identities. The display may be closed alone; with the desktop window both end.
fn side_by_side(context: &Context, app: &Path) -> anyhow::Result<()> {
    let desktop = Line::new(app).arg("--demo").dir(&context.root).start()?;
    let (end, ended) = mpsc::channel();
    thread::spawn(move || end.send(desktop.finish()));
    while !server_listens() {
        if let Ok(outcome) = ended.recv_timeout(LOOK) {
            return Ok(outcome?);
        }
    }
    let words = ["kiosk", "--demo", "--window", WALL];
    let wall = Line::new(app).args(words).dir(&context.root).start()?;
    let outcome = ended.recv()?;
    wall.end()?;
    Ok(outcome?)
}

fn server_listens() -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, SERVER));
    TcpStream::connect_timeout(&address, LOOK).is_ok()
}

/// Windows and macOS always have one; on Linux it is named in the environment.
fn has_display(platform: Platform) -> bool {
    let named = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    platform != Platform::Linux || named("DISPLAY") || named("WAYLAND_DISPLAY")
}
