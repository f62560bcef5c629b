//! How often displays ask (RFC 8628 section 3.5). In memory: a poll costs no commit, and a display
//! that is asked to slow down twice because of a restart loses nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use luminous_domain::LinkId;

/// How much longer the interval gets when a poll comes too soon.
const SLOWER_MS: i64 = 5_000;
/// Beyond that many, those that have not asked for an hour are forgotten.
const MOST: usize = 16_384;
/// An hour.
const IDLE_MS: i64 = 3_600_000;

/// When displays asked last.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Polls(Mutex<HashMap<LinkId, Poll>>);

#[derive(Debug)]
struct Poll {
    at: i64,
    interval_ms: i64,
}

impl Polls {
    /// Notes a poll at `now`; whether it comes too soon.
    pub(super) fn is_too_fast(&self, link: LinkId, interval_ms: i64, now: i64) -> bool {
        let mut polls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if polls.len() >= MOST {
            polls.retain(|_, poll| poll.at.saturating_add(IDLE_MS) >= now);
        }
        let Some(poll) = polls.get_mut(&link) else {
            polls.insert(link, Poll { at: now, interval_ms });
            return false;
        };
        // Also when the clock was set back since.
        let too_fast = (0..poll.interval_ms).contains(&now.saturating_sub(poll.at));
        poll.at = now;
        if too_fast {
            poll.interval_ms = poll.interval_ms.saturating_add(SLOWER_MS);
        }
        too_fast
    }

    /// There is nothing more to wait for.
    pub(super) fn forget(&self, link: LinkId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&link);
    }
}
