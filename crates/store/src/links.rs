//! Wishes of displays to be linked, from the code on the wall to the first tokens (RFC 8628).

use std::time::Duration;

use async_trait::async_trait;
use luminous_domain::{
    AccountId, ChallengeId, DeviceId, FamilyId, LinkId, MatchNumber, MemberId, Timestamp,
};

use crate::SecretHash;
use crate::audit::{Act, Network};
use crate::devices::{Device, DeviceGrant, KeyThumbprint, NewToken};
use crate::error::{Failure, StoreError};

/// What a display says of itself when it asks for a code. Shown to people as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfDescription {
    /// What it calls itself: its host's name, say.
    pub name: String,
    /// What it is: `Raspberry Pi 5`, or its platform.
    pub model: String,
    /// The version of the app.
    pub app_version: String,
}

/// A wish to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLink {
    /// Its id.
    pub id: LinkId,
    /// SHA-256 of the device code.
    pub device_code: SecretHash,
    /// HMAC of the six symbols, with a key that is not in the database.
    pub user_code: SecretHash,
    /// SHA-256 of the 128 bits in the QR.
    pub qr: SecretHash,
    /// The display's key.
    pub key: KeyThumbprint,
    /// Whether whoever asks has proved that it holds the key. A thumbprint is no secret: who only
    /// names one ends no other wish of it.
    pub is_key_proven: bool,
    /// What it says of itself.
    pub described: SelfDescription,
    /// Keyed hash of the network it asks from; an address itself is not kept.
    pub network: SecretHash,
    /// How long the code lives.
    pub lifetime: Duration,
    /// The least time between two polls.
    pub interval: Duration,
    /// How many wishes may be open in the whole system.
    pub most: u32,
}

/// A wish that was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its id.
    pub id: LinkId,
    /// When its code ends.
    pub expires_at: Timestamp,
}

/// Where a wish stands, for the display that holds its device code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// The code is on the wall, nobody has typed it.
    Pending,
    /// Somebody typed it and is asked for the number.
    Claimed {
        /// What the display shows now, alone.
        number: MatchNumber,
    },
    /// It was approved; tokens can be had.
    Linked,
    /// Tokens were had.
    Redeemed,
    /// It was declined, or burned by a wrong number or too many families.
    Denied,
    /// Its time is over.
    Expired,
}

/// Which wish a person means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKey {
    /// By the typed symbols (HMAC).
    UserCode(SecretHash),
    /// By the QR's secret (SHA-256).
    Qr(SecretHash),
}

/// Somebody typed a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClaim {
    /// The id of what they are asked.
    pub challenge: ChallengeId,
    /// The number the display shows from now on.
    pub number: MatchNumber,
    /// Who.
    pub account: AccountId,
    /// Their member id.
    pub member: MemberId,
    /// Their family.
    pub family: FamilyId,
    /// How long they may take; never beyond the end of the code.
    pub lifetime: Duration,
}

/// What a person is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its id: that of the first claim when the same person asks again.
    pub challenge: ChallengeId,
    /// What the display says of itself.
    pub described: SelfDescription,
    /// When the code was shown.
    pub shown_at: Timestamp,
    /// Until when they may confirm.
    pub expires_at: Timestamp,
    /// Keyed hash of the display's network.
    pub network: SecretHash,
    /// The display's former place in this family, if it had one.
    pub former: Option<FormerPlace>,
}

/// Where the question stands that a challenge is about, for whoever was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It waits for an answer.
    Open(Claim),
    /// The answer was yes, and made this display.
    Linked(DeviceId),
}

/// Where a display hung before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerPlace {
    /// Its id.
    pub device: DeviceId,
    /// What it was called.
    pub name: String,
    /// Where it hung.
    pub room: Option<String>,
}

/// A person says yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// To what.
    pub challenge: ChallengeId,
    /// The number they read off the wall.
    pub number: MatchNumber,
    /// Who: the one who claimed it.
    pub account: AccountId,
    /// Their member id.
    pub member: MemberId,
    /// Their family.
    pub family: FamilyId,
    /// The id to give, unless the display has a former place in this family.
    pub device: DeviceId,
    /// What to call it.
    pub name: String,
    /// Where it hangs.
    pub room: Option<String>,
    /// How long it stays without renewal.
    pub absolute: Duration,
}

/// A display asks for its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    /// SHA-256 of the device code.
    pub device_code: SecretHash,
    /// The key that the proof was made with.
    pub key: KeyThumbprint,
    /// The tokens to give.
    pub token: NewToken,
    /// Whether it is a poll, which may come too soon; what follows a push is none.
    pub is_poll: bool,
    /// Where the request came from.
    pub network: Network,
}

/// What a display that asks for tokens is told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one is made for a request and moved once")]
pub enum Redeemed {
    /// There is no such wish, or not of this key.
    Unknown,
    /// It asks too often; the interval is five seconds longer from now on (RFC 8628 section 3.5).
    TooFast {
        /// The interval from now on.
        interval: Duration,
    },
    /// Nobody has confirmed it.
    Pending {
        /// The number to show, once somebody typed the code.
        number: Option<MatchNumber>,
    },
    /// It was declined or burned, or whoever confirmed it no longer may.
    Denied,
    /// Its time is over, or the tokens were had and used.
    Expired,
    /// These are its tokens.
    Done(DeviceGrant),
}

