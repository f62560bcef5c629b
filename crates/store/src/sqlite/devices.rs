//! To come.

use super::SqliteStore;
use crate::{devices::Devices, *};
use async_trait::async_trait;
use luminous_domain::*;
use std::time::Duration;

#[async_trait]
impl Devices for SqliteStore {
    async fn devices(&self, _family: FamilyId) -> Result<Vec<Device>, StoreError> {
        Ok(Vec::new())
    }
    async fn device_standing(
        &self,
        _device: DeviceId,
        _token: TokenId,
    ) -> Result<Option<DeviceStanding>, StoreError> {
        Err(StoreError::Driver("to come".to_owned()))
    }
    async fn confirm_token(&self, _device: DeviceId, _token: TokenId) -> Result<(), StoreError> {
        Err(StoreError::Driver("to come".to_owned()))
    }
    async fn device_seen(&self, _device: DeviceId) -> Result<(), StoreError> {
        Err(StoreError::Driver("to come".to_owned()))
    }
    async fn refresh_tokens(&self, _refresh: &Refresh) -> Result<DeviceGrant, Failure> {
        Err(StoreError::Driver("to come".to_owned()).into())
    }
    async fn refresh_record(
        &self,
        _hash: &SecretHash,
    ) -> Result<Option<RefreshRecord>, StoreError> {
        Err(StoreError::Driver("to come".to_owned()))
    }
    async fn give_back_token(
        &self,
        _hash: &SecretHash,
        _key: &KeyThumbprint,
        _network: Network,
    ) -> Result<(), StoreError> {
        Err(StoreError::Driver("to come".to_owned()))
    }
    async fn change_device(
        &self,
        _family: FamilyId,
        _id: DeviceId,
        _change: &DeviceChange,
        _by: MemberId,
        _act: &Act,
    ) -> Result<Device, Failure> {
        Err(StoreError::Driver("to come".to_owned()).into())
    }
    async fn revoke_device(
        &self,
        _family: FamilyId,
        _id: DeviceId,
        _by: MemberId,
        _act: &Act,
    ) -> Result<(), Failure> {
        Err(StoreError::Driver("to come".to_owned()).into())
    }
    async fn undo_link(
        &self,
        _family: FamilyId,
        _id: DeviceId,
        _window: Duration,
        _by: MemberId,
        _act: &Act,
    ) -> Result<(), Failure> {
        Err(StoreError::Driver("to come".to_owned()).into())
    }
    async fn renew_device(
        &self,
        _family: FamilyId,
        _id: DeviceId,
        _absolute: Duration,
        _by: MemberId,
        _act: &Act,
    ) -> Result<Device, Failure> {
        Err(StoreError::Driver("to come".to_owned()).into())
    }
}
