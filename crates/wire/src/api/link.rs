//! Linking a wall display, as the approving person sees it.

use luminous_domain::{ChallengeId, DeviceId};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The code somebody read off a wall.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LookUpLink {
    /// Six symbols in any case, with spaces or hyphens, `O` for zero and `I` or `L` for one.
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    pub user_code: String,
}

impl std::fmt::Debug for LookUpLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LookUpLink(..)")
    }
}

/// What the display says of itself. The person is asked for the number that it shows now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkChallenge {
    /// Its id, for the answer.
    pub challenge: ChallengeId,
    /// What the display calls itself.
    pub device_name: String,
    /// What it says it is.
    pub device_model: String,
    /// The version of its app.
    pub app_version: String,
    /// For how many whole minutes the code has been on the wall.
    pub minutes_shown: u32,
    /// Whether it asks from the same network as the person. `false` deserves a warning.
    pub same_network: bool,
    /// Until when it can be answered, Unix time in ms.
    #[ts(type = "number")]
    pub expires_at_ms: i64,
    /// Where this display hung before in this family, to be offered again.
    pub former: Option<FormerPlaceView>,
}

/// Where a display hung before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FormerPlaceView {
    /// Its id; it keeps it.
    pub id: DeviceId,
    /// What it was called.
    pub name: String,
    /// Where it hung.
    pub room: Option<String>,
}

/// Yes: this is our display, and this is the number on it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ConfirmLink {
    /// Which challenge.
    pub challenge: ChallengeId,
    /// The two digits on the display. One try.
    #[cfg_attr(
        feature = "openapi",
        schema(min_length = 2, max_length = 2, pattern = "^[0-9]{2}$")
    )]
    pub number: String,
    /// What to call the display: 1 to 60 characters after trimming.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 60))]
    pub name: String,
    /// Where it hangs: 1 to 60 characters after trimming.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 60))]
    pub room: Option<String>,
}

impl std::fmt::Debug for ConfirmLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConfirmLink(..)")
    }
}

/// No: not ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeclineLink {
    /// Which challenge.
    pub challenge: ChallengeId,
}
