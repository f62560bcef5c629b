//! What crosses the HTTP boundary between the family server and its clients.
//!
//! Requests refuse fields they do not know; answers may grow. Times are Unix milliseconds. All text
//! that people wrote is text, never markup.

mod audit;
mod device;
mod family;
pub mod hub;
mod invite;
mod link;
mod me;
mod member;
mod note;
mod oauth;
mod problem;
mod session;
mod wall;
mod well_known;

pub use audit::{AuditActor, AuditEntry, AuditPage};
pub use device::{ChangeDevice, DeviceList, DeviceState, DeviceView, EndedDisplay};
pub use family::{CreateFamily, DeleteFamily, FamilyView, RenameFamily};
pub use hub::{CodeClaimed, FamilyEvent, HubTicket, RedeemArguments};
pub use invite::{
    AcceptInvite, CreateInvite, CreatedInvite, InviteList, InvitePreview, InviteView, PreviewInvite,
};
pub use link::{ConfirmLink, DeclineLink, FormerPlaceView, LinkChallenge, LookUpLink};
pub use me::{AccountSummary, Export, Me, MembershipView};
pub use member::{AddChild, ChangeMember, MemberList, MemberState, MemberView};
pub use note::{NoteList, NoteView, PostNote};
pub use oauth::{
    DEVICE_CODE_GRANT, DISPLAY_CLIENT_ID, DISPLAY_SCOPE, DeviceAuthorization,
    DeviceAuthorizationRequest, OAuthProblem, TokenAnswer,
};
pub use problem::Problem;
pub use session::{SessionList, WebSessionView};
pub use wall::{WallMember, WallNote, WallPlace, WallView};
pub use well_known::{Discovery, IdentityProviderHint, ProviderDiscovery};
