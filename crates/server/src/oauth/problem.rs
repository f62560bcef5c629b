//! Refusals in the words of RFC 6749 section 5.2, RFC 8628 section 3.5 and RFC 9449 section 5.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use luminous_domain::{MatchNumber, NoEntropy};
use luminous_oidc::DpopError;
use luminous_store::{Failure, Refusal, StoreError};
use luminous_wire::api::OAuthProblem;

use crate::visit::Visit;

/// Why a request of a display, or of another service, is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// The form is not what it must be; the text names the parameter, never its value.
    #[error("{0}")]
    Request(String),
    /// Another client than the display.
    #[error("another client")]
    Client,
    /// Not the credentials of a service that may introspect.
    #[error("not the credentials of a service")]
    Service,
    /// Another scope than the one there is.
    #[error("another scope")]
    Scope,
    /// A grant that is not offered.
    #[error("another grant")]
    GrantType,
    /// A type of token that cannot be revoked by itself.
    #[error("another type of token")]
    TokenType,
    /// The proof is missing or not what it must be.
    #[error(transparent)]
    Proof(#[from] DpopError),
    /// Nobody has confirmed yet.
    #[error("nobody has confirmed yet")]
    Pending {
        /// The number to show, once somebody typed the code.
        number: Option<MatchNumber>,
    },
    /// It polls too fast.
    #[error("it polls too fast")]
    SlowDown {
        /// The interval from now on, where one is kept.
        interval: Option<Duration>,
    },
    /// It was declined.
    #[error("it was declined")]
    Denied,
    /// The code's time is over.
    #[error("the code's time is over")]
    Expired,
    /// What was presented gives nothing.
    #[error("what was presented gives nothing: {}", .0.reason())]
    Grant(Grant),
    /// Too many codes were asked for from one address.
    #[error("too many codes from one address")]
    TooManyCodes,
    /// There are as many codes on walls as there may be.
    #[error("there are as many codes on walls as there may be")]
    Capacity,
    /// So many proofs that nobody can tell a new one from an old one.
    #[error("too many proofs")]
    Overloaded,
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A defect of ours. The text is for the log only.
    #[error("internal: {0}")]
    Internal(String),
}

/// Why a grant gives nothing; a display acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// Nobody knows it, or not of this key.
    Unknown,
    /// It was used up before, or another of the display's was that came back: the display is revoked
    /// for it.
    Reuse,
    /// The display was revoked.
    Revoked,
    /// The display's time is over.
    Expired,
}

impl Grant {
    fn reason(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Reuse => "reuse",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

impl From<NoEntropy> for OAuthError {
    fn from(error: NoEntropy) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<Failure> for OAuthError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => Self::Store(error),
            Failure::Refused(Refusal::TokenUnknown) => Self::Grant(Grant::Unknown),
            Failure::Refused(Refusal::TokenReused) => Self::Grant(Grant::Reuse),
            Failure::Refused(Refusal::DeviceRevoked) => Self::Grant(Grant::Revoked),
            Failure::Refused(Refusal::DeviceExpired) => Self::Grant(Grant::Expired),
            Failure::Refused(Refusal::TooMany) => Self::Capacity,
            Failure::Refused(other) => Self::Internal(format!("an unexpected refusal: {other}")),
        }
    }
}

impl OAuthError {
    /// The status and the word.
    fn row(&self) -> (StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::Request(_) => (S::BAD_REQUEST, "invalid_request"),
            Self::Client | Self::Service => (S::UNAUTHORIZED, "invalid_client"),
            Self::Scope => (S::BAD_REQUEST, "invalid_scope"),
            Self::GrantType => (S::BAD_REQUEST, "unsupported_grant_type"),
            Self::TokenType => (S::BAD_REQUEST, "unsupported_token_type"),
            Self::Proof(_) => (S::BAD_REQUEST, "invalid_dpop_proof"),
            Self::Pending { .. } => (S::BAD_REQUEST, "authorization_pending"),
            Self::SlowDown { .. } => (S::BAD_REQUEST, "slow_down"),
            Self::Denied => (S::BAD_REQUEST, "access_denied"),
            Self::Expired => (S::BAD_REQUEST, "expired_token"),
            Self::Grant(_) => (S::BAD_REQUEST, "invalid_grant"),
            Self::TooManyCodes => (S::TOO_MANY_REQUESTS, "temporarily_unavailable"),
            Self::Capacity | Self::Overloaded | Self::Store(_) => {
                (S::SERVICE_UNAVAILABLE, "temporarily_unavailable")
            }
            Self::Internal(_) => (S::INTERNAL_SERVER_ERROR, "server_error"),
        }
    }

    /// The finer reason, where a client may act on one.
    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Proof(error) => Some(error.code()),
            Self::Grant(grant) => Some(grant.reason()),
            Self::TooManyCodes => Some("device.rate_limited"),
            Self::Capacity => Some("device.capacity"),
            Self::Store(error) => Some(error.code()),
            _ => None,
        }
    }

    fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::TooManyCodes => Some(3600),
            Self::Capacity => Some(60),
            Self::Overloaded | Self::Store(StoreError::Busy) => Some(1),
            Self::Store(_) => Some(30),
            _ => None,
        }
    }

    /// The body of the answer.
    #[must_use]
    pub fn problem(&self, request_id: Option<&str>) -> OAuthProblem {
        let description = match self {
            // What a cause says is for the log.
            Self::Internal(_) | Self::Store(_) | Self::Pending { .. } => None,
            other => Some(other.to_string()),
        };
        OAuthProblem {
            error: self.row().1.to_owned(),
            error_description: description,
            reason: self.reason().map(str::to_owned),
            match_number: match self {
                Self::Pending { number: Some(number) } => Some(number.to_string()),
                _ => None,
            },
            interval: match self {
                Self::SlowDown { interval } => interval.map(super::seconds),
                _ => None,
            },
            request_id: request_id.map(str::to_owned),
        }
    }

    /// Writes down what is ours to mend, and for whoever looks closer also what is not.
    pub(super) fn log(&self, request_id: Option<&str>) {
        let ((status, word), reason) = (self.row(), self.reason());
        let is_full = matches!(self, Self::Capacity | Self::Overloaded);
        // Whoever fills us would fill the log as well; that is counted where it happens.
        if status.is_server_error() && !is_full {
            tracing::error!(request_id, word, reason, error = %self, "not answered");
        } else {
            tracing::debug!(request_id, word, reason, error = %self, "refused");
        }
    }

    /// The whole answer to a request.
    #[must_use]
    pub fn answer(&self, visit: &Visit) -> Response {
        self.log(Some(visit.id()));
        let body = Json(self.problem(Some(visit.id())));
        let mut response = (self.row().0, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_s() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if matches!(self, Self::Service) {
            let challenge = HeaderValue::from_static("Bearer realm=\"luminous services\"");
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The answer to a request of a display: what was asked for, or the refusal.
pub(crate) fn answer<T: IntoResponse>(visit: &Visit, result: Result<T, OAuthError>) -> Response {
    match result {
        Ok(body) => body.into_response(),
        Err(error) => error.answer(visit),
    }
}
