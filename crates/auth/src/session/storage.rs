//! The session and the keyring: reading at start, writing after each rotation, and what happens
//! while the keyring cannot be used. Nothing is ever deleted because something cannot be read.

use std::time::Duration;

use luminous_wire::{AppError, Connection, ErrorCode, SignedOutCause};

use super::Session;
use super::record::{read_grant, record_of, to_secret_bytes};
use super::state::{Due, Grant, SignedIn, Storage, Who};
use crate::state_file::Account;
use crate::vault::VaultError;
use crate::vault::slots::Stored;

/// How often a keyring that cannot be used is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// The record of what waits for the browser. It holds verifiers, so it is a secret too.
const PENDING: &str = "pending";

const fn is_about_storage(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::StoreUnavailable
            | ErrorCode::StoreLocked
            | ErrorCode::StoreWaiting
            | ErrorCode::StoreTimeout
            | ErrorCode::StoreWriteFailed
    )
}

/// What a retry finds to do.
enum Open {
    /// Somebody's grant was not read yet.
    Load,
    /// A grant is only in memory.
    Save,
    /// Nothing; whether the keyring answers is worth knowing all the same.
    Probe,
}

impl Session {
    /// Tries the keyring again: the person unlocked it, or started one.
    ///
    /// # Errors
    /// What is still wrong with it.
    pub async fn retry_storage(&self) -> Result<(), AppError> {
        let found = {
            let pending_read = *self.inner.pending_read.borrow();
            match &self.state().who {
                _ if !pending_read => Open::Load,
                Who::Blocked { .. } => Open::Load,
                Who::SignedIn(one) => match &one.grant {
                    None if one.account.generation.is_some() => Open::Load,
                    Some(grant) if !grant.stored => Open::Save,
                    _ => Open::Probe,
                },
                Who::Nobody { .. } => Open::Probe,
            }
        };
        match found {
            Open::Load => {
                self.load().await;
                // Another call to a locked keyring would be another prompt.
                if !self.is_unusable() {
                    self.save_grant().await;
                }
            }
            Open::Save => self.save_grant().await,
            Open::Probe => {
                let probed = self.inner.vault.read(PENDING).await.map(drop);
                self.note_storage(probed.as_ref().err());
            }
        }
        if !self.is_unusable() {
            let _gate = self.gate().await;
            self.erase_leftovers().await;
        }
        match &self.state().storage {
            Storage::Unusable(problem) => Err(problem.clone()),
            Storage::Keyring | Storage::Memory(_) => Ok(()),
        }
    }

    fn is_unusable(&self) -> bool {
        matches!(self.state().storage, Storage::Unusable(_))
    }

    /// Writes the grant that is only in memory, if there is one.
    async fn save_grant(&self) {
        let _gate = self.gate().await;
        let (epoch, unsaved) = {
            let mut state = self.state();
            let epoch = state.epoch;
            let unsaved = state.signed_in().and_then(|one| {
                let grant = one.grant.clone().filter(|grant| !grant.stored)?;
                Some((one.account.view.id.clone(), grant))
            });
            (epoch, unsaved)
        };
        let Some((account, grant)) = unsaved else { return };
        if self.inner.file.has_ended(&account).unwrap_or(false) {
            return;
        }
        let written = self.write_grant(&account, &grant).await;
        self.note_written(epoch, written);
    }

    /// The person chose to go on without the keyring: the sign-in is gone when the app quits. The
    /// keyring goes on being tried, and takes the sign-in over when it appears (S1); what it holds
    /// already is left alone.
    ///
    /// # Errors
    /// None at present.
    pub async fn use_memory_only(&self) -> Result<(), AppError> {
        self.update(|state| {
            let because = match &state.storage {
                Storage::Unusable(problem) => Some(problem.code),
                Storage::Memory(because) => *because,
                Storage::Keyring => None,
            };
            state.storage = Storage::Memory(because);
            state.problem.take_if(|problem| is_about_storage(problem.code));
            if let Who::Blocked { account } = &state.who {
                let last = Some(account.view.clone());
                state.who = Who::Nobody { cause: SignedOutCause::SignedOut, last };
            }
        });
        // What was pending before this start is given up with it.
        self.inner.pending_read.send_replace(true);
        Ok(())
    }

    /// Reads what is pending and who is signed in.
    pub(super) async fn load(&self) {
        let _gate = self.gate().await;
        match self.inner.vault.read(PENDING).await {
            Ok(stored) => {
                if let Some(stored) = stored {
                    self.restore_pending(&stored).await;
                }
                self.note_storage(None);
            }
            // Put aside; the person starts that sign-in again.
            Err(VaultError::Corrupt(_)) => self.note_storage(None),
            Err(error) => return self.block(&error),
        }
        self.inner.pending_read.send_replace(true);
        self.load_grant().await;
        self.erase_leftovers().await;
    }

