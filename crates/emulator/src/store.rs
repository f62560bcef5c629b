//! Accounts, sessions, codes, refresh tokens and keys, in SQLite: a file or memory.
//!
//! One connection behind a mutex. A statement takes microseconds and nothing awaits while holding
//! it, so the handlers call it directly. Secrets are stored as their SHA-256, passwords as argon2.

mod accounts;
mod grants;
mod keys;
mod second_factor;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

pub use accounts::User;
pub(crate) use accounts::{Account, Attempts};
pub(crate) use grants::{Grant, Presentation, Redemption, RefreshLife, Session, Turn};

use crate::config::Storage;

/// The store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused or failed.
    #[error("the emulator's database failed")]
    Driver(#[from] rusqlite::Error),
    /// What is stored contradicts itself.
    #[error("the emulator's database holds {0} that cannot be read")]
    Corrupt(&'static str),
    /// The file was written by a later version of this program.
    #[error("the emulator's database has version {found}; this program knows version {known}")]
    FromTheFuture {
        /// The version found.
        found: i64,
        /// The newest version known.
        known: i64,
    },
}

const VERSION: i64 = 2;

const SCHEMA: &str = "
CREATE TABLE keys (
    kid TEXT PRIMARY KEY, pkcs8 BLOB NOT NULL, state TEXT NOT NULL, not_before INTEGER NOT NULL,
    position INTEGER NOT NULL
) STRICT;
CREATE TABLE users (
    oid TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, email TEXT NOT NULL, name TEXT NOT NULL,
    password TEXT NOT NULL, UNIQUE (tenant_id, email)
) STRICT;
CREATE TABLE attempts (
    tenant_id TEXT NOT NULL, email TEXT NOT NULL, failures INTEGER NOT NULL,
    locked_until INTEGER NOT NULL, PRIMARY KEY (tenant_id, email)
) STRICT;
CREATE TABLE sessions (
    hash TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, oid TEXT NOT NULL, auth_time INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE TABLE codes (
    hash TEXT PRIMARY KEY, grant_json TEXT NOT NULL, issued INTEGER NOT NULL,
    expires INTEGER NOT NULL, family TEXT
) STRICT;
CREATE TABLE families (
    id TEXT PRIMARY KEY, oid TEXT NOT NULL, grant_json TEXT NOT NULL, window_end INTEGER NOT NULL,
    revoked INTEGER NOT NULL
) STRICT;
CREATE TABLE refresh_tokens (
    hash TEXT PRIMARY KEY, family TEXT NOT NULL REFERENCES families (id) ON DELETE CASCADE,
    parent TEXT, state TEXT NOT NULL, issued INTEGER NOT NULL, expires INTEGER NOT NULL
) STRICT;
CREATE INDEX refresh_tokens_parent ON refresh_tokens (parent);
CREATE INDEX families_oid ON families (oid);
";

/// Version 2: accounts that somebody else vouches for (one address may have one of each kind), and
/// second factors.
const TO_VERSION_2: &str = "
CREATE TABLE people (
    oid TEXT PRIMARY KEY, tenant_id TEXT NOT NULL, email TEXT NOT NULL, name TEXT NOT NULL,
    password TEXT NOT NULL, idp TEXT NOT NULL, UNIQUE (tenant_id, email, idp)
) STRICT;
INSERT INTO people SELECT oid, tenant_id, email, name, password, '' FROM users;
DROP TABLE users;
ALTER TABLE people RENAME TO users;
CREATE TABLE second_factors (
    oid TEXT PRIMARY KEY REFERENCES users (oid) ON DELETE CASCADE, secret BLOB NOT NULL,
    last_step INTEGER NOT NULL, failures INTEGER NOT NULL, locked_until INTEGER NOT NULL
) STRICT;
";

/// The open database.
pub(crate) struct Store(Mutex<Connection>);

impl Store {
    /// Opens or makes the database.
    pub(crate) fn open(storage: &Storage) -> Result<Self, StoreError> {
        let connection = match storage {
            Storage::Memory => Connection::open_in_memory()?,
            Storage::File(path) => open_file(path)?,
        };
        migrate(&connection)?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        Ok(Self(Mutex::new(connection)))
    }

    /// The connection. A panic elsewhere leaves it usable: a transaction rolls back on drop.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_file(path: &Path) -> Result<Connection, StoreError> {
    keep_private(path);
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(connection)
}

/// Makes the file readable by its owner only before anything is in it; SQLite gives the files
/// beside it the same permissions. Where this fails, opening it says why.
fn keep_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        drop(made);
    }
    #[cfg(not(unix))]
    let _ = path;
}

fn migrate(connection: &Connection) -> Result<(), StoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let script = match found {
        0 => format!("{SCHEMA}{TO_VERSION_2}"),
        1 => TO_VERSION_2.to_owned(),
        VERSION => return Ok(()),
        _ => return Err(StoreError::FromTheFuture { found, known: VERSION }),
    };
    connection
        .execute_batch(&format!("BEGIN; {script} PRAGMA user_version = {VERSION}; COMMIT;"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_the_first_version_keeps_its_people() {
        let connection = Connection::open_in_memory().unwrap();
        let first = format!(
            "{SCHEMA} INSERT INTO users VALUES ('o', 't', 'ana@example.org', 'Ana', 'hash');
             PRAGMA user_version = 1;"
        );
        connection.execute_batch(&first).unwrap();
        migrate(&connection).unwrap();
        let store = Store(Mutex::new(connection));
        let ana = store.user("o").unwrap().unwrap();
        assert_eq!((ana.name.as_str(), ana.idp), ("Ana", None));
        assert!(store.enrol("o", b"secret", 7).unwrap(), "the new tables are there");
        assert!(!store.enrol("o", b"other", 8).unwrap());
        migrate(&store.connection()).unwrap();
    }
}
