//! What can be said on the command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

/// Sign-in for a family and the screen on its kitchen wall.
#[derive(Debug, Default, Parser)]
#[command(name = "luminous", version, args_conflicts_with_subcommands = true)]
pub struct Options {
    /// What to be instead of a family member's window.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// With the embedded identity emulator and family server: no cloud tenant and no internet
    /// needed.
    #[cfg(feature = "demo")]
    #[arg(long)]
    pub demo: bool,

    /// The port of the embedded emulator on this computer; the family server has the next one.
    #[cfg(feature = "demo")]
    #[arg(long, default_value_t = 18455, requires = "demo", value_name = "PORT")]
    pub demo_port: u16,

    /// Takes this half of the screen, to leave the other one to a display of the demo.
    #[cfg(feature = "demo")]
    #[arg(long, value_enum, requires = "demo")]
    pub side: Option<Side>,

    /// A file that names the family server (`LUMINOUS_SERVER_URL`), or an identity provider alone
    /// (`B2C_*`), as the environment can; the environment wins over it.
    /// Without it, `luminous.env` in the app's configuration folder is read when it is there.
    #[arg(long, env = "LUMINOUS_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The redirect of a sign-in. The operating system puts it here when a browser follows our
    /// deep link; nobody types it, and it is read by the deep-link plugin, not from here.
    #[arg(hide = true)]
    pub redirect: Option<OsString>,
}

/// What to be instead of a family member's window.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The screen on the wall: fills the display, keeps its own things, and is linked to a family by
    /// the code it shows.
    Kiosk(KioskOptions),
}

/// How a wall display is started.
#[derive(Debug, Default, Args)]
pub struct KioskOptions {
    /// The family server's address. Plain http counts as asked for where it leads to this computer.
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,

    /// Where the display keeps its things, instead of the app's own folder. Displays of different
    /// folders are different displays, and may run side by side.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// A file that names the family server (`LUMINOUS_SERVER_URL`), as the environment can; the
    /// environment wins over it. Without it, `luminous.env` in the display's configuration folder
    /// is read when it is there.
    #[arg(long, env = "LUMINOUS_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// A window of this size that can be closed, instead of the whole screen: to try it out.
    #[arg(long, value_name = "WIDTHxHEIGHT")]
    pub window: Option<WindowSize>,

    /// At the family server of a `luminous --demo` that runs beside it.
    #[cfg(feature = "demo")]
    #[arg(long, conflicts_with_all = ["server", "data"])]
    pub demo: bool,

    /// The port that the demo was given.
    #[cfg(feature = "demo")]
    #[arg(long, default_value_t = 18455, requires = "demo", value_name = "PORT")]
    pub demo_port: u16,

    /// A window on this half of the screen, beside the demo's own on the other one.
    #[cfg(feature = "demo")]
    #[arg(long, value_enum, requires = "demo", conflicts_with = "window")]
    pub side: Option<Side>,
}

/// One of two windows beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// Where reading begins.
    Left,
    /// The other one.
    Right,
}

/// A window's size in logical pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSize {
    /// From side to side.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl FromStr for WindowSize {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let side = |text: &str| text.parse().ok().filter(|side| (200..=16_384).contains(side));
        text.split_once('x')
            .and_then(|(width, height)| Some(Self { width: side(width)?, height: side(height)? }))
            .ok_or("a size is like 1280x800")
    }
}

/// What becomes of a window's size and place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// The family member's window as the system places it, a display on the whole screen.
    Usual,
    /// A window of this size.
    Sized(WindowSize),
    /// Half of the screen.
    Beside(Side),
}

impl KioskOptions {
    /// Where the display is shown.
    #[must_use]
    pub fn frame(&self) -> Frame {
        #[cfg(feature = "demo")]
        if let Some(side) = self.side {
            return Frame::Beside(side);
        }
        self.window.map_or(Frame::Usual, Frame::Sized)
    }
}

impl Options {
    /// Where the window goes.
    #[must_use]
    pub fn frame(&self) -> Frame {
        #[cfg(feature = "demo")]
        if let Some(side) = self.side {
            return Frame::Beside(side);
        }
        Frame::Usual
    }

