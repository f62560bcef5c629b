//! The state file: who was signed in, what they chose, whom we sign in with. No secrets.
//!
//! It is what the app knows before the keyring answers, and the marker in it tells "never signed
//! in" from "the keyring lost the sign-in". A small SQLite file in WAL mode with
//! `synchronous=FULL`: a marker that a power cut undoes would lie about the keyring. Calls are a
//! few rows each and are made inline; no connection is held across an await.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use luminous_domain::{ObjectId, PersonKey, TenantId, Timestamp};
use luminous_oidc::Identity;
use luminous_wire::api::Discovery;
use luminous_wire::{AccountView, FamilyStanding, Settings, SignedOutCause};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

/// The newest schema this program knows, kept in SQLite's `user_version`.
const VERSION: i64 = 2;

/// Schema steps: number N brings a file from version N to N + 1. Never edit one that shipped.
const STEPS: [&str; 2] = [
    "
    CREATE TABLE account (
        id TEXT PRIMARY KEY,
        tenant TEXT NOT NULL,
        object TEXT NOT NULL,
        name TEXT NOT NULL,
        email TEXT,
        identity_provider TEXT,
        signed_in_at_ms INTEGER NOT NULL,
        -- The marker: the generation of this sign-in in the keyring, 0 when one was on its way
        -- there and may have arrived, NULL when there is none.
        generation INTEGER,
        -- NULL while signed in, else why not any more.
        ended TEXT,
        active INTEGER NOT NULL DEFAULT 0,
        UNIQUE (tenant, object)
    ) STRICT;
    CREATE UNIQUE INDEX one_active_account ON account (active) WHERE active = 1;
    CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE provider (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        address TEXT NOT NULL,
        client_id TEXT NOT NULL,
        -- The issuer seen at the first connection; another one later is refused.
        issuer TEXT NOT NULL
    ) STRICT;
    ",
    "
    -- The place in a family as the family server last said it, as JSON; NULL when it never did.
    ALTER TABLE account ADD COLUMN family TEXT;
    -- The family server's address, and its description of itself as JSON; NULL where there is only
    -- a provider.
    ALTER TABLE provider ADD COLUMN server TEXT;
    ALTER TABLE provider ADD COLUMN discovery TEXT;
    ",
];

/// Why the state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateFileError {
    /// Written by a newer version of the app.
    #[error("the state file is of version {found}, this program knows {VERSION}")]
    Newer {
        /// The version found.
        found: i64,
    },
    /// Not a database, or damaged.
    #[error("the state file is damaged")]
    Corrupt(#[source] rusqlite::Error),
    /// SQLite or the file system refused.
    #[error("the state file cannot be used")]
    Sqlite(#[source] rusqlite::Error),
    /// The folder cannot be made or the file not moved.
    #[error("the state file's folder cannot be used")]
    Folder(#[from] std::io::Error),
}

impl From<rusqlite::Error> for StateFileError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseCorrupt | NotADatabase) => Self::Corrupt(error),
            _ => Self::Sqlite(error),
        }
    }
}

/// An account as the state file knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Who.
    pub person: PersonKey,
    /// What the window shows; its `id` is the row's key.
    pub view: AccountView,
    /// The generation of the sign-in in the keyring, when it is there; 0 when it may be.
    pub generation: Option<u64>,
    /// Why the person is not signed in any more; `None` while they are.
    pub ended: Option<SignedOutCause>,
    /// Their place in a family, as the family server last said. Kept by
    /// [`StateFile::save_standing`] alone.
    pub family: FamilyStanding,
}

impl Account {
    /// Takes over what a newer ID token says of the same person; what it does not mention stays.
    /// Answers whether anything changed.
    pub fn learn(&mut self, identity: Identity) -> bool {
        let view = AccountView {
            name: identity.name.unwrap_or_else(|| self.view.name.clone()),
            email: identity.email.or_else(|| self.view.email.clone()),
            identity_provider: identity
                .identity_provider
                .or_else(|| self.view.identity_provider.clone()),
            ..self.view.clone()
        };
        let changed = view != self.view;
        self.view = view;
        changed
    }
}

/// The provider of the first connection, and the family server that named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedProvider {
    /// Its address, as the person typed it or the family server names it.
    pub address: String,
    /// The application (client) id.
    pub client_id: String,
    /// The issuer seen at the first connection.
    pub issuer: String,
    /// The family server; absent where the first connection was to a provider alone.
    pub server: Option<SavedServer>,
}

