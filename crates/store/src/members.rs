//! Who belongs to a family.

use async_trait::async_trait;
use luminous_domain::{AccountId, FamilyId, MemberId, Role, Timestamp};

use crate::audit::Act;
use crate::error::{Failure, StoreError};

/// Whether a membership counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberState {
    /// It does.
    Active,
    /// It was switched off.
    Deactivated,
}

/// Somebody in a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The id in this family.
    pub id: MemberId,
    /// The family.
    pub family: FamilyId,
    /// The account; `None` is a child's managed profile.
    pub account: Option<AccountId>,
    /// What the family calls them.
    pub name: String,
    /// The account's e-mail address.
    pub email: Option<String>,
    /// The role.
    pub role: Role,
    /// Whether it counts.
    pub state: MemberState,
    /// When they came.
    pub joined_at: Timestamp,
    /// When the account was last seen.
    pub last_seen_at: Option<Timestamp>,
}

/// A child without an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChild {
    /// The id to use.
    pub id: MemberId,
    /// The family.
    pub family: FamilyId,
    /// The name.
    pub name: String,
}

/// What changes; `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberChange {
    /// Another name.
    pub name: Option<String>,
    /// Another role.
    pub role: Option<Role>,
    /// Switched off or on.
    pub state: Option<MemberState>,
}

/// Who belongs to a family.
///
/// Whoever changes or removes somebody is named by their member id, and what they may do is read
/// in the same transaction ([`Role::may_grant`] on the role before and on the role after): a person
/// demoted a moment ago no longer can. A family always keeps one active owner with an account.
#[async_trait]
pub trait Members: Send + Sync {
    /// Everybody, by the time they came.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn members(&self, family: FamilyId) -> Result<Vec<Member>, StoreError>;

    /// One of them.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn member(&self, family: FamilyId, id: MemberId) -> Result<Option<Member>, StoreError>;

    /// Adds a managed profile (audit: `member.child_added`). At most 50 members in a family. `by`
    /// must have [`luminous_domain::Permission::ChildrenManage`] now.
    ///
    /// # Errors
    /// [`crate::Refusal::NotFound`] when the family is gone, [`crate::Refusal::RoleMissing`],
    /// [`crate::Refusal::TooMany`], [`crate::Refusal::Repeated`].
    async fn add_child(&self, new: &NewChild, by: MemberId, act: &Act) -> Result<Member, Failure>;

    /// Changes somebody (audit: `member.renamed`, `member.role_changed`, `member.deactivated`,
    /// `member.reactivated`; one line for each thing that changed). A name alone may be changed by
    /// the member and, for a managed profile, by whoever has
    /// [`luminous_domain::Permission::ChildrenManage`]. A managed profile's role stays `child`.
    ///
    /// # Errors
    /// [`crate::Refusal::NotFound`], [`crate::Refusal::RoleMissing`],
    /// [`crate::Refusal::LastOwner`].
    async fn change_member(
        &self,
        family: FamilyId,
        id: MemberId,
        change: &MemberChange,
        by: MemberId,
        act: &Act,
    ) -> Result<Member, Failure>;

    /// Removes somebody (audit: `member.removed`). A managed profile may also be removed by whoever
    /// has [`luminous_domain::Permission::ChildrenManage`].
    ///
    /// # Errors
    /// As for changing.
    async fn remove_member(
        &self,
        family: FamilyId,
        id: MemberId,
        by: MemberId,
        act: &Act,
    ) -> Result<(), Failure>;

    /// Leaves by oneself (audit: `member.left`).
    ///
    /// # Errors
    /// [`crate::Refusal::NotFound`], [`crate::Refusal::LastOwner`].
    async fn leave_family(&self, family: FamilyId, id: MemberId, act: &Act) -> Result<(), Failure>;
}
