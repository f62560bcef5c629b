//! Every error of the API, and the one match from it to a status, a code and words (RFC 9457).
//!
//! A cause is logged once, here, with the id of the request; it is never sent.

mod render;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use luminous_domain::{NoEntropy, Permission};
use luminous_oidc::{TokenError, VerifyError};
use luminous_store::{Failure, Refusal, StoreError};

/// Why a request is not answered as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No bearer token, or not one that is accepted. The code in the body is `token.missing`,
    /// `token.malformed` or `token.invalid`; the finer one goes to the log (V23).
    #[error("the token is not accepted: {0}")]
    Token(VerifyError),
    /// The token was revoked (signed out everywhere).
    #[error("the token was revoked")]
    TokenRevoked,
    /// The token is older than the last change of the person's place: refresh it.
    #[error("the token says something older than what holds now")]
    TokenStale,
    /// A daemon's token on a person's route.
    #[error("the token is not a person's")]
    NotAPerson,
    /// `family_id` or `role` in the token are of the wrong type or unknown.
    #[error("the family claims of the token cannot be used")]
    ClaimsUnusable,
    /// The role in the database, or the one in the token, does not allow it.
    #[error("the role does not allow {0}")]
    RoleMissing(Permission),
    /// Not in this family.
    #[error("not in this family")]
    FamilyMismatch,
    /// A fresh sign-in with a second factor is needed (RFC 9470).
    #[error("a fresh sign-in with a second factor is needed")]
    StepUpRequired {
        /// What to ask the provider for: the step-up policy, or `mfa`.
        acr_values: String,
    },
    /// Not the credentials of the claims connector.
    #[error("not the credentials of the claims connector")]
    NotTheConnector,
    /// In a family already.
    #[error("in a family already")]
    AlreadyMember,
    /// The family would have no owner.
    #[error("the family would be left without an owner")]
    LastOwner,
    /// The typed name is not the family's.
    #[error("the typed name is not the family's")]
    NameMismatch,
    /// What was typed cannot be a code.
    #[error("what was typed cannot be a code")]
    InviteCodeFormat,
    /// No open invitation has this code.
    #[error("no open invitation has this code")]
    InviteInvalid,
    /// Too many wrong codes.
    #[error("too many wrong codes")]
    InviteRateLimited,
    /// What was typed cannot be a display's code.
    #[error("what was typed cannot be a display's code")]
    DeviceCodeFormat,
    /// No open code of a display is this one.
    #[error("no open code of a display is this one")]
    DeviceCodeInvalid,
    /// The number is not what the display shows.
    #[error("the number is not what the display shows")]
    DeviceConfirmMismatch,
    /// Too many wrong codes of displays.
    #[error("too many wrong codes of displays; again in {retry_after_s} s")]
    DeviceRateLimited {
        /// When to come back.
        retry_after_s: u64,
    },
    /// The display is in another network, and only near ones may be linked.
    #[error("the display is in another network")]
    DeviceProximityRequired,
    /// There are as many codes on walls as there may be.
    #[error("there are as many codes on walls as there may be")]
    DeviceCapacity,
    /// The display was revoked, or its time is over.
    #[error("the display has ended: {reason}")]
    DeviceEnded {
        /// `revoked`, `reuse` (of a refresh token, F6) or `expired`.
        reason: &'static str,
    },
    /// A display's token that is not accepted: refresh it.
    #[error("the display's token is not accepted: {0}")]
    DisplayToken(TokenError),
    /// The proof of the display's key is missing or not what it must be (RFC 9449).
    #[error("the proof of possession is not accepted: {0}")]
    Proof(&'static str),
    /// No ticket to a hub, or not one that is accepted.
    #[error("the ticket to the hub is not accepted")]
    Ticket,
    /// There is no such thing.
    #[error("there is no such thing")]
    NotFound,
    /// There are as many as there may be.
    #[error("there are as many as there may be")]
    TooMany,
    /// The request made something before, which is gone.
    #[error("the request made something before, which is gone")]
    Repeated,
    /// A value is not what it must be; the text says which and how, and nothing of the value.
    #[error("{0}")]
    Input(String),
    /// Too many requests.
    #[error("too many requests; again in {retry_after_s} s")]
    RateLimited {
        /// When to come back.
        retry_after_s: u64,
    },
    /// The route does not know the method.
    #[error("the route does not know the method")]
    MethodNotAllowed,
    /// The body is too large.
    #[error("the body is too large")]
    TooLarge,
    /// The body is not labelled as JSON.
    #[error("the body is not labelled as JSON")]
    MediaType,
    /// It took too long.
    #[error("it took too long")]
    Timeout,
    /// There is too much to do just now.
    #[error("there is too much to do just now")]
    Overloaded,
    /// The store could not.
    #[error(transparent)]
    Store(StoreError),
    /// A defect of ours. The text is for the log only.
    #[error("internal: {0}")]
    Internal(String),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<NoEntropy> for ApiError {
    fn from(error: NoEntropy) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<VerifyError> for ApiError {
    fn from(error: VerifyError) -> Self {
        Self::Token(error)
    }
}

/// The error itself, among the extensions of a response whose body is still to be written: only the
/// front knows the id of the request that belongs into it.
#[derive(Debug, Clone)]
pub(crate) struct Refused(pub(crate) ApiError);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        *response.status_mut() = self.status();
        response.extensions_mut().insert(Refused(self));
        response
    }
}

