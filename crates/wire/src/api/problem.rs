//! The one shape of an error over HTTP (RFC 9457).

use serde::{Deserialize, Serialize};

/// `application/problem+json`. Clients act on `code` and show words of their own for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `https://luminous.family/problems/` and the code; a name, nothing is served there.
    #[serde(rename = "type")]
    pub kind: String,
    /// What the code means, in English; the same for every occurrence.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code, `group.what`.
    pub code: String,
    /// What was wrong this time, where that can be said; never a token, a cause or a stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The id of the request, also in the `x-request-id` header and in the server's log.
    pub request_id: String,
}