/// Wishes of displays to be linked. Every race is one conditional `UPDATE`: of two people with one
/// code one wins, of a hundred redemptions one makes a token family. Each change of a wish is
/// [`crate::Hint::Link`].
#[async_trait]
pub trait Links: Send + Sync {
    /// Writes a wish down. Where the key was proven ([`NewLink::is_key_proven`]) it ends those of the
    /// same key that were not redeemed, also confirmed ones (event: `devices_changed`, for the waiting
    /// display is gone): a display shows one code. They are [`LinkState::Expired`] then. No code comes
    /// back within a day of its end.
    ///
    /// # Errors
    /// [`crate::Refusal::TooMany`] when there are [`NewLink::most`] open;
    /// [`crate::Refusal::Repeated`] when the code was given lately: draw another.
    async fn begin_link(&self, new: &NewLink) -> Result<Link, Failure>;

    /// How many wishes are open, claimed or not: what a blind guess may hit.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn open_links(&self) -> Result<u32, StoreError>;

    /// Where the wish with this device code and key stands and when it ends; `None` when there is
    /// none.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn link_of(
        &self,
        device_code: &SecretHash,
        key: &KeyThumbprint,
    ) -> Result<Option<(LinkId, LinkState, Timestamp)>, StoreError>;

    /// Where the wish stands; `None` when there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn link_state(&self, id: LinkId) -> Result<Option<LinkState>, StoreError>;

    /// Claims the open wish (audit: `device.code_claimed`): the display shows the number from now on.
    /// The same person claiming again gets the same challenge, and no line. Anybody else finds no such
    /// code, and their family counts among those who tried: the third burns it (audit by
    /// [`crate::Actor::System`], in the family that has the claim, if one has:
    /// `device.code_sprayed`). When a claim ends unconfirmed, the code is open again. The claimant
    /// needs [`luminous_domain::Permission::DevicesLink`] now.
    ///
    /// # Errors
    /// [`crate::Refusal::RoleMissing`], before anything is looked up, and the code stays as it was;
    /// [`crate::Refusal::LinkInvalid`], the same for unknown, ended, used and somebody else's;
    /// [`crate::Refusal::LinkSprayed`] for the claim that burned it.
    async fn claim_link(&self, key: &LinkKey, new: &NewClaim, act: &Act) -> Result<Claim, Failure>;

    /// What became of the question with this challenge; `None` when it is over without a yes, and for
    /// anybody but the account and family that claimed.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn asked_link(
        &self,
        challenge: ChallengeId,
        account: AccountId,
        family: FamilyId,
    ) -> Result<Option<Asked>, StoreError>;

    /// Confirms it (audit: `device.linked`; event: `device_linked`): makes the device, in its former
    /// place if this key has one in this family, or in the one where it waits already for another wish of
    /// this key, waiting for its tokens. They can be had for another
    /// [`NewLink::lifetime`] from now, so that a power cut in this moment costs nothing; then it is
    /// as if it had never been confirmed, and what was in the former place is as it was before. A
    /// wrong number burns the code (audit: `device.confirm_mismatch`).
    ///
    /// # Errors
    /// In this order: [`crate::Refusal::LinkInvalid`], [`crate::Refusal::RoleMissing`],
    /// [`crate::Refusal::ConfirmMismatch`], [`crate::Refusal::TooMany`] at 50 devices, the waiting
    /// ones counted, the revoked ones not.
    async fn confirm_link(&self, yes: &Confirmation, act: &Act) -> Result<Device, Failure>;

    /// Declines it (audit: `device.declined`); the code is over.
    ///
    /// # Errors
    /// [`crate::Refusal::LinkInvalid`].
    async fn decline_link(
        &self,
        challenge: ChallengeId,
        account: AccountId,
        family: FamilyId,
        act: &Act,
    ) -> Result<(), Failure>;

    /// Gives the display its first tokens, once (audit: `device.signed_in`; event:
    /// `devices_changed`). The same key may ask again until the wish ends, as long as the first were
    /// not used, and gets others, without another line or event; the first are dead then: so a
    /// display whose power goes before it has stored them is linked all the same. Whoever
    /// confirmed must still have [`luminous_domain::Permission::DevicesLink`]; else it is denied
    /// (audit: `device.signed_in` with the outcome `access_denied`; event: `devices_changed`) and
    /// the device is gone again. When it asks again it is told, in this order, that it was ended
    /// ([`Redeemed::Denied`]), that it is too late or the tokens were used ([`Redeemed::Expired`]),
    /// that whoever confirmed no longer may ([`Redeemed::Denied`], without a line). Devices of this key in other families end (there audit:
    /// `device.signed_out` with the detail `linked_elsewhere`; event: `device_revoked`).
    ///
    /// Polls are paced only while there is nothing else to say, and may be remembered in memory
    /// where one process is the database. The first one never comes too soon.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn redeem_link(&self, redemption: &Redemption) -> Result<Redeemed, StoreError>;
}
