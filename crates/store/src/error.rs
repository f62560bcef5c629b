//! Why the store did not do what was asked.

/// The store could not do it; nothing was changed. Never holds anything that was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else holds the database for too long, or all connections are taken. Try again.
    #[error("the database is busy")]
    Busy,
    /// The disk is full, or the database may not grow. Reading goes on.
    #[error("the database is full")]
    Full,
    /// The file is not what was written. Nothing was deleted; a backup must be restored.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// The database cannot be reached or does not answer.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The driver refused for a reason that is a defect of ours.
    #[error("the database refused: {0}")]
    Driver(String),
    /// What was read contradicts itself.
    #[error("the stored data contradicts itself: {0}")]
    Contradiction(&'static str),
}

impl StoreError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Busy => "store.busy",
            Self::Full => "store.full",
            Self::Corrupt(_) => "store.corrupt",
            Self::Unavailable(_) => "store.unavailable",
            Self::Driver(_) | Self::Contradiction(_) => "store.failed",
        }
    }
}

/// The data says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The account is in a family already.
    #[error("the account is in a family already")]
    AlreadyMember,
    /// The family would be left without an owner who can act.
    #[error("the family would be left without an owner")]
    LastOwner,
    /// Whoever does it may not, by the role they have now.
    #[error("the role does not allow it")]
    RoleMissing,
    /// No open invitation has this code.
    #[error("no open invitation has this code")]
    InviteInvalid,
    /// There is no such thing in this family.
    #[error("there is no such thing in this family")]
    NotFound,
    /// There are as many as there may be.
    #[error("there are as many as there may be")]
    TooMany,
    /// The id was given to something before, which may be gone by now.
    #[error("the id was used before")]
    Repeated,
    /// No open code of a display is this one.
    #[error("no open code of a display is this one")]
    LinkInvalid,
    /// Nor is this one, any more: it was burned, as too many families typed it.
    #[error("the code of a display was typed by too many families")]
    LinkSprayed,
    /// The number is not what the display shows; the code is burned.
    #[error("the number is not what the display shows")]
    ConfirmMismatch,
    /// No live refresh token of this key is this one.
    #[error("no live refresh token of this key is this one")]
    TokenUnknown,
    /// A refresh token of the display came back that had been used up; it is revoked for that.
    #[error("a refresh token of the display came back")]
    TokenReused,
    /// The display was revoked.
    #[error("the display was revoked")]
    DeviceRevoked,
    /// The display's time without renewal is over.
    #[error("the display's time is over")]
    DeviceExpired,
}

/// Refused by the data, or not done by the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The data says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store could not.
    #[error(transparent)]
    Store(#[from] StoreError),
}
