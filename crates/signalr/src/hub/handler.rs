//! What the embedder of a hub says and does.

use std::future::Future;
use std::time::Duration;

use axum::response::IntoResponse;
use http::request::Parts;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{Connection, ConnectionId};
use crate::codec::Arguments;

/// What a hub is about: who may connect, what may be invoked.
///
/// For one connection, `connected`, every `invoke` in turn, and `closed` follow each other; none of them
/// overlaps with another. While one of them runs, what was sent to the connection goes out, and nothing
/// more is read from it.
pub trait Handler: Send + Sync + 'static {
    /// Who is connected.
    type Caller: Clone + Send + Sync + 'static;
    /// The answer to who may not connect.
    type Refusal: IntoResponse + Send;

    /// The methods that may be invoked, as [`Handler::invoke`] shall see them. Callers may write them in
    /// any case, as with Microsoft's server.
    const METHODS: &'static [&'static str];

    /// Who asks: called once for each connection, at its negotiation, or at its socket if negotiation is
    /// skipped. `ticket` is what was presented ([`super::presented_ticket`]).
    fn admit(
        &self,
        parts: &Parts,
        ticket: Option<&str>,
    ) -> impl Future<Output = Result<Self::Caller, Self::Refusal>> + Send;

    /// The caller as bytes, for the connection token. They are authenticated, but not hidden from the
    /// caller itself: no secret belongs in them. They end in an address, so they should be few.
    fn seal(&self, caller: &Self::Caller) -> Vec<u8>;

    /// The caller again, on whatever replica the socket arrives.
    fn open(&self, sealed: &[u8]) -> Option<Self::Caller>;

    /// Whether nobody else has taken this connection id: true exactly once over all replicas, within the
    /// 30 seconds of a connection token and twice [`HubSettings::apart`](super::HubSettings::apart). This replica itself is asked already; one alone needs no more.
    fn claim(&self, _id: ConnectionId) -> impl Future<Output = Result<bool, Self::Refusal>> + Send {
        async { Ok(true) }
    }

    /// How long the connection may live from now on; then it is closed, and may be made anew.
    fn life(&self, _caller: &Self::Caller) -> Option<Duration> {
        None
    }

    /// The handshake is done. An error closes the connection, for good.
    fn connected(
        &self,
        connection: &Connection<Self::Caller>,
    ) -> impl Future<Output = Result<(), HubError>> + Send;

    /// One of [`Handler::METHODS`] is invoked.
    fn invoke(
        &self,
        connection: &Connection<Self::Caller>,
        method: &'static str,
        arguments: Arguments,
    ) -> impl Future<Output = Result<Reply, HubError>> + Send;

    /// It is over: once for each [`Handler::connected`], however that ended.
    fn closed(&self, connection: &Connection<Self::Caller>) -> impl Future<Output = ()> + Send;
}

/// The result of an invocation.
#[derive(Debug)]
pub struct Reply(pub(super) Option<Box<RawValue>>);

impl Reply {
    /// Nothing to say. It goes out as `null`, as from Microsoft's server.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// This.
    ///
    /// # Errors
    /// [`HubError::Internal`] when it cannot be written as JSON.
    pub fn of(value: &impl Serialize) -> Result<Self, HubError> {
        serde_json::value::to_raw_value(value).map(|raw| Self(Some(raw))).map_err(|error| {
            tracing::error!(%error, "a hub's reply is no JSON");
            HubError::Internal
        })
    }
}

/// Why an invocation came to nothing. The texts around it are Microsoft's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HubError {
    /// The client is told this.
    #[error("{0}")]
    Told(String),
    /// The arguments are not what the method takes.
    #[error("the arguments are not what the method takes")]
    Arguments,
    /// Something is wrong here, which is none of the client's business.
    #[error("something is wrong here")]
    Internal,
}

impl HubError {
    /// The client is told this.
    #[must_use]
    pub fn told(text: impl Into<String>) -> Self {
        Self::Told(text.into())
    }

    pub(super) fn of_invoking(&self, target: &str) -> String {
        match self {
            Self::Told(text) => format!(
                "An unexpected error occurred invoking '{target}' on the server. HubException: {text}"
            ),
            Self::Arguments => {
                format!("Failed to invoke '{target}' due to an error on the server.")
            }
            Self::Internal => {
                format!("An unexpected error occurred invoking '{target}' on the server.")
            }
        }
    }

    pub(super) fn of_closing(&self) -> String {
        match self {
            Self::Told(text) => format!("Connection closed with an error. HubException: {text}"),
            Self::Arguments | Self::Internal => "Connection closed with an error.".to_owned(),
        }
    }
}

impl From<serde_json::Error> for HubError {
    /// What [`Arguments::read`] could not read.
    fn from(_: serde_json::Error) -> Self {
        Self::Arguments
    }
}
