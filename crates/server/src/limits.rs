//! How many requests somebody may make (the generic cell rate algorithm, in memory, per replica).
//!
//! One number for each key says when its bucket is empty again. The table is bounded: beyond its
//! size the keys seen longest ago start afresh, which costs them nothing.

use std::hash::Hash;
use std::time::Duration;

use quick_cache::sync::Cache;

/// The most keys that are told apart.
const MOST: usize = 20_000;

/// A rate for each key.
pub struct RateLimit<K> {
    /// The time one request is worth; zero for no limit.
    share: Duration,
    /// How far ahead of its rate a key may be.
    burst: Duration,
    empty_at: Cache<K, Duration>,
}

impl<K: Hash + Eq + Clone> RateLimit<K> {
    /// So many a minute, in any rhythm, for each key; 0 for any number.
    #[must_use]
    pub fn per_minute(requests: u32) -> Self {
        let minute = Duration::from_secs(60);
        let share = minute.checked_div(requests).unwrap_or_default();
        Self { share, burst: minute.saturating_sub(share), empty_at: Cache::new(MOST) }
    }

    /// Counts one request at `now` (of the monotonic clock).
    ///
    /// # Errors
    /// How long to wait, when it is one too many; it was not counted then.
    pub fn count(&self, key: &K, now: Duration) -> Result<(), Duration> {
        if self.share.is_zero() {
            return Ok(());
        }
        // Two requests of one key at the same instant may count as one: a limit, not an account.
        let empty_at = self.empty_at.get(key).map_or(now, |at| at.max(now));
        let ahead = empty_at - now;
        if ahead > self.burst {
            return Err(ahead - self.burst);
        }
        self.empty_at.insert(key.clone(), empty_at + self.share);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_worth_goes_at_once_and_then_one_by_one() {
        let limit = RateLimit::per_minute(6);
        let at = Duration::from_secs;
        for _ in 0..6 {
            assert_eq!(limit.count(&"a", at(100)), Ok(()));
        }
        assert_eq!(limit.count(&"a", at(100)), Err(at(10)));
        assert_eq!(limit.count(&"b", at(100)), Ok(()), "each key has its own");
        assert_eq!(limit.count(&"a", at(110)), Ok(()));
        assert_eq!(limit.count(&"a", at(110)), Err(at(10)));
    }

    #[test]
    fn zero_is_no_limit() {
        let limit = RateLimit::per_minute(0);
        assert!((0..10_000).all(|_| limit.count(&"a", Duration::ZERO).is_ok()));
    }
}
