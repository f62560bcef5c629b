//! How long to wait, on either side.

use std::time::Duration;

/// The times of a connection, Microsoft's defaults. All are measured on tokio's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// After this long without having sent anything, a ping is sent.
    pub keep_alive: Duration,
    /// After this long without having heard anything, the other side is gone.
    pub peer_timeout: Duration,
    /// How long the handshake may take.
    pub handshake: Duration,
    /// How long the last words of a connection may take before it is cut.
    pub closing: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            keep_alive: Duration::from_secs(15),
            peer_timeout: Duration::from_secs(30),
            handshake: Duration::from_secs(15),
            closing: Duration::from_secs(5),
        }
    }
}
