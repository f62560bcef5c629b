//! What crosses a boundary: the arguments, results, events and errors of the desktop commands.
//!
//! Nothing in here can hold a token: the secret types of `luminous-domain` do not serialise, and
//! this crate does not even depend on them. TypeScript is generated from these types into
//! `ui/src/lib/wire/`; `tests/bindings.rs` fails when the committed files are stale. Start reading
//! at [`session::SessionSnapshot`], the one value the desktop window draws from.

pub mod bindings;
pub mod error;
pub mod session;
pub mod settings;

pub use error::{AppError, ErrorCode};
pub use session::{
    AccountView, BrowserState, Connection, ProviderView, RedirectChannel, SessionSnapshot,
    SignInIntent, SignOutScope, SignedOutCause, Stage, StorageView,
};
pub use settings::{ConnectRequest, Language, Settings, Theme};
