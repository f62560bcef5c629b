//! Families.

use async_trait::async_trait;
use luminous_domain::{AccountId, FamilyId, MemberId, Timestamp};

use crate::accounts::Membership;
use crate::audit::Act;
use crate::error::Failure;

/// A family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Its id.
    pub id: FamilyId,
    /// What it calls itself.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A family to be, and its first owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFamily {
    /// Its id.
    pub id: FamilyId,
    /// Its name.
    pub name: String,
    /// Who will own it.
    pub owner: AccountId,
    /// The owner's id in it.
    pub member: MemberId,
}

/// Families.
#[async_trait]
pub trait Families: Send + Sync {
    /// Creates a family (audit: `family.created`). Creating the same id again for the same owner
    /// answers what is there.
    ///
    /// # Errors
    /// [`crate::Refusal::AlreadyMember`]; [`crate::Refusal::Repeated`] when the id is another
    /// family's or was a deleted one's.
    async fn create_family(&self, new: &NewFamily, act: &Act) -> Result<Membership, Failure>;

    /// Gives it another name (audit: `family.renamed`). `by` must have
    /// [`luminous_domain::Permission::FamilyRename`] now.
    ///
    /// # Errors
    /// [`crate::Refusal::NotFound`], [`crate::Refusal::RoleMissing`].
    async fn rename_family(
        &self,
        id: FamilyId,
        name: &str,
        by: MemberId,
        act: &Act,
    ) -> Result<Family, Failure>;

    /// Deletes it with its members, invitations, notes and displays (audit: `family.deleted`; the
    /// log stays). Everybody in it is outside from the next request on. `by` must own it now.
    ///
    /// # Errors
    /// [`crate::Refusal::NotFound`], [`crate::Refusal::RoleMissing`].
    async fn delete_family(&self, id: FamilyId, by: MemberId, act: &Act) -> Result<(), Failure>;
}
