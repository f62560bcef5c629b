//! People, as verified tokens introduce them, and where they stand.

use async_trait::async_trait;
use luminous_domain::{AccountId, MemberId, PersonKey, Role, Timestamp};

use crate::audit::{Act, AuditRow};
use crate::families::Family;
use crate::members::MemberState;
use crate::notes::Note;
use crate::web_sessions::WebSession;
use crate::{Network, StoreError};

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Our id.
    pub id: AccountId,
    /// The one key of the person.
    pub person: PersonKey,
    /// Display name, as the last token said.
    pub name: String,
    /// E-mail address, as the last token said; it keys nobody.
    pub email: Option<String>,
    /// When they first came.
    pub created_at: Timestamp,
    /// Tokens issued before this are revoked.
    pub not_before: Option<Timestamp>,
    /// When the place in a family last changed: created, role, state, removed. Tokens issued
    /// before this say something else and must be refreshed.
    pub standing_changed_at: Option<Timestamp>,
}

/// A place in a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The family.
    pub family: Family,
    /// The member's id in it.
    pub member: MemberId,
    /// The role.
    pub role: Role,
    /// Whether it counts.
    pub state: MemberState,
}

/// An account and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The account.
    pub account: Account,
    /// Its place; an account is in one family at most.
    pub membership: Option<Membership>,
}

/// Somebody came with a verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The id to use if the person is new.
    pub id: AccountId,
    /// Who.
    pub person: PersonKey,
    /// Display name.
    pub name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// Where from.
    pub network: Network,
}

/// Everything kept about one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountExport {
    /// Account and place.
    pub standing: Standing,
    /// When it was put together.
    pub exported_at: Timestamp,
    /// Notes they wrote that still stand.
    pub notes: Vec<Note>,
    /// Browsers signed in.
    pub sessions: Vec<WebSession>,
    /// What the audit log says they did, the newest first, at most 1000 lines.
    pub audit: Vec<AuditRow>,
}

/// People.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Finds the person's account, or makes it (audit: `account.created`). Name and e-mail are
    /// brought up to date, and the member's name with them while it is still the account's; of many first requests at once, one makes the account.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn arrive(&self, arrival: &Arrival) -> Result<Standing, StoreError>;

    /// Where the person stands now. Asked on every request: SQLite answers from memory while
    /// nothing was written, PostgreSQL with one indexed query, so that a change holds from the next
    /// request on every replica.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn standing(&self, person: &PersonKey) -> Result<Option<Standing>, StoreError>;

    /// Notes that they were here, for "last seen". Need not be durable, and does not count as a
    /// change of anything else.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn seen(&self, account: AccountId) -> Result<(), StoreError>;

    /// Signs out everywhere: every token issued until now is revoked, every web session ended
    /// (audit: `account.signed_out_everywhere`).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn end_sign_ins(&self, account: AccountId, act: &Act) -> Result<(), StoreError>;

    /// Everything kept about the person.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn export(&self, account: AccountId) -> Result<Option<AccountExport>, StoreError>;
}
