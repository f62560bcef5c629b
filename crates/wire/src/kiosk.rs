//! The wall display as its window draws it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::api::WallView;
use crate::error::AppError;
use crate::session::Connection;

/// The whole truth about the display at one moment. The UI replaces its copy, it never patches it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct KioskSnapshot {
    /// Grows by one with each change.
    pub revision: u32,
    /// Where the display stands.
    pub stage: KioskStage,
    /// Whether the family server could be reached lately. Never a reason to end a link.
    pub connection: Connection,
    /// What to add to this computer's clock to have the server's, in ms; 0 while they are near.
    #[ts(type = "number")]
    pub clock_offset_ms: i64,
    /// What is wrong and worth saying, such as a keyring that stays locked.
    pub problem: Option<AppError>,
}

/// Where the display stands. The screens switch over this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum KioskStage {
    /// Reading what this display has.
    Starting,
    /// Nobody said which family server this display belongs to.
    Unconfigured,
    /// Not linked, and the server gives no code now; `problem` says why. It is tried again.
    WaitingForServer,
    /// Not linked: the code is to be typed by somebody of the family.
    Code {
        /// As it is shown: `K7M 3QX`.
        user_code: String,
        /// The address to type on a phone.
        verification_uri: String,
        /// The same with a secret in it, to be photographed.
        qr: QrView,
        /// When it was shown, Unix time in ms by this computer's clock.
        #[ts(type = "number")]
        shown_at_ms: i64,
        /// When it ends, by the same clock.
        #[ts(type = "number")]
        expires_at_ms: i64,
        /// What this display was called, when it was linked before.
        former_name: Option<String>,
    },
    /// Nobody came for half an hour: a touch shows a code again.
    Idle,
    /// Somebody typed the code: the number, alone.
    Claimed {
        /// Two digits.
        number: String,
        /// When it ends, Unix time in ms by this computer's clock.
        #[ts(type = "number")]
        expires_at_ms: i64,
    },
    /// Approved; the tokens are on their way.
    Linking,
    /// Linked a moment ago.
    Welcome {
        /// The family's name.
        family_name: String,
        /// What the display is called now.
        device_name: String,
    },
    /// On the wall. Offline shows what was last read.
    Wall {
        /// What it shows.
        wall: WallView,
        /// When that was read, Unix time in ms by the server's clock.
        #[ts(type = "number")]
        as_of_ms: i64,
    },
    /// Linked as far as we know, but the keyring will not say and nothing was kept to show; `problem`
    /// says why. Nothing has been deleted.
    StorageBlocked,
}

/// A QR code as one SVG path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct QrView {
    /// The side of the square in modules, without a quiet zone.
    pub size: u32,
    /// The dark modules as path data in a view box of that size: `M0 0h7v1H0z…`.
    pub path: String,
}
