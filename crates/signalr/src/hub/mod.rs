//! The server's half: `POST {path}/negotiate` and the WebSocket at `{path}`, over one [`Handler`].
//!
//! Nothing of a negotiated connection is kept: its token carries everything and is sealed with a key
//! that all replicas share, so that any of them takes the socket. One task serves one connection, with
//! one timer and a queue that takes memory only while something waits in it.

mod connection;
mod door;
mod handler;
mod line;
mod live;
mod queue;
mod socket;
mod token;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use luminous_domain::{Clock, Entropy};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use connection::{Connection, ConnectionId, Frame, SendError};
pub use door::presented_ticket;
pub use handler::{Handler, HubError, Reply};

use crate::codec::Limits;
use crate::settings::Timing;
use live::Live;
use token::TokenKey;

/// Told to the client whose connection is closed because it does not read what it is sent.
pub const SLOW_CONSUMER: &str = "push.slow_consumer";
/// Told to the client whose connection has come to the end of its [`Handler::life`].
pub const EXPIRED: &str = "push.expired";

/// What a hub needs to know.
#[derive(Clone)]
pub struct HubSettings {
    /// Seals connection tokens; the same in all replicas. At least 32 bytes.
    pub token_key: Vec<u8>,
    /// The origins whose pages may connect (`https://family.example`). Who sends no `Origin`, as nothing
    /// but a browser does, is not asked.
    pub origins: Vec<String>,
    /// How long to wait for what.
    pub timing: Timing,
    /// How much is taken from a client.
    pub limits: Limits,
    /// How far the clocks of replicas may lie apart: so much longer a connection token of another one is
    /// taken.
    pub apart: Duration,
    /// Ends all connections (`allowReconnect`), and takes no new ones.
    pub shutdown: CancellationToken,
    /// Tells when a connection token is too old.
    pub clock: Arc<dyn Clock>,
    /// Makes connection ids.
    pub entropy: Arc<dyn Entropy>,
}

/// A hub, cheap to clone.
pub struct Hub<H: Handler>(Arc<Inner<H>>);

impl<H: Handler> Clone for Hub<H> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Inner<H: Handler> {
    handler: H,
    settings: HubSettings,
    key: TokenKey,
    live: Live,
    tasks: TaskTracker,
}

impl<H: Handler> Hub<H> {
    /// A hub over `handler`.
    #[must_use]
    pub fn new(handler: H, settings: HubSettings) -> Self {
        let key = TokenKey::new(&settings.token_key);
        Self(Arc::new(Inner {
            handler,
            settings,
            key,
            live: Live::default(),
            tasks: TaskTracker::new(),
        }))
    }

    /// The two routes of the hub at `path` (`/hubs/family`). Its requests carry tickets and connection
    /// tokens in their query, so the query must never be logged.
    pub fn router<S: Clone + Send + Sync + 'static>(&self, path: &str) -> Router<S> {
        let (negotiating, connecting) = (self.clone(), self.clone());
        let negotiate = move |request| {
            let hub = negotiating.clone();
            async move { door::negotiate(hub, request).await }
        };
        let connect = move |request| {
            let hub = connecting.clone();
            async move { door::connect(hub, request).await }
        };
        Router::new().route(&format!("{path}/negotiate"), any(negotiate)).route(path, any(connect))
    }

    /// Who was given to [`Hub::new`].
    #[must_use]
    pub fn handler(&self) -> &H {
        &self.0.handler
    }

    /// How many connections are open here.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.tasks.len()
    }

    /// Waits, after the shutdown token was cancelled, until every connection has said its last word.
    pub async fn drained(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}
