//! Tokio time that moves only when told to, also while real threads and sockets are at work.

use std::sync::mpsc;
use std::time::Duration;

use crate::threads::others_wait;

/// Holds tokio's paused clock still.
///
/// A paused runtime jumps to the next timer as soon as no task is ready. That is wrong while a
/// thread of our own (the vault's) or a socket is busy: the timeout would always win. A blocking
/// task that runs keeps tokio from jumping, so one runs for as long as this lives.
#[derive(Debug)]
pub struct HeldTime {
    _release: mpsc::Sender<()>,
}

impl HeldTime {
    /// Pauses tokio's clock unless it is paused already, and holds it. Must be called in a
    /// current-thread runtime.
    #[must_use]
    pub fn hold() -> Self {
        let (release, held) = mpsc::channel::<()>();
        tokio::task::spawn_blocking(move || held.recv());
        Self { _release: release }
    }

    /// Lets `by` pass: every timer due by then fires.
    pub async fn advance(&self, by: Duration) {
        // Whoever is about to wait starts to wait first, and whoever was woken gets to run before
        // the caller looks.
        self.settle().await;
        tokio::time::advance(by).await;
        self.settle().await;
    }

    /// Lets tasks and threads go on until all of them wait for something. What is on a socket is
    /// under way still.
    pub async fn settle(&self) {
        for look in 0.. {
            for _ in 0..16 {
                tokio::task::yield_now().await;
            }
            // Where tests share a process (`cargo test`), the other tests' threads never rest.
            if others_wait() || (look > 20 && std::env::var_os("NEXTEST").is_none()) {
                return;
            }
            std::thread::yield_now();
        }
    }
}
