//! Every error of the API, and the one match from it to a status, a code and words (RFC 9457).
//!
//! A cause is logged once, here, with the id of the request; it is never sent.

use luminous_domain::Permission;
use luminous_oidc::VerifyError;
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
    StepUpRequired,
    /// A form or a cookie request without its CSRF token, or from another origin.
    #[error("the request does not come from our own page")]
    Forgery,
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
    /// There is no such thing.
    #[error("there is no such thing")]
    NotFound,
    /// There are as many as there may be.
    #[error("there are as many as there may be")]
    TooMany,
    /// A value is not what it must be; the text says which and how, and nothing of the value.
    #[error("{0}")]
    Input(String),
    /// Too many requests.
    #[error("too many requests; again in {retry_after_s} s")]
    RateLimited {
        /// When to come back.
        retry_after_s: u64,
    },
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

impl From<VerifyError> for ApiError {
    fn from(error: VerifyError) -> Self {
        Self::Token(error)
    }
}

impl ApiError {
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
            },
        }
    }
}
