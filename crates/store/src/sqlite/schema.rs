//! The schema and its versions.

use std::path::Path;

use refinery::{Migration, Runner};
use rusqlite::{Connection, OptionalExtension as _};

use super::open::OpenError;

mod embedded {
    refinery::embed_migrations!("migrations/sqlite");
}

/// A migration that was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its number.
    pub version: i32,
    /// Its name.
    pub name: String,
}

/// Brings the schema up to date, in one transaction: a kill at any step leaves the old schema.
pub(super) fn migrate(path: &Path, connection: &mut Connection) -> Result<Vec<Applied>, OpenError> {
    run(path, connection, embedded::migrations::runner())
}

/// As [`migrate`], of the migrations in `runner`.
pub(super) fn run(
    path: &Path,
    connection: &mut Connection,
    runner: Runner,
) -> Result<Vec<Applied>, OpenError> {
    let failed = |error: rusqlite::Error| OpenError::sqlite(path, &error);
    let known = runner.get_migrations().iter().map(Migration::version).max().unwrap_or(0);
    let found = version(connection).map_err(failed)?.unwrap_or(0);
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    // Without grouping, refinery commits a migration and its line in the history one after the
    // other, and a kill between them would leave a schema that nobody remembers.
    let report = runner.set_grouped(true).run(connection).map_err(|error| OpenError::Failed {
        path: path.to_owned(),
        reason: format!("the schema cannot be brought up to date: {error}"),
    })?;
    let applied = report.applied_migrations().iter();
    Ok(applied.map(|one| Applied { version: one.version(), name: one.name().to_owned() }).collect())
}

/// The newest version of this program.
pub(super) fn known() -> i32 {
    embedded::migrations::runner()
        .get_migrations()
        .iter()
        .map(Migration::version)
        .max()
        .unwrap_or(0)
}

/// The version in the file; `None` before the first migration.
pub(super) fn version(connection: &Connection) -> Result<Option<i32>, rusqlite::Error> {
    let history = "SELECT 1 FROM sqlite_schema WHERE name = 'refinery_schema_history'";
    if connection.query_row(history, [], |_| Ok(())).optional()?.is_none() {
        return Ok(None);
    }
    connection.query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0))
}
