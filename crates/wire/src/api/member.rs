//! Who belongs to a family.

use luminous_domain::{MemberId, Role};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Whether a membership counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// It does.
    Active,
    /// An adult switched it off; nothing was forgotten.
    Deactivated,
}

/// Somebody in the family. A display is told only id, name and role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberView {
    /// Their id in this family.
    pub id: MemberId,
    /// What the family calls them.
    pub name: String,
    /// Their role.
    pub role: Role,
    /// Whether they may use it.
    pub state: MemberState,
    /// Whether this is a profile without an account, looked after by the adults.
    pub managed: bool,
    /// E-mail address, for display only; absent for children and for those who may not see it.
    pub email: Option<String>,
    /// When they came, Unix time in ms.
    #[ts(type = "number")]
    pub joined_at_ms: i64,
    /// When they were last here, Unix time in ms.
    #[ts(type = "number | null")]
    pub last_seen_at_ms: Option<i64>,
    /// Whether this is who asks.
    pub is_me: bool,
}

/// Everybody in the family, by the time they came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberList {
    /// Them.
    pub members: Vec<MemberView>,
}

/// A child's profile, without e-mail address or account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddChild {
    /// What the family calls them: 1 to 60 characters after trimming.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 60))]
    pub name: String,
}

/// What is to change about a member; what is absent stays. At least one thing must be named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangeMember {
    /// Another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 60))]
    pub name: Option<String>,
    /// Another role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub role: Option<Role>,
    /// Switched off, or on again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub state: Option<MemberState>,
}
