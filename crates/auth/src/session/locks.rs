//! One at a time across processes.
//!
//! Without a session bus the single-instance plugin lets a second program start, and two programs
//! that refresh one token look like a thief to a provider that rotates (F2). So a refresh holds a
//! lock on a file beside the state file, and whoever waited reads the vault again first. A second
//! lock, held for a moment only, is round each change of the vault, so that a token cannot be
//! stored by one program after another one signed out: a sign-out does not wait for a refresh.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::time::Duration;

use luminous_wire::{AppError, ErrorCode};
use tokio::sync::MutexGuard;

use super::Session;

/// Longer than a refresh may take in all.
const REFRESH_PATIENCE: u32 = 400;
/// Longer than a change of the vault takes, the keyring's deadline included.
const VAULT_PATIENCE: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// The lock; released when dropped, and by the operating system when the process dies.
pub(super) struct AcrossProcesses {
    _file: Option<File>,
}

/// The right to change the vault.
pub(super) struct Gate<'s> {
    _here: MutexGuard<'s, ()>,
    _elsewhere: Option<AcrossProcesses>,
}

impl Session {
    /// Takes the lock of a refresh.
    pub(super) async fn lock_across_processes(&self) -> Result<AcrossProcesses, AppError> {
        self.take_lock(self.inner.file.lock_path("refresh"), REFRESH_PATIENCE).await
    }

    /// Takes the right to change the vault. What guards it across processes is worth a wait, but
    /// not a sign-out that does not happen.
    pub(super) async fn gate(&self) -> Gate<'_> {
        let here = self.inner.gate.lock().await;
        let lock = self.take_lock(self.inner.file.lock_path("vault"), VAULT_PATIENCE).await;
        let elsewhere = lock
            .inspect_err(|error| tracing::warn!(code = %error.code, "going on without the lock"))
            .ok();
        Gate { _here: here, _elsewhere: elsewhere }
    }

    /// Tries instead of blocking, so that the wait can be abandoned.
    async fn take_lock(
        &self,
        path: Option<PathBuf>,
        patience: u32,
    ) -> Result<AcrossProcesses, AppError> {
        let Some(path) = path else { return Ok(AcrossProcesses { _file: None }) };
        let file = File::options().create(true).truncate(false).write(true).open(path);
        let file = file.map_err(crate::error::internal)?;
        for _ in 0..patience {
            match file.try_lock() {
                Ok(()) => return Ok(AcrossProcesses { _file: Some(file) }),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(PAUSE).await,
                // Some network and FUSE file systems have no locks. Two programs there may collide
                // and cost the person a sign-in; refusing would cost it everybody, every time.
                Err(TryLockError::Error(error)) => {
                    tracing::warn!(%error, "the file system gives no lock");
                    return Ok(AcrossProcesses { _file: None });
                }
            }
        }
        Err(AppError::new(ErrorCode::ProviderBusy, "another Luminous is busy with the sign-in"))
    }
}
