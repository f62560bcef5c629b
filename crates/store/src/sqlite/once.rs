//! What may be used once.

use std::time::Duration;

use async_trait::async_trait;
use rusqlite::params;

use super::SqliteStore;
use super::rows::after_lasting;
use crate::SecretHash;
use crate::error::StoreError;
use crate::once::Once;

#[async_trait]
impl Once for SqliteStore {
    async fn use_once(&self, key: &SecretHash, lifetime: Duration) -> Result<bool, StoreError> {
        let key = *key;
        self.store(move |write| {
            let sql = "INSERT INTO used_once AS u (key, expires_at) VALUES (?1, ?2) \
                 ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at \
                 WHERE u.expires_at < ?3";
            let end = after_lasting(write.now, lifetime);
            let used =
                write.connection.prepare_cached(sql)?.execute(params![key, end, write.now])?;
            Ok(used > 0)
        })
        .await
    }
}
