//! Tokio time that moves only when told to. Merely paused, it would run ahead while bytes are under way.

use std::sync::mpsc;
use std::time::Duration;

/// While this lives, timers ring only by [`Held::pass`].
pub struct Held {
    _ends_the_wait: mpsc::Sender<()>,
}

impl Held {
    pub fn time() -> Self {
        tokio::time::pause();
        let (sender, receiver) = mpsc::channel::<()>();
        // Tokio leaves paused time alone while a blocking task runs.
        tokio::task::spawn_blocking(move || receiver.recv());
        Self { _ends_the_wait: sender }
    }

    pub async fn pass(&self, seconds: f64) {
        tokio::time::advance(Duration::from_secs_f64(seconds)).await;
        // Whoever was woken shall have run.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
}
