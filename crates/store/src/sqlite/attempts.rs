//! Counted tries.

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::rows::{after_lasting, ms};
use crate::attempts::Attempts;
use crate::error::StoreError;

fn count(
    connection: &Connection,
    bucket: &str,
    window: Duration,
    now: i64,
) -> Result<u32, rusqlite::Error> {
    let sql = "SELECT count(*) FROM attempts WHERE bucket = ?1 AND at >= ?2";
    let from = now.saturating_sub(ms(window));
    connection.prepare_cached(sql)?.query_row(params![bucket, from], |row| row.get(0))
}

#[async_trait]
impl Attempts for SqliteStore {
    async fn attempts(&self, bucket: &str, window: Duration) -> Result<u32, StoreError> {
        let bucket = bucket.to_owned();
        self.read(move |read| Ok(count(read.connection, &bucket, window, read.now)?)).await
    }

    async fn count_attempt(
        &self,
        bucket: &str,
        window: Duration,
        most: u32,
    ) -> Result<bool, StoreError> {
        let bucket = bucket.to_owned();
        self.store(move |write| {
            if count(write.connection, &bucket, window, write.now)? >= most {
                return Ok(false);
            }
            let sql = "INSERT INTO attempts (bucket, at, expires_at) VALUES (?1, ?2, ?3)";
            let end = after_lasting(write.now, window);
            write.connection.prepare_cached(sql)?.execute(params![bucket, write.now, end])?;
            Ok(true)
        })
        .await
    }

    async fn take_back_attempt(&self, bucket: &str) -> Result<(), StoreError> {
        let bucket = bucket.to_owned();
        self.store(move |write| {
            let sql = "DELETE FROM attempts WHERE rowid = \
                 (SELECT rowid FROM attempts WHERE bucket = ?1 ORDER BY at DESC LIMIT 1)";
            write.connection.prepare_cached(sql)?.execute([bucket])?;
            Ok(())
        })
        .await
    }
}
