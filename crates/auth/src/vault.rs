//! The vault: named records in the OS keyring, reached from async code and never waited for long.
//!
//! A keyring call can block for ever: a locked Secret Service shows a prompt nobody answers, a
//! damaged keyring file hangs the daemon. So one thread of the vault's own makes all calls, one
//! after the other, and a caller waits at most [`DEADLINE`]. After that the thread is left alone
//! with its call and everybody else is refused at once, so at most one thread is ever stuck. When
//! the call does come back, [`Vault::freed`] says so and what it did counts: a write that the
//! person's late answer let through is found by the next read. The thread is never joined, so it
//! cannot hold up the exit of the program.

pub mod slots;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use luminous_wire::{AppError, ErrorCode};
use tokio::sync::{Mutex, oneshot, watch};
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use crate::ports::{OpenStore, SecretBytes, SecretStore, StoreError};
use slots::{SlotError, Stored};

/// How long a caller waits for the keyring.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// Why the vault did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no keyring, or it went away.
    #[error("{0}")]
    Unavailable(String),
    /// It is locked.
    #[error("{0}")]
    Locked(String),
    /// It is asking the person something; its answer may still come.
    #[error("the keyring is asking the person something")]
    Waiting,
    /// It has not answered for [`DEADLINE`]; it may still.
    #[error("the keyring does not answer")]
    Timeout,
    /// What it holds cannot be read; it was put aside.
    #[error("{0}")]
    Corrupt(String),
    /// It did not take the value.
    #[error("{0}")]
    WriteFailed(String),
}

impl VaultError {
    /// The code for people.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unavailable(_) => ErrorCode::StoreUnavailable,
            Self::Locked(_) => ErrorCode::StoreLocked,
            Self::Waiting => ErrorCode::StoreWaiting,
            Self::Timeout => ErrorCode::StoreTimeout,
            Self::Corrupt(_) => ErrorCode::StoreCorrupt,
            Self::WriteFailed(_) => ErrorCode::StoreWriteFailed,
        }
    }

    /// The error for people.
    #[must_use]
    pub fn to_error(&self) -> AppError {
        AppError::new(self.code(), self.to_string())
    }

    fn of_store(error: &StoreError) -> Self {
        match error {
            StoreError::Locked(_) => Self::Locked(error.to_string()),
            StoreError::Unreadable => Self::Corrupt(error.to_string()),
            StoreError::Unavailable(_) | StoreError::TooLong { .. } | StoreError::Refused(_) => {
                Self::Unavailable(error.to_string())
            }
        }
    }

    fn of_read(error: &SlotError) -> Self {
        match error {
            SlotError::Store(error) => Self::of_store(error),
            SlotError::Corrupt(_) | SlotError::NotStored => Self::Corrupt(error.to_string()),
        }
    }

    fn of_write(error: &SlotError) -> Self {
        match error {
            SlotError::Store(StoreError::Unavailable(_) | StoreError::Locked(_)) => {
                Self::of_read(error)
            }
            _ => Self::WriteFailed(error.to_string()),
        }
    }
}

type Job = Box<dyn FnOnce(&mut Keyring) + Send>;

/// The keyring as the vault's thread holds it: opened at the first need, and again after it went
/// away, because one that is absent when the computer starts may come later (S1).
struct Keyring {
    opener: Arc<dyn OpenStore>,
    store: Option<Box<dyn SecretStore>>,
}

impl Keyring {
    fn with<T>(
        &mut self,
        work: impl FnOnce(&dyn SecretStore) -> Result<T, SlotError>,
    ) -> Result<T, SlotError> {
        let store = match self.store.take() {
            Some(store) => store,
            None => self.opener.open()?,
        };
        let result = work(store.as_ref());
        if !matches!(result, Err(SlotError::Store(StoreError::Unavailable(_)))) {
            self.store = Some(store);
        }
        result
    }
}

/// The records in the keyring. Cheap to clone; all clones share one thread.
#[derive(Clone)]
pub struct Vault {
    opener: Arc<dyn OpenStore>,
    jobs: std::sync::mpsc::Sender<Job>,
    /// Until when the call that the thread is in may be waited for; `None` while it is in none.
    busy: Arc<watch::Sender<Option<Instant>>>,
    /// Callers take turns, so that nobody is refused only because another call is running well.
    turn: Arc<Mutex<()>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("busy", &self.busy.borrow().is_some()).finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault over the keyring that `opener` opens. Makes no call yet.
    #[must_use]
    pub fn new(opener: Arc<dyn OpenStore>) -> Self {
        let (jobs, inbox) = std::sync::mpsc::channel::<Job>();
        let mut keyring = Keyring { opener: Arc::clone(&opener), store: None };
        let work = move || {
            while let Ok(job) = inbox.recv() {
                // A panic in the keyring's library costs that call; the next one opens it anew.
                if catch_unwind(AssertUnwindSafe(|| job(&mut keyring))).is_err() {
                    keyring.store = None;
                }
            }
        };
        // Without the thread the channel is closed and every call says `Unavailable`.
        if let Err(error) = std::thread::Builder::new().name("keyring".to_owned()).spawn(work) {
            tracing::error!(%error, "the keyring's thread could not be started");
        }
        let busy = Arc::new(watch::Sender::new(None));
        Self { opener, jobs, busy, turn: Arc::default() }
    }

