//! Where log lines go: to standard error. And which there are: no secret is in any of them (T25, S9).

use std::io::IsTerminal as _;

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::config::{Config, ConfigError, LogFormat};

/// Writes the lines of this process to standard error from now on.
///
/// # Errors
/// [`ConfigError`] about `log_filter`.
pub fn init(config: &Config) -> Result<(), ConfigError> {
    lines(config, std::io::stderr, std::io::stderr().is_terminal())?.init();
    Ok(())
}

/// The lines that the program writes, into `out`.
///
/// # Errors
/// [`ConfigError`] about `log_filter`.
pub fn lines<W>(
    config: &Config,
    out: W,
    colours: bool,
) -> Result<impl Subscriber + Send + Sync + 'static, ConfigError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&config.log_filter)
        .map_err(|error| ConfigError::new("log_filter", error.to_string()))?;
    let lines = fmt::layer().with_ansi(colours).with_writer(out);
    let lines = match config.log_format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    Ok(Registry::default().with(lines).with(filter).with(filter_fn(may_be_written)))
}

/// Below `info` only what we wrote ourselves: tokio-postgres tells the parameters of statements
/// there, hyper and reqwest addresses and headers.
fn may_be_written(line: &Metadata<'_>) -> bool {
    *line.level() <= LevelFilter::INFO || line.target().starts_with("luminous_")
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn below_info_libraries_are_silent_whatever_the_filter_says() {
        for log_format in [LogFormat::Text, LogFormat::Json] {
            let log_filter = "trace,tokio_postgres::query=trace,rusqlite=debug".to_owned();
            let config = Config { log_filter, log_format, ..Config::default() };
            let paper = Paper::default();
            let out = paper.clone();
            let lines = lines(&config, move || out.clone(), false).unwrap();
            tracing::subscriber::with_default(lines, || {
                tracing::debug!(target: "tokio_postgres::query", "parameters: [secret]");
                tracing::trace!(target: "rusqlite", "secret");
                tracing::debug!(target: "hyper_util::client", "secret");
                tracing::warn!(target: "tokio_postgres::connection", "it is gone");
                tracing::debug!(target: "luminous_server::front", "answered");
            });
            let written = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
            assert!(!written.contains("secret"), "{written}");
            assert!(written.contains("it is gone") && written.contains("answered"), "{written}");
        }
    }
}
