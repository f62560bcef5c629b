//! What is said at negotiation (TransportProtocols.md, "POST [endpoint-base]/negotiate").

use serde::{Deserialize, Serialize};

/// The answer, in all its shapes: a connection, a redirect (`url`, `access_token`) or an `error`.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Negotiation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) access_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) negotiate_version: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connection_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connection_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) available_transports: Option<Vec<Transport>>,
}

/// A way to carry the protocol.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transport {
    pub(crate) transport: String,
    pub(crate) transfer_formats: Vec<String>,
}

/// The only transport there is.
pub(crate) const WEB_SOCKETS: &str = "WebSockets";
/// Its only format: JSON is text.
pub(crate) const TEXT: &str = "Text";
