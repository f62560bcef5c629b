//! Which connection ids have a socket here, or had one while their token was fresh.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ConnectionId;

#[derive(Debug, Default)]
pub(super) struct Live(Mutex<Ids>);

#[derive(Debug, Default)]
struct Ids {
    open: HashMap<ConnectionId, i64>,
    /// Closed again before their token expired, with that time: the token is good no more.
    spent: HashMap<ConnectionId, i64>,
    /// When `spent` was gone through.
    swept: i64,
}

/// What this replica knows of an id.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is this caller's now.
    Now,
    /// It has a socket, or had one a moment ago.
    Before,
    /// Its token is too old.
    Expired,
}

impl Live {
    fn lock(&self) -> MutexGuard<'_, Ids> {
        // Nothing in here can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the id for a socket, if nobody has; `now` and `expires` in seconds since the epoch.
    pub(super) fn take(&self, id: ConnectionId, expires: i64, now: i64) -> Taken {
        let mut ids = self.lock();
        if ids.swept != now {
            ids.spent.retain(|_, expires| *expires > now);
            ids.swept = now;
        }
        if ids.open.contains_key(&id) || ids.spent.contains_key(&id) {
            return Taken::Before;
        }
        if expires <= now {
            return Taken::Expired;
        }
        ids.open.insert(id, expires);
        Taken::Now
    }

    /// The socket is closed.
    pub(super) fn release(&self, id: ConnectionId) {
        let mut ids = self.lock();
        if let Some(expires) = ids.open.remove(&id) {
            ids.spent.insert(id, expires);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p1_an_id_is_taken_once_and_is_unknown_when_its_token_is_old() {
        let (live, id) = (Live::default(), ConnectionId::from_bytes([1; 16]));
        assert_eq!(live.take(id, 30, 0), Taken::Now);
        assert_eq!(live.take(id, 30, 0), Taken::Before);
        assert_eq!(live.take(id, 30, 99), Taken::Before, "it is still open");
        live.release(id);
        assert_eq!(live.take(id, 30, 29), Taken::Before);
        assert_eq!(live.take(id, 30, 30), Taken::Expired);
        assert!(live.lock().spent.is_empty(), "what is old is forgotten");
    }
}
