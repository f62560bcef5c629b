//! What the pages of all windows have in common: they say what they drew, and follow a channel.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use luminous_domain::Clock;
use tauri::async_runtime::{self, JoinHandle};
use tauri::ipc::{Channel, IpcResponse};
use tokio::sync::{Notify, watch};

/// The longest that the slow parts wait for the first frame before they ask keyring and network.
const FIRST_FRAME: Duration = Duration::from_millis(1500);

/// The page in the window.
pub struct Page {
    clock: Arc<dyn Clock>,
    drawn: Arc<Notify>,
}

impl Page {
    /// Of an app that began with this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, drawn: Arc::default() }
    }

    /// Notes that the window has drawn a screen; tests and benchmarks read it from the log.
    pub fn screen_drawn(&self, screen: &str) {
        let known =
            screen.len() <= 32 && screen.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if known {
            let elapsed = self.clock.elapsed().as_millis();
            let elapsed_ms = u64::try_from(elapsed).unwrap_or(u64::MAX);
            tracing::info!(screen, elapsed_ms, "screen drawn");
            self.drawn.notify_one();
        }
    }

    /// Waits for the first frame, which has the processor for itself. It shows what is known
    /// already; a window that is never drawn, because it is hidden, is not waited for.
    pub fn first_frame(&self) -> impl Future<Output = ()> + Send + 'static {
        let drawn = Arc::clone(&self.drawn);
        async move {
            let _ = tokio::time::timeout(FIRST_FRAME, drawn.notified()).await;
        }
    }
}

/// What a window is told. A window that loads anew replaces its channel.
#[derive(Default)]
pub struct Watcher(Mutex<Option<JoinHandle<()>>>);

impl Watcher {
    /// Sends what there is now and after each change.
    pub fn follow<T>(&self, mut values: watch::Receiver<T>, channel: Channel<T>)
    where
        T: Clone + IpcResponse + Send + Sync + 'static,
    {
        self.replace(async move {
            loop {
                let value = values.borrow_and_update().clone();
                if channel.send(value).is_err() || values.changed().await.is_err() {
                    return;
                }
            }
        });
    }

    /// Goes on with this instead of what was before.
    pub fn replace(&self, telling: impl Future<Output = ()> + Send + 'static) {
        let task = async_runtime::spawn(telling);
        let before = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(task);
        if let Some(before) = before {
            before.abort();
        }
    }
}
