//! Whether the store is fit for use.

use async_trait::async_trait;

use crate::error::StoreError;

/// Health and upkeep.
#[async_trait]
pub trait Health: Send + Sync {
    /// A cheap question that only a working database answers, for readiness.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn ping(&self) -> Result<(), StoreError>;

    /// A thorough one, for `doctor`: integrity, foreign keys, schema version. Answers what is wrong,
    /// a line each.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn examine(&self) -> Result<Vec<String>, StoreError>;

    /// Forgets what has ended: pending sign-ins, sessions, invitations, notes, counted tries.
    /// Answers how many rows.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn sweep(&self) -> Result<u64, StoreError>;

    /// Ends all work in order; later calls answer [`StoreError::Unavailable`].
    async fn close(&self);
}
