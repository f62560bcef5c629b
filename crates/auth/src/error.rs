//! From the typed errors of each stage to the one shape people see.

use luminous_oidc::{DiscoveryError, HttpError, VerifyError};
use luminous_wire::{AppError, ErrorCode};

use crate::tokens::TokenFailure;

/// Beyond this the computer's clock is to blame when a token's times do not fit; the verifier's own
/// leeway, in seconds.
const LEEWAY: i64 = 60;

fn with_reason(code: ErrorCode, message: &dyn std::fmt::Display, reason: &str) -> AppError {
    AppError { reason: Some(reason.to_owned()), ..AppError::new(code, message.to_string()) }
}

/// A request that got no answer.
#[must_use]
pub fn of_http(error: &HttpError) -> AppError {
    let code = match error {
        HttpError::Insecure => ErrorCode::ConfigInvalid,
        _ => ErrorCode::NetUnreachable,
    };
    AppError::new(code, error.to_string())
}

/// Metadata that cannot be had or believed.
#[must_use]
pub fn of_discovery(error: &DiscoveryError) -> AppError {
    let code = match error {
        DiscoveryError::Http(HttpError::Unreachable { .. } | HttpError::Timeout) => {
            ErrorCode::NetUnreachable
        }
        DiscoveryError::Http(HttpError::Insecure) => ErrorCode::ConfigInvalid,
        DiscoveryError::Redirect | DiscoveryError::Captive => ErrorCode::NetCaptive,
        DiscoveryError::Status { status } if *status == 429 || *status >= 500 => {
            ErrorCode::ProviderBusy
        }
        _ => ErrorCode::DiscoveryFailed,
    };
    with_reason(code, error, error.code())
}

/// A token that was refused, or could not be judged. `offset` is how far the provider's clock is
/// ahead of ours in seconds, as measured on the answer that brought the token: a token whose times
/// do not fit while the clocks differ says nothing about the sign-in (F9).
#[must_use]
pub fn of_verify(error: &VerifyError, offset: Option<i64>) -> AppError {
    match error {
        VerifyError::Discovery(error) => of_discovery(error),
        VerifyError::Keys(_) => with_reason(ErrorCode::KeysUnavailable, error, error.code()),
        VerifyError::Token(_) => match offset.filter(|_| is_about_time(error)) {
            Some(offset) if offset.abs() > LEEWAY => {
                let message = format!("this computer's clock is off by {} s", -offset);
                with_reason(ErrorCode::ClockSkew, &message, error.code())
            }
            _ => with_reason(ErrorCode::TokenRejected, error, error.code()),
        },
    }
}

/// Whether a token was refused for its times alone.
fn is_about_time(error: &VerifyError) -> bool {
    use luminous_oidc::TokenError::{ClaimInvalid, Expired, NotYetValid};
    matches!(
        error,
        VerifyError::Token(
            Expired { .. } | NotYetValid { .. } | ClaimInvalid { claim: "iat" | "auth_time" }
        )
    )
}

/// A token endpoint's answer to a code.
#[must_use]
pub fn of_exchange(failure: &TokenFailure) -> AppError {
    match failure {
        TokenFailure::Ended(words) => words.to_error(ErrorCode::RedirectExchangeRejected),
        TokenFailure::Unreadable { status } if (400..500).contains(status) => {
            AppError::new(ErrorCode::RedirectExchangeRejected, failure.to_string())
        }
        other => of_refresh(other),
    }
}

/// A token endpoint's answer to a refresh token.
#[must_use]
pub fn of_refresh(failure: &TokenFailure) -> AppError {
    match failure {
        TokenFailure::Ended(words) => words.to_error(ErrorCode::SessionReauthRequired),
        TokenFailure::Refused(words) => words.to_error(ErrorCode::ProviderConfig),
        TokenFailure::Busy { .. } | TokenFailure::Unreadable { .. } => {
            AppError::new(ErrorCode::ProviderBusy, failure.to_string())
        }
        TokenFailure::Captive => AppError::new(ErrorCode::NetCaptive, failure.to_string()),
        TokenFailure::Unreachable(error) => of_http(error),
    }
}

/// A defect of ours.
#[must_use]
pub fn internal(message: impl std::fmt::Display) -> AppError {
    AppError::new(ErrorCode::Internal, message.to_string())
}
