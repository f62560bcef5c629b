//! Who was here lately. Kept in memory, because it is told at every request, and written along with
//! whatever is written next.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use luminous_domain::{AccountId, DeviceId};
use quick_cache::sync::Cache;
use rusqlite::Connection;

use super::rows::Id;

/// How many are written along with one group; the others follow with the next.
const MOST: usize = 256;

/// How many of those that were written are remembered.
const WRITTEN: usize = 20_000;

/// When people or displays were last seen (Unix ms).
#[derive(Debug)]
pub(super) struct Seen<T> {
    table: &'static str,
    /// What is not in the file yet.
    latest: Mutex<HashMap<T, i64>>,
    /// What is in the file, but not in what was read from it before and is kept in memory.
    written: Cache<T, i64>,
}

impl Seen<AccountId> {
    pub(super) fn people() -> Self {
        Self::of("accounts")
    }
}

impl Seen<DeviceId> {
    pub(super) fn displays() -> Self {
        Self::of("devices")
    }
}

impl<T: Id + Eq + Hash> Seen<T> {
    fn of(table: &'static str) -> Self {
        Self { table, latest: Mutex::default(), written: Cache::new(WRITTEN) }
    }

    pub(super) fn note(&self, who: T, at: i64) {
        self.lock().insert(who, at);
    }

    /// When `who` was last seen, where that may be newer than what was read.
    pub(super) fn latest(&self, who: T) -> Option<i64> {
        self.lock().get(&who).copied().or_else(|| self.written.get(&who))
    }

    /// Writes some of it; [`Seen::written`] is told when that is committed.
    pub(super) fn write(&self, connection: &Connection) -> Result<Vec<(T, i64)>, rusqlite::Error> {
        let some: Vec<_> = self.lock().iter().take(MOST).map(|(id, at)| (*id, *at)).collect();
        let sql = format!("UPDATE {} SET last_seen_at = ?2 WHERE id = ?1", self.table);
        let mut update = connection.prepare_cached(&sql)?;
        for (who, at) in &some {
            update.execute((who.key(), at))?;
        }
        Ok(some)
    }

    /// What is in the file now need not be written again, unless it is newer already.
    pub(super) fn written(&self, some: &[(T, i64)]) {
        let mut seen = self.lock();
        for (who, at) in some {
            self.written.insert(*who, *at);
            if seen.get(who) == Some(at) {
                seen.remove(who);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<T, i64>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
