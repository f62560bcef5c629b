//! What SQLite's result codes mean to the store. Messages of SQLite name tables and columns, never
//! values.

use rusqlite::{Error, ErrorCode};

use crate::error::{Failure, StoreError};

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match &error {
            Error::SqliteFailure(cause, message) => {
                let said = message.clone().unwrap_or_else(|| cause.to_string());
                match cause.code {
                    ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy,
                    ErrorCode::DiskFull => Self::Full,
                    ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Corrupt(said),
                    ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly => {
                        Self::Unavailable(said)
                    }
                    _ => Self::Driver(said),
                }
            }
            Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..) => {
                Self::Contradiction("a column holds something else than it should")
            }
            Error::IntegralValueOutOfRange(..) => Self::Contradiction("a number out of range"),
            Error::Utf8Error(..) => Self::Contradiction("text that is not UTF-8"),
            other => Self::Driver(other.to_string()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: i32) -> StoreError {
        Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some("said".into())).into()
    }

    #[test]
    fn every_kind_of_failure_has_its_own_word() {
        use rusqlite::ffi;
        let said = || "said".to_owned();
        assert_eq!(of(ffi::SQLITE_BUSY), StoreError::Busy);
        assert_eq!(of(ffi::SQLITE_BUSY_SNAPSHOT), StoreError::Busy);
        assert_eq!(of(ffi::SQLITE_LOCKED), StoreError::Busy);
        assert_eq!(of(ffi::SQLITE_FULL), StoreError::Full);
        assert_eq!(of(ffi::SQLITE_CORRUPT), StoreError::Corrupt(said()));
        assert_eq!(of(ffi::SQLITE_NOTADB), StoreError::Corrupt(said()));
        assert_eq!(of(ffi::SQLITE_IOERR_FSYNC), StoreError::Unavailable(said()));
        assert_eq!(of(ffi::SQLITE_CANTOPEN), StoreError::Unavailable(said()));
        assert_eq!(of(ffi::SQLITE_READONLY), StoreError::Unavailable(said()));
        assert_eq!(of(ffi::SQLITE_CONSTRAINT_UNIQUE), StoreError::Driver(said()));
    }
}
