//! Who was here lately. Kept in memory, because it is told at every request, and written along with
//! whatever is written next.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use luminous_domain::AccountId;
use rusqlite::Connection;

use super::rows::Id as _;

/// How many are written along with one group; the others follow with the next.
const MOST: usize = 256;

/// When accounts were last seen (Unix ms), as far as that is not in the file yet.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<HashMap<AccountId, i64>>);

impl Seen {
    pub(super) fn note(&self, account: AccountId, at: i64) {
        self.lock().insert(account, at);
    }

    /// When `account` was last seen, where that is newer than the file.
    pub(super) fn latest(&self, account: AccountId) -> Option<i64> {
        self.lock().get(&account).copied()
    }

    /// Writes some of it; to be forgotten when that is committed.
    pub(super) fn write(
        &self,
        connection: &Connection,
    ) -> Result<Vec<(AccountId, i64)>, rusqlite::Error> {
        let some: Vec<_> = self.lock().iter().take(MOST).map(|(id, at)| (*id, *at)).collect();
        let mut update =
            connection.prepare_cached("UPDATE accounts SET last_seen_at = ?2 WHERE id = ?1")?;
        for (account, at) in &some {
            update.execute((account.key(), at))?;
        }
        Ok(some)
    }

    /// Forgets what is in the file now, unless it is newer already.
    pub(super) fn written(&self, some: &[(AccountId, i64)]) {
        let mut seen = self.lock();
        for (account, at) in some {
            if seen.get(account) == Some(at) {
                seen.remove(account);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountId, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
