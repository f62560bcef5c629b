//! What all handlers share.

use std::sync::Arc;

use luminous_domain::{Clock, Entropy};
use luminous_store::Store;

/// What the server is made of; tests hand in their own clock and store.
#[derive(Clone)]
pub struct Parts {
    /// What is kept.
    pub store: Arc<dyn Store>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// What all handlers share. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The parts.
    pub parts: Arc<Parts>,
}

impl AppState {
    /// What is kept.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.parts.store
    }
}
