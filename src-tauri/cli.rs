//! What can be said on the command line.

use std::ffi::OsString;
use std::path::PathBuf;

/// Sign-in for a family and the screen on its kitchen wall.
#[derive(Debug, Default, clap::Parser)]
#[command(name = "luminous", version)]
pub struct Options {
    /// Sign in with the embedded identity emulator: no cloud tenant and no internet needed.
    #[cfg(feature = "demo")]
    #[arg(long)]
    pub demo: bool,

    /// The port of the embedded emulator on this computer.
    #[cfg(feature = "demo")]
    #[arg(long, default_value_t = 18455, requires = "demo", value_name = "PORT")]
    pub demo_port: u16,

    /// A file of `B2C_*` variables that name the identity provider; the environment wins over it.
    /// Without it, `luminous.env` in the app's configuration folder is read when it is there.
    #[arg(long, env = "LUMINOUS_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// The redirect of a sign-in. The operating system puts it here when a browser follows our
    /// deep link; nobody types it, and it is read by the deep-link plugin, not from here.
    #[arg(hide = true)]
    pub redirect: Option<OsString>,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::Options;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn a_deep_link_is_one_argument_and_can_not_smuggle_options() {
        let options = Options::try_parse_from([
            "luminous",
            "family.luminous.app://auth/callback?code=x --config=/etc/passwd",
        ])
        .expect("one positional argument");
        assert!(options.redirect.is_some());
        assert_eq!(options.config, None);
    }
}