    /// Reads a command line, the program's name first.
    ///
    /// # Errors
    /// clap's, and for an argument that is not UTF-8: no redirect of ours is anything else, and the
    /// deep-link plugin would panic over it.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        if arguments.iter().any(|argument| argument.to_str().is_none()) {
            let words = "an argument is not UTF-8\n";
            return Err(Self::command().error(ErrorKind::InvalidUtf8, words));
        }
        Self::try_parse_from(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn a_deep_link_is_one_argument_and_can_not_smuggle_options() {
        let link = "family.luminous.app://auth/callback?code=x --config=/etc/passwd";
        let options = read(&[link]).expect("one positional argument");
        assert!(options.redirect.is_some());
        assert_eq!(options.config, None);
    }

    fn read(arguments: &[&str]) -> Result<Options, clap::Error> {
        Options::read(std::iter::once(&"luminous").chain(arguments).map(Into::into))
    }

    #[test]
    fn r14_a_second_argument_beside_the_link_is_refused() {
        let refused = read(&["family.luminous.app://auth/callback", "family.luminous.app://x"]);
        assert_eq!(refused.expect_err("too much").kind(), ErrorKind::ArgumentConflict);
    }

    fn kiosk(arguments: &[&str]) -> Result<KioskOptions, ErrorKind> {
        let words: Vec<&str> = ["kiosk"].iter().chain(arguments).copied().collect();
        let options = read(&words).map_err(|error| error.kind())?;
        let Some(Command::Kiosk(options)) = options.command else { panic!("another command") };
        Ok(options)
    }

    #[test]
    fn a_display_is_told_its_server_and_its_folder() {
        let options =
            kiosk(&["--server", "family.example.test", "--data", "/srv/wall"]).expect("read");
        assert_eq!(options.server.as_deref(), Some("family.example.test"));
        assert_eq!(options.data, Some("/srv/wall".into()));
        assert_eq!(options.window, None, "the whole screen");
    }

    #[test]
    fn a_display_can_be_tried_out_in_a_window() {
        let options = kiosk(&["--window", "1280x800"]).expect("read");
        assert_eq!(options.window, Some(WindowSize { width: 1280, height: 800 }));
        for nonsense in ["1280", "1280x", "0x0", "-1x800", "1280x800x2", "99999x800", "axb"] {
            let refused = kiosk(&["--window", nonsense]).expect_err(nonsense);
            assert!(matches!(refused, ErrorKind::ValueValidation | ErrorKind::UnknownArgument));
        }
    }

    #[cfg(feature = "demo")]
    #[test]
    fn two_windows_of_the_demo_take_a_side_each() {
        let desktop = read(&["--demo", "--side", "left"]).expect("read");
        assert_eq!(desktop.side, Some(Side::Left));
        assert_eq!(kiosk(&["--demo", "--side", "right"]).expect("read").side, Some(Side::Right));
        assert!(kiosk(&["--side", "right"]).is_err(), "a display on a wall has the whole screen");
        assert!(kiosk(&["--demo", "--side", "right", "--window", "960x600"]).is_err());
    }

    #[test]
    fn r14_a_display_takes_no_link_and_a_link_makes_no_display() {
        let link = "family.luminous.app://auth/callback?code=x";
        assert_eq!(kiosk(&[link]).expect_err("no link"), ErrorKind::UnknownArgument);
        let refused = read(&[link, "kiosk"]).expect_err("not both");
        assert_eq!(refused.kind(), ErrorKind::ArgumentConflict);
        assert!(read(&["family.luminous.app:kiosk"]).expect("a link").command.is_none());
    }

    #[cfg(unix)]
    #[test]
    fn r14_an_argument_that_is_not_utf_8_is_refused_and_no_panic() {
        use std::os::unix::ffi::OsStringExt;

        let link = OsString::from_vec(b"family.luminous.app://auth/callback?code=\xff".to_vec());
        let refused = Options::read([OsString::from("luminous"), link]);
        assert_eq!(refused.expect_err("not text").kind(), ErrorKind::InvalidUtf8);
    }
}
