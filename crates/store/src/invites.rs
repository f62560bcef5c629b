//! Invitations into a family: single use, with an end.

use std::time::Duration;

use async_trait::async_trait;
use luminous_domain::{AccountId, FamilyId, InviteId, MemberId, Role, Timestamp};

use crate::SecretHash;
use crate::accounts::Membership;
use crate::audit::Act;
use crate::error::{Failure, StoreError};

/// An invitation that can still be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Its id.
    pub id: InviteId,
    /// Into which family.
    pub family: FamilyId,
    /// The role it gives.
    pub role: Role,
    /// Who made it.
    pub invited_by: MemberId,
    /// What they are called.
    pub invited_by_name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// An invitation to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvite {
    /// Its id.
    pub id: InviteId,
    /// Into which family.
    pub family: FamilyId,
    /// The role it gives.
    pub role: Role,
    /// HMAC of the code, with a key that is not in the database.
    pub code: SecretHash,
    /// Who makes it.
    pub invited_by: MemberId,
    /// For how long.
    pub lifetime: Duration,
}

/// What an invitation offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The invitation.
    pub invite: Invite,
    /// The family's name.
    pub family_name: String,
}

/// Invitations.
#[async_trait]
pub trait Invites: Send + Sync {
    /// Makes one (audit: `invite.created`). The maker's role, read in the same transaction, must
    /// have [`luminous_domain::Permission::InvitesManage`] and be above or beside what is given:
    /// only owners invite owners. At most 20 stand open in a family.
    ///
    /// # Errors
    /// [`crate::Refusal::NotFound`] when the family is gone, [`crate::Refusal::RoleMissing`],
    /// [`crate::Refusal::TooMany`], [`crate::Refusal::Repeated`].
    async fn create_invite(&self, new: &NewInvite, act: &Act) -> Result<Invite, Failure>;

    /// The open ones, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn open_invites(&self, family: FamilyId) -> Result<Vec<Invite>, StoreError>;

    /// Withdraws one (audit: `invite.withdrawn`). `by` must have
    /// [`luminous_domain::Permission::InvitesManage`] now.
    ///
    /// # Errors
    /// [`crate::Refusal::NotFound`], also when it was used meanwhile;
    /// [`crate::Refusal::RoleMissing`].
    async fn withdraw_invite(
        &self,
        family: FamilyId,
        id: InviteId,
        by: MemberId,
        act: &Act,
    ) -> Result<(), Failure>;

    /// What the open invitation with this code offers; unknown, used, withdrawn and expired look
    /// the same.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn offer(&self, code: &SecretHash) -> Result<Option<Offer>, StoreError>;

    /// Accepts it for `account`, as the member `member` with the account's name (audit:
    /// `invite.accepted`). Of a hundred who try, one wins. It counts only while whoever made it may
    /// still give this role.
    ///
    /// # Errors
    /// [`crate::Refusal::InviteInvalid`], [`crate::Refusal::AlreadyMember`] (the invitation stays
    /// open then), [`crate::Refusal::TooMany`].
    async fn accept_invite(
        &self,
        code: &SecretHash,
        account: AccountId,
        member: MemberId,
        act: &Act,
    ) -> Result<Membership, Failure>;
}
