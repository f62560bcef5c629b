//! Records, messages and the handshake as values: bytes in, bytes out, no I/O and no panic.

mod arguments;
mod depth;
mod handshake;
mod message;
mod record;

pub use arguments::Arguments;
pub use handshake::{HandshakeError, HandshakeRequest, HandshakeResponse};
pub use message::{EncodeError, Message, Outcome};
pub use record::Records;

/// The byte that ends every record.
pub const SEPARATOR: u8 = 0x1E;

/// How much is taken from the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest record and the longest WebSocket message, in bytes.
    pub record: usize,
    /// The deepest nesting of arrays and objects in a record.
    pub depth: usize,
}

impl Limits {
    /// What a hub takes from a client: 64 KiB, 64 levels deep as in Microsoft's JSON reader.
    pub const HUB: Self = Self { record: 64 * 1024, depth: 64 };
    /// What a client takes from a hub, which it has chosen itself: 256 KiB.
    pub const CLIENT: Self = Self { record: 256 * 1024, depth: 64 };
}

/// The other side broke the protocol; the connection cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// A record is longer than [`Limits::record`], or never ends.
    #[error("a record is longer than {0} bytes")]
    TooLong(usize),
    /// Arrays and objects are nested deeper than [`Limits::depth`].
    #[error("a record is nested deeper than {0} levels")]
    TooDeep(usize),
    /// A record is not a JSON object, or a field has the wrong type or is missing.
    #[error("a record is malformed: {0}")]
    Malformed(String),
    /// A completion carries both a result and an error.
    #[error("a completion carries both a result and an error")]
    ResultAndError,
    /// Acknowledgements and sequences (types 8 and 9) belong to stateful reconnect, which is never
    /// negotiated here.
    #[error("message type {0} was not negotiated")]
    NotNegotiated(i64),
    /// The connection ended within a record.
    #[error("the connection ended within a record")]
    Truncated,
    /// A binary WebSocket message; only text was offered.
    #[error("a binary message came where only text was offered")]
    Binary,
}
