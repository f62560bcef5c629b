//! What crosses the HTTP boundary between the family server and its clients.
//!
//! Requests refuse fields they do not know; answers may grow. Times are Unix milliseconds. All text
//! that people wrote is text, never markup.

mod audit;
mod device;
mod family;
mod invite;
mod me;
mod member;
mod note;
mod problem;
mod session;
mod well_known;

pub use audit::{AuditActor, AuditEntry, AuditPage};
pub use device::{DeviceList, DeviceView};
pub use family::{CreateFamily, DeleteFamily, FamilyView, RenameFamily};
pub use invite::{
    AcceptInvite, CreateInvite, CreatedInvite, InviteList, InvitePreview, InviteView, PreviewInvite,
};
pub use me::{AccountSummary, Export, Me, MembershipView};
pub use member::{AddChild, ChangeMember, MemberList, MemberState, MemberView};
pub use note::{NoteList, NoteView, PostNote};
pub use problem::Problem;
pub use session::{SessionList, WebSessionView};
pub use well_known::{Discovery, IdentityProviderHint, ProviderDiscovery};
