//! The words and rules of Luminous that need no I/O.
//!
//! Everything here is a value or a pure function: who a person is ([`person`]), what must never be
//! shown ([`secret`]), who may do what in a family ([`role`]), what codes that people type look like
//! ([`code`]), how a wall display is linked ([`link`]) and where it stands ([`display`]), how long to wait before trying again ([`pacing`]), and the two ports that
//! every other crate takes instead of reading the world by itself: [`clock`] and [`entropy`].
//! It is not the place for protocols (`luminous-oidc`, `luminous-auth`) nor for what crosses a
//! boundary (`luminous-wire`). Start reading at [`person`].

pub mod clock;
pub mod code;
pub mod display;
pub mod entropy;
pub mod id;
pub mod link;
pub mod pacing;
pub mod person;
pub mod role;
pub mod secret;

pub use clock::{Clock, SystemClock, Timestamp};
pub use code::{CodeError, InviteCode, UserCode};
pub use entropy::{Entropy, NoEntropy, OsEntropy};
pub use id::{
    AccountId, AuditId, ChallengeId, DeviceId, FamilyId, InviteId, LinkId, MemberId, NoteId,
    TokenId, WebSessionId,
};
pub use link::{GuessBudget, MatchNumber};
pub use person::{ObjectId, PersonKey, TenantId};
pub use role::{Permission, Role};
pub use secret::{AccessToken, AuthorizationCode, DeviceCode, IdToken, RefreshToken};
