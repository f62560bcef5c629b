//! The provider's keys.

use crate::discovery::DiscoveryError;

/// Why the provider's keys cannot be had. A failure of the provider, never of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// There is no set of keys young enough to judge by.
    #[error("the provider's keys cannot be had: {0}")]
    Unavailable(KeysProblem),
}

/// Why the last refresh of the keys brought none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysProblem {
    /// The key set could not be fetched.
    #[error(transparent)]
    Fetch(DiscoveryError),
    /// What came is not a key set.
    #[error("the key set cannot be read")]
    Malformed,
    /// No usable key was in it.
    #[error("the key set holds no usable key")]
    Empty,
}

impl KeysError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "keys.unavailable",
        }
    }
}

impl KeysProblem {
    /// The stable code, for alerts.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Fetch(error) => error.code(),
            Self::Malformed => "keys.refresh_malformed",
            Self::Empty => "keys.refresh_empty",
        }
    }
}
