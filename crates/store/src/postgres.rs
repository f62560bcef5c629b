//! PostgreSQL: many replicas over one database.
//!
//! The database decides everything that replicas could see differently: the time (`luminous_now()`,
//! so that no replica's clock counts, DB10), who wins a race (row locks and conditional
//! statements), and whether a write whose connection broke was done ([`write`], DB7). Nothing is
//! remembered in the process, so that a change holds from the next request on every replica.
//!
//! Every wait has an end: [`PostgresOptions`] says how long for a connection and for an answer, and
//! whoever waited in vain gets [`StoreError::Busy`] or [`StoreError::Unavailable`].
//!
//! Start reading at [`PostgresStore::connect`], then [`write`], then one concern.

#[macro_use]
mod write;

mod accounts;
mod attempts;
mod audit;
mod devices;
mod events;
mod families;
mod health;
mod hints;
mod invites;
mod lease;
mod links;
mod members;
mod migrate;
mod notes;
mod once;
mod rows;
mod trouble;
mod url;
mod web_sessions;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use luminous_domain::Entropy;

use crate::{Store, StoreError};

use hints::Hints;

pub use migrate::{Migrated, migrate};

/// How the store uses its database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// Connections at most, for each replica.
    pub connections: usize,
    /// How long to wait for a free connection, and for a new one.
    pub connection_wait: Duration,
    /// How long the server may work on one statement or wait for one lock.
    pub statement_wait: Duration,
    /// How long one call may take in all, repetitions included.
    pub call_wait: Duration,
    /// How long a migration waits for another one to end.
    pub migration_wait: Duration,
    /// PEM file of the authorities that the server's certificate must come from; the system's
    /// when absent.
    pub root_certificates: Option<PathBuf>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections: 16,
            connection_wait: Duration::from_secs(2),
            statement_wait: Duration::from_secs(2),
            call_wait: Duration::from_secs(3),
            migration_wait: Duration::from_secs(60),
            root_certificates: None,
        }
    }
}

/// Why the database cannot be used. Never holds the URL, for that may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostgresError {
    /// The URL cannot be used. The reason repeats nothing of it.
    #[error("the database URL cannot be used: {0}")]
    Url(&'static str),
    /// The authorities could not be read.
    #[error("the certificates for the database cannot be used: {0}")]
    Certificates(String),
    /// Somebody else migrates and does not come to an end.
    #[error("another migration of this database is running")]
    Migrating,
    /// The schema is older than this program, or there is none.
    #[error(
        "the schema has version {found}, this program needs {needed}: \
         run `luminous-server migrate`"
    )]
    SchemaOlder {
        /// The database's; 0 when it is empty.
        found: i32,
        /// This program's.
        needed: i32,
    },
    /// The schema is newer than this program.
    #[error("the schema has version {found}, this program knows {known}: use a newer program")]
    SchemaNewer {
        /// The database's.
        found: i32,
        /// This program's.
        known: i32,
    },
    /// A migration was changed after it had been applied.
    #[error("the schema was made by something else than this program: {0}")]
    SchemaForeign(String),
    /// The database could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The store in a PostgreSQL database.
pub struct PostgresStore {
    pool: Pool,
    hints: Hints,
    entropy: Arc<dyn Entropy>,
    options: PostgresOptions,
}

impl PostgresStore {
    /// Connects to the database at `url`, whose schema must be this program's.
    ///
    /// `sslmode=require` asks for TLS, and the server's certificate is then verified with the host's
    /// name. A host that is not this machine gets `require` unless the URL says `disable`.
    ///
    /// # Errors
    /// [`PostgresError`].
    pub async fn connect(
        url: &str,
        entropy: Arc<dyn Entropy>,
        options: PostgresOptions,
    ) -> Result<Self, PostgresError> {
        let target = url::parse(url, &options)?;
        let hints = Hints::open(url::parse(url, &options)?, &options).await?;
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(target.config, target.tls, recycling);
        let wait = Some(options.connection_wait);
        let pool = Pool::builder(manager)
            .runtime(Runtime::Tokio1)
            .max_size(options.connections)
            .timeouts(deadpool_postgres::Timeouts { wait, create: wait, recycle: wait })
            .build()
            .map_err(|_| PostgresError::Url("a pool needs at least one connection"))?;
        let store = Self { pool, hints, entropy, options };
        let found: Result<i32, StoreError> = reading!(&store, |lease| migrate::version(lease));
        migrate::require(found?)?;
        Ok(store)
    }
}

impl fmt::Debug for PostgresStore {
    /// Without the pool, which knows the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Store for PostgresStore {}
