//! The audit log.

use luminous_domain::AuditId;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditActor {
    /// `account`, `display`, `connector` or `system`.
    pub kind: String,
    /// Its id, where it has one.
    pub id: Option<String>,
    /// What it was called then.
    pub name: String,
}

/// A line of the audit log. No line ever holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Its id; they sort by age.
    pub id: AuditId,
    /// When, Unix time in ms.
    #[ts(type = "number")]
    pub at_ms: i64,
    /// Who.
    pub actor: AuditActor,
    /// What: `family.created`, `member.role_changed`, ...
    pub action: String,
    /// To whom or what: the id of a member, an invitation, a note, a display.
    pub subject: Option<String>,
    /// What the subject was called then.
    pub subject_name: Option<String>,
    /// `ok`, or the code of the refusal.
    pub outcome: String,
    /// `loopback`, `private` or `public`: what kind of network the request came from.
    pub network: String,
    /// One more word where the action needs it, such as the new role.
    pub detail: Option<String>,
}

/// A page of the audit log, the newest line first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditPage {
    /// The lines.
    pub entries: Vec<AuditEntry>,
    /// What to pass as `before` for the next page; absent on the last one.
    pub next: Option<AuditId>,
}
