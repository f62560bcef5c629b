//! SQLite: one file, one process, one writer.
//!
//! All changes go through one connection on a thread of its own (`writer`), which commits whatever
//! has queued up as one group, so that many tasks share one `fsync`. Questions are answered by a
//! few connections on threads of theirs (`readers`): no connection is held across an `.await`, and
//! none blocks a worker of tokio. Where somebody stands is answered from memory while nobody's
//! standing was written (`standings`).

mod accounts;
mod attempts;
mod audit;
mod device_standings;
mod devices;
mod events;
mod failure;
mod families;
mod file;
mod health;
mod invites;
mod links;
mod members;
mod memory;
mod notes;
mod once;
mod open;
mod readers;
mod rows;
mod schema;
mod seen;
mod standings;
mod web_sessions;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use luminous_domain::{Clock, Entropy};

use self::file::DatabaseFile;
use self::links::Polls;
use self::memory::Memory;
use self::readers::{Read, Readers};
use self::writer::{Write, Writer};
use crate::error::{Failure, Refusal, StoreError};

pub use self::open::{OpenError, SqliteOptions};
pub use self::schema::Applied;

/// The store in one SQLite file.
pub struct SqliteStore {
    file: Arc<DatabaseFile>,
    writer: Writer,
    readers: Readers,
    memory: Arc<Memory>,
    polls: Polls,
    /// Damage that was met once; readiness fails from then on, until somebody restores a backup.
    damage: Mutex<Option<String>>,
}

impl SqliteStore {
    /// Opens the file at `path`, or makes it, and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`], which names the path.
    pub fn open(
        path: &Path,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenError> {
        Self::open_with(path, &SqliteOptions::default(), clock, entropy)
    }

    /// As [`SqliteStore::open`], with other than the usual options.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open_with(
        path: &Path,
        options: &SqliteOptions,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, OpenError> {
        let (connection, lock) = open::prepare(path, options)?;
        let file = Arc::new(DatabaseFile::opened(path)?);
        let memory = Arc::new(Memory::new());
        let readers = Readers::start(path, options, &clock)?;
        let parts = writer::Parts {
            connection,
            lock,
            file: Arc::clone(&file),
            clock,
            entropy,
            memory: Arc::clone(&memory),
        };
        let writer = Writer::start(path, parts)?;
        let (polls, damage) = (Polls::default(), Mutex::default());
        Ok(Self { file, writer, readers, memory, polls, damage })
    }

    /// Brings the schema of the file at `path` up to date and answers what was applied.
    ///
    /// # Errors
    /// [`OpenError`], also when a server has the file.
    pub fn migrate(path: &Path) -> Result<Vec<Applied>, OpenError> {
        open::migrate(path)
    }

    /// Looks thoroughly at the file at `path`, as [`crate::Health::examine`] does, also while a
    /// server has it; makes and changes nothing. `None` when there is no file.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn examine_file(path: &Path) -> Result<Option<Vec<String>>, OpenError> {
        health::examine_file(path)
    }

    /// Changes something: `work` runs alone, and what it did is on the disk when this answers.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Write<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let answer = self.writer.run(work).await;
        if let Err(Failure::Store(error)) = &answer {
            self.notice(error);
        }
        answer
    }

    /// As [`SqliteStore::write`], where some of what was done stays although the data says no: a code
    /// that is burned, a display that is revoked.
    async fn write_anyway<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Write<'_>) -> Result<Result<T, Refusal>, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        Ok(self.write(work).await??)
    }

    /// As [`SqliteStore::write`], where the data never says no.
    async fn store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Write<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.write(move |write| work(write).map_err(Failure::Store)).await {
            Ok(answer) => Ok(answer),
            Err(Failure::Store(error)) => Err(error),
            Err(Failure::Refused(_)) => {
                Err(StoreError::Contradiction("a refusal where nothing can be refused"))
            }
        }
    }

    /// Asks something, in one snapshot.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Read<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let answer = self.readers.run(work).await;
        if let Err(error) = &answer {
            self.notice(error);
        }
        answer
    }

    /// Remembers damage.
    fn notice(&self, error: &StoreError) {
        if let StoreError::Corrupt(what) = error {
            tracing::error!(path = %self.file.path().display(), what, "the database is damaged");
            let mut damage = self.damage.lock().unwrap_or_else(PoisonError::into_inner);
            damage.get_or_insert_with(|| what.clone());
        }
    }

    fn damage(&self) -> Option<StoreError> {
        let damage = self.damage.lock().unwrap_or_else(PoisonError::into_inner);
        damage.clone().map(StoreError::Corrupt)
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.file.path()).finish_non_exhaustive()
    }
}

impl crate::Store for SqliteStore {}
