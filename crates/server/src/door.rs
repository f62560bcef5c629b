//! Who comes in: from an `Authorization` header to a person, their place and what they may do.
//!
//! Handlers take [`Person`] or [`Insider`] as an argument and cannot run without one. A route whose
//! path has `{family_id}` lets in only who is in that family: the check is here, not in handlers. A
//! route without it is about the caller's own.

mod insider;
mod person;
mod proof;
mod step_up;

use std::marker::PhantomData;
use std::sync::Arc;

use luminous_domain::Permission;
use luminous_store::{Act, Membership, Network, Standing};

pub use crate::trust::Verified;
pub(crate) use proof::is_ended;
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

impl Person {
    /// What the audit log is to say about who does it.
    #[must_use]
    pub fn act(&self) -> Act {
        let account = &self.standing.account;
        let actor = luminous_store::Actor::Account { id: account.id, name: account.name.clone() };
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
