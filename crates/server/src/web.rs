//! Pages for a phone's browser: signing in at the provider, one's own place, joining a family.
//!
//! The guide's `/login` and `/callback` as RFC 9700 wants them. The server is a confidential client
//! at the provider: state, nonce and PKCE verifier never leave it but as hashes and challenges, and
//! what the browser holds is one cookie that opens a session kept here. There is no script on any
//! page, so nothing of this can be stolen by one.
//!
//! - [`login`] sends the browser to the provider, [`callback`] takes it back, [`logout`] ends it.
//! - [`visitor`] is who looks at a page; [`visitor::Submitted`] is a form that comes from one of our
//!   own pages. A handler that takes it cannot be reached by another site's form.
//! - [`page`] renders, with the headers every page has; [`words`] is what pages say.
//!
//! A further page needs a template, a handler that takes a `Visitor` and a
//! line in [`routes`].

mod assets;
mod begin;
mod callback;
mod client;
mod cookies;
mod csrf;
mod dress;
mod exchange;
mod home;
mod join;
mod link;
mod login;
mod logout;
pub mod page;
mod query;
mod refusal;
mod return_to;
pub mod visitor;
pub mod words;

use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};

pub use client::Web;
pub use dress::dress;
pub use return_to::ReturnTo;
pub use words::Language;

use crate::state::AppState;

/// How long a person may be away at the provider. B2C's own codes live about as long.
const SIGN_IN_LIFETIME: Duration = Duration::from_secs(600);
/// A session ends after this long without use.
const SESSION_IDLE: Duration = Duration::from_secs(14 * 86_400);
/// A session ends after this long in any case.
const SESSION_LIFETIME: Duration = Duration::from_secs(90 * 86_400);

/// The pages.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/", get(home::show))
        .route("/login", get(login::login))
        .route("/callback", get(callback::callback))
        .route("/logout", post(logout::here))
        .route("/logout/everywhere", post(logout::everywhere))
        .route("/signed-out", get(logout::signed_out))
        .route("/join", get(join::ask).post(join::preview))
        .route("/join/accept", post(join::accept))
        .route("/link", get(link::ask).post(link::look_up))
        .route("/link/confirm", post(link::confirm))
        .route("/link/decline", post(link::decline))
        .route("/link/done", get(link::done))
        .route("/link/undo", post(link::undo))
        .merge(assets::router())
}