    /// Takes over what a process before this one left pending, and listens for its answers. A
    /// retry reads what this process itself wrote: nothing new in it.
    async fn restore_pending(&self, stored: &Stored) {
        if *self.inner.pending_read.borrow() {
            return;
        }
        let now = self.inner.ports.clock.now();
        let restored = self.update(|state| state.pending.restore(&stored.payload, now));
        self.listen_again(restored).await;
    }

    async fn load_grant(&self) {
        let (epoch, account) = {
            let state = self.state();
            match &state.who {
                Who::SignedIn(one) if one.grant.is_none() && one.account.generation.is_some() => {
                    (state.epoch, one.account.clone())
                }
                Who::Blocked { account } => (state.epoch, account.clone()),
                _ => return,
            }
        };
        let record = record_of(&account.view.id);
        match self.inner.vault.read(&record).await {
            Ok(Some(stored)) => match read_grant(&stored) {
                Some(grant) => self.resume(epoch, SignedIn::checking(account), grant),
                None => {
                    if let Err(error) = self.inner.vault.put_aside(&record).await {
                        tracing::warn!(%error, "an unreadable sign-in could not be put aside");
                    }
                    self.gone(epoch, &account.view.id, SignedOutCause::Corrupt);
                }
            },
            Ok(None) if account.generation == Some(0) => self.never_arrived(epoch, &account),
            Ok(None) => self.gone(epoch, &account.view.id, SignedOutCause::Lost),
            Err(VaultError::Corrupt(_)) => {
                self.gone(epoch, &account.view.id, SignedOutCause::Corrupt);
            }
            Err(error) => self.block(&error),
        }
    }

    fn resume(&self, epoch: u64, mut signed_in: SignedIn, grant: Grant) {
        let clock = &self.inner.ports.clock;
        signed_in.due = Some(Due { elapsed: clock.elapsed(), wall: clock.now() });
        self.note_file(self.inner.file.mark(&signed_in.account.view.id, Some(grant.base)));
        signed_in.account.generation = Some(grant.base);
        signed_in.grant = Some(grant);
        signed_in.connection = Connection::Checking;
        self.update(|state| {
            if state.epoch == epoch {
                state.who = Who::SignedIn(signed_in);
            }
        });
    }

    /// The sign-in was on its way to the keyring and did not arrive: it ended with its program.
    fn never_arrived(&self, epoch: u64, account: &Account) {
        self.note_file(self.inner.file.mark(&account.view.id, None));
        self.update(|state| {
            if state.epoch == epoch {
                state.leave(SignedOutCause::SignedOut);
            }
        });
    }

    /// The marker knows of a sign-in that the keyring does not have, or has unreadably (S5, S6).
    fn gone(&self, epoch: u64, account: &str, cause: SignedOutCause) {
        let code = match cause {
            SignedOutCause::Corrupt => ErrorCode::StoreCorrupt,
            _ => ErrorCode::StoreLost,
        };
        let message = "the sign-in that was stored in the keyring is gone or unreadable";
        self.note_file(self.inner.file.end(account, cause));
        self.note_file(self.inner.file.mark(account, None));
        self.update(|state| {
            if state.epoch == epoch {
                state.leave(cause);
                state.problem = Some(AppError::new(code, message));
            }
        });
    }

    /// The keyring will not say. Who is signed in stays known.
    fn block(&self, error: &VaultError) {
        self.note_storage(Some(error));
        self.update(|state| {
            let waits = match &state.who {
                Who::SignedIn(one) if one.grant.is_none() && one.account.generation.is_some() => {
                    Some(one.account.clone())
                }
                _ => None,
            };
            if let Some(account) = waits {
                state.who = Who::Blocked { account };
                state.problem = Some(error.to_error());
            }
        });
    }

    /// Remembers whether the keyring can be used.
    pub(super) fn note_storage(&self, error: Option<&VaultError>) {
        self.update(|state| match (&state.storage, error) {
            (Storage::Memory(_), Some(error)) => {
                state.storage = Storage::Memory(Some(error.code()));
            }
            (Storage::Memory(_), None) => {}
            (_, Some(error)) => state.storage = Storage::Unusable(error.to_error()),
            (_, None) => {
                state.storage = Storage::Keyring;
                state.problem.take_if(|problem| is_about_storage(problem.code));
            }
        });
    }

    /// Writes a grant to the vault; the caller holds the gate. Answers its generation.
    pub(super) async fn write_grant(
        &self,
        account: &str,
        grant: &Grant,
    ) -> Result<u64, VaultError> {
        let floor = grant.base;
        let record = record_of(account);
        // First the marker: whatever happens on the way, the keyring is searched for it.
        self.note_file(self.inner.file.mark_begun(account));
        let generation = self.inner.vault.write(&record, to_secret_bytes(grant), floor).await?;
        self.note_file(self.inner.file.mark(account, Some(generation)));
        Ok(generation)
    }

