//! Who asks.

use luminous_domain::{AccountId, MemberId, Permission, Role};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{AuditEntry, FamilyView, MemberState, NoteView, WebSessionView};

/// Who asks, and their place in a family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// The account.
    pub account: AccountSummary,
    /// The place in a family; absent before one was created or joined.
    pub membership: Option<MembershipView>,
}

/// An account, as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountSummary {
    /// Its id here.
    pub id: AccountId,
    /// Display name; may be empty.
    pub name: String,
    /// E-mail address, for display only.
    pub email: Option<String>,
}

/// A place in a family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MembershipView {
    /// The family.
    pub family: FamilyView,
    /// The member's id in it.
    pub member_id: MemberId,
    /// The role.
    pub role: Role,
    /// Whether it counts. Who is switched off keeps their place, and may do nothing but leave it.
    pub state: MemberState,
    /// What they may do, so that a window offers only that; nothing while switched off.
    pub permissions: Vec<Permission>,
}

/// Everything the server keeps about who asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Export {
    /// When it was put together, Unix time in ms.
    pub exported_at_ms: i64,
    /// Who.
    pub me: Me,
    /// The directory and the person's id in it.
    pub tenant: String,
    /// The person's id in the directory.
    pub object: String,
    /// When the account was first seen, Unix time in ms.
    pub first_seen_at_ms: i64,
    /// Notes they wrote that still stand.
    pub notes: Vec<NoteView>,
    /// Where they are signed in at the server itself.
    pub sessions: Vec<WebSessionView>,
    /// What the audit log says they did.
    pub audit: Vec<AuditEntry>,
}
