//! The SignalR JSON hub protocol over WebSockets: both ends of it, and nothing of what is said.
//!
//! It is three things that can be had alone: the [`codec`] (records, messages, handshake: pure values,
//! no I/O), the feature `hub` (the server's half, an axum router over one [`hub::Handler`]) and the
//! feature `client` (the other half, which reconnects by itself). Where Microsoft's specification is
//! silent, both behave as Microsoft's reference implementation does, so that its clients connect to our
//! hub unchanged and our client to its server.
//!
//! It is not: long polling or server-sent events (no fall-back transports), MessagePack, streaming,
//! stateful reconnect, groups. Who may connect, what a group is and what is pushed belongs to whoever
//! embeds it. Delivery is at most once: what is lost with a connection is asked for again by the layer
//! above.
//!
//! Start reading at [`codec::Message`], then `hub::Hub` and `client::Client`. `examples/echo.rs` is a
//! small hub for trying foreign clients on.

pub mod codec;
#[cfg(any(feature = "hub", feature = "client"))]
mod negotiation;
#[cfg(any(feature = "hub", feature = "client"))]
pub mod settings;

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "hub")]
pub mod hub;

pub use codec::{Arguments, Limits, Message, ProtocolError};
#[cfg(any(feature = "hub", feature = "client"))]
pub use settings::Timing;