/// The family server of the first connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedServer {
    /// Where it is.
    pub address: String,
    /// What it last said of itself.
    pub discovery: Discovery,
}

/// The open state file.
#[derive(Debug)]
pub struct StateFile {
    connection: Mutex<Connection>,
    path: Option<PathBuf>,
}

impl StateFile {
    /// Opens the file at `path`, making it and its folder when they are absent.
    ///
    /// # Errors
    /// [`StateFileError`]; the file is left as it is.
    pub fn open(path: &Path) -> Result<Self, StateFileError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let connection = prepare(Connection::open(path)?)?;
        Ok(Self { connection: Mutex::new(connection), path: Some(path.to_owned()) })
    }

    /// A state that is forgotten when the app quits.
    ///
    /// # Errors
    /// [`StateFileError::Sqlite`] when SQLite itself does not work.
    pub fn in_memory() -> Result<Self, StateFileError> {
        let connection = prepare(Connection::open_in_memory()?)?;
        Ok(Self { connection: Mutex::new(connection), path: None })
    }

    /// Opens the file at `path`; one that is damaged or of a newer version is kept beside it under
    /// a name with the time, and an empty one takes its place. So the app always starts: the
    /// person signs in again, and nothing is destroyed.
    ///
    /// # Errors
    /// [`StateFileError`] when even an empty file cannot be made.
    pub fn open_or_set_aside(
        path: &Path,
        now: Timestamp,
    ) -> Result<(Self, Option<StateFileError>), StateFileError> {
        match Self::open(path) {
            Ok(file) => Ok((file, None)),
            Err(error @ (StateFileError::Newer { .. } | StateFileError::Corrupt(_))) => {
                set_aside(path, now)?;
                Ok((Self::open(path)?, Some(error)))
            }
            Err(error) => Err(error),
        }
    }

    /// Where a lock of this name can be taken beside the file; `None` in memory.
    #[must_use]
    pub fn lock_path(&self, name: &str) -> Option<PathBuf> {
        self.path.as_ref().map(|path| path.with_extension(format!("{name}.lock")))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic inside a transaction rolled it back: the connection is fit for use.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<T>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StateFileError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = change(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    /// The account that is, or was last, signed in here.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn active_account(&self) -> Result<Option<Account>, StateFileError> {
        let sql = "SELECT id, tenant, object, name, email, identity_provider, signed_in_at_ms, \
                   generation, ended, family FROM account WHERE active = 1";
        Ok(self.connection().query_row(sql, [], read_account).optional()?)
    }

    /// Writes `account` and makes it the active one. The marker is only ever raised here: not
    /// knowing of a sign-in in the keyring does not remove it from there.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn save_account(&self, account: &Account) -> Result<(), StateFileError> {
        self.write(|transaction| {
            transaction.execute("UPDATE account SET active = 0", [])?;
            transaction.execute(
                "INSERT INTO account (id, tenant, object, name, email, identity_provider, \
                 signed_in_at_ms, generation, ended, active) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1) \
                 ON CONFLICT (id) DO UPDATE SET name = ?4, email = ?5, identity_provider = ?6, \
                 signed_in_at_ms = ?7, generation = coalesce(max(generation, ?8), generation, ?8), \
                 ended = ?9, active = 1",
                params![
                    account.view.id,
                    account.person.tenant.as_str(),
                    account.person.object.as_str(),
                    account.view.name,
                    account.view.email,
                    account.view.identity_provider,
                    account.view.signed_in_at_ms,
                    account.generation.and_then(|number| i64::try_from(number).ok()),
                    account.ended.map(cause_to_text),
                ],
            )?;
            Ok(())
        })
    }

    /// Moves the marker of account `id`: which generation the keyring holds, if any.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn mark(&self, id: &str, generation: Option<u64>) -> Result<(), StateFileError> {
        let generation = generation.and_then(|number| i64::try_from(number).ok());
        self.write(|transaction| {
            let sql = "UPDATE account SET generation = ?2 WHERE id = ?1";
            transaction.execute(sql, params![id, generation])
        })?;
        Ok(())
    }

    /// Notes that a sign-in of account `id` is about to go to the keyring, so that it is looked for
    /// there whatever happens on the way.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn mark_begun(&self, id: &str) -> Result<(), StateFileError> {
        self.write(|transaction| {
            let sql = "UPDATE account SET generation = coalesce(generation, 0) WHERE id = ?1";
            transaction.execute(sql, [id])
        })?;
        Ok(())
    }

    /// Says why account `id` is not signed in any more. It counts as still in the keyring until the
    /// keyring's copy is known to be gone, so that a sign-out while the keyring is locked, or while
    /// a write is on its way there, is finished later.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn end(&self, id: &str, cause: SignedOutCause) -> Result<(), StateFileError> {
        self.write(|transaction| {
            let sql = "UPDATE account SET ended = ?2, generation = coalesce(generation, 0), \
                       family = NULL WHERE id = ?1";
            transaction.execute(sql, params![id, cause_to_text(cause)])
        })?;
        Ok(())
    }

    /// Ends every account but `id`, as [`Self::end`] does: one person is signed in at a time.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn end_others(&self, id: &str, cause: SignedOutCause) -> Result<(), StateFileError> {
        self.write(|transaction| {
            let sql = "UPDATE account SET ended = ?2, generation = coalesce(generation, 0), \
                       family = NULL WHERE id <> ?1 AND ended IS NULL";
            transaction.execute(sql, params![id, cause_to_text(cause)])
        })?;
        Ok(())
    }

    /// The marker of account `id`; `None` when there is none.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn marker(&self, id: &str) -> Result<Option<u64>, StateFileError> {
        let sql = "SELECT generation FROM account WHERE id = ?1";
        let row = |row: &Row<'_>| row.get::<_, Option<i64>>(0);
        let found = self.connection().query_row(sql, [id], row).optional()?.flatten();
        Ok(found.and_then(|number| u64::try_from(number).ok()))
    }

    /// Whether account `id` has ended, perhaps by the hand of another process.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn has_ended(&self, id: &str) -> Result<bool, StateFileError> {
        let sql = "SELECT ended IS NOT NULL FROM account WHERE id = ?1";
        let ended = self.connection().query_row(sql, [id], |row| row.get(0)).optional()?;
        Ok(ended.unwrap_or(false))
    }

    /// Accounts that ended but whose sign-in the keyring may still hold.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn to_erase(&self) -> Result<Vec<String>, StateFileError> {
        let connection = self.connection();
        let sql = "SELECT id FROM account WHERE ended IS NOT NULL AND generation IS NOT NULL";
        let mut statement = connection.prepare(sql)?;
        let ids = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(ids)
    }

    /// The place of account `id` in a family, as last kept; what was never kept or cannot be read
    /// is unknown.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn standing(&self, id: &str) -> Result<FamilyStanding, StateFileError> {
        let sql = "SELECT family FROM account WHERE id = ?1";
        let row = |row: &Row<'_>| row.get::<_, Option<String>>(0);
        Ok(read_standing(self.connection().query_row(sql, [id], row).optional()?.flatten()))
    }

    /// Keeps the place of account `id` in a family.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn save_standing(&self, id: &str, family: &FamilyStanding) -> Result<(), StateFileError> {
        let text = serde_json::to_string(family).unwrap_or_default();
        self.write(|transaction| {
            let sql = "UPDATE account SET family = ?2 WHERE id = ?1 AND ended IS NULL";
            transaction.execute(sql, [id, &text])
        })?;
        Ok(())
    }

    /// What the person chose; what was never chosen or is unreadable has its default.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn settings(&self) -> Result<Settings, StateFileError> {
        let sql = "SELECT value FROM setting WHERE name = 'window'";
        let text: Option<String> =
            self.connection().query_row(sql, [], |row| row.get(0)).optional()?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Keeps what the person chose.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn save_settings(&self, settings: Settings) -> Result<(), StateFileError> {
        let text = serde_json::to_string(&settings).unwrap_or_default();
        self.write(|transaction| {
            let sql = "INSERT INTO setting (name, value) VALUES ('window', ?1) \
                       ON CONFLICT (name) DO UPDATE SET value = ?1";
            transaction.execute(sql, [text])
        })?;
        Ok(())
    }

    /// Whether the next sign-in must prove anew who it is (`prompt=login`).
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn asks_anew(&self) -> Result<bool, StateFileError> {
        let sql = "SELECT count(*) > 0 FROM setting WHERE name = 'ask_anew'";
        Ok(self.connection().query_row(sql, [], |row| row.get(0))?)
    }

    /// Keeps whether it must.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn set_ask_anew(&self, anew: bool) -> Result<(), StateFileError> {
        let sql = match anew {
            true => "INSERT OR IGNORE INTO setting (name, value) VALUES ('ask_anew', '1')",
            false => "DELETE FROM setting WHERE name = 'ask_anew'",
        };
        self.write(|transaction| transaction.execute(sql, []))?;
        Ok(())
    }

    /// The provider of the first connection.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn provider(&self) -> Result<Option<SavedProvider>, StateFileError> {
        let sql = "SELECT address, client_id, issuer, server, discovery FROM provider WHERE id = 1";
        Ok(self.connection().query_row(sql, [], read_provider).optional()?)
    }

    /// Forgets the provider of the first connection.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn forget_provider(&self) -> Result<(), StateFileError> {
        self.write(|transaction| transaction.execute("DELETE FROM provider", []))?;
        Ok(())
    }

    /// Keeps the provider of the first connection.
    ///
    /// # Errors
    /// [`StateFileError`] from SQLite.
    pub fn save_provider(&self, provider: &SavedProvider) -> Result<(), StateFileError> {
        let server = provider.server.as_ref();
        let discovery = server.and_then(|server| serde_json::to_string(&server.discovery).ok());
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO provider (id, address, client_id, issuer, server, discovery) \
                 VALUES (1, ?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET \
                 address = ?1, client_id = ?2, issuer = ?3, server = ?4, discovery = ?5",
                params![
                    provider.address,
                    provider.client_id,
                    provider.issuer,
                    server.map(|server| &server.address),
                    discovery,
                ],
            )
        })?;
        Ok(())
    }
}

