//! From the configuration to the parts of a server.

use std::sync::Arc;

use luminous_domain::{OsEntropy, SystemClock};
use luminous_oidc::{HttpClient, ReqwestClient, Trust};
use luminous_server::Parts;
use luminous_server::config::{Config, ConfigError, StoreSettings};
use luminous_store::postgres::{self, PostgresError, PostgresOptions};
use luminous_store::sqlite::OpenError;
use luminous_store::{PostgresStore, SqliteStore, Store, StoreError};
use zeroize::Zeroizing;

use super::Failure;

/// The setting that names the file with the database's URL.
const POSTGRES: &str = "store.postgres_url_file";

/// The real parts.
///
/// # Errors
/// [`Failure`] naming the setting or the file.
pub async fn parts(config: &Config) -> Result<Parts, Failure> {
    Ok(Parts {
        store: store(&config.store).await?,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        http: http()?,
    })
}

/// How identity providers are asked.
///
/// # Errors
/// [`ConfigError`] when the system's authorities cannot be read.
pub fn http() -> Result<Arc<dyn HttpClient>, ConfigError> {
    let http = ReqwestClient::new(Trust::system());
    Ok(Arc::new(http.map_err(|error| ConfigError::new("issuers", error.to_string()))?))
}

/// What a look at the store found.
pub enum Examined {
    /// Nothing wrong.
    Sound,
    /// No file yet.
    NotYet,
    /// What is wrong, a line each.
    Wrong(Vec<String>),
}

/// Looks at the store without changing it, also while a server uses it.
///
/// # Errors
/// [`Failure`] when it cannot be looked at.
pub async fn examine(settings: &StoreSettings) -> Result<Examined, Failure> {
    let found = if settings.postgres_url_file.is_some() {
        let store = store(settings).await?;
        let found = store.examine().await;
        store.close().await;
        found.map(Some)
    } else {
        match SqliteStore::examine_file(&settings.sqlite) {
            Err(OpenError::NotADatabase { reason, .. }) => Err(StoreError::Corrupt(reason)),
            found => Ok(found.map_err(|error| Failure::Store(error.to_string()))?),
        }
    };
    Ok(match found {
        Ok(None) => Examined::NotYet,
        Ok(Some(lines)) if lines.is_empty() => Examined::Sound,
        Ok(Some(lines)) => Examined::Wrong(lines),
        Err(error) => Examined::Wrong(vec![format!("{}: {error}", error.code())]),
    })
}

async fn store(settings: &StoreSettings) -> Result<Arc<dyn Store>, Failure> {
    if let Some(url) = postgres_url(settings)? {
        let connected = PostgresStore::connect(&url, Arc::new(OsEntropy), options(settings)).await;
        return Ok(Arc::new(connected.map_err(of_postgres)?));
    }
    let clock = Arc::new(SystemClock);
    let opened = SqliteStore::open(&settings.sqlite, clock, Arc::new(OsEntropy));
    Ok(Arc::new(opened.map_err(|error| Failure::Store(error.to_string()))?))
}

/// Brings the schema up to date; answers what was done, a line each.
///
/// # Errors
/// [`Failure`] naming the setting or the file.
pub async fn migrate(settings: &StoreSettings) -> Result<Vec<String>, Failure> {
    let mut lines: Vec<String> = match postgres_url(settings)? {
        Some(url) => {
            let done = postgres::migrate(&url, &options(settings)).await.map_err(of_postgres)?;
            done.applied.iter().map(|one| format!("applied {one}")).collect()
        }
        None => SqliteStore::migrate(&settings.sqlite)
            .map_err(|error| Failure::Store(error.to_string()))?
            .iter()
            .map(|one| format!("applied {} {}", one.version, one.name))
            .collect(),
    };
    if lines.is_empty() {
        lines.push("the schema is up to date".to_owned());
    }
    Ok(lines)
}

fn postgres_url(settings: &StoreSettings) -> Result<Option<Zeroizing<String>>, ConfigError> {
    let Some(file) = &settings.postgres_url_file else { return Ok(None) };
    let text = std::fs::read_to_string(file).map(Zeroizing::new).map_err(|error| {
        ConfigError::new(POSTGRES, format!("{} cannot be read: {error}", file.display()))
    })?;
    Ok(Some(Zeroizing::new(text.trim().to_owned())))
}

fn options(settings: &StoreSettings) -> PostgresOptions {
    let root_certificates = settings.postgres_ca_file.clone();
    PostgresOptions { root_certificates, ..PostgresOptions::default() }
}

fn of_postgres(error: PostgresError) -> Failure {
    match error {
        PostgresError::Url(_) => ConfigError::new(POSTGRES, error.to_string()).into(),
        PostgresError::Certificates(_) => {
            ConfigError::new("store.postgres_ca_file", error.to_string()).into()
        }
        other => Failure::Store(format!("{POSTGRES}: {other}")),
    }
}
