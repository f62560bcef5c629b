//! The schema and its versions.

use std::path::Path;

use luminous_domain::Timestamp;
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
    if found > 0 && !readable(connection).map_err(failed)? {
        let reason = "the history of its schema is not one".to_owned();
        return Err(OpenError::NotADatabase { path: path.to_owned(), reason });
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

/// Whether the history holds what refinery expects in it, for otherwise refinery panics.
fn readable(connection: &Connection) -> Result<bool, rusqlite::Error> {
    let sql = "SELECT applied_on, checksum FROM refinery_schema_history";
    let mut query = connection.prepare(sql)?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (applied, checksum): (String, String) = (row.get(0)?, row.get(1)?);
        if applied.parse::<Timestamp>().is_err() || checksum.parse::<u64>().is_err() {
            return Ok(false);
        }
    }
    Ok(true)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The migrations of this program, and a later one.
    fn with(sql: &str) -> Runner {
        let mut all = embedded::migrations::runner().get_migrations().clone();
        let next = format!("V{}__next", known() + 1);
        all.push(Migration::unapplied(&next, sql).unwrap());
        Runner::new(&all)
    }

    fn tables(connection: &Connection) -> Vec<String> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let mut query = connection.prepare(sql).unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn db9_a_migration_that_fails_in_its_middle_leaves_the_schema_as_it_was() {
        let (path, mut connection) = (Path::new("memory"), Connection::open_in_memory().unwrap());
        migrate(path, &mut connection).unwrap();
        let before = tables(&connection);
        let broken = with("CREATE TABLE one (x); CREATE TABLE two (x); CREATE TABLE one (x);");
        assert!(matches!(run(path, &mut connection, broken), Err(OpenError::Failed { .. })));
        assert_eq!(tables(&connection), before);
        assert_eq!(version(&connection).unwrap(), Some(known()));

        let mended = with("CREATE TABLE one (x); CREATE TABLE two (x);");
        let applied = run(path, &mut connection, mended).unwrap();
        assert_eq!(applied, [Applied { version: known() + 1, name: "next".to_owned() }]);
        assert_eq!(tables(&connection).len(), before.len() + 2);
        // And this program does not touch what a newer one has left.
        assert!(matches!(migrate(path, &mut connection), Err(OpenError::Newer { .. })));
    }

    #[test]
    fn db9_displays_of_before_there_were_keys_come_along() {
        let (path, mut connection) = (Path::new("memory"), Connection::open_in_memory().unwrap());
        connection.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        let first = embedded::migrations::runner().get_migrations()[..1].to_vec();
        run(path, &mut connection, Runner::new(&first)).unwrap();
        let rows = "INSERT INTO families VALUES (randomblob(16), 'Lovelace', 1); \
             INSERT INTO devices SELECT randomblob(16), id, 'Kitchen', 'Hall', 2, 3 FROM families; \
             INSERT INTO devices SELECT randomblob(16), id, 'Attic', NULL, 4, NULL FROM families;";
        connection.execute_batch(rows).unwrap();
        migrate(path, &mut connection).unwrap();
        let sql = "SELECT d.name, d.room, d.state, d.linked_at, d.expires_at, d.last_seen_at \
             FROM devices d JOIN families f ON f.id = d.family_id WHERE d.key IS NULL ORDER BY 1";
        let mut query = connection.prepare(sql).unwrap();
        let found = query.query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        });
        type Found = (String, Option<String>, String, i64, i64, Option<i64>);
        let found: Vec<Found> = found.unwrap().map(Result::unwrap).collect();
        let expected = [
            ("Attic".to_owned(), None, "active".to_owned(), 4, 4, None),
            ("Kitchen".to_owned(), Some("Hall".to_owned()), "active".to_owned(), 2, 2, Some(3)),
        ];
        assert_eq!(found, expected, "over since they were linked, until somebody ends them");
    }

    #[test]
    fn db9_a_first_migration_that_fails_leaves_nothing_of_the_schema() {
        let (path, mut connection) = (Path::new("memory"), Connection::open_in_memory().unwrap());
        let broken = with("CREATE TABLE accounts (x);");
        assert!(run(path, &mut connection, broken).is_err());
        assert_eq!(tables(&connection), ["refinery_schema_history"]);
        assert_eq!(version(&connection).unwrap(), None);
        assert!(!migrate(path, &mut connection).unwrap().is_empty());
    }

    #[test]
    fn db9_a_migration_that_was_changed_after_it_was_applied_is_refused() {
        let (path, mut connection) = (Path::new("memory"), Connection::open_in_memory().unwrap());
        migrate(path, &mut connection).unwrap();
        connection.execute("UPDATE refinery_schema_history SET checksum = '1'", []).unwrap();
        assert!(matches!(migrate(path, &mut connection), Err(OpenError::Failed { .. })));
    }

    #[test]
    fn a_history_that_is_none_is_refused_without_a_panic() {
        for broken in ["applied_on = 'yesterday'", "checksum = 'x'", "checksum = NULL"] {
            let (path, mut connection) =
                (Path::new("memory"), Connection::open_in_memory().unwrap());
            migrate(path, &mut connection).unwrap();
            let sql = format!("UPDATE refinery_schema_history SET {broken}");
            connection.execute(&sql, []).unwrap();
            assert!(migrate(path, &mut connection).is_err(), "{broken}");
        }
    }
}
