//! What goes over the hubs. A push says that something happened and never what it says: whoever hears
//! it asks by HTTP. No token is ever pushed.
//!
//! `/hubs/link` calls [`link_hub`]'s targets at a display that waits for its approval; the display may
//! invoke [`link_hub::REDEEM`]. `/hubs/family` calls [`family_hub`]'s targets at people and displays.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// `/hubs/link`: one display, one connection.
pub mod link_hub {
    /// Its path.
    pub const PATH: &str = "/hubs/link";
    /// Somebody typed the code: show this number, alone. Argument: [`super::CodeClaimed`].
    pub const CODE_CLAIMED: &str = "CodeClaimed";
    /// Approved: redeem now. No argument.
    pub const LINKED: &str = "Linked";
    /// Declined or burned. No argument.
    pub const DENIED: &str = "Denied";
    /// The code's time is over. No argument.
    pub const EXPIRED: &str = "Expired";
    /// Invoked by the display with [`super::RedeemArguments`]; the completion's result is what
    /// `POST /oauth2/token` would answer: [`super::super::TokenAnswer`], or
    /// [`super::super::OAuthProblem`]. The tokens are the result of the display's own call on its own
    /// connection.
    pub const REDEEM: &str = "Redeem";
}

/// `/hubs/family`: everybody in the family, people and displays.
pub mod family_hub {
    /// Its path.
    pub const PATH: &str = "/hubs/family";
    /// Something happened. Argument: [`super::FamilyEvent`].
    pub const EVENT: &str = "Event";
    /// What was missed is forgotten: read everything anew. Argument: the newest number.
    pub const RESYNC: &str = "ResyncRequired";
    /// Invoked by the client with the newest number it has, once, right after the handshake; the events
    /// after it follow, then those to come. The completion's result is the newest number.
    pub const RESUME: &str = "Resume";
}

/// The number to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeClaimed {
    /// Two digits.
    pub number: String,
}

/// What `Redeem` takes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedeemArguments {
    /// The device code.
    pub device_code: String,
    /// A proof (RFC 9449) for `POST` and the address of the token endpoint.
    pub proof: String,
}

impl std::fmt::Debug for RedeemArguments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedeemArguments(..)")
    }
}

/// Something happened in the family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FamilyEvent {
    /// Its number; they follow each other without a gap.
    #[ts(type = "number")]
    pub seq: u64,
    /// What: `family_changed`, `members_changed`, `notes_changed`, `device_linked`, `devices_changed`,
    /// `device_revoked`. Unknown ones are to be passed over.
    pub kind: String,
    /// The id of what it is about.
    pub resource: Option<String>,
    /// Why, where that is told: `reuse` of a `device_revoked` whose refresh token came back. Unknown ones
    /// are to be passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
}

/// A ticket to a hub: good for one connection, begun within its life.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HubTicket {
    /// To be presented as the bearer token of the hub's negotiation. Not a token for anything else.
    pub ticket: String,
    /// How long it may be presented, in seconds.
    pub expires_in: u32,
}

impl std::fmt::Debug for HubTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HubTicket(..)")
    }
}
