//! The client's half: a connection that comes back by itself, and what happens on it.
//!
//! [`Client::start`] gives a handle to invoke with and the [`Events`] of the hub. A task of its own
//! negotiates, connects, pings, notices when the hub is silent, and after a loss asks [`ClientPort`] for
//! a fresh ticket and comes again. It ends when the last handle is dropped, when [`Client::close`] is
//! called, or when the hub closes without `allowReconnect`.

mod approach;
mod negotiate;
mod port;
mod session;
mod task;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use luminous_domain::Entropy;
use luminous_domain::pacing::Backoff;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;
use url::Url;

pub use port::{ClientPort, PostAnswer, PostFailed, TicketError};

use crate::codec::{Arguments, EncodeError, Limits, Message, ProtocolError};
use crate::settings::Timing;
use task::Task;

/// What a client needs to know.
#[derive(Clone)]
pub struct ClientSettings {
    /// The hub, by its `http` or `https` address.
    pub hub: Url,
    /// Whether to go straight to the WebSocket. A hub behind a redirect cannot be reached this way.
    pub skip_negotiation: bool,
    /// How long to wait for what.
    pub timing: Timing,
    /// How long one attempt may take, from the ticket to the handshake.
    pub attempt: Duration,
    /// How much is taken from the hub.
    pub limits: Limits,
    /// How long to wait between attempts.
    pub pauses: Pauses,
    /// How many events may wait to be taken; beyond it nothing is read from the hub.
    pub events: usize,
    /// Whom to trust, if not the operating system's authorities.
    pub tls: Option<Arc<rustls::ClientConfig>>,
    /// For the jitter.
    pub entropy: Arc<dyn Entropy>,
}

impl ClientSettings {
    /// The usual ones.
    #[must_use]
    pub fn new(hub: Url, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            hub,
            skip_negotiation: false,
            timing: Timing::default(),
            attempt: Duration::from_secs(30),
            limits: Limits::CLIENT,
            pauses: Pauses::default(),
            events: 1024,
            tls: None,
            entropy,
        }
    }
}

/// How long to wait before coming again. All waits are random between zero and what is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pauses {
    /// After an attempt that failed, and after a hub's own word to this one client (a close with an
    /// error and `allowReconnect`).
    pub backoff: Backoff,
    /// After the loss of a connection that perhaps everybody lost, so that a thousand clients do not
    /// come back in the same second; and at least half of it after each attempt until there is another.
    pub spread: Duration,
    /// A connection that lived shorter than this counts as a failed attempt.
    pub settled: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        let thirty = Duration::from_secs(30);
        let backoff = Backoff { first: Duration::from_secs(1), most: thirty };
        Self { backoff, spread: thirty, settled: Duration::from_secs(10) }
    }
}

/// What happens.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// The handshake is done; the hub may be invoked.
    Connected,
    /// The hub calls.
    Called {
        /// The method, as the hub writes it. Microsoft's clients compare it without regard to case.
        target: String,
        /// Its arguments.
        arguments: Arguments,
    },
    /// There is no connection, and the next attempt follows.
    Lost {
        /// Why.
        why: Lost,
        /// After this long, unless [`Client::wake`] is called.
        again_in: Duration,
    },
    /// There is no connection and there will be none. The last event.
    Ended(Lost),
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// There is no ticket to come with.
    #[error(transparent)]
    Ticket(#[from] TicketError),
    /// The negotiation could not be asked for.
    #[error("negotiation: {0}")]
    Post(#[from] PostFailed),
    /// The negotiation was answered with this status.
    #[error("negotiation was answered with status {0}")]
    Status(u16),
    /// The hub refused at negotiation, in these words.
    #[error("the hub refused: {0}")]
    Refused(String),
    /// The answer to the negotiation is none.
    #[error("the answer to the negotiation is malformed")]
    Negotiation,
    /// The hub takes no WebSockets with text.
    #[error("the hub takes no WebSockets")]
    NoWebSockets,
    /// One redirect too many.
    #[error("redirected too often")]
    TooManyRedirects,
    /// A redirect to something that is no `https` address, from one that is, or no address at all.
    #[error("redirected to where we do not go")]
    BadRedirect,
    /// The WebSocket could not be opened.
    #[error("the hub cannot be reached: {0}")]
    Unreachable(String),
    /// The WebSocket was answered with this status.
    #[error("the WebSocket was answered with status {0}")]
    Upgrade(u16),
    /// The hub refused the handshake, in these words.
    #[error("the handshake was refused: {0}")]
    Handshake(String),
    /// The attempt took too long.
    #[error("the attempt took too long")]
    Late,
    /// The hub broke the protocol.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The hub was silent for too long.
    #[error("the hub is silent")]
    Silent,
    /// The hub closed the connection.
    #[error("the hub closed the connection")]
    Closed {
        /// Why, if it said so.
        error: Option<String>,
        /// Whether it may be tried again.
        allow_reconnect: bool,
    },
    /// The connection broke.
    #[error("the connection broke")]
    Broken,
    /// [`Client::wake`] was called.
    #[error("to be made anew")]
    Woken,
    /// [`Client::close`] was called, or the last handle dropped.
    #[error("closed by ourselves")]
    Ours,
}

impl Lost {
    /// Whether there is no use in coming again.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Ticket(TicketError::Never(_))
                | Self::Closed { allow_reconnect: false, .. }
                | Self::Ours
        )
    }
}

