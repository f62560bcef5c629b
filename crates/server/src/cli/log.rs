//! Where log lines go: to standard error.

use std::io::IsTerminal as _;

use luminous_server::config::{Config, ConfigError, LogFormat};
use tracing_subscriber::EnvFilter;

/// From now on.
///
/// # Errors
/// [`ConfigError`] about `log_filter`.
pub fn init(config: &Config) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&config.log_filter)
        .map_err(|error| ConfigError::new("log_filter", error.to_string()))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}
