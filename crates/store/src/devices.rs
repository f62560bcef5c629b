//! Wall displays, and the tokens they live on.

use std::time::Duration;

use async_trait::async_trait;
use luminous_domain::{DeviceId, FamilyId, MemberId, Timestamp, TokenId};

use crate::SecretHash;
use crate::audit::{Act, Network};
use crate::error::{Failure, StoreError};
use crate::links::SelfDescription;

/// The SHA-256 thumbprint of a display's public key (RFC 7638); its tokens are bound to it.
pub type KeyThumbprint = [u8; 32];

/// How a display stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceState {
    /// Approved; it has not fetched its tokens yet.
    Pending,
    /// It has tokens.
    Active,
    /// Its time without renewal, or without being heard of, is over: it links again into this place.
    Expired,
    /// Somebody ended it. It is not listed, but keeps its place for the same key.
    Revoked,
}

/// A wall display of a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// The family.
    pub family: FamilyId,
    /// What the family calls it.
    pub name: String,
    /// Where it hangs.
    pub room: Option<String>,
    /// What it says of itself.
    pub described: SelfDescription,
    /// How it stands.
    pub state: DeviceState,
    /// Who linked it; `None` when they left.
    pub linked_by: Option<MemberId>,
    /// What they were called then.
    pub linked_by_name: String,
    /// When it was linked.
    pub linked_at: Timestamp,
    /// When it ends unless renewed.
    pub expires_at: Timestamp,
    /// When it was last heard of.
    pub last_seen_at: Option<Timestamp>,
    /// When a refresh token of it came back that had been used up, which ended it (F6); `None` of one
    /// that was linked again since.
    pub reused_at: Option<Timestamp>,
}

/// Tokens to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewToken {
    /// Their id.
    pub id: TokenId,
    /// SHA-256 of the refresh token.
    pub refresh: SecretHash,
    /// How long the refresh token lives unused.
    pub idle: Duration,
}

/// Tokens that were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceGrant {
    /// Whose.
    pub device: Device,
    /// Which.
    pub token: TokenId,
    /// When the refresh token ends: idle or absolute, whichever is first.
    pub refresh_expires_at: Timestamp,
    /// The database's time.
    pub issued_at: Timestamp,
}

/// What the door asks about the display behind an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceStanding {
    /// The display.
    pub device: Device,
    /// The key its tokens are bound to.
    pub key: KeyThumbprint,
    /// Whether the token that was asked about is of its live branch.
    pub is_token_live: bool,
    /// Whether that token has been used before.
    pub is_token_used: bool,
}

/// A refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refresh {
    /// SHA-256 of the refresh token that was presented.
    pub presented: SecretHash,
    /// The key that the proof was made with.
    pub key: KeyThumbprint,
    /// The tokens to give.
    pub next: NewToken,
    /// Where the request came from.
    pub network: Network,
}

/// A refresh token, as introspection tells of it (RFC 7662).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshRecord {
    /// Whose.
    pub device: Device,
    /// Which.
    pub token: TokenId,
    /// The key it is bound to.
    pub key: KeyThumbprint,
    /// When it was given.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What changes; `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceChange {
    /// Another name.
    pub name: Option<String>,
    /// Another room; `Some(None)` takes it away.
    pub room: Option<Option<String>>,
}

/// Wall displays.
///
/// *Confirm-by-use rotation*: a token is *used* when its access token was seen
/// ([`Devices::confirm_token`]) or its refresh token presented. Refreshing a token whose child was
/// never used replaces the child; refreshing one whose child was used is reuse, and ends the device.
/// So an answer that was lost costs nothing, and a stolen token is found out. A child that was
/// replaced is as unknown as if it had never been: whoever holds it goes back to its parent. A token
/// whose child was used is remembered for a week, to be recognised; all tokens of a display, revoked
/// or not, until a week after its time was over, to be told why they are worth nothing. While a
/// display lives, how long it may be silent is the display's, not a token's.
///
/// A display that waits for its tokens is listed, can be changed, renewed, undone and revoked, which
/// ends its wish ([`crate::LinkState::Denied`]), as does whatever else ends the display. One that
/// waits for its former place is changed there as well, and renewed there unless that has ended: if
/// its tokens are never had, it goes on there as the family wanted it.
#[async_trait]
pub trait Devices: Send + Sync {
    /// The family's displays by name and then id, without the revoked ones.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn devices(&self, family: FamilyId) -> Result<Vec<Device>, StoreError>;

