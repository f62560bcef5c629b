//! The authorization server for displays: RFC 8628, RFC 6749, RFC 9449, RFC 7009, RFC 7662, RFC 8414.
//! Requests are forms; answers are JSON in the words of those documents.

use luminous_domain::DeviceId;
use serde::{Deserialize, Serialize};

/// The one public client there is: the wall display.
pub const DISPLAY_CLIENT_ID: &str = "luminous-display";
/// The one scope there is.
pub const DISPLAY_SCOPE: &str = "display";
/// The grant type of RFC 8628 section 3.4.
pub const DEVICE_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// `POST /oauth2/device_authorization`, with a `DPoP` proof or `dpop_jkt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceAuthorizationRequest {
    /// [`DISPLAY_CLIENT_ID`].
    pub client_id: String,
    /// [`DISPLAY_SCOPE`]; that when absent.
    #[serde(default)]
    pub scope: Option<String>,
    /// What the display calls itself, 1 to 60 characters; `Display` when absent.
    #[serde(default)]
    pub device_name: Option<String>,
    /// What it is, 1 to 60 characters.
    #[serde(default)]
    pub device_model: Option<String>,
    /// The version of its app, 1 to 30 characters.
    #[serde(default)]
    pub app_version: Option<String>,
    /// The thumbprint of the display's key (RFC 7638) in base64url, where no proof comes along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_jkt: Option<String>,
}

/// RFC 8628 section 3.2.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceAuthorization {
    /// 256 bits; the display's secret.
    pub device_code: String,
    /// As it is shown: `K7M 3QX`.
    pub user_code: String,
    /// Where to type it.
    pub verification_uri: String,
    /// The same with 128 bits in the place of the code, for a QR. It approves nothing by itself.
    pub verification_uri_complete: String,
    /// How long the codes live, in seconds.
    pub expires_in: u32,
    /// The least number of seconds between two polls.
    #[serde(default = "default_interval")]
    pub interval: u32,
}

const fn default_interval() -> u32 {
    5
}

/// A successful answer of the token endpoint (RFC 6749 section 5.1).
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenAnswer {
    /// A JWT (RFC 9068), bound to the display's key.
    pub access_token: String,
    /// `DPoP`.
    pub token_type: String,
    /// How long the access token lives, in seconds.
    pub expires_in: u32,
    /// Opaque; good until it is followed by another that was used.
    pub refresh_token: String,
    /// How long the refresh token lives unused, in seconds.
    pub refresh_token_expires_in: u32,
    /// [`DISPLAY_SCOPE`].
    pub scope: String,
    /// Which display it is.
    pub device_id: DeviceId,
}

/// An error of the token endpoint and its neighbours (RFC 6749 section 5.2, RFC 8628 section 3.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OAuthProblem {
    /// `authorization_pending`, `slow_down`, `access_denied`, `expired_token`, `invalid_grant`,
    /// `invalid_request`, `invalid_client`, `invalid_scope`, `unsupported_grant_type`,
    /// `invalid_dpop_proof`, `temporarily_unavailable`.
    pub error: String,
    /// For whoever reads logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// Ours: the finer reason of an `invalid_grant`: `unknown`, `reuse`, `revoked`, `expired`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Ours: with `authorization_pending`, the number to show once somebody typed the code, so that a
    /// display without the hub learns it too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_number: Option<String>,
    /// With `slow_down`, the interval from now on, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<u32>,
    /// The id of the request, also in the server's log. Its presence, over TLS, says that it was our
    /// server and no proxy that spoke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

macro_rules! quiet {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}
quiet!(DeviceAuthorization, TokenAnswer);
