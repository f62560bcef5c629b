//! Who comes in: from an `Authorization` header to a person, their place and what they may do, or to a
//! wall display.
//!
//! Handlers take [`Person`], [`Insider`], [`Display`] or [`Viewer`] as an argument and cannot run
//! without one. A route whose
//! path has `{family_id}` lets in only who is in that family: the check is here, not in handlers. A
//! route without it is about the caller's own.

mod display;
mod insider;
mod person;
mod proof;
mod step_up;
mod viewer;

use std::marker::PhantomData;
use std::sync::Arc;

use luminous_domain::{Permission, Timestamp, TokenId};
use luminous_store::{Act, Actor, Device, Membership, Network, Standing};

pub use crate::trust::Verified;
pub(crate) use display::SEEN_EVERY;
pub use display::note_connected;
pub(crate) use proof::{is_ended, is_ended_at, proved_at};
pub use step_up::MAX_AGE as STEP_UP_MAX_AGE;

/// A verified person, in a family or not.
#[derive(Debug, Clone)]
pub struct Person {
    /// Account and place, as the store has them now.
    pub standing: Standing,
    /// The token that says so.
    pub verified: Arc<Verified>,
    /// Where the request came from.
    pub network: Network,
}

/// A permission as a type, so that a handler's signature says what it needs.
pub trait Needs: Send + Sync + 'static {
    /// Which.
    const PERMISSION: Permission;
}

/// Whose place is in the family the path names, switched off or not: for leaving it.
#[derive(Debug, Clone)]
pub struct Resident {
    /// Who.
    pub person: Person,
    /// Their place.
    pub membership: Membership,
}

/// A member of the family the path names (their own where it names none), whose role allows `P`, who
/// proved a second factor lately where `P` needs that.
#[derive(Debug, Clone)]
pub struct Insider<P: Needs> {
    /// Who.
    pub person: Person,
    /// Their place.
    pub membership: Membership,
    needs: PhantomData<P>,
}

/// A wall display: its token was verified, and it proved that it holds the token's key.
#[derive(Debug, Clone)]
pub struct Display {
    /// It, as the store has it now.
    pub device: Device,
    /// Its token.
    pub token: TokenId,
    /// When the token ends.
    pub expires_at: Timestamp,
    /// Where the request came from.
    pub network: Network,
}

/// Whoever may look at something of the family the path names (their own where it names none): a
/// member whose role allows `P`, or one of its displays, where displays may.
#[derive(Debug, Clone)]
pub enum Viewer<P: Needs> {
    /// A member.
    Person(Box<Insider<P>>),
    /// A display.
    Display(Box<Display>),
}

impl Person {
    /// What the audit log is to say about who does it.
    #[must_use]
    pub fn act(&self) -> Act {
        let account = &self.standing.account;
        let actor = Actor::Account { id: account.id, name: account.name.clone() };
        Act { actor, network: self.network }
    }
}

macro_rules! needs {
    ($($name:ident,)*) => {
        /// One type for each permission.
        pub mod needs {
            use super::{Needs, Permission};

            $(
                #[doc = concat!("[`Permission::", stringify!($name), "`].")]
                #[derive(Debug, Clone, Copy)]
                pub struct $name;

                impl Needs for $name {
                    const PERMISSION: Permission = Permission::$name;
                }
            )*
        }
    };
}
needs! {
    FamilyRead, FamilyRename, FamilyDelete, MembersRead, MembersManage, ChildrenManage,
    InvitesManage, NotesRead, NotesPost, NotesModerate, DevicesRead, DevicesLink, DevicesManage,
    AuditRead,
}
