//! Wall displays.

use luminous_domain::DeviceId;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How a display stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// Approved; it has not fetched its tokens yet.
    Pending,
    /// On the wall.
    Active,
    /// Its time without renewal is over; it shows a code and links again into this place.
    Expired,
}

/// A wall display of the family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceView {
    /// Its id.
    pub id: DeviceId,
    /// What the family calls it.
    pub name: String,
    /// Where it hangs.
    pub room: Option<String>,
    /// What it says it is.
    pub model: String,
    /// The version of its app.
    pub app_version: String,
    /// How it stands.
    pub state: DeviceState,
    /// Whether it is connected, or was heard of in the last six minutes: one that is unplugged shows as
    /// online for that long at most.
    pub online: bool,
    /// What whoever linked it was called then.
    pub linked_by_name: String,
    /// When it was linked, Unix time in ms.
    #[ts(type = "number")]
    pub linked_at_ms: i64,
    /// Until when whoever may link displays can undo the link, Unix time in ms; absent when that time
    /// is over.
    #[ts(type = "number | null")]
    pub undo_until_ms: Option<i64>,
    /// When it ends unless renewed, Unix time in ms.
    #[ts(type = "number")]
    pub expires_at_ms: i64,
    /// When it was last heard of, Unix time in ms.
    #[ts(type = "number | null")]
    pub last_seen_at_ms: Option<i64>,
}

/// The family's displays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceList {
    /// Them, by name.
    pub devices: Vec<DeviceView>,
    /// Those that the server ended in the last week because their sign-in was used in two places, the
    /// newest first; one that was linked again is not among them.
    #[serde(default)]
    pub ended: Vec<EndedDisplay>,
}

/// A display that the server ended because its sign-in was used in two places: it, or whoever has a copy
/// of it, presented a refresh token that the other had used up (F6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EndedDisplay {
    /// Its id, which it keeps when it is linked again.
    pub id: DeviceId,
    /// What the family calls it.
    pub name: String,
    /// Where it hangs.
    pub room: Option<String>,
    /// When it was ended, Unix time in ms.
    #[ts(type = "number")]
    pub ended_at_ms: i64,
}

/// Another name or room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangeDevice {
    /// 1 to 60 characters after trimming.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 60))]
    pub name: Option<String>,
    /// Up to 60 characters after trimming; empty takes the room away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[cfg_attr(feature = "openapi", schema(max_length = 60))]
    pub room: Option<String>,
}
