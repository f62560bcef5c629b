//! What may be used once, however many replicas there are.

use std::time::Duration;

use async_trait::async_trait;

use crate::SecretHash;
use crate::error::StoreError;

/// Tickets, and whatever else is good for one use.
#[async_trait]
pub trait Once: Send + Sync {
    /// Uses `key` up, to be remembered for `lifetime`; answers whether it was unused. Of a hundred
    /// who try, one hears yes.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn use_once(&self, key: &SecretHash, lifetime: Duration) -> Result<bool, StoreError>;
}
