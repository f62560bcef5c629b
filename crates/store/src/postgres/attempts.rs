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
    // A bucket is no row that could be locked. Two whose hashes are equal merely wait for each other.
    tx.run("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", &[&bucket]).await?;
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
