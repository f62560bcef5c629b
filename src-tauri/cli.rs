//! What can be said on the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};

/// Sign-in for a family and the screen on its kitchen wall.
#[derive(Debug, Default, Parser)]
#[command(name = "luminous", version)]
pub struct Options {
    /// With the embedded identity emulator and family server: no cloud tenant and no internet
    /// needed.
    #[cfg(feature = "demo")]
    #[arg(long)]
    pub demo: bool,

    /// The port of the embedded emulator on this computer; the family server has the next one.
    #[cfg(feature = "demo")]
    #[arg(long, default_value_t = 18455, requires = "demo", value_name = "PORT")]
    pub demo_port: u16,

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

impl Options {
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
        assert_eq!(refused.expect_err("too much").kind(), ErrorKind::UnknownArgument);
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
