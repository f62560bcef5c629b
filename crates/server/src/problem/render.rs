//! An error as bytes: the problem document and the headers that go with it.

use axum::body::Body;
use axum::response::Response;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use luminous_oidc::{TokenError, VerifyError};
use luminous_store::StoreError;
use luminous_wire::api::Problem;

use super::ApiError;
use crate::door::STEP_UP_MAX_AGE;

/// The one media type of errors.
const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

impl ApiError {
    /// Writes the error into `response`, and its cause into the log.
    pub(crate) fn render(&self, request_id: &str, response: &mut Response) {
        self.log(request_id);
        let (status, code, title) = self.row();
        let problem = Problem {
            kind: format!("https://luminous.family/problems/{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: self.detail(),
            request_id: request_id.to_owned(),
        };
        // A struct of texts and a number is always JSON.
        *response.body_mut() = Body::from(serde_json::to_vec(&problem).unwrap_or_default());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        // The router has written down the length of the empty body that was there.
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after_s() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status != StatusCode::METHOD_NOT_ALLOWED {
            headers.remove(ALLOW);
        }
    }

    fn log(&self, request_id: &str) {
        let (code, reason) = (self.code(), self.reason());
        if self.status().is_server_error() {
            tracing::error!(request_id, code, reason, error = %self, "not answered");
        } else {
            tracing::debug!(request_id, code, reason, error = %self, "refused");
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::Input(text) => Some(text.clone()),
            Self::RoleMissing(permission) => Some(format!("It takes {permission}.")),
            Self::DeviceEnded { reason } => Some((*reason).to_owned()),
            // D6: the QR holds 128 bits that nobody guesses, so it is never locked.
            Self::DeviceRateLimited { .. } => {
                Some("Wait, or photograph the QR on the display.".to_owned())
            }
            _ => None,
        }
    }

    /// RFC 6750 section 3, RFC 9470 section 3, RFC 9449 section 7.1.
    fn challenge(&self) -> Option<HeaderValue> {
        let refused = |error: &str, description: &str| {
            format!(
                "Bearer realm=\"luminous\", error=\"{error}\", error_description=\"{description}\""
            )
        };
        let of_display =
            |error: &str| format!("DPoP realm=\"luminous\", error=\"{error}\", algs=\"ES256\"");
        let text = match self {
            Self::Token(VerifyError::Token(TokenError::Missing)) => {
                "Bearer realm=\"luminous\"".to_owned()
            }
            Self::Token(VerifyError::Token(_)) | Self::TokenRevoked | Self::TokenStale => {
                refused("invalid_token", self.row().2)
            }
            Self::NotAPerson
            | Self::RoleMissing(_)
            | Self::FamilyMismatch
            | Self::ClaimsUnusable => refused("insufficient_scope", self.row().2),
            Self::StepUpRequired { acr_values } => format!(
                "{}, acr_values=\"{acr_values}\", max_age=\"{}\"",
                refused("insufficient_user_authentication", self.row().2),
                STEP_UP_MAX_AGE.as_secs()
            ),
            Self::DisplayToken(_) | Self::DeviceEnded { .. } => of_display("invalid_token"),
            Self::Proof(_) => of_display("invalid_dpop_proof"),
            Self::Ticket => refused("invalid_token", self.row().2),
            // RFC 7617 section 2.
            Self::NotTheConnector => "Basic realm=\"luminous connectors\"".to_owned(),
            _ => return None,
        };
        HeaderValue::try_from(text).ok()
    }

    fn retry_after_s(&self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after_s } | Self::DeviceRateLimited { retry_after_s } => {
                Some(*retry_after_s)
            }
            Self::InviteRateLimited => Some(600),
            Self::Token(VerifyError::Keys(_) | VerifyError::Discovery(_)) => Some(5),
            Self::Store(StoreError::Busy) | Self::Timeout | Self::Overloaded => Some(1),
            Self::Store(StoreError::Full | StoreError::Corrupt(_) | StoreError::Unavailable(_)) => {
                Some(30)
            }
            _ => None,
        }
    }
}
