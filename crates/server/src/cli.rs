//! What can be typed: `serve`, `migrate`, `key`, `keys`, `doctor`, `openapi`, `config`.

mod doctor;
mod open;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use luminous_domain::{Clock as _, OsEntropy, SystemClock};
use luminous_server::config::{Config, ConfigError, Secrets, load};
use luminous_server::oauth::{Rotation, SigningKeys};
use luminous_server::{Server, StartError, log, routes};

/// The files that are open beside connections: the database's, above all.
#[cfg(unix)]
const OTHER_FILES: usize = 256;

/// The family server of Luminous.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server until it is told to stop (SIGTERM or Ctrl-C).
    Serve(Settings),
    /// Brings the database's schema up to date, and says what was done.
    Migrate(Settings),
    /// Makes the key file where there is none. With PostgreSQL: once, for all replicas.
    Key(Settings),
    /// The keys that sign the displays' access tokens.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Looks whether everything the server needs is there: a line for each, status 1 if not.
    Doctor(Settings),
    /// Prints the OpenAPI document of the API.
    Openapi,
    /// Reads the configuration and says what is wrong with it.
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Makes the next key. It is published at once and signs ten minutes later; the first one signs
    /// at once. Running servers read the file again within a minute.
    Rotate(Settings),
    /// Lists the keys: their names and times, nothing private.
    List(Settings),
}

/// Where the configuration is, and what overrides it.
#[derive(Debug, Args)]
struct Settings {
    /// The configuration file.
    #[arg(long, short, env = "LUMINOUS_SERVER_CONFIG")]
    config: Option<PathBuf>,
    /// Instead of the setting `listen`.
    #[arg(long)]
    listen: Option<String>,
    /// Instead of the setting `public_url`.
    #[arg(long)]
    public_url: Option<String>,
    /// Instead of the setting `profile`.
    #[arg(long)]
    profile: Option<String>,
    /// Instead of the setting `store.sqlite`.
    #[arg(long)]
    sqlite: Option<String>,
}

#[derive(Debug, Args)]
struct ConfigCommand {
    /// Prints an example of everything, with the help as comments.
    #[arg(long)]
    example: bool,
    #[command(flatten)]
    settings: Settings,
}

/// Why the program ends.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be opened.
    #[error("{0}")]
    Store(String),
    /// A part of the server ended by itself.
    #[error("a part of the server ended by itself; the log says why")]
    Broken,
    /// Something of the operating system.
    #[error("{what}: {source}")]
    System {
        /// What was to be done.
        what: &'static str,
        /// Why it was not.
        source: std::io::Error,
    },
}

impl Failure {
    /// As in `sysexits.h`: 78 for the configuration, 74 for the store.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) => ExitCode::from(78),
            Self::Store(_) => ExitCode::from(74),
            Self::Broken | Self::System { .. } => ExitCode::FAILURE,
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Config(error) => Self::Config(error),
            StartError::Listen { setting, address, source } => {
                Self::Config(ConfigError::new(setting, format!("{address}: {source}")))
            }
        }
    }
}