    /// Those that were ended in the last `within` because a token came back, the newest first; without
    /// those that were linked again.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn reused_devices(
        &self,
        family: FamilyId,
        within: Duration,
    ) -> Result<Vec<Device>, StoreError>;

    /// How the display and its token stand; `None` when there is no such display. One that has ended
    /// by time is told as [`DeviceState::Expired`]. Answered from memory where that is safe.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn device_standing(
        &self,
        device: DeviceId,
        token: TokenId,
    ) -> Result<Option<DeviceStanding>, StoreError>;

    /// Notes that the access token of this id was used, which ends its parent, and that the display
    /// was heard of. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn confirm_token(&self, device: DeviceId, token: TokenId) -> Result<(), StoreError>;

    /// Notes that the display was heard of.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn device_seen(&self, device: DeviceId) -> Result<(), StoreError>;

    /// Gives new tokens for old ones.
    ///
    /// # Errors
    /// In this order: [`crate::Refusal::TokenUnknown`], also for another key's;
    /// [`crate::Refusal::DeviceRevoked`]; [`crate::Refusal::TokenReused`], and the device is revoked
    /// (audit by the display: `device.token_reused`; event: `device_revoked` for
    /// [`crate::EventReason::Reuse`]), or was for this reason; [`crate::Refusal::DeviceExpired`].
    async fn refresh_tokens(&self, refresh: &Refresh) -> Result<DeviceGrant, Failure>;

    /// The live refresh token with this hash.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn refresh_record(&self, hash: &SecretHash) -> Result<Option<RefreshRecord>, StoreError>;

    /// The display gives its tokens back (RFC 7009): it is revoked (audit: `device.signed_out`;
    /// event: `device_revoked`). `hash` is any refresh token of it that was not forgotten yet, of
    /// this key. Nothing to do is fine.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn give_back_token(
        &self,
        hash: &SecretHash,
        key: &KeyThumbprint,
        network: Network,
    ) -> Result<(), StoreError>;

    /// Renames or moves it (audit: `device.renamed`, `device.moved`; event: `devices_changed`). `by`
    /// needs [`luminous_domain::Permission::DevicesManage`] now.
    ///
    /// # Errors
    /// [`crate::Refusal::NotFound`], [`crate::Refusal::RoleMissing`].
    async fn change_device(
        &self,
        family: FamilyId,
        id: DeviceId,
        change: &DeviceChange,
        by: MemberId,
        act: &Act,
    ) -> Result<Device, Failure>;

    /// Ends it (audit: `device.revoked`; event: `device_revoked`): all its tokens are dead. `by`
    /// needs [`luminous_domain::Permission::DevicesManage`] now.
    ///
    /// # Errors
    /// [`crate::Refusal::NotFound`], also when it was revoked before;
    /// [`crate::Refusal::RoleMissing`].
    async fn revoke_device(
        &self,
        family: FamilyId,
        id: DeviceId,
        by: MemberId,
        act: &Act,
    ) -> Result<(), Failure>;

    /// Takes a link back within `window` of it (audit: `device.undone`; event: `device_revoked`).
    /// `by` needs [`luminous_domain::Permission::DevicesLink`] now.
    ///
    /// # Errors
    /// [`crate::Refusal::NotFound`], also when it was linked longer ago;
    /// [`crate::Refusal::RoleMissing`].
    async fn undo_link(
        &self,
        family: FamilyId,
        id: DeviceId,
        window: Duration,
        by: MemberId,
        act: &Act,
    ) -> Result<(), Failure>;

    /// Lets a display that waits or is active stay for `absolute` from now (audit: `device.renewed`; event:
    /// `devices_changed`). `by` needs [`luminous_domain::Permission::DevicesManage`] now.
    ///
    /// # Errors
    /// [`crate::Refusal::NotFound`], [`crate::Refusal::RoleMissing`].
    async fn renew_device(
        &self,
        family: FamilyId,
        id: DeviceId,
        absolute: Duration,
        by: MemberId,
        act: &Act,
    ) -> Result<Device, Failure>;
}
