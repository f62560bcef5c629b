//! The connections that answer questions, each on a thread of its own.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use luminous_domain::Clock;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::open::{self, OpenError, SqliteOptions};
use super::writer::{closed, join};
use crate::error::StoreError;

/// How many questions may wait.
const QUEUE: usize = 4096;

/// A question, and what answers it.
type Query = Box<dyn FnOnce(&Connection) + Send>;

/// One snapshot of the database.
pub(super) struct Read<'a> {
    pub(super) connection: &'a Connection,
    /// Unix ms.
    pub(super) now: i64,
}

pub(super) struct Readers {
    queue: RwLock<Option<SyncSender<Query>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    clock: Arc<dyn Clock>,
}

impl Readers {
    pub(super) fn start(
        path: &Path,
        options: &SqliteOptions,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let (queue, queries) = sync_channel(QUEUE);
        let queries = Arc::new(Mutex::new(queries));
        let mut threads = Vec::new();
        for n in 0..options.readers.max(1) {
            let connection =
                open::reader(path, options).map_err(|error| OpenError::sqlite(path, &error))?;
            let queries = Arc::clone(&queries);
            let thread = std::thread::Builder::new()
                .name(format!("sqlite-reader-{n}"))
                .spawn(move || answer_all(&connection, &queries))
                .map_err(|error| OpenError::io(path, &error))?;
            threads.push(thread);
        }
        let (queue, threads) = (RwLock::new(Some(queue)), Mutex::new(threads));
        Ok(Self { queue, threads, clock: Arc::clone(clock) })
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Read<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let clock = Arc::clone(&self.clock);
        self.send(Box::new(move |connection| {
            let now = clock.now().as_millisecond();
            // Nobody may be waiting any more.
            let _ = answer.send(in_snapshot(connection, now, work));
        }))?;
        answered.await.unwrap_or_else(|_| Err(closed()))
    }

    fn send(&self, query: Query) -> Result<(), StoreError> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        match queue.as_ref().ok_or_else(closed)?.try_send(query) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => Err(StoreError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(closed()),
        }
    }

    /// Unix ms.
    pub(super) fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.queue.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    pub(super) async fn close(&self) {
        drop(self.queue.write().unwrap_or_else(PoisonError::into_inner).take());
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        join(threads).await;
    }
}

/// Until nobody can ask any more.
fn answer_all(connection: &Connection, queries: &Mutex<Receiver<Query>>) {
    loop {
        let next = queries.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(query) => query(connection),
            Err(_) => return,
        }
    }
}

/// Several statements see the same state: without a transaction each would see its own.
fn in_snapshot<T>(
    connection: &Connection,
    now: i64,
    work: impl FnOnce(&Read<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let answer = work(&Read { connection, now });
    if !connection.is_autocommit() {
        connection.prepare_cached("COMMIT")?.execute([])?;
    }
    answer
}
