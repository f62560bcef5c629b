//! What may be used once, in PostgreSQL: the row that is inserted decides, whichever replica asks.

use std::time::Duration;

use async_trait::async_trait;

use super::PostgresStore;
use super::rows::milliseconds;
use super::trouble::Trouble;
use super::write::Tx;
use crate::{Once, SecretHash, StoreError};

#[async_trait]
impl Once for PostgresStore {
    async fn use_once(&self, key: &SecretHash, lifetime: Duration) -> Result<bool, StoreError> {
        writing!(self, |tx| use_up(tx, key, lifetime))
    }
}

async fn use_up(tx: &Tx, key: &SecretHash, lifetime: Duration) -> Result<bool, Trouble> {
    // One that is forgotten may still lie there until the next sweep.
    let used = tx
        .run(
            "INSERT INTO used_once AS u (key, expires_at) VALUES ($1, $2) \
             ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at \
             WHERE u.expires_at < $3",
            &[&key.as_slice(), &(tx.now + milliseconds(lifetime)), &tx.now],
        )
        .await?;
    Ok(used == 1)
}
