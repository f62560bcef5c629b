//! A connection, as the embedder holds it.

use std::fmt;
use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use luminous_domain::{Entropy, NoEntropy};
use serde::Serialize;

use super::queue::{End, Queue};
use crate::codec::{EncodeError, Message};

/// The name of a connection: 128 random bits. It is no secret and opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId([u8; 16]);

impl ConnectionId {
    pub(super) fn random(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    pub(super) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A record that is encoded once and sent to many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame(pub(super) Utf8Bytes);

impl Frame {
    /// Calls `target` at the client. `arguments` is a tuple, an array or a vector; `()` is none.
    ///
    /// # Errors
    /// [`EncodeError`].
    pub fn call(target: &str, arguments: &impl Serialize) -> Result<Self, EncodeError> {
        Message::call(target, arguments).map(Self::from_record)
    }

    pub(super) fn from_record(record: String) -> Self {
        Self(Utf8Bytes::from(record))
    }
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The connection is over, or is being closed; also because this very message was one too many
    /// for somebody who does not read.
    #[error("the connection is over")]
    Over,
    /// [`EncodeError`].
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// One connection, cheap to clone. Holding it does not keep the connection open.
pub struct Connection<C>(Arc<Shared<C>>);

struct Shared<C> {
    id: ConnectionId,
    caller: C,
    queue: Queue,
}

impl<C> Clone for Connection<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> fmt::Debug for Connection<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("id", &self.0.id).finish_non_exhaustive()
    }
}

impl<C> Connection<C> {
    pub(super) fn new(id: ConnectionId, caller: C) -> Self {
        Self(Arc::new(Shared { id, caller, queue: Queue::default() }))
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.0.queue
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> ConnectionId {
        self.0.id
    }

    /// Who it is.
    #[must_use]
    pub fn caller(&self) -> &C {
        &self.0.caller
    }

    /// Calls `target` at the client, without waiting. `arguments` is a tuple, an array or a vector.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn send(&self, target: &str, arguments: &impl Serialize) -> Result<(), SendError> {
        self.send_frame(&Frame::call(target, arguments)?)
    }

    /// Sends what is encoded already, without waiting. More than 256 frames, or 256 KiB, that wait for
    /// the client to read them close the connection with [`super::SLOW_CONSUMER`].
    ///
    /// # Errors
    /// [`SendError::Over`].
    pub fn send_frame(&self, frame: &Frame) -> Result<(), SendError> {
        if self.0.queue.push(frame.0.clone()) { Ok(()) } else { Err(SendError::Over) }
    }

    /// Waits until nothing waits to be sent any more, or the connection is over. Whoever has more to send than may wait at once sends it in pieces, with this in between. It takes as long
    /// as the client does, so nobody should wait here for more than one client.
    pub async fn caught_up(&self) {
        self.0.queue.empty().await;
    }

    /// Closes it, after what was sent before. `error` is told to the client; with `allow_reconnect` it
    /// may come again. The first word counts.
    pub fn close(&self, error: Option<&str>, allow_reconnect: bool) {
        self.0.queue.end(End { error: error.map(str::to_owned), allow_reconnect });
    }

    /// Whether something may still be sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.queue.is_open()
    }
}
