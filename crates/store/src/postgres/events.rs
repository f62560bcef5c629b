//! To come.

use super::PostgresStore;
use crate::{events::Events, *};
use async_trait::async_trait;
use luminous_domain::*;
use std::time::Duration;

#[async_trait]
impl Events for PostgresStore {
    async fn events_after(
        &self,
        _family: FamilyId,
        _after: u64,
        _limit: u32,
    ) -> Result<EventPage, StoreError> {
        Err(StoreError::Driver("to come".to_owned()))
    }
    async fn wall(&self, _family: FamilyId) -> Result<Option<WallContent>, StoreError> {
        Err(StoreError::Driver("to come".to_owned()))
    }
    fn hints(&self) -> tokio::sync::broadcast::Receiver<Hint> {
        tokio::sync::broadcast::channel(1).1
    }
}
