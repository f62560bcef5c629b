//! From the configuration to the parts of a server.

use std::sync::Arc;

use luminous_domain::{OsEntropy, SystemClock};
use luminous_oidc::{ReqwestClient, Trust};
use luminous_server::Parts;
use luminous_server::config::{Config, ConfigError};
use luminous_store::{SqliteStore, Store};

use super::Failure;

/// The real parts.
///
/// # Errors
/// [`Failure`] naming the setting or the file.
pub async fn parts(config: &Config) -> Result<Parts, Failure> {
    let http = ReqwestClient::new(Trust::system())
        .map_err(|error| ConfigError::new("tls", error.to_string()))?;
    Ok(Parts {
        store: store(config).await?,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        http: Arc::new(http),
    })
}

async fn store(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    let path = config.store.sqlite.clone();
    let store = SqliteStore::open(&path, Arc::new(SystemClock), Arc::new(OsEntropy))
        .map_err(|error| Failure::Store(error.to_string()))?;
    Ok(Arc::new(store))
}

/// Brings the schema up to date; answers what was done, a line each.
///
/// # Errors
/// [`Failure::Store`].
pub async fn migrate(config: &Config) -> Result<Vec<String>, Failure> {
    let done = SqliteStore::migrate(&config.store.sqlite)
        .map_err(|error| Failure::Store(error.to_string()))?;
    let mut lines: Vec<String> =
        done.iter().map(|one| format!("applied {} {}", one.version, one.name)).collect();
    if lines.is_empty() {
        lines.push("the schema is up to date".to_owned());
    }
    Ok(lines)
}
