//! What a client needs from outside: a ticket, and one kind of HTTP request.

use std::future::Future;
use std::time::Duration;

use url::Url;

/// The world of a [`super::Client`]. The WebSocket itself is not here: it needs no identity but the
/// ticket, and no proxy settings are taken from anywhere.
pub trait ClientPort: Send + Sync + 'static {
    /// A fresh ticket, asked for once per attempt; nothing, if the hub takes anybody.
    fn ticket(&self) -> impl Future<Output = Result<Option<String>, TicketError>> + Send;

    /// `POST` to `address` without a body, with `Authorization: Bearer` if there is a `bearer`. Redirects
    /// of HTTP must not be followed. Neither address nor bearer may be logged.
    fn post(
        &self,
        address: &Url,
        bearer: Option<&str>,
    ) -> impl Future<Output = Result<PostAnswer, PostFailed>> + Send;
}

/// The answer to a negotiation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostAnswer {
    /// Its status.
    pub status: u16,
    /// Its body; more than 64 KiB of it are of no use.
    pub body: Vec<u8>,
    /// What `Retry-After` says.
    pub retry_after: Option<Duration>,
}

/// No answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PostFailed(pub String);

/// There is no ticket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// But there may be one later.
    #[error("no ticket now: {0}")]
    Later(String),
    /// And there will be none: the client ends.
    #[error("no ticket: {0}")]
    Never(String),
}
