//! Notes to the wall.

use std::time::Duration;

use async_trait::async_trait;
use luminous_domain::{FamilyId, MemberId, NoteId, Timestamp};

use crate::audit::Act;
use crate::error::{Failure, StoreError};

/// A note on the wall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// The family.
    pub family: FamilyId,
    /// What it says.
    pub text: String,
    /// Who wrote it; `None` when they left.
    pub author: Option<MemberId>,
    /// What they were called then.
    pub author_name: String,
    /// When it was written.
    pub posted_at: Timestamp,
    /// When it comes down by itself.
    pub expires_at: Option<Timestamp>,
}

/// A note to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNote {
    /// Its id.
    pub id: NoteId,
    /// The family.
    pub family: FamilyId,
    /// What it says.
    pub text: String,
    /// Who writes it.
    pub author: MemberId,
    /// For how long it stands.
    pub lifetime: Option<Duration>,
}

/// Notes.
#[async_trait]
pub trait Notes: Send + Sync {
    /// Those that stand, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn notes(&self, family: FamilyId) -> Result<Vec<Note>, StoreError>;

    /// Puts one up (audit: `note.posted`, without the text). At most 50 stand at once.
    ///
    /// # Errors
    /// [`crate::Refusal::NotFound`] when the author has left, [`crate::Refusal::RoleMissing`] when
    /// they no longer have [`luminous_domain::Permission::NotesPost`],
    /// [`crate::Refusal::TooMany`], [`crate::Refusal::Repeated`].
    async fn post_note(&self, new: &NewNote, act: &Act) -> Result<Note, Failure>;

    /// Takes one down (audit: `note.removed`): the author, or whoever now has
    /// [`luminous_domain::Permission::NotesModerate`].
    ///
    /// # Errors
    /// [`crate::Refusal::NotFound`], [`crate::Refusal::RoleMissing`].
    async fn remove_note(
        &self,
        family: FamilyId,
        id: NoteId,
        by: MemberId,
        act: &Act,
    ) -> Result<(), Failure>;
}
