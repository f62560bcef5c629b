//! The commands a window may call: unpack, ask the session, hand back its answer.
//!
//! Each is named, listed in `commands.in`, and granted window by window in `capabilities/`. None
//! returns a token: the secret types have no `Serialize`.

#![expect(
    clippy::needless_pass_by_value,
    reason = "Tauri hands the shared state to a command by value"
)]

pub mod account;
pub mod devices;
pub mod family;
pub mod invites;
pub mod kiosk;
pub mod link;
pub mod members;
pub mod notes;
pub mod session;
pub mod settings;
pub mod sign_in;
