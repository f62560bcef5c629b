//! Sign-in for browsers.

use axum::Router;

use crate::state::AppState;

/// The pages.
pub fn routes() -> Router<AppState> {
    Router::new()
}
