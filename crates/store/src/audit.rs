//! The audit log. It only grows: neither this crate nor the schema offers a way to change or remove
//! a line (triggers refuse it).

use async_trait::async_trait;
use luminous_domain::{AccountId, AuditId, DeviceId, FamilyId, Timestamp};

use crate::error::StoreError;

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A person.
    Account {
        /// Who.
        id: AccountId,
        /// What they are called now.
        name: String,
    },
    /// A wall display.
    Display {
        /// Which.
        id: DeviceId,
        /// What it is called now.
        name: String,
    },
    /// The identity provider's claims connector.
    Connector,
    /// The server by itself.
    System,
}

/// What kind of network a request came from; an address itself is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// This machine.
    Loopback,
    /// A private network (RFC 1918, RFC 4193).
    Private,
    /// The internet.
    Public,
}

/// Who does what, from where: what every change takes along for its audit line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Who.
    pub actor: Actor,
    /// From where.
    pub network: Network,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its id; they sort by age.
    pub id: AuditId,
    /// When.
    pub at: Timestamp,
    /// In which family, if in one.
    pub family: Option<FamilyId>,
    /// Who, from where.
    pub act: Act,
    /// What: `family.created`.
    pub action: String,
    /// The id of the member, invitation, note or display it was about.
    pub subject: Option<String>,
    /// What that was called then.
    pub subject_name: Option<String>,
    /// `ok`, or the code of the refusal.
    pub outcome: String,
    /// One more word where the action needs it.
    pub detail: Option<String>,
}

/// Which lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only actions that are this or begin with this and a dot: `member`, `member.removed`.
    pub action: Option<String>,
    /// Only what this account did.
    pub account: Option<AccountId>,
    /// Only refusals, or only what was done.
    pub refused: Option<bool>,
    /// Only from then on.
    pub from: Option<Timestamp>,
    /// Only before then.
    pub until: Option<Timestamp>,
    /// Only lines older than this one.
    pub before: Option<AuditId>,
}

/// The audit log.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Writes down a refusal: `action` was tried and ended with the code `outcome`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn record_refusal(
        &self,
        family: Option<FamilyId>,
        act: &Act,
        action: &str,
        subject: Option<&str>,
        outcome: &str,
    ) -> Result<(), StoreError>;

    /// The family's lines, the newest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn audit(
        &self,
        family: FamilyId,
        filter: &AuditFilter,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError>;
}