    /// Removes the token before the one in force; the caller holds the gate.
    pub(super) async fn forget_previous_grant(&self, account: &str) {
        if !self.keeps_in_keyring() {
            return;
        }
        if let Err(error) = self.inner.vault.forget_previous(&record_of(account)).await {
            tracing::info!(%error, "a token that was used up is still in the keyring");
        }
    }

    /// Removes what was put aside as unreadable: a good sign-in has taken its place.
    pub(super) async fn forget_damaged_grant(&self, account: &str) {
        if let Err(error) = self.inner.vault.forget_aside(&record_of(account)).await {
            tracing::info!(%error, "an unreadable sign-in is still in the keyring");
        }
    }

    /// Remembers that the grant is, or is not, in the keyring.
    pub(super) fn note_written(&self, epoch: u64, written: Result<u64, VaultError>) {
        if let Err(error) = &written {
            return self.note_storage(Some(error));
        }
        self.update(|state| {
            let current = state.epoch == epoch;
            if let Some(signed_in) = state.signed_in().filter(|_| current) {
                signed_in.account.generation = written.as_ref().ok().copied();
                if let Some(grant) = &mut signed_in.grant {
                    *grant = grant.clone().after_write(written.ok());
                }
            }
            state.storage = Storage::Keyring;
            state.problem.take_if(|problem| is_about_storage(problem.code));
        });
    }

    /// The grant in the vault, when another process rotated it since we read or wrote ours. One
    /// that is in memory alone is newer than all that this process has seen in the vault.
    pub(super) async fn newer_grant(&self, account: &str, ours: &Grant) -> Option<Grant> {
        let stored = self.inner.vault.read(&record_of(account)).await.ok()??;
        let grant = read_grant(&stored)?;
        (ours.stored && stored.generation > ours.base).then_some(grant)
    }

    /// Whether a sign-in should be written to the keyring at all.
    pub(super) fn keeps_in_keyring(&self) -> bool {
        !matches!(self.state().storage, Storage::Memory(_))
    }

    /// Removes an account's sign-in from the keyring; the caller holds the gate.
    pub(super) async fn erase_grant(&self, account: &str) -> Result<(), VaultError> {
        self.inner.vault.erase(&record_of(account)).await?;
        self.note_file(self.inner.file.mark(account, None));
        Ok(())
    }

    /// Finishes sign-outs that happened while the keyring could not be used.
    pub(super) async fn erase_leftovers(&self) {
        let leftovers = self.inner.file.to_erase().unwrap_or_default();
        for account in leftovers {
            if let Err(error) = self.erase_grant(&account).await {
                tracing::warn!(%error, "a signed-out account is still in the keyring");
                return self.note_storage(Some(&error));
            }
        }
    }

    /// Keeps what is pending across a restart, as well as the keyring allows.
    pub(super) async fn save_pending(&self) {
        // In turn, each with what is pending by then: an older list must not overwrite a newer one.
        let _turn = self.inner.pending_turn.lock().await;
        if !self.keeps_in_keyring() {
            return;
        }
        let bytes = {
            let state = self.state();
            (!state.pending.is_empty()).then(|| state.pending.to_secret_bytes())
        };
        let saved = match bytes {
            Some(bytes) => self.inner.vault.write(PENDING, bytes, 0).await.map(drop),
            None => self.inner.vault.erase(PENDING).await,
        };
        if let Err(error) = saved {
            tracing::info!(%error, "the pending sign-in is kept in memory only");
            self.note_storage(Some(&error));
        }
    }

    /// Tries the keyring again by itself while something waits for it. A locked one is left to the
    /// person: each try would show the system's prompt.
    pub(super) async fn watch_storage(&self) {
        loop {
            match self.storage_trouble() {
                None | Some(ErrorCode::StoreLocked) => {
                    self.inner.storage_changed.notified().await;
                }
                Some(ErrorCode::StoreTimeout | ErrorCode::StoreWaiting) => {
                    // The late answer counts: the call that hung has come back (S3).
                    self.inner.vault.freed().await;
                    let _ = self.retry_storage().await;
                }
                Some(_) => {
                    tokio::time::sleep(RETRY).await;
                    if self.storage_trouble().is_some() {
                        let _ = self.retry_storage().await;
                    }
                }
            }
        }
    }

    fn storage_trouble(&self) -> Option<ErrorCode> {
        match &self.state().storage {
            Storage::Unusable(problem) => Some(problem.code),
            Storage::Memory(because) => *because,
            Storage::Keyring => None,
        }
    }

    /// A state file that cannot be written costs the marker, not the sign-in.
    pub(super) fn note_file(&self, result: Result<(), crate::StateFileError>) {
        if let Err(error) = result {
            tracing::error!(%error, "the state file cannot be written");
        }
    }
}
