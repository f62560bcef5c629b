//! The one connection that writes, on a thread of its own.
//!
//! *Group commit*: whatever has queued up while the disk was busy becomes one transaction. Each job
//! runs in a savepoint of its own, so that one that fails takes nothing along; there is one COMMIT,
//! one `fsync`, and only then are the answers given. If the group cannot be committed, every job of
//! it is told so and none has happened.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use luminous_domain::{AuditId, Clock, DeviceId, Entropy, Timestamp};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::file::DatabaseFile;
use super::memory::{Effects, Memory};
use super::open::OpenError;
use super::rows;
use crate::error::{Failure, StoreError};
use crate::events::Hint;

/// How many jobs may wait.
const QUEUE: usize = 4096;
/// How many jobs share a commit.
const GROUP: usize = 512;

/// What the writing thread needs.
pub(super) struct Parts {
    pub(super) connection: Connection,
    /// Held until the last job is done.
    pub(super) lock: File,
    pub(super) file: Arc<DatabaseFile>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) memory: Arc<Memory>,
}

/// What a job works with.
pub(super) struct Write<'a> {
    pub(super) connection: &'a Connection,
    /// Unix ms.
    pub(super) now: i64,
    entropy: &'a dyn Entropy,
    newest_line: &'a Cell<Option<AuditId>>,
    effects: &'a RefCell<Effects>,
}

impl Write<'_> {
    /// To be called by every job that changes what [`crate::Standing`] shows.
    pub(super) fn standing_changed(&self) {
        self.effects.borrow_mut().standing = true;
    }

    /// To be called by every job that changes what [`crate::DeviceStanding`] shows.
    pub(super) fn device_changed(&self, device: DeviceId) {
        self.effects.borrow_mut().devices.push(device);
    }

    /// Listeners are told after the commit.
    pub(super) fn hint(&self, hint: Hint) {
        self.effects.borrow_mut().hints.push(hint);
    }

    /// An id that sorts after all lines before it, also within one millisecond and when the clock
    /// was set back.
    pub(super) fn line_id(&self) -> Result<AuditId, StoreError> {
        let now = Timestamp::from_millisecond(self.now).unwrap_or(Timestamp::UNIX_EPOCH);
        let fresh = AuditId::new(now, self.entropy)
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let next = self.newest_line.get().map_or(fresh, |newest| fresh.max(rows::after(newest)));
        self.newest_line.set(Some(next));
        Ok(next)
    }
}