impl ApiError {
    /// The status, the stable code and what the code means.
    fn row(&self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::Token(error) => token_row(error),
            Self::DisplayToken(TokenError::Malformed(_)) => {
                (S::UNAUTHORIZED, "token.malformed", "This is not a display's token.")
            }
            Self::DisplayToken(_) => {
                (S::UNAUTHORIZED, "token.invalid", "The token is not accepted.")
            }
            Self::TokenRevoked => (S::UNAUTHORIZED, "token.revoked", "The sign-in was ended."),
            Self::TokenStale => {
                (S::UNAUTHORIZED, "token.stale", "The token is older than what holds now.")
            }
            Self::NotAPerson => {
                (S::FORBIDDEN, "authz.not_a_person", "An application by itself may not do this.")
            }
            Self::ClaimsUnusable => (
                S::FORBIDDEN,
                "authz.claims_unusable",
                "The family claims of the token cannot be used.",
            ),
            Self::RoleMissing(_) => {
                (S::FORBIDDEN, "authz.role_missing", "The role does not allow this.")
            }
            Self::FamilyMismatch => {
                (S::FORBIDDEN, "authz.family_mismatch", "This is not your family.")
            }
            Self::StepUpRequired { .. } => (
                S::UNAUTHORIZED,
                "session.step_up_required",
                "A fresh sign-in with a second factor is needed.",
            ),
            Self::NotTheConnector => {
                (S::UNAUTHORIZED, "connector.refused", "These are not the connector's credentials.")
            }
            Self::AlreadyMember => {
                (S::CONFLICT, "family.already_member", "You are in a family already.")
            }
            Self::LastOwner => {
                (S::CONFLICT, "family.last_owner", "The family would be left without an owner.")
            }
            Self::NameMismatch => {
                (S::CONFLICT, "family.name_mismatch", "The typed name is not the family's.")
            }
            Self::InviteCodeFormat => {
                (S::BAD_REQUEST, "invite.code_format", "What was typed cannot be a code.")
            }
            Self::InviteInvalid => {
                (S::NOT_FOUND, "invite.invalid", "No open invitation has this code.")
            }
            Self::InviteRateLimited => {
                (S::TOO_MANY_REQUESTS, "invite.rate_limited", "Too many wrong codes.")
            }
            Self::DeviceCodeFormat => {
                (S::BAD_REQUEST, "device.code_format", "What was typed cannot be a display's code.")
            }
            Self::DeviceCodeInvalid => {
                (S::NOT_FOUND, "device.code_invalid", "No display shows this code.")
            }
            Self::DeviceConfirmMismatch => (
                S::CONFLICT,
                "device.confirm_mismatch",
                "The number is not what the display shows. It shows a new code now.",
            ),
            Self::DeviceRateLimited { .. } => {
                (S::TOO_MANY_REQUESTS, "device.rate_limited", "Too many wrong codes.")
            }
            Self::DeviceProximityRequired => (
                S::FORBIDDEN,
                "device.proximity_required",
                "The display is in another network, and only near ones may be linked.",
            ),
            Self::DeviceCapacity => (
                S::SERVICE_UNAVAILABLE,
                "device.capacity",
                "There are as many codes on walls as there may be.",
            ),
            Self::DeviceEnded { .. } => {
                (S::UNAUTHORIZED, "device.revoked", "The display is no longer linked.")
            }
            Self::Proof(_) => (
                S::UNAUTHORIZED,
                "token.proof_invalid",
                "The proof of possession is missing or not what it must be.",
            ),
            Self::Ticket => {
                (S::UNAUTHORIZED, "push.ticket", "The ticket to the hub is not accepted.")
            }
            Self::NotFound => (S::NOT_FOUND, "resource.not_found", "There is no such thing."),
            Self::TooMany => (S::CONFLICT, "limit.reached", "There are as many as there may be."),
            Self::Repeated => (
                S::CONFLICT,
                "request.repeated",
                "This request was made before, and what it made is gone.",
            ),
            Self::Input(_) => (S::BAD_REQUEST, "input.invalid", "A value is not what it must be."),
            Self::RateLimited { .. } => {
                (S::TOO_MANY_REQUESTS, "request.rate_limited", "Too many requests.")
            }
            Self::MethodNotAllowed => {
                (S::METHOD_NOT_ALLOWED, "request.method", "The route does not know the method.")
            }
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "request.too_large", "The body is too large."),
            Self::MediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "request.media_type",
                "The body must be application/json.",
            ),
            Self::Timeout => {
                (S::SERVICE_UNAVAILABLE, "request.timeout", "It took too long; try again.")
            }
            Self::Overloaded => (
                S::SERVICE_UNAVAILABLE,
                "server.busy",
                "There is too much to do just now; try again.",
            ),
            Self::Store(error) => store_row(error),
            Self::Internal(_) => {
                (S::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side.")
            }
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.row().0
    }

    /// The stable code, as clients see it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.row().1
    }

    /// The finest code there is, for the log.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Token(error) => error.code(),
            Self::DisplayToken(error) => error.code(),
            Self::Proof(code) => code,
            other => other.code(),
        }
    }

    /// What a refusal of the store is called when it was met while using `permission`.
    #[must_use]
    pub fn of(failure: Failure, permission: Permission) -> Self {
        match failure {
            Failure::Store(error) => Self::Store(error),
            Failure::Refused(refusal) => match refusal {
                Refusal::AlreadyMember => Self::AlreadyMember,
                Refusal::LastOwner => Self::LastOwner,
                Refusal::RoleMissing => Self::RoleMissing(permission),
                Refusal::InviteInvalid => Self::InviteInvalid,
                Refusal::NotFound => Self::NotFound,
                Refusal::TooMany => Self::TooMany,
                Refusal::Repeated => Self::Repeated,
                Refusal::LinkInvalid | Refusal::LinkSprayed => Self::DeviceCodeInvalid,
                Refusal::ConfirmMismatch => Self::DeviceConfirmMismatch,
                Refusal::DeviceRevoked | Refusal::TokenUnknown => {
                    Self::DeviceEnded { reason: "revoked" }
                }
                Refusal::TokenReused => Self::DeviceEnded { reason: "reuse" },
                Refusal::DeviceExpired => Self::DeviceEnded { reason: "expired" },
            },
        }
    }
}

/// A refused token gets one answer whatever was wrong with it (V23); only its absence and its form,
/// which the sender knows anyway, are told apart.
fn token_row(error: &VerifyError) -> (StatusCode, &'static str, &'static str) {
    match error {
        VerifyError::Token(TokenError::Missing) => {
            (StatusCode::UNAUTHORIZED, "token.missing", "A bearer token is needed.")
        }
        VerifyError::Token(TokenError::Malformed(_)) => {
            (StatusCode::UNAUTHORIZED, "token.malformed", "This is not a bearer token.")
        }
        VerifyError::Token(_) => {
            (StatusCode::UNAUTHORIZED, "token.invalid", "The token is not accepted.")
        }
        VerifyError::Keys(_) | VerifyError::Discovery(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "keys.unavailable",
            "The identity provider's keys cannot be had; try again.",
        ),
    }
}

fn store_row(error: &StoreError) -> (StatusCode, &'static str, &'static str) {
    let status = match error {
        StoreError::Busy | StoreError::Corrupt(_) | StoreError::Unavailable(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        StoreError::Full => StatusCode::INSUFFICIENT_STORAGE,
        StoreError::Driver(_) | StoreError::Contradiction(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, error.code(), "The database could not do it.")
}
