//! One refresh at a time across processes.
//!
//! Without a session bus the single-instance plugin lets a second program start, and two programs
//! that refresh one token look like a thief to a provider that rotates (F2). So a refresh holds a
//! lock on a file beside the state file, and whoever waited reads the vault again first.

use std::fs::{File, TryLockError};
use std::time::Duration;

use luminous_wire::{AppError, ErrorCode};

use super::Session;

/// Longer than a refresh may take in all.
const PATIENCE: u32 = 400;
const PAUSE: Duration = Duration::from_millis(100);

/// The lock; released when dropped, and by the operating system when the process dies.
pub(super) struct AcrossProcesses {
    _file: Option<File>,
}

impl Session {
    /// Takes the lock. Tries instead of blocking, so that the wait can be abandoned.
    pub(super) async fn lock_across_processes(&self) -> Result<AcrossProcesses, AppError> {
        let Some(path) = self.inner.file.lock_path() else {
            return Ok(AcrossProcesses { _file: None });
        };
        let file = File::options().create(true).truncate(false).write(true).open(path);
        let file = file.map_err(crate::error::internal)?;
        for _ in 0..PATIENCE {
            match file.try_lock() {
                Ok(()) => return Ok(AcrossProcesses { _file: Some(file) }),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                // A file system without locks has no second program on it either.
                Err(TryLockError::Error(error)) => {
                    tracing::warn!(%error, "the refresh lock cannot be taken");
                    return Ok(AcrossProcesses { _file: None });
                }
            }
        }
        Err(AppError::new(ErrorCode::ProviderBusy, "another Luminous is refreshing the sign-in"))
    }
}