fn prepare(mut connection: Connection) -> Result<Connection, StateFileError> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if !(0..=VERSION).contains(&found) {
        return Err(StateFileError::Newer { found });
    }
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    // A damaged page elsewhere shows itself here and not in the middle of a sign-in.
    let check: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    if check != "ok" {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        return Err(StateFileError::Corrupt(rusqlite::Error::SqliteFailure(code, None)));
    }
    Ok(connection)
}

fn set_aside(path: &Path, now: Timestamp) -> std::io::Result<()> {
    for part in ["", "-wal", "-shm"] {
        let from = with_suffix(path, part);
        let to = with_suffix(path, &format!(".aside-{}{part}", now.as_millisecond()));
        match std::fs::rename(from, to) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn read_account(row: &Row<'_>) -> rusqlite::Result<Account> {
    let ended: Option<String> = row.get(8)?;
    Ok(Account {
        person: PersonKey {
            tenant: TenantId::new(row.get::<_, String>(1)?),
            object: ObjectId::new(row.get::<_, String>(2)?),
        },
        view: AccountView {
            id: row.get(0)?,
            name: row.get(3)?,
            email: row.get(4)?,
            identity_provider: row.get(5)?,
            signed_in_at_ms: row.get(6)?,
        },
        generation: row.get::<_, Option<i64>>(7)?.and_then(|number| u64::try_from(number).ok()),
        ended: ended.as_deref().map(cause_from_text),
        family: read_standing(row.get(9)?),
    })
}

fn read_standing(text: Option<String>) -> FamilyStanding {
    let standing = text.and_then(|text| serde_json::from_str(&text).ok());
    standing.unwrap_or(FamilyStanding::Unknown)
}

fn read_provider(row: &Row<'_>) -> rusqlite::Result<SavedProvider> {
    let address: Option<String> = row.get(3)?;
    let discovery: Option<String> = row.get(4)?;
    let discovery = discovery.and_then(|text| serde_json::from_str(&text).ok());
    let server = address.zip(discovery);
    Ok(SavedProvider {
        address: row.get(0)?,
        client_id: row.get(1)?,
        issuer: row.get(2)?,
        server: server.map(|(address, discovery)| SavedServer { address, discovery }),
    })
}

const fn cause_to_text(cause: SignedOutCause) -> &'static str {
    match cause {
        SignedOutCause::Never => "never",
        SignedOutCause::SignedOut => "signed_out",
        SignedOutCause::Ended => "ended",
        SignedOutCause::Lost => "lost",
        SignedOutCause::Corrupt => "corrupt",
    }
}

fn cause_from_text(text: &str) -> SignedOutCause {
    match text {
        "ended" => SignedOutCause::Ended,
        "lost" => SignedOutCause::Lost,
        "corrupt" => SignedOutCause::Corrupt,
        _ => SignedOutCause::SignedOut,
    }
}