    /// Reads `record`; `None` when there is none. A damaged one is put aside and reported.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn read(&self, record: &str) -> Result<Option<Stored>, VaultError> {
        let record = record.to_owned();
        self.call(VaultError::of_read, move |store| match slots::read(store, &record) {
            Err(damage @ SlotError::Corrupt(_)) => {
                if let Err(error) = slots::put_aside(store, &record) {
                    tracing::warn!(%error, "a damaged record could not be put aside");
                }
                Err(damage)
            }
            other => other,
        })
        .await
    }

    /// Reads the value before the one in force, while it is there.
    ///
    /// # Errors
    /// [`VaultError`].
    pub async fn read_previous(&self, record: &str) -> Result<Option<SecretBytes>, VaultError> {
        let record = record.to_owned();
        self.call(VaultError::of_read, move |store| slots::read_previous(store, &record)).await
    }

    /// Writes `record` as a generation above `floor` and answers the generation. When this
    /// returns, the value was read back from the keyring.
    ///
    /// # Errors
    /// [`VaultError`]; the old value stands, except that after [`VaultError::Timeout`] or
    /// [`VaultError::Waiting`] the new one may still arrive.
    pub async fn write(
        &self,
        record: &str,
        payload: Zeroizing<Vec<u8>>,
        floor: u64,
    ) -> Result<u64, VaultError> {
        let record = record.to_owned();
        let work = move |store: &dyn SecretStore| slots::write(store, &record, &payload, floor);
        self.call(VaultError::of_write, work).await
    }

    /// Removes the value before the one in force: the new one was used successfully.
    ///
    /// # Errors
    /// [`VaultError`]; the value in force is not touched.
    pub async fn forget_previous(&self, record: &str) -> Result<(), VaultError> {
        let record = record.to_owned();
        self.call(VaultError::of_write, move |store| slots::forget_previous(store, &record)).await
    }

    /// Moves `record` aside, raw: its content makes no sense to the caller.
    ///
    /// # Errors
    /// [`VaultError`]; the record stands then.
    pub async fn put_aside(&self, record: &str) -> Result<(), VaultError> {
        let record = record.to_owned();
        self.call(VaultError::of_write, move |store| slots::put_aside(store, &record)).await
    }

    /// Removes what of `record` was moved aside before.
    ///
    /// # Errors
    /// [`VaultError`]; the record itself is not touched.
    pub async fn forget_aside(&self, record: &str) -> Result<(), VaultError> {
        let record = record.to_owned();
        self.call(VaultError::of_write, move |store| slots::forget_aside(store, &record)).await
    }

    /// Removes `record`, and what of it was moved aside before.
    ///
    /// # Errors
    /// [`VaultError`]; try again later.
    pub async fn erase(&self, record: &str) -> Result<(), VaultError> {
        let record = record.to_owned();
        self.call(VaultError::of_write, move |store| slots::erase(store, &record)).await
    }

    /// Waits until the thread is in no call.
    pub async fn freed(&self) {
        let mut busy = self.busy.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        let _ = busy.wait_for(Option::is_none).await;
    }

    async fn call<T: Send + 'static>(
        &self,
        explain: fn(&SlotError) -> VaultError,
        work: impl FnOnce(&dyn SecretStore) -> Result<T, SlotError> + Send + 'static,
    ) -> Result<T, VaultError> {
        let _turn = self.turn.lock().await;
        // The caller of the call under way may have gone away long before its deadline.
        let occupied = *self.busy.borrow();
        if let Some(deadline) = occupied
            && timeout_at(deadline, self.freed()).await.is_err()
        {
            return Err(self.no_answer());
        }
        let deadline = Instant::now() + DEADLINE;
        self.busy.send_replace(Some(deadline));
        let freed = Freed(Arc::clone(&self.busy));
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |keyring| {
            let result = keyring.with(work);
            drop(freed);
            // Nobody listens any more after the deadline; what was done counts all the same.
            let _ = answer.send(result);
        });
        if self.jobs.send(job).is_err() {
            return Err(VaultError::Unavailable("the keyring's thread is gone".to_owned()));
        }
        match timeout_at(deadline, answered).await {
            Ok(Ok(result)) => result.map_err(|error| explain(&error)),
            Ok(Err(_)) => Err(VaultError::Unavailable("the keyring's library failed".to_owned())),
            Err(_) => Err(self.no_answer()),
        }
    }

    fn no_answer(&self) -> VaultError {
        if self.opener.is_asking() { VaultError::Waiting } else { VaultError::Timeout }
    }
}

/// Says that the thread is in no call any more, also when the call panicked.
struct Freed(Arc<watch::Sender<Option<Instant>>>);

impl Drop for Freed {
    fn drop(&mut self) {
        self.0.send_replace(None);
    }
}
