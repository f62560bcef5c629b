//! Fitness and upkeep.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::Connection;

use super::open::{self, OpenError, SqliteOptions};
use super::writer::closed;
use super::{SqliteStore, Write, devices, events, links, schema};
use crate::error::StoreError;
use crate::health::Health;

/// What has ended, at `?1`.
const ENDED: [&str; 6] = [
    "DELETE FROM pending_sign_ins WHERE expires_at < ?1",
    "DELETE FROM web_sessions WHERE expires_at < ?1 OR last_seen_at + idle_ms < ?1",
    "DELETE FROM invites WHERE expires_at < ?1",
    "DELETE FROM notes WHERE expires_at < ?1",
    "DELETE FROM attempts WHERE expires_at < ?1",
    "DELETE FROM used_once WHERE expires_at < ?1",
];

/// What must hold between rows although no constraint says it, and what it means if one is found.
const RULES: [(&str, &str); 2] = [
    (
        "SELECT count(*) FROM (SELECT 1 FROM device_tokens WHERE spent_at IS NULL \
         GROUP BY device_id, used_at IS NULL HAVING count(*) > 1)",
        "displays whose tokens live on in two branches",
    ),
    (
        "SELECT count(*) FROM (SELECT family_id, max(seq) AS newest FROM events \
         GROUP BY family_id) AS e LEFT JOIN event_counters c USING (family_id) \
         WHERE coalesce(c.latest, 0) < e.newest",
        "families with events beyond the newest number",
    ),
];

/// How long the writing thread may take to answer a job that does nothing.
const WRITER_WAIT: Duration = Duration::from_secs(2);

/// How many faults are listed.
const FAULTS: u32 = 100;

fn sweep(write: &Write<'_>) -> Result<u64, StoreError> {
    let mut gone = 0;
    for sql in ENDED {
        gone += write.connection.prepare_cached(sql)?.execute([write.now])?;
    }
    gone += links::sweep(write)? + devices::sweep(write)? + events::sweep(write)?;
    Ok(u64::try_from(gone).unwrap_or(u64::MAX))
}

/// Reads the header and the history of the schema.
fn ask(connection: &Connection) -> Result<(), StoreError> {
    match schema::version(connection)? {
        Some(_) => Ok(()),
        None => Err(StoreError::Contradiction("the schema is gone")),
    }
}

/// What is wrong, a line each.
fn faults(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut faults = Vec::new();
    let mut check = connection.prepare(&format!("PRAGMA integrity_check({FAULTS})"))?;
    for line in check.query_map([], |row| row.get::<_, String>(0))? {
        faults.push(line?);
    }
    faults.retain(|line| line != "ok");
    let mut check = connection.prepare("PRAGMA foreign_key_check")?;
    for line in
        check.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(2)?)))?
    {
        let (table, parent) = line?;
        faults.push(format!("a row of {table} refers to a row of {parent} that is not there"));
    }
    let (found, known) = (schema::version(connection)?, schema::known());
    if found != Some(known) {
        let found = found.unwrap_or(0);
        faults.push(format!("the schema is version {found}; this program knows version {known}"));
    }
    // What is damaged, or of another version, cannot be asked.
    if faults.is_empty() {
        for (sql, meaning) in RULES {
            let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
            if count > 0 {
                faults.push(format!("{count} {meaning}"));
            }
        }
    }
    Ok(faults)
}

pub(super) fn examine_file(path: &Path) -> Result<Option<Vec<String>>, OpenError> {
    let failed = |error: StoreError| {
        let (path, reason) = (path.to_owned(), error.to_string());
        match error {
            StoreError::Corrupt(reason) => OpenError::NotADatabase { path, reason },
            _ => OpenError::Failed { path, reason },
        }
    };
    if path.is_dir() {
        return Err(OpenError::IsFolder { path: path.to_owned() });
    }
    if !path.exists() {
        return Ok(None);
    }
    let connection = open::onlooker(path).map_err(|error| failed(error.into()))?;
    faults(&connection).map(Some).map_err(failed)
}

impl SqliteStore {
    /// Asks on a connection of its own, which sees what is in the file and not what another
    /// connection remembers of it.
    async fn ask_afresh<T: Send + 'static>(
        &self,
        work: fn(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.readers.is_closed() {
            return Err(closed());
        }
        let path = self.file.path().to_owned();
        let asked = tokio::task::spawn_blocking(move || {
            work(&open::reader(&path, &SqliteOptions::default())?)
        });
        let answer = asked.await.unwrap_or_else(|_| Err(closed()));
        if let Err(error) = &answer {
            self.notice(error);
        }
        answer
    }
}

#[async_trait]
impl Health for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.file.check()?;
        if let Some(damage) = self.damage() {
            return Err(damage);
        }
        self.ask_afresh(ask).await?;
        let writer = tokio::time::timeout(WRITER_WAIT, self.store(|_| Ok(())));
        match writer.await {
            // Reading goes on, and that is what most of it is.
            Ok(Ok(()) | Err(StoreError::Full)) => Ok(()),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(StoreError::Busy),
        }
    }

    async fn examine(&self) -> Result<Vec<String>, StoreError> {
        self.file.check()?;
        self.ask_afresh(faults).await
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        self.store(sweep).await
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
