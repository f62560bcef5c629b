//! Counted tries in PostgreSQL, for all replicas together.

use std::time::Duration;

use async_trait::async_trait;

use super::PostgresStore;
use super::lease::Lease;
use super::rows::milliseconds;
use super::trouble::Trouble;
use super::write::Tx;
use crate::{Attempts, StoreError};

#[async_trait]
impl Attempts for PostgresStore {
    async fn attempts(&self, bucket: &str, window: Duration) -> Result<u32, StoreError> {
        reading!(self, |lease| count(lease, bucket, window))
    }

    async fn count_attempt(
        &self,
        bucket: &str,
        window: Duration,
        most: u32,
    ) -> Result<bool, StoreError> {
        writing!(self, |tx| count_one_more(tx, bucket, window, most))
    }

    async fn take_back_attempt(&self, bucket: &str) -> Result<(), StoreError> {
        writing!(self, |tx| take_back(tx, bucket))
    }
}

async fn count(lease: &Lease, bucket: &str, window: Duration) -> Result<u32, Trouble> {
    let row = lease
        .row(
            "SELECT count(*) FROM attempts, (SELECT luminous_now() AS now) AS clock \
             WHERE bucket = $1 AND at >= clock.now - $2",
            &[&bucket, &milliseconds(window)],
        )
        .await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

async fn count_one_more(
    tx: &mut Tx,
    bucket: &str,
    window: Duration,
    most: u32,
) -> Result<bool, Trouble> {
    lock(tx, bucket).await?;
    if count(tx, bucket, window).await? >= most {
        return Ok(false);
    }
    tx.run(
        "INSERT INTO attempts (bucket, at, forget_at) \
         SELECT $1, clock.now, clock.now + $2 FROM (SELECT luminous_now() AS now) AS clock",
        &[&bucket, &milliseconds(window)],
    )
    .await?;
    Ok(true)
}

async fn take_back(tx: &mut Tx, bucket: &str) -> Result<(), Trouble> {
    lock(tx, bucket).await?;
    tx.run(
        "DELETE FROM attempts WHERE ctid = \
         (SELECT ctid FROM attempts WHERE bucket = $1 ORDER BY at DESC LIMIT 1)",
        &[&bucket],
    )
    .await?;
    Ok(())
}

/// A bucket is no row that could be locked. Two whose hashes are equal merely wait for each other.
async fn lock(tx: &Tx, bucket: &str) -> Result<(), Trouble> {
    tx.run("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", &[&bucket]).await?;
    Ok(())
}
