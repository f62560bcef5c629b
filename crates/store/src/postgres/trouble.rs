//! Why a job inside the database did not come to its end, while it is still open whether to try
//! again.

use deadpool_postgres::{PoolError, TimeoutType};
use luminous_domain::NoEntropy;
use tokio_postgres::error::SqlState;

use crate::{Failure, Refusal, StoreError};

/// What stopped a job.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The data says no.
    Refused(Refusal),
    /// The driver or the server.
    Database(tokio_postgres::Error),
    /// No connection to be had.
    Pool(PoolError),
    /// Already known.
    Store(StoreError),
}

impl Trouble {
    /// Whether doing all of it again may help: two got in each other's way, or the connection broke.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Database(error) => is_broken(error) || is_conflict(error),
            Self::Pool(PoolError::Backend(error)) => is_broken(error),
            Self::Refused(_) | Self::Pool(_) | Self::Store(_) => false,
        }
    }

    /// Whether the connection is of no more use, and what it was doing may or may not be done.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self, Self::Database(error) if is_broken(error))
    }
}

/// Two got in each other's way, and one of them was sent back.
fn is_conflict(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|state| matches!(state.code(), "40001" | "40P01"))
}

/// The connection is gone, or the server is going.
fn is_broken(error: &tokio_postgres::Error) -> bool {
    error.code().map_or_else(|| !is_ours(error), is_going)
}

/// The driver keeps the kinds of its errors to itself; these are the ones that no server and no
/// network can cause.
fn is_ours(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    ["error serializing", "error deserializing", "invalid", "expected", "query returned"]
        .iter()
        .any(|start| text.starts_with(start))
}

/// Class 08 is the connection's; 57P01, 57P02, 57P03 and 57P05 are a server that stops, starts or
/// gave the session up; 25006 and 25P03 are a primary that is one no longer, and a session that was
/// idle for too long.
fn is_going(state: &SqlState) -> bool {
    state.code().starts_with("08")
        || matches!(state.code(), "57P01" | "57P02" | "57P03" | "57P05" | "25006" | "25P03")
}

fn of_pool(error: &PoolError) -> StoreError {
    match error {
        PoolError::Timeout(TimeoutType::Wait) => StoreError::Busy,
        PoolError::Timeout(_) => StoreError::Unavailable("no connection in time".to_owned()),
        PoolError::Backend(error) => of_database(error),
        PoolError::Closed => StoreError::Unavailable("the store was closed".to_owned()),
        PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            StoreError::Driver("the pool was set up wrongly".to_owned())
        }
    }
}

/// What the driver's error means. Its own words name no data; the server's message and detail may repeat what was stored, so
/// only the state and the names in the schema are taken over.
pub(super) fn of_database(error: &tokio_postgres::Error) -> StoreError {
    let Some(refused) = error.as_db_error() else {
        return if is_ours(error) {
            StoreError::Driver(error.to_string())
        } else {
            StoreError::Unavailable(error.to_string())
        };
    };
    let code = refused.code().code();
    match code {
        "40001" | "40P01" | "55P03" | "57014" | "53300" => StoreError::Busy,
        "53100" => StoreError::Full,
        "XX001" | "XX002" => StoreError::Corrupt(format!("SQLSTATE {code}")),
        // 28 is "not you", 3D000 "no such database".
        "3D000" => StoreError::Unavailable(format!("SQLSTATE {code}")),
        _ if code.starts_with("28") || is_going(refused.code()) || code.starts_with("53") => {
            StoreError::Unavailable(format!("SQLSTATE {code}"))
        }
        _ => StoreError::Driver(match refused.constraint().or(refused.table()) {
            Some(name) => format!("SQLSTATE {code} at {name}"),
            None => format!("SQLSTATE {code}"),
        }),
    }
}

/// For calls that nothing can refuse.
impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(_) => Self::Contradiction("a refusal of what cannot be refused"),
            Trouble::Database(error) => of_database(&error),
            Trouble::Pool(error) => of_pool(&error),
            Trouble::Store(error) => error,
        }
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(refusal) => Self::Refused(refusal),
            other => Self::Store(other.into()),
        }
    }
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<PoolError> for Trouble {
    fn from(error: PoolError) -> Self {
        Self::Pool(error)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<NoEntropy> for Trouble {
    fn from(_: NoEntropy) -> Self {
        Self::Store(StoreError::Unavailable("no random bytes".to_owned()))
    }
}
