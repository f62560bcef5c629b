//! How often something was tried lately, counted for all replicas together.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::StoreError;

/// Counters of tries. A try is counted before it is known whether it is a wrong one, so that of
/// many at once no more than the most are made; a right one is taken back.
#[async_trait]
pub trait Attempts: Send + Sync {
    /// How many tries of `bucket` (such as `invite:account:{id}`) fall into the last `window`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn attempts(&self, bucket: &str, window: Duration) -> Result<u32, StoreError>;

    /// Counts one more, to be remembered for `window`, unless `most` are counted already; answers
    /// whether it was counted. Of many at once, exactly `most` are.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn count_attempt(
        &self,
        bucket: &str,
        window: Duration,
        most: u32,
    ) -> Result<bool, StoreError>;

    /// Takes one counted try of `bucket` back, if there is one.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn take_back_attempt(&self, bucket: &str) -> Result<(), StoreError>;
}
