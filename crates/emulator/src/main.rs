//! The emulator as a program of its own.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use luminous_emulator::{
    ApiConnector, Config, Emulator, IssuerForm, NumberStyle, RefreshMode, Storage,
    TokenIssuanceStart,
};
use tracing_subscriber::EnvFilter;
use url::Url;

/// A B2C-shaped identity provider for development, demonstrations and tests.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the provider until it is interrupted.
    Serve(Serve),
}

#[derive(Args)]
struct Serve {
    /// Where to listen; only addresses of this machine are accepted.
    #[arg(long, default_value = "127.0.0.1:18455")]
    listen: SocketAddr,
    /// The SQLite file that keeps accounts, grants and keys; in memory without it.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The file that holds the secret of `POST /emulator/control`; no such route without it.
    #[arg(long)]
    control_secret_file: Option<PathBuf>,
    /// The API connector to ask for further claims in the B2C tenants.
    #[arg(long, requires = "connector_credentials_file", value_name = "URL")]
    connector_url: Option<Url>,
    /// The file that holds the connector's credentials, one line: `user:password`.
    #[arg(long, requires = "connector_url", value_name = "FILE")]
    connector_credentials_file: Option<PathBuf>,
    /// Asks the connector at each refresh too, as custom policies can and user flows do not.
    #[arg(long, requires = "connector_url")]
    connector_at_refresh: bool,
    /// The token issuance extension to ask for further claims in the External ID tenant.
    #[arg(long, requires = "issuance_audience", value_name = "URL")]
    issuance_url: Option<Url>,
    /// The application id that the extension is registered with: `aud` of the token it is sent.
    #[arg(long, requires = "issuance_url", value_name = "GUID")]
    issuance_audience: Option<String>,
    /// A redirect URI of the demo web client, in place of the one for port 18456; may be repeated.
    #[arg(long, value_name = "URI")]
    web_redirect: Vec<String>,
    /// What becomes of a refresh token that was used.
    #[arg(long, value_enum, default_value_t = Mode::KeepOld)]
    refresh_mode: Mode,
    /// Which of B2C's issuer forms tokens carry.
    #[arg(long, value_enum, default_value_t = Form::TenantGuid)]
    issuer_form: Form,
    /// Sends the numbers of token responses as strings.
    #[arg(long)]
    strings: bool,
    /// Redirects to the app by a bare 302, as B2C does, instead of by a page that says so.
    #[arg(long)]
    bare_redirect: bool,
    /// Prints the B2C_* variables that an app needs for these options, and ends.
    #[arg(long)]
    print_env: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// It stays valid, as at B2C.
    KeepOld,
    /// It is spent; its return revokes the whole sign-in.
    Strict,
    /// It stays valid until its successor is used.
    ConfirmByUse,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// One issuer for all policies.
    TenantGuid,
    /// One issuer for each policy.
    Tfp,
}

/// The program could not run.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("the secret in {path} cannot be read")]
    Secret { path: PathBuf, source: std::io::Error },
    #[error("the secret in {path} is empty")]
    EmptySecret { path: PathBuf },
    #[error("the connector's credentials in {path} are not one line `user:password`")]
    Credentials { path: PathBuf },
    #[error(transparent)]
    Start(#[from] luminous_emulator::StartError),
    #[error("--print-env needs a fixed port in --listen")]
    NoPort,
    #[error("standard output cannot be written")]
    Output(#[source] std::io::Error),
    #[error("the signals of the operating system cannot be heard")]
    Signal(#[source] std::io::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let Command::Serve(options) = Cli::parse().command;
    match serve(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(cause = cause.unwrap_or_default(), "{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Serve) -> Result<(), ServeError> {
    let print_env = options.print_env;
    let config = config(options)?;
    if print_env {
        let base_url = config.base_url().ok_or(ServeError::NoPort)?;
        let variables = config.environment(&base_url).into_iter();
        return print_lines(variables.chain(config.further_environment()).map(variable));
    }
    let emulator = Emulator::start(config).await?;
    print_lines(std::iter::once(format!("listening on {}", emulator.base_url())))?;
    let stopped = interrupted().await;
    emulator.shutdown().await;
    stopped
}

fn variable((name, value): (&str, String)) -> String {
    format!("{name}={value}")
}

fn config(options: Serve) -> Result<Config, ServeError> {
    let control_secret = options.control_secret_file.map(read_secret).transpose()?;
    let connector = match options.connector_url.zip(options.connector_credentials_file) {
        Some((url, path)) => {
            Some(ApiConnector { at_refresh: options.connector_at_refresh, ..connector(url, path)? })
        }
        None => None,
    };
    let extension = options.issuance_url.zip(options.issuance_audience);
    let config = Config {
        connector,
        token_issuance_start: extension
            .map(|(url, audience)| TokenIssuanceStart::new(url, &audience)),
        listen: options.listen,
        storage: options.data.map_or(Storage::Memory, Storage::File),
        control_secret,
        refresh_mode: match options.refresh_mode {
            Mode::KeepOld => RefreshMode::KeepOld,
            Mode::Strict => RefreshMode::Strict,
            Mode::ConfirmByUse => RefreshMode::ConfirmByUse,
        },
        issuer_form: match options.issuer_form {
            Form::TenantGuid => IssuerForm::TenantGuid,
            Form::Tfp => IssuerForm::Tfp,
        },
        numbers: if options.strings { NumberStyle::Strings } else { NumberStyle::Json },
        finish_page: !options.bare_redirect,
        ..Config::demo()
    };
    let redirects: Vec<&str> = options.web_redirect.iter().map(String::as_str).collect();
    Ok(if redirects.is_empty() { config } else { config.with_web_redirects(&redirects) })
}

fn connector(url: Url, path: PathBuf) -> Result<ApiConnector, ServeError> {
    let text = read_secret(path.clone())?;
    match text.split_once(':') {
        Some((username, password)) if text.lines().count() == 1 && !username.is_empty() => {
            Ok(ApiConnector::new(url, username, password))
        }
        _ => Err(ServeError::Credentials { path }),
    }
}

fn read_secret(path: PathBuf) -> Result<String, ServeError> {
    let text = std::fs::read_to_string(&path)
        .map_err(|source| ServeError::Secret { path: path.clone(), source })?;
    match text.trim() {
        "" => Err(ServeError::EmptySecret { path }),
        secret => Ok(secret.to_owned()),
    }
}

/// Writes to standard output, which may be closed.
fn print_lines(lines: impl Iterator<Item = String>) -> Result<(), ServeError> {
    let mut out = std::io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}").map_err(ServeError::Output)?;
    }
    out.flush().map_err(ServeError::Output)
}

/// Waits for Ctrl-C or, on Unix, SIGTERM.
async fn interrupted() -> Result<(), ServeError> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signal)?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result.map_err(ServeError::Signal),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(ServeError::Signal)
}
