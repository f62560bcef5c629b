//! How often displays ask (RFC 8628 section 3.5). In memory: a poll costs no commit, and a display
//! that is asked to slow down twice because of a restart loses nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use luminous_domain::LinkId;

/// How much longer the interval gets when a poll comes too soon.
const SLOWER_MS: i64 = 5_000;
/// Beyond that many, those whose code has ended are forgotten when another one asks for the first
/// time; how many have not is bounded by [`crate::NewLink::most`].
const MANY: usize = 1024;

/// When displays asked last.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Polls(Mutex<HashMap<LinkId, Poll>>);

#[derive(Debug)]
struct Poll {
    at: i64,
    interval_ms: i64,
    /// When the code ends.
    until: i64,
}

impl Polls {
    /// Notes a poll at `now` for a code that lives `until` then; the interval from now on when it
    /// comes too soon.
    pub(super) fn slowed(
        &self,
        link: LinkId,
        interval_ms: i64,
        until: i64,
        now: i64,
    ) -> Option<i64> {
        let mut polls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(poll) = polls.get_mut(&link) else {
            if polls.len() >= MANY {
                polls.retain(|_, poll| poll.until >= now);
            }
            polls.insert(link, Poll { at: now, interval_ms, until });
            return None;
        };
        // Also when the clock was set back since.
        let too_fast = (0..poll.interval_ms).contains(&now.saturating_sub(poll.at));
        poll.at = now;
        if !too_fast {
            return None;
        }
        poll.interval_ms = poll.interval_ms.saturating_add(SLOWER_MS);
        Some(poll.interval_ms)
    }

    /// There is nothing more to wait for.
    pub(super) fn forget(&self, link: LinkId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&link);
    }
}

#[cfg(test)]
mod tests {
    use luminous_domain::{OsEntropy, Timestamp};

    use super::*;

    #[test]
    fn what_is_remembered_of_polls_ends_with_the_code() {
        let polls = Polls::default();
        let poll = |until, now| {
            let link = LinkId::new(Timestamp::UNIX_EPOCH, &OsEntropy).unwrap();
            assert_eq!(polls.slowed(link, 5_000, until, now), None);
            link
        };
        let lasting = poll(600_001, 0);
        for _ in 1..MANY {
            poll(600_000, 0);
        }
        poll(1_200_000, 600_000);
        assert_eq!(polls.0.lock().unwrap().len(), MANY + 1, "they have not ended");
        poll(1_200_001, 600_001);
        assert_eq!(polls.0.lock().unwrap().len(), 3);
        assert_eq!(polls.slowed(lasting, 5_000, 600_001, 600_001), None);
        assert_eq!(
            polls.slowed(lasting, 5_000, 600_001, 600_001),
            Some(10_000),
            "it is still known"
        );
    }
}