/// Does what was typed.
///
/// # Errors
/// [`Failure`].
pub async fn run(cli: Cli) -> Result<ExitCode, Failure> {
    match cli.command {
        Command::Serve(settings) => serve(settings.load()?).await,
        Command::Migrate(settings) => {
            let config = settings.load()?;
            for line in open::migrate(&config.store).await? {
                say(&line)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Key(settings) => {
            let config = settings.load()?;
            let file = config.key_file.display();
            match Secrets::make_key(&config, &OsEntropy)? {
                true => say(&format!("made {file}")),
                false => say(&format!("{file} is there already")),
            }
        }
        Command::Keys(KeysCommand::Rotate(settings)) => {
            match SigningKeys::rotate(&settings.load()?, SystemClock.now())? {
                Rotation::Made { kid, signs_from } => {
                    say(&format!("{kid} signs from {signs_from}"))
                }
                Rotation::Waiting { kid, signs_from } => {
                    say(&format!("{kid} is waiting already; it signs from {signs_from}"))
                }
            }
        }
        Command::Keys(KeysCommand::List(settings)) => {
            for key in SigningKeys::list(&settings.load()?)? {
                let end = key.retired_at.map_or_else(String::new, |at| format!(" until {at}"));
                let (kid, created_at, signs_from) = (key.kid, key.created_at, key.signs_from);
                say(&format!("{kid} made {created_at}, signs from {signs_from}{end}"))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor(settings) => doctor::examine(settings.load()?).await,
        Command::Openapi => {
            let document = routes::document().to_pretty_json();
            say(&document.map_err(|error| Failure::System {
                what: "the document cannot be written",
                source: error.into(),
            })?)
        }
        Command::Config(command) if command.example => say(Config::example().trim_end()),
        Command::Config(command) => {
            command.settings.load()?.check()?;
            say("the configuration can be used")
        }
    }
}

async fn serve(config: Config) -> Result<ExitCode, Failure> {
    log::init(&config)?;
    config.check()?;
    #[cfg(unix)]
    warn_of_few_files(&config);
    // Heard from here on: who sees the line below may tell us to stop at once.
    let told_to_stop = signals()?;
    if config.store.postgres_url_file.is_some() {
        // First: whoever has no key yet should hear of that, and not only of the database.
        Secrets::read(&config)?;
        SigningKeys::read(&config)?;
    }
    let parts = open::parts(&config).await?;
    let mut server = Server::start(config, parts).await?;
    say(&format!("listening on http://{}", server.address()))?;
    if let Some(address) = server.metrics_address() {
        say(&format!("metrics on http://{address}/metrics"))?;
    }
    let told = tokio::select! {
        () = told_to_stop => true,
        () = server.broken() => false,
    };
    tracing::info!("stopping");
    server.shutdown().await;
    if told { Ok(ExitCode::SUCCESS) } else { Err(Failure::Broken) }
}

/// Each connection is an open file: with fewer than there may be connections, new ones fail first.
#[cfg(unix)]
fn warn_of_few_files(config: &Config) {
    use rustix::process::{Resource, getrlimit};
    let limits = &config.limits;
    let wanted = limits.connections + limits.hub_connections + OTHER_FILES;
    let Some(open_files) = getrlimit(Resource::Nofile).current else { return };
    if open_files < wanted as u64 {
        tracing::warn!(
            open_files,
            wanted,
            "the system allows fewer open files than limits.connections and limits.hub_connections"
        );
    }
}

impl Settings {
    fn load(self) -> Result<Config, ConfigError> {
        let flags = [
            ("listen", self.listen),
            ("public_url", self.public_url),
            ("profile", self.profile),
            ("store.sqlite", self.sqlite),
        ];
        let flags: Vec<_> =
            flags.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        load(self.config.as_deref(), &flags)
    }
}

/// Writes a line to standard output, which may be closed.
fn say(line: &str) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|source| Failure::System { what: "standard output cannot be written", source })?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a line to standard error.
pub fn complain(line: &str) {
    // There is nobody left to tell when that fails.
    let _ = writeln!(std::io::stderr(), "luminous-server: {line}");
}

/// Begins to listen for Ctrl-C and SIGTERM; the answer ends when one comes.
#[cfg(unix)]
fn signals() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};

    let listen = |kind| {
        signal(kind).map_err(|source| Failure::System { what: "signals cannot be heard", source })
    };
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Begins to listen for Ctrl-C; the answer ends when it comes.
#[cfg(windows)]
fn signals() -> Result<impl Future<Output = ()>, Failure> {
    let mut interrupt = tokio::signal::windows::ctrl_c()
        .map_err(|source| Failure::System { what: "signals cannot be heard", source })?;
    Ok(async move {
        interrupt.recv().await;
    })
}
