//! The first record of each side.

use serde::{Deserialize, Serialize};

use super::{Limits, ProtocolError, depth};

/// What a client says first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandshakeRequest {
    /// The encoding of what follows.
    pub protocol: String,
    /// Its version.
    pub version: i32,
}

/// Why a hub refuses a handshake, in the words of Microsoft's server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// Another encoding than JSON was asked for.
    #[error("The protocol '{0}' is not supported.")]
    Protocol(String),
    /// Another version than 1 was asked for.
    #[error("The server does not support version {0} of the 'json' protocol.")]
    Version(i32),
    /// The first record is not a handshake. What exactly is wrong with it is not told.
    #[error("An unexpected error occurred during connection handshake.")]
    Malformed(#[source] ProtocolError),
    /// It did not come in time.
    #[error("Handshake was canceled.")]
    Late,
}

impl HandshakeRequest {
    /// What we say: JSON, version 1.
    #[must_use]
    pub fn json() -> Self {
        Self { protocol: "json".to_owned(), version: 1 }
    }

    /// Reads the first record of a client, and refuses what we do not speak.
    ///
    /// # Errors
    /// [`HandshakeError`], to be told by [`HandshakeResponse::refused`].
    pub fn accept(record: &[u8], limits: Limits) -> Result<Self, HandshakeError> {
        let request: Self = parse(record, limits).map_err(HandshakeError::Malformed)?;
        // Microsoft's server compares the protocol's name without regard to case.
        if !request.protocol.eq_ignore_ascii_case("json") {
            return Err(HandshakeError::Protocol(request.protocol));
        }
        if request.version != 1 {
            return Err(HandshakeError::Version(request.version));
        }
        Ok(request)
    }

    /// The record, with its separator.
    #[must_use]
    pub fn encode(&self) -> String {
        let protocol = serde_json::Value::from(self.protocol.as_str());
        format!("{{\"protocol\":{protocol},\"version\":{}}}\x1e", self.version)
    }
}

/// What a hub answers.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct HandshakeResponse {
    /// Why not, if not.
    #[serde(default)]
    pub error: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<serde::de::IgnoredAny>,
}

impl HandshakeResponse {
    /// A refusal.
    #[must_use]
    pub fn refused(why: &HandshakeError) -> Self {
        Self { error: Some(why.to_string()), kind: None }
    }

    /// Reads the first record of a hub.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] also for a message that is no handshake at all.
    pub fn decode(record: &[u8], limits: Limits) -> Result<Self, ProtocolError> {
        let response: Self = parse(record, limits)?;
        match response.kind {
            Some(_) => Err(ProtocolError::Malformed("expected a handshake response".to_owned())),
            None => Ok(response),
        }
    }

    /// The record, with its separator.
    #[must_use]
    pub fn encode(&self) -> String {
        match &self.error {
            Some(error) => {
                format!("{{\"error\":{}}}\x1e", serde_json::Value::from(error.as_str()))
            }
            None => "{}\x1e".to_owned(),
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(record: &'a [u8], limits: Limits) -> Result<T, ProtocolError> {
    depth::check(record, limits.depth)?;
    depth::expect_object(record)?;
    serde_json::from_slice(record).map_err(|error| ProtocolError::Malformed(error.to_string()))
}
