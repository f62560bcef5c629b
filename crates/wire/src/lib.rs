//! What crosses a boundary: the arguments, results and errors of the desktop commands, and the
//! bodies of the family server's HTTP interface ([`api`]).
//!
//! Nothing in here can hold a token: the secret types of `luminous-domain` do not serialise.
//! TypeScript is generated from these types into
//! `ui/src/lib/wire/`; `tests/bindings.rs` fails when the committed files are stale. Start reading
//! at [`session::SessionSnapshot`], the one value the desktop window draws from.

pub mod api;
pub mod bindings;
pub mod error;
pub mod kiosk;
pub mod news;
pub mod session;
pub mod settings;

pub use error::{AppError, ErrorCode};
pub use kiosk::{KioskSnapshot, KioskStage, QrView};
pub use news::{FamilyNews, FamilyPart};
pub use session::{
    AccountView, BrowserPurpose, BrowserState, Connection, FamilyStanding, ProviderView,
    RedirectChannel, SessionSnapshot, SignInIntent, SignOutScope, SignedOutCause, Stage,
    StorageView,
};
pub use settings::{ConnectRequest, Language, Settings, Theme};
