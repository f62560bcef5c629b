//! The wall display's half of linking: one display, its key, its family's wall.
//!
//! [`Display`] is the one thing the kiosk holds. It makes a key pair at its first start, shows a code
//! until somebody of a family approves it (RFC 8628), keeps its tokens bound to that key (RFC 9449)
//! and fresh, and shows the family's wall, live while it can and from a file while it cannot. Only
//! the family server's own word that the link is over ends it; whatever else fails, the wall stays up
//! with what it showed last (F12). The states are [`luminous_domain::display`]'s; one task performs
//! what they ask for, so that nothing here needs a lock. No token leaves this module.

mod answer;
mod driver;
mod files;
mod hub;
mod keep;
mod link;
mod qr;
mod secrets;
mod server;
mod shown;
mod start;
mod time;
mod tokens;
mod wall;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use luminous_domain::{Clock, Entropy};
use luminous_oidc::{HttpClient, Transport};
use luminous_wire::{AppError, Connection, KioskSnapshot, KioskStage};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use url::Url;

use crate::family::discovery;
use crate::ports::OpenStore;
use crate::vault::Vault;
use driver::Driver;
use files::Folder;

/// What a display needs from its surroundings.
#[derive(Clone)]
pub struct Ports {
    /// Reaches the family server.
    pub http: Arc<dyn HttpClient>,
    /// The keyring.
    pub store: Arc<dyn OpenStore>,
    /// Time. Waiting is done on tokio's timer.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// What a display says of itself when it asks to be linked. Shown to people as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// What it calls itself: its host's name, say. 1 to 60 characters.
    pub name: String,
    /// What it is: `Raspberry Pi 5`, or its platform. 1 to 60 characters.
    pub model: String,
    /// The version of the app. 1 to 30 characters.
    pub app_version: String,
}

/// Where the family server is.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its address, as it was configured: `https://luminous.example`.
    pub address: String,
    /// Which schemes the address may have.
    pub transport: Transport,
}

/// How long an exchange that is under way may hold up the end of the program.
const PARTING: Duration = Duration::from_secs(3);

/// After a fault in this program the display begins anew, from its keyring.
const AGAIN: Duration = Duration::from_secs(5);

/// A wall display, shared by all who hold a clone of it.
#[derive(Clone)]
pub struct Display {
    inner: Arc<Inner>,
}

struct Inner {
    ports: Ports,
    folder: Folder,
    vault: Vault,
    server: Option<Url>,
    description: Description,
    snapshots: watch::Sender<KioskSnapshot>,
    /// Somebody touched the screen.
    touched: Notify,
    /// The keyring is to be tried now.
    storage_wanted: Notify,
    stopping: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Display {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Display").field("server", &self.inner.server).finish_non_exhaustive()
    }
}

impl Display {
    /// A display from what `folder` holds, its own and nobody else's. Fast and synchronous, asks
    /// neither the keyring nor the network, and needs no tokio runtime: the first snapshot already
    /// shows the wall of a linked display.
    #[must_use]
    pub fn open(
        ports: Ports,
        folder: &Path,
        server: Option<&Server>,
        description: Description,
    ) -> Self {
        let folder = Folder::new(folder);
        let (server, problem) = match server.map(address_of) {
            Some(Ok(address)) => (Some(address), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let first = first_snapshot(&folder, server.as_ref(), problem);
        let inner = Inner {
            vault: Vault::new(Arc::clone(&ports.store)),
            ports,
            folder,
            server,
            description,
            snapshots: watch::Sender::new(first),
            touched: Notify::new(),
            storage_wanted: Notify::new(),
            stopping: watch::Sender::new(false),
            task: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The snapshots: the current one at once, then each change.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<KioskSnapshot> {
        self.inner.snapshots.subscribe()
    }

    /// Begins: reads the keyring and goes on from there, until [`Self::shutdown`]. Must be called in a
    /// tokio runtime. Again is nothing.
    pub fn start(&self) {
        let Some(address) = self.inner.server.clone() else { return };
        let mut task = lock(&self.inner.task);
        if task.is_none() {
            let inner = Arc::clone(&self.inner);
            *task = Some(tokio::spawn(keep::going(AGAIN, move || {
                let (inner, address) = (Arc::clone(&inner), address.clone());
                async move {
                    let Some(_held) = start::hold_folder(&inner).await else { return };
                    if let Some((loaded, first)) = start::load(&inner, &address).await {
                        Driver::new(inner, loaded).run(first).await;
                    }
                }
            })));
        }
    }

    /// Somebody touched a display that waits for a touch (D22). Nothing in any other state.
    pub fn show_code(&self) {
        self.inner.touched.notify_one();
    }

    /// Tries the keyring again now, without waiting for the next try.
    pub fn retry_storage(&self) {
        self.inner.storage_wanted.notify_one();
    }

    /// Stops. An exchange of tokens that is under way may finish, for a few seconds.
    pub async fn shutdown(&self) {
        self.inner.stopping.send_replace(true);
        let task = lock(&self.inner.task).take();
        let Some(mut task) = task else { return };
        if tokio::time::timeout(PARTING, &mut task).await.is_err() {
            task.abort();
        }
    }
}

fn address_of(server: &Server) -> Result<Url, AppError> {
    discovery::address(&server.address, server.transport)
}

fn first_snapshot(
    folder: &Folder,
    server: Option<&Url>,
    problem: Option<AppError>,
) -> KioskSnapshot {
    let saved = folder.read_saved();
    let stage = match server {
        None => KioskStage::Unconfigured,
        Some(server) if saved.is_linked_to(server) => match folder.read_wall() {
            Some(kept) => KioskStage::Wall { wall: kept.wall, as_of_ms: kept.as_of_ms },
            None => KioskStage::Starting,
        },
        Some(_) => KioskStage::Starting,
    };
    let connection = Connection::Checking;
    KioskSnapshot { revision: 0, stage, connection, clock_offset_ms: 0, problem }
}

/// A lock whose holder panicked guards a value that is replaced as a whole: it is fit for use.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
