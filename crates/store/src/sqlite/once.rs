//! To come.

use super::SqliteStore;
use crate::{once::Once, *};
use async_trait::async_trait;
use luminous_domain::*;
use std::time::Duration;

#[async_trait]
impl Once for SqliteStore {
    async fn use_once(&self, _key: &SecretHash, _lifetime: Duration) -> Result<bool, StoreError> {
        Err(StoreError::Driver("to come".to_owned()))
    }
}
