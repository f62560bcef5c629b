//! What the family's hub tells the desktop window.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::api::{DeviceView, EndedDisplay};

/// Something happened in the family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FamilyNews {
    /// What is shown of these is old: read it again.
    Changed {
        /// Which parts.
        parts: Vec<FamilyPart>,
    },
    /// A display joined: everybody who may link displays is told, and may undo it.
    DisplayJoined {
        /// Which.
        device: DeviceView,
    },
    /// A display was ended because its sign-in was used in two places: everybody who may link displays
    /// is told.
    DisplayEnded {
        /// Which.
        display: EndedDisplay,
    },
}

/// A part of what a window shows of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FamilyPart {
    /// Its name, and our own place in it.
    Family,
    /// Who belongs to it.
    Members,
    /// The notes.
    Notes,
    /// The displays.
    Devices,
}

impl FamilyPart {
    /// All of them: read everything anew.
    pub const ALL: [Self; 4] = [Self::Family, Self::Members, Self::Notes, Self::Devices];
}