/// Something to be done by the writing thread.
trait Job: Send {
    /// Does it, inside its savepoint.
    fn run(&mut self, write: &Write<'_>) -> Step;

    /// Tells whoever waits what came of it, or that the whole group failed.
    fn answer(self: Box<Self>, failed: Option<&StoreError>);
}

/// How a job ended.
enum Step {
    /// What it did shall stay.
    Keep,
    /// What it did shall not stay.
    Undo,
    /// The same, because of this.
    Failed(StoreError),
}

struct Task<T, W> {
    work: Option<W>,
    result: Option<Result<T, Failure>>,
    answer: oneshot::Sender<Result<T, Failure>>,
}

impl<T, W> Job for Task<T, W>
where
    T: Send,
    W: FnOnce(&Write<'_>) -> Result<T, Failure> + Send,
{
    fn run(&mut self, write: &Write<'_>) -> Step {
        self.result = self.work.take().map(|work| {
            // A defect in one job is that job's: the thread must live for all the others.
            let worked = std::panic::catch_unwind(AssertUnwindSafe(|| work(write)));
            let panicked = || StoreError::Driver("a job of the database panicked".to_owned());
            worked.unwrap_or_else(|_| Err(Failure::Store(panicked())))
        });
        match &self.result {
            Some(Ok(_)) => Step::Keep,
            Some(Err(Failure::Store(error))) => Step::Failed(error.clone()),
            Some(Err(Failure::Refused(_))) | None => Step::Undo,
        }
    }

    fn answer(self: Box<Self>, failed: Option<&StoreError>) {
        let answer = match (failed, self.result) {
            (Some(error), _) => Err(Failure::Store(error.clone())),
            (None, Some(result)) => result,
            (None, None) => Err(Failure::Store(closed())),
        };
        // Whoever asked may have gone away; it is done all the same.
        let _ = self.answer.send(answer);
    }
}

/// The end of the queue that everybody holds.
pub(super) struct Writer {
    queue: RwLock<Option<SyncSender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(path: &Path, parts: Parts) -> Result<Self, OpenError> {
        let newest = rows::newest_line(&parts.connection)
            .map_err(|error| OpenError::sqlite(path, &error))?;
        let (queue, jobs) = sync_channel(QUEUE);
        let thread = Thread { parts, newest_line: Cell::new(newest) };
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || thread.work_off(&jobs))
            .map_err(|error| OpenError::io(path, &error))?;
        Ok(Self { queue: RwLock::new(Some(queue)), thread: Mutex::new(Some(thread)) })
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Write<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        self.send(Box::new(Task { work: Some(work), result: None, answer }))?;
        answered.await.unwrap_or_else(|_| Err(Failure::Store(closed())))
    }

    fn send(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        match queue.as_ref().ok_or_else(closed)?.try_send(job) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(StoreError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(closed()),
        }
    }

    /// Waits until what has queued up is done.
    pub(super) async fn close(&self) {
        drop(self.queue.write().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        join(thread.into_iter().collect()).await;
    }
}

/// Waits for threads without holding up a worker of tokio.
pub(super) async fn join(threads: Vec<JoinHandle<()>>) {
    let joined = tokio::task::spawn_blocking(move || {
        threads.into_iter().all(|thread| thread.join().is_ok())
    });
    if !joined.await.unwrap_or(false) {
        tracing::error!("a thread of the database ended in a panic");
    }
}

/// The store was closed.
pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

/// The writing thread.
struct Thread {
    parts: Parts,
    newest_line: Cell<Option<AuditId>>,
}

impl Thread {
    fn work_off(self, jobs: &Receiver<Box<dyn Job>>) {
        while let Ok(first) = jobs.recv() {
            self.group(first, jobs);
        }
        if let Err(error) = self.commit(&mut Vec::new(), &mut std::iter::empty()) {
            tracing::warn!(%error, "who was seen lately was not written");
        }
        let Parts { connection, lock, .. } = self.parts;
        // In this order: nobody else may have the file before this connection has left it.
        drop(connection);
        drop(lock);
    }

    /// `first` and what has queued up behind it, as one transaction.
    fn group(&self, first: Box<dyn Job>, jobs: &Receiver<Box<dyn Job>>) {
        let mut done = Vec::new();
        let mut next = std::iter::once(first).chain(jobs.try_iter().take(GROUP));
        let newest_line = self.newest_line.get();
        let failed = self.commit(&mut done, &mut next).err();
        if failed.is_some() {
            self.newest_line.set(newest_line);
            if done.is_empty() {
                // The lock was not to be had: those behind would only wait as long again.
                done.extend(next);
            }
        }
        for job in done {
            job.answer(failed.as_ref());
        }
    }

    fn commit(
        &self,
        done: &mut Vec<Box<dyn Job>>,
        next: &mut dyn Iterator<Item = Box<dyn Job>>,
    ) -> Result<(), StoreError> {
        self.parts.file.check()?;
        let connection = &self.parts.connection;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let committed = self.fill(done, next);
        if !connection.is_autocommit() {
            connection.prepare_cached("ROLLBACK")?.execute([])?;
        }
        committed
    }

    /// Runs the jobs and commits; the transaction is still open when that fails.
    fn fill(
        &self,
        done: &mut Vec<Box<dyn Job>>,
        next: &mut dyn Iterator<Item = Box<dyn Job>>,
    ) -> Result<(), StoreError> {
        let connection = &self.parts.connection;
        let mut effects = Effects::default();
        for mut job in next {
            let step = self.step(job.as_mut(), &mut effects);
            done.push(job);
            step?;
        }
        let memory = &self.parts.memory;
        let seen = memory.seen.write(connection)?;
        let seen_devices = memory.seen_devices.write(connection)?;
        connection.prepare_cached("COMMIT")?.execute([])?;
        memory.seen.written(&seen);
        memory.seen_devices.written(&seen_devices);
        memory.changed(effects);
        Ok(())
    }

    /// One job in its savepoint. An error is the whole group's.
    fn step(&self, job: &mut dyn Job, effects: &mut Effects) -> Result<(), StoreError> {
        let connection = &self.parts.connection;
        connection.prepare_cached("SAVEPOINT job")?.execute([])?;
        let own = RefCell::default();
        let write = Write {
            connection,
            now: self.parts.clock.now().as_millisecond(),
            entropy: &*self.parts.entropy,
            newest_line: &self.newest_line,
            effects: &own,
        };
        let step = job.run(&write);
        if connection.is_autocommit() {
            // SQLite has rolled everything back (full disk, failed read): nothing of the group is
            // left.
            return match step {
                Step::Failed(error) => Err(error),
                Step::Keep | Step::Undo => {
                    Err(StoreError::Contradiction("the transaction ended by itself"))
                }
            };
        }
        if matches!(step, Step::Keep) {
            effects.join(own.into_inner());
        } else {
            connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
        }
        connection.prepare_cached("RELEASE job")?.execute([])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use luminous_domain::{OsEntropy, SystemClock};

    use super::*;
    use crate::{Health as _, SqliteStore};

    #[tokio::test]
    async fn a_job_that_panics_takes_nothing_along_and_the_thread_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("luminous.sqlite");
        let store = SqliteStore::open(&path, Arc::new(SystemClock), Arc::new(OsEntropy)).unwrap();
        let sql = "INSERT INTO attempts (bucket, at, expires_at) VALUES (?1, 0, 0)";
        let panics = store.write(move |write| -> Result<(), Failure> {
            write.connection.execute(sql, ["gone"])?;
            panic!("as a test")
        });
        let works = store.write(move |write| Ok(write.connection.execute(sql, ["kept"])?));
        let (panicked, worked) = tokio::join!(panics, works);
        assert!(matches!(panicked, Err(Failure::Store(StoreError::Driver(_)))), "{panicked:?}");
        assert_eq!(worked, Ok(1));
        store.ping().await.unwrap();
        let kept = store.read(|read| {
            let sql = "SELECT group_concat(bucket) FROM attempts";
            Ok(read.connection.query_row(sql, [], |row| row.get::<_, String>(0))?)
        });
        assert_eq!(kept.await.unwrap(), "kept");
        store.close().await;
    }

    #[tokio::test]
    async fn a_store_whose_writer_does_not_answer_is_not_ready() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("luminous.sqlite");
        let store = SqliteStore::open(&path, Arc::new(SystemClock), Arc::new(OsEntropy)).unwrap();
        let (go_on, told) = std::sync::mpsc::channel::<()>();
        let stuck = store.write(move |_| {
            let _ = told.recv();
            Ok(())
        });
        let asked = async {
            // Idle, a paused clock runs ahead to the deadline.
            tokio::time::pause();
            let answer = store.ping().await;
            tokio::time::resume();
            drop(go_on);
            answer
        };
        let (stuck, asked) = tokio::join!(stuck, asked);
        assert_eq!((stuck, asked), (Ok(()), Err(StoreError::Busy)));
        store.ping().await.unwrap();
        store.close().await;
    }
}
