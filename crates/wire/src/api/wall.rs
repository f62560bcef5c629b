//! What a wall shows.

use luminous_domain::{FamilyId, MemberId, NoteId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Everything a wall shows, as of one moment: names and notes, and nothing else of the family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WallView {
    /// The family.
    pub family_id: FamilyId,
    /// Its name.
    pub family_name: String,
    /// The display's own name and room, where a display asks.
    pub device: Option<WallPlace>,
    /// The active members, by the time they came.
    pub members: Vec<WallMember>,
    /// The notes, the newest first.
    pub notes: Vec<WallNote>,
    /// The newest event that this already shows; follow `/hubs/family` from here.
    #[ts(type = "number")]
    pub seq: u64,
}

/// What a display is called, and where it hangs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WallPlace {
    /// Its name.
    pub name: String,
    /// Its room.
    pub room: Option<String>,
}

/// A member, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WallMember {
    /// The id, which gives the colour.
    pub id: MemberId,
    /// The name.
    pub name: String,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WallNote {
    /// The id.
    pub id: NoteId,
    /// What it says.
    pub text: String,
    /// Who wrote it; absent when they left.
    pub author: Option<MemberId>,
    /// What they were called then.
    pub author_name: String,
    /// When it was written, Unix time in ms.
    #[ts(type = "number")]
    pub posted_at_ms: i64,
    /// When it comes down by itself, Unix time in ms.
    #[ts(type = "number | null")]
    pub expires_at_ms: Option<i64>,
}
