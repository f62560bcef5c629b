//! What the identity provider asks us while it issues a token.

use axum::Router;

use crate::state::AppState;

/// The connectors.
pub fn routes() -> Router<AppState> {
    Router::new()
}
