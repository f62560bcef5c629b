//! Notes to the wall.

use luminous_domain::{MemberId, NoteId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A note on the wall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NoteView {
    /// Its id.
    pub id: NoteId,
    /// What it says.
    pub text: String,
    /// Who wrote it; absent when they left the family.
    pub author: Option<MemberId>,
    /// What the author was called when they wrote it.
    pub author_name: String,
    /// When it was written, Unix time in ms.
    #[ts(type = "number")]
    pub posted_at_ms: i64,
    /// When it comes down by itself, Unix time in ms.
    #[ts(type = "number | null")]
    pub expires_at_ms: Option<i64>,
    /// Whether who asks may take it down.
    pub removable: bool,
}

/// The notes on the wall now, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NoteList {
    /// Them; never more than 50 stand at once.
    pub notes: Vec<NoteView>,
}

/// A new note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PostNote {
    /// What it says: 1 to 280 characters after trimming; line feeds are kept, other control
    /// characters refused.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 280))]
    pub text: String,
    /// For how many hours it stands: 1 to 720. Absent: until somebody takes it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 720))]
    pub hours: Option<u16>,
}
