//! A scheme registration that is what the test says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use luminous_auth::SchemeProbe;

/// Says whether the deep link is ours. Clones share the answer.
#[derive(Debug, Clone)]
pub struct FakeScheme(Arc<AtomicBool>);

impl FakeScheme {
    /// Registered, or not.
    #[must_use]
    pub fn new(ours: bool) -> Self {
        Self(Arc::new(AtomicBool::new(ours)))
    }

    /// Changes the answer for the next question.
    pub fn set(&self, ours: bool) {
        self.0.store(ours, Ordering::SeqCst);
    }
}

impl SchemeProbe for FakeScheme {
    fn is_ours(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
