//! Opening: everything that can be wrong with the file is found out here, and named.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::schema::{self, Applied};

/// Why the file cannot be used. The server refuses to start then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// There is a folder of that name.
    #[error("{path}: this is a folder; the database is a file")]
    IsFolder {
        /// The path.
        path: PathBuf,
    },
    /// Another server has it.
    #[error("{path}: another luminous-server uses this database")]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// It may be read, but not written.
    #[error("{path}: the database may not be written")]
    ReadOnly {
        /// The path.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error("{path}: the schema is version {found}; this program knows up to {known}")]
    Newer {
        /// The path.
        path: PathBuf,
        /// Version of the schema in the file.
        found: i32,
        /// Newest version of this program.
        known: i32,
    },
    /// It is something else, or damaged. Nothing was changed.
    #[error("{path}: not a database that can be used: {reason}")]
    NotADatabase {
        /// The path.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// Something else failed.
    #[error("{path}: {reason}")]
    Failed {
        /// The path.
        path: PathBuf,
        /// What the operating system or SQLite says.
        reason: String,
    },
}

impl OpenError {
    pub(super) fn io(path: &Path, error: &std::io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => {
                Self::ReadOnly { path }
            }
            _ => Self::Failed { path, reason: error.to_string() },
        }
    }

    pub(super) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, reason) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::NotADatabase { path, reason }
            }
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            _ => Self::Failed { path, reason },
        }
    }
}

/// How the file is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// How long a lock of another program (a backup, a shell) is waited for.
    pub busy: Duration,
    /// How many connections answer questions.
    pub readers: usize,
    /// To how many pages of 4 KiB the file may grow; `None` is as far as the disk goes.
    pub most_pages: Option<u32>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { busy: Duration::from_secs(5), readers: 2, most_pages: None }
    }
}

/// The file, locked for this process and up to date.
pub(super) fn prepare(
    path: &Path,
    options: &SqliteOptions,
) -> Result<(Connection, File), OpenError> {
    let lock = lock(path)?;
    create(path).map_err(|error| OpenError::io(path, &error))?;
    let mut connection = connect(path, options)?;
    schema::migrate(path, &mut connection)?;
    Ok((connection, lock))
}

pub(super) fn migrate(path: &Path) -> Result<Vec<Applied>, OpenError> {
    let _lock = lock(path)?;
    create(path).map_err(|error| OpenError::io(path, &error))?;
    let mut connection = connect(path, &SqliteOptions::default())?;
    schema::migrate(path, &mut connection)
}

/// The advisory lock beside the file, held while the answer lives. The operating system drops it
/// with the process, however that ends.
fn lock(path: &Path) -> Result<File, OpenError> {
    if path.is_dir() {
        return Err(OpenError::IsFolder { path: path.to_owned() });
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&beside)
        .map_err(|error| OpenError::io(path, &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(OpenError::io(path, &error)),
    }
}

/// Makes the file if there is none, for this user only; SQLite gives its companions the same mode.
fn create(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// A connection that writes.
pub(super) fn connect(path: &Path, options: &SqliteOptions) -> Result<Connection, OpenError> {
    let failed = |error: rusqlite::Error| OpenError::sqlite(path, &error);
    let connection = bare(path, options).map_err(failed)?;
    if connection.is_readonly("main").map_err(failed)? {
        return Err(OpenError::ReadOnly { path: path.to_owned() });
    }
    durable(&connection, options).map_err(failed)?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path, options: &SqliteOptions) -> Result<Connection, rusqlite::Error> {
    let connection = bare(path, options)?;
    connection.pragma_update(None, "query_only", "ON")?;
    Ok(connection)
}

/// A connection that looks at the file and makes none beside it.
pub(super) fn onlooker(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let connection = match path.to_str() {
        // Closed in good order. Without this SQLite would make its log and its index only to read.
        Some(text) if !Path::new(&log).exists() => {
            let name = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
            let name = format!("file:{name}?immutable=1");
            Connection::open_with_flags(name, flags | OpenFlags::SQLITE_OPEN_URI)?
        }
        _ => Connection::open_with_flags(path, flags)?,
    };
    connection.busy_timeout(SqliteOptions::default().busy)?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    Ok(connection)
}

/// Never makes the file: a server whose file was deleted must not go on with an empty one.
fn bare(path: &Path, options: &SqliteOptions) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(options.busy)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    Ok(connection)
}

/// Credentials are in here: what was answered as done must survive a power cut, so FULL.
fn durable(connection: &Connection, options: &SqliteOptions) -> Result<(), rusqlite::Error> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Where fsync alone leaves it in the drive's memory (macOS); nothing elsewhere.
    connection.pragma_update(None, "fullfsync", "ON")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    if let Some(pages) = options.most_pages {
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    Ok(())
}
