//! Invitations.

use luminous_domain::{InviteId, Role};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A new invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateInvite {
    /// The role whoever accepts it will have.
    pub role: Role,
    /// For how long it can be accepted, in hours: 1 to 336. Absent: 72.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 336))]
    pub hours: Option<u16>,
}

/// A new invitation, with the code that is shown this once and never again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedInvite {
    /// The invitation.
    pub invite: InviteView,
    /// What to type: ten symbols in two groups, `K7M3Q XW92H`.
    pub code: String,
    /// A link that does the same in a browser.
    pub link: String,
}

/// An invitation, without its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InviteView {
    /// Its id.
    pub id: InviteId,
    /// The role it gives.
    pub role: Role,
    /// Who made it.
    pub invited_by: String,
    /// When it was made, Unix time in ms.
    #[ts(type = "number")]
    pub created_at_ms: i64,
    /// When it ends by itself, Unix time in ms.
    #[ts(type = "number")]
    pub expires_at_ms: i64,
}

/// The invitations that can still be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InviteList {
    /// Them, the newest first.
    pub invites: Vec<InviteView>,
}

/// A look at an invitation before accepting it. Does not use it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PreviewInvite {
    /// The code as it was typed: any case, with or without grouping.
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    pub code: String,
}

/// What an invitation offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitePreview {
    /// The family's name.
    pub family_name: String,
    /// Who invites.
    pub invited_by: String,
    /// The role it gives.
    pub role: Role,
    /// When it ends by itself, Unix time in ms.
    #[ts(type = "number")]
    pub expires_at_ms: i64,
}

/// Accepting an invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptInvite {
    /// As for [`PreviewInvite::code`].
    #[cfg_attr(feature = "openapi", schema(max_length = 64))]
    pub code: String,
}
