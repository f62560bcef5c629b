//! Who was here lately. Kept in memory, because it is told at every request, and written along with
//! whatever is written next.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use luminous_domain::{AccountId, DeviceId};
use rusqlite::Connection;

use super::rows::Id;

/// How many are written along with one group; the others follow with the next.
const MOST: usize = 256;

/// When people or displays were last seen (Unix ms), as far as that is not in the file yet.
#[derive(Debug)]
pub(super) struct Seen<T> {
    table: &'static str,
    latest: Mutex<HashMap<T, i64>>,
}

impl Seen<AccountId> {
    pub(super) fn people() -> Self {
        Self { table: "accounts", latest: Mutex::default() }
    }
}

impl Seen<DeviceId> {
    pub(super) fn displays() -> Self {
        Self { table: "devices", latest: Mutex::default() }
    }
}

impl<T: Id + Eq + Hash> Seen<T> {
    pub(super) fn note(&self, who: T, at: i64) {
        self.lock().insert(who, at);
    }

    /// When `who` was last seen, where that is newer than the file.
    pub(super) fn latest(&self, who: T) -> Option<i64> {
        self.lock().get(&who).copied()
    }

    /// Writes some of it; to be forgotten when that is committed.
    pub(super) fn write(&self, connection: &Connection) -> Result<Vec<(T, i64)>, rusqlite::Error> {
        let some: Vec<_> = self.lock().iter().take(MOST).map(|(id, at)| (*id, *at)).collect();
        let sql = format!("UPDATE {} SET last_seen_at = ?2 WHERE id = ?1", self.table);
        let mut update = connection.prepare_cached(&sql)?;
        for (who, at) in &some {
            update.execute((who.key(), at))?;
        }
        Ok(some)
    }

    /// Forgets what is in the file now, unless it is newer already.
    pub(super) fn written(&self, some: &[(T, i64)]) {
        let mut seen = self.lock();
        for (who, at) in some {
            if seen.get(who) == Some(at) {
                seen.remove(who);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<T, i64>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
