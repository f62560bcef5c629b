//! The family API: who may do what, for the app, the displays and other services.
//!
//! A library first: [`Server::start`] runs it inside any process (the demo does), the binary
//! `luminous-server` is a thin outside. What it keeps is `luminous-store`'s, who somebody is
//! `luminous-oidc`'s, who may do what `luminous-domain`'s; what crosses the wire is in
//! `luminous-wire::api`.
//!
//! Start reading at [`routes`], the one page that lists every route, then at [`door`], which decides
//! who comes in.

pub mod door;
pub mod problem;
pub mod routes;
pub mod state;

pub use problem::ApiError;
pub use state::{AppState, Parts};
