//! `/.well-known/luminous`.

use axum::Router;

use crate::state::AppState;

/// The one route.
pub fn routes() -> Router<AppState> {
    Router::new()
}
