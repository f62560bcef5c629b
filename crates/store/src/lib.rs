//! What the family server keeps: one trait for each concern, SQLite and PostgreSQL behind it.
//!
//! [`SqliteStore`] is the default: one file, owned by one process. [`PostgresStore`] serves many
//! replicas. Both pass the same contract suite (`contract`, behind the feature of that name), and
//! nothing outside this crate knows which one it has, for it is handed around as
//! `Arc<dyn Store>`.
//!
//! Rules that hold everywhere:
//! - Time is the database's. A method that makes something takes how long it lasts and answers when
//!   it ends, so that replicas with different clocks agree (SQLite asks the injected clock, for
//!   there the process is the database).
//! - Every race is decided by one conditional statement inside one transaction.
//! - Whatever changes something writes its audit line in the same transaction ([`Act`]).
//! - Every statement about a family is scoped to that family.
//! - Secrets come in hashed. Nothing in here can be presented to anybody.
//!
//! Start reading at [`Store`], then at one concern, such as [`invites`].

pub mod accounts;
pub mod attempts;
pub mod audit;
pub mod devices;
mod error;
pub mod events;
pub mod families;
pub mod health;
pub mod invites;
pub mod links;
pub mod members;
pub mod notes;
pub mod once;
pub mod postgres;
pub mod sqlite;
pub mod web_sessions;

#[cfg(feature = "contract")]
pub mod contract;

pub use accounts::{Account, AccountExport, Accounts, Arrival, Membership, Standing};
pub use attempts::Attempts;
pub use audit::{Act, Actor, Audit, AuditFilter, AuditRow, Network};
pub use devices::{
    Device, DeviceChange, DeviceGrant, DeviceStanding, DeviceState, Devices, KeyThumbprint,
    NewToken, Refresh, RefreshRecord,
};
pub use error::{Failure, Refusal, StoreError};
pub use events::{Event, EventKind, EventPage, EventReason, Events, Hint, WallContent};
pub use families::{Families, Family, NewFamily};
pub use health::Health;
pub use invites::{Invite, Invites, NewInvite, Offer};
pub use links::{
    Asked, Claim, Confirmation, FormerPlace, Link, LinkKey, LinkState, Links, NewClaim, NewLink,
    Redeemed, Redemption, SelfDescription,
};
pub use members::{Member, MemberChange, MemberState, Members, NewChild};
pub use notes::{NewNote, Note, Notes};
pub use once::Once;
pub use postgres::PostgresStore;
pub use sqlite::SqliteStore;
pub use web_sessions::{
    NewPendingSignIn, NewWebSession, PendingSignIn, SessionOwner, WebSession, WebSessions,
};

/// A SHA-256 or HMAC-SHA-256 of a secret that is presented from outside. The secret itself is
/// never kept.
pub type SecretHash = [u8; 32];

/// Everything the server keeps.
pub trait Store:
    Accounts
    + Attempts
    + Audit
    + Devices
    + Events
    + Families
    + Health
    + Invites
    + Links
    + Members
    + Notes
    + Once
    + WebSessions
    + std::fmt::Debug
{
}