/// Why an invocation gave no result.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// There is no connection now.
    #[error("not connected")]
    NotConnected,
    /// The connection was lost; whether the hub has done it is not known.
    #[error("the connection was lost")]
    Lost,
    /// No completion came in time; whether the hub has done it is not known.
    #[error("no answer in time")]
    Late,
    /// The hub answered with this error.
    #[error("the hub answered: {0}")]
    Refused(String),
    /// The arguments cannot be written.
    #[error(transparent)]
    Arguments(#[from] EncodeError),
    /// The result is something else.
    #[error("the result cannot be read")]
    Result(#[source] serde_json::Error),
}

pub(crate) enum Command {
    Invoke {
        id: String,
        record: String,
        reply: oneshot::Sender<Result<Box<RawValue>, InvokeError>>,
    },
    Close,
}

/// A handle to a connection that comes back by itself. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    commands: mpsc::Sender<Command>,
    wake: Arc<Notify>,
    ids: Arc<AtomicU64>,
}

/// What happens, in its order.
pub struct Events(mpsc::Receiver<Event>);

impl Events {
    /// The next event; nothing after [`Event::Ended`]. Cancel-safe.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }
}

impl Client {
    /// Connects, and stays connected. Needs a tokio runtime.
    #[must_use]
    pub fn start<P: ClientPort>(settings: ClientSettings, port: P) -> (Self, Events) {
        let (commands, orders) = mpsc::channel(16);
        let (happened, events) = mpsc::channel(settings.events.max(1));
        let wake = Arc::new(Notify::new());
        let task = Task::new(settings, port, orders, happened, Arc::clone(&wake));
        tokio::spawn(task.run());
        (Self { commands, wake, ids: Arc::default() }, Events(events))
    }

    /// Invokes `method` and waits for its completion, at most `limit`. `arguments` is a tuple, an array
    /// or a vector; a method without a result gives `()` or `Option<T>`. The events must be taken
    /// meanwhile, or at least not pile up to [`ClientSettings::events`]: the completion comes behind
    /// them.
    ///
    /// # Errors
    /// [`InvokeError`].
    pub async fn invoke<T: DeserializeOwned>(
        &self,
        method: &str,
        arguments: &impl Serialize,
        limit: Duration,
    ) -> Result<T, InvokeError> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed).to_string();
        let record = Message::call_with(Some(&id), method, arguments)?;
        let (reply, result) = oneshot::channel();
        let asked = async {
            let command = Command::Invoke { id, record, reply };
            self.commands.send(command).await.map_err(|_| InvokeError::NotConnected)?;
            result.await.unwrap_or(Err(InvokeError::Lost))
        };
        let raw = timeout(limit, asked).await.unwrap_or(Err(InvokeError::Late))?;
        serde_json::from_str(raw.get()).map_err(InvokeError::Result)
    }

    /// Forgets the connection there is and connects anew, at once: after a long sleep, or when the
    /// network is another one.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Says good-bye and ends, for all handles.
    pub async fn close(&self) {
        // Otherwise it has ended already.
        let _ = self.commands.send(Command::Close).await;
        self.commands.closed().await;
    }
}
