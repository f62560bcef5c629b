//! `cargo xtask demo`: the app with the embedded identity emulator and a wall display beside it, on
//! this screen or on a virtual one.

use std::env;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;

use crate::context::{Context, Platform};
use crate::shell::Line;
use crate::{bundle, e2e, setup, ui};

/// The demo's family server: its port is the one after the emulator's (`--demo-port`).
const SERVER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 18456);

/// How often the server is asked, and how long it may take to answer.
const ASK: Duration = Duration::from_millis(200);

/// How long it may take until it is there: keys are made at the first start.
const PATIENCE: Duration = Duration::from_secs(60);

/// More than a server says of itself.
const MOST: u64 = 64 * 1024;

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
    let desktop = ["--demo", "--side", "left"];
    let mut desktop = Line::new(app).args(desktop).dir(&context.root).start()?;
    match await_server(SERVER, PATIENCE, || desktop.has_ended()) {
        Waited::Answered => {}
        Waited::Ended => return Ok(desktop.finish()?),
        Waited::TooLong => {
            desktop.end()?;
            bail!(
                "the demo's family server did not answer at http://localhost:{} within {} seconds; \
                 what the window said above may tell why",
                SERVER.port(),
                PATIENCE.as_secs()
            );
        }
    }
    let wall = ["kiosk", "--demo", "--side", "right"];
    let wall = Line::new(app).args(wall).dir(&context.root).start()?;
    let outcome = desktop.finish();
    wall.end()?;
    Ok(outcome?)
}

/// What came of waiting for the server.
#[derive(Debug, PartialEq, Eq)]
enum Waited {
    Answered,
    /// The program that it lives in has ended.
    Ended,
    TooLong,
}

/// Asks until the server answers, its program has ended, or patience has.
#[expect(
    clippy::disallowed_methods,
    reason = "a build tool waits for a program that does not tell it anything"
)]
fn await_server(
    server: SocketAddr,
    patience: Duration,
    mut has_ended: impl FnMut() -> bool,
) -> Waited {
    let begun = Instant::now();
    loop {
        // First, because the port may be another program's, and ours cannot use it then.
        if has_ended() {
            return Waited::Ended;
        }
        if answers(server).unwrap_or(false) {
            return Waited::Answered;
        }
        if begun.elapsed() >= patience {
            return Waited::TooLong;
        }
        thread::sleep(ASK);
    }
}

/// Whether a family server says at this address what every one says of itself.
fn answers(server: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&server, ASK)?;
    stream.set_read_timeout(Some(ASK))?;
    let port = server.port();
    let request = format!(
        "GET /.well-known/luminous HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(MOST).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"provider\""))
}

/// Windows and macOS always have one; on Linux it is named in the environment.
fn has_display(platform: Platform) -> bool {
    let named = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    platform != Platform::Linux || named("DISPLAY") || named("WAYLAND_DISPLAY")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Somebody who gives everyone this answer.
    fn somebody(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut asked = [0; 1024];
                let length = stream.read(&mut asked).expect("a request");
                let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
                assert!(asked.starts_with("GET /.well-known/luminous HTTP/1.1\r\n"), "{asked}");
                stream.write_all(answer.as_bytes()).expect("an answer");
            }
        });
        address
    }

    const SERVER_ITSELF: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"provider\":{}}";
    const SOMETHING_ELSE: &str = "HTTP/1.1 200 OK\r\n\r\n<h1>It works!</h1>";
    const NOT_YET: &str = "HTTP/1.1 503 Service Unavailable\r\n\r\n{\"provider\":{}}";

    #[test]
    fn the_display_is_opened_once_the_server_says_who_it_is() {
        let server = somebody(SERVER_ITSELF);
        assert_eq!(await_server(server, PATIENCE, || false), Waited::Answered);
    }

    #[test]
    fn whatever_else_is_at_its_port_is_not_taken_for_it_and_waited_for_in_vain() {
        let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let silent = nobody.local_addr().expect("an address");
        for other in [somebody(SOMETHING_ELSE), somebody(NOT_YET), silent] {
            assert_eq!(await_server(other, Duration::ZERO, || false), Waited::TooLong);
        }
    }

    #[test]
    fn a_window_that_was_closed_meanwhile_is_not_waited_for() {
        let server = somebody(SERVER_ITSELF);
        assert_eq!(await_server(server, PATIENCE, || true), Waited::Ended);
    }
}
