//! The family API: who may do what, for the app, the displays and other services.
//!
//! A library first: [`Server::start`] runs it inside any process (the demo does), the binary
//! `luminous-server` is a thin outside. What it keeps is `luminous-store`'s, who somebody is
//! `luminous-oidc`'s, who may do what `luminous-domain`'s; what crosses the wire is in
//! `luminous-wire::api`.
//!
//! Start reading at [`routes`], the one page that lists every route, then at [`door`], which decides
//! who comes in.

mod answer;
pub mod body;
pub mod cache;
pub mod config;
pub mod connectors;
pub mod discovery;
pub mod door;
pub mod front;
pub mod health;
pub mod hubs;
mod idempotency;
mod input;
mod introduction;
mod invite_codes;
pub mod limits;
pub mod link_codes;
mod links;
pub mod log;
pub mod meters;
pub mod networks;
pub mod oauth;
pub mod openapi;
mod path;
pub mod presence;
pub mod problem;
pub mod routes;
pub mod server;
pub mod state;
pub mod trust;
pub mod upkeep;
mod views;
pub mod visit;
pub mod web;

pub use config::Config;
pub use problem::ApiError;
pub use server::{Server, StartError};
pub use state::{AppState, Parts};
