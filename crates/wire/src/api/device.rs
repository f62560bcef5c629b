//! Wall displays.

use luminous_domain::DeviceId;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

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
    /// When it was linked, Unix time in ms.
    #[ts(type = "number")]
    pub linked_at_ms: i64,
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
}
