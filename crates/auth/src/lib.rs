//! The client half of signing in: one person, their browser, their keyring.
//!
//! [`Session`] is the one thing the app holds. It signs in through the system browser with the
//! authorization code flow and PKCE ([`sign_in`], [`pending`]), takes the answer from the deep link
//! or a loopback port ([`redirect`], [`loopback`]), exchanges and refreshes tokens ([`tokens`]), and
//! keeps the refresh token in the OS keyring ([`vault`], [`keyring`]) and everything that is no
//! secret in a small file ([`state_file`]). One address leads to all it must know ([`service`]); the
//! family's own affairs go to the family server with the session's token ([`family`]), and where an
//! act of administration asks for a second factor, through the browser first (RFC 9470). What happens
//! in the family comes back over its hub, as a hint to read anew ([`Session::news`]).
//! A wall display has no person: [`Display`] is what a kiosk holds instead.
//! It is not the judge of tokens (`luminous-oidc` is), knows no window and no Tauri, and lets no
//! token out except through [`Session::access_token`]. Start reading at [`session`], or at
//! [`sign_in`] for the protocol.

pub mod display;
pub mod error;
pub mod family;
pub mod keyring;
pub mod loopback;
mod negotiation;
mod news;
pub mod pending;
pub mod ports;
pub mod provider_error;
pub mod redirect;
pub mod service;
pub mod session;
pub mod sign_in;
pub mod state_file;
pub mod tokens;
pub mod vault;

pub use display::Display;
pub use keyring::PlatformKeyring;
pub use ports::{
    Browser, BrowserError, OpenStore, SchemeProbe, SecretBytes, SecretStore, StoreError,
};
pub use service::{Policies, Service};
pub use session::{Ports, Session, Tuning};
pub use state_file::{StateFile, StateFileError};
