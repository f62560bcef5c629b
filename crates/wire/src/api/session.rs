//! Sign-ins at the server itself (a phone's browser).

use luminous_domain::WebSessionId;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WebSessionView {
    /// Its id; not the cookie.
    pub id: WebSessionId,
    /// What the browser says of itself, cut to 200 characters.
    pub user_agent: String,
    /// When it signed in, Unix time in ms.
    #[ts(type = "number")]
    pub created_at_ms: i64,
    /// When it was last here, Unix time in ms.
    #[ts(type = "number")]
    pub last_seen_at_ms: i64,
}

/// Where who asks is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionList {
    /// Browsers, the latest first.
    pub sessions: Vec<WebSessionView>,
}
