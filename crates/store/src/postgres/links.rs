//! To come.

use super::PostgresStore;
use crate::{links::Links, *};
use async_trait::async_trait;
use luminous_domain::*;
use std::time::Duration;

#[async_trait]
impl Links for PostgresStore {
    async fn begin_link(&self, _new: &NewLink) -> Result<Link, Failure> {
        Err(StoreError::Driver("to come".to_owned()).into())
    }
    async fn open_links(&self) -> Result<u32, StoreError> {
        Err(StoreError::Driver("to come".to_owned()))
    }
    async fn link_of(
        &self,
        _device_code: &SecretHash,
        _key: &KeyThumbprint,
    ) -> Result<Option<(LinkId, LinkState, Timestamp)>, StoreError> {
        Err(StoreError::Driver("to come".to_owned()))
    }
    async fn link_state(&self, _id: LinkId) -> Result<Option<LinkState>, StoreError> {
        Err(StoreError::Driver("to come".to_owned()))
    }
    async fn claim_link(
        &self,
        _key: &LinkKey,
        _new: &NewClaim,
        _act: &Act,
    ) -> Result<Claim, Failure> {
        Err(StoreError::Driver("to come".to_owned()).into())
    }
    async fn confirm_link(&self, _yes: &Confirmation, _act: &Act) -> Result<Device, Failure> {
        Err(StoreError::Driver("to come".to_owned()).into())
    }
    async fn decline_link(
        &self,
        _challenge: ChallengeId,
        _account: AccountId,
        _family: FamilyId,
        _act: &Act,
    ) -> Result<(), Failure> {
        Err(StoreError::Driver("to come".to_owned()).into())
    }
    async fn redeem_link(&self, _redemption: &Redemption) -> Result<Redeemed, StoreError> {
        Err(StoreError::Driver("to come".to_owned()))
    }
}
