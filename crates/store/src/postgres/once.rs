//! To come.

use super::PostgresStore;
use crate::{once::Once, *};
use async_trait::async_trait;
use luminous_domain::*;
use std::time::Duration;

#[async_trait]
impl Once for PostgresStore {
    async fn use_once(&self, _key: &SecretHash, _lifetime: Duration) -> Result<bool, StoreError> {
        Err(StoreError::Driver("to come".to_owned()))
    }
}
