//! The server's time, told apart from this computer's clock, which may say 1970 (F9, F10).
//!
//! Proofs are dated by it, and only it can say that a link's time is over: the clock of a wall is not
//! evidence. It is learned from the `Date` of our server's answers and goes on by monotonic time.

use std::time::Duration;

use http::{HeaderMap, header};
use luminous_domain::{Clock, Timestamp};

/// Nearer than this, the clocks agree: `Date` has whole seconds and answers take their time.
const NEAR_MS: i64 = 5_000;

/// A `Date` this close to what is known already tells nothing new.
const SAME_MS: i64 = 1_500;

/// A server's time at a moment of monotonic time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    server_ms: i64,
    at: Duration,
}

impl Known {
    fn now_ms(self, elapsed: Duration) -> i64 {
        let since = elapsed.saturating_sub(self.at).as_millis();
        self.server_ms.saturating_add(i64::try_from(since).unwrap_or(i64::MAX))
    }
}

/// What is known of the server's time.
#[derive(Debug, Clone)]
pub(super) struct ServerTime {
    /// From an answer to this process.
    checked: Option<Known>,
    /// It is at least this: what an earlier process wrote down, and how long this one has run.
    least: Option<Known>,
}

impl ServerTime {
    /// With what an earlier process wrote down.
    pub(super) fn after(written_ms: Option<i64>, elapsed: Duration) -> Self {
        let least = written_ms.map(|server_ms| Known { server_ms, at: elapsed });
        Self { checked: None, least }
    }

    /// Reads an answer of our server. Whether its clock is not where it was thought to be.
    pub(super) fn note(&mut self, headers: &HeaderMap, clock: &dyn Clock) -> bool {
        let date = headers.get(header::DATE).and_then(|date| date.to_str().ok());
        let Some(date) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) else {
            return false;
        };
        let thought = self.guess(clock).as_millisecond();
        // The fraction of the second is not told: its middle is the best guess.
        let told = date.timestamp().as_millisecond().saturating_add(500);
        let moved = told.abs_diff(thought) > SAME_MS.unsigned_abs();
        if moved || self.checked.is_none() {
            let server_ms = if moved { told } else { thought };
            self.checked = Some(Known { server_ms, at: clock.elapsed() });
        }
        moved
    }

    /// The best guess, for dating a proof: this computer's clock until the server told better.
    pub(super) fn guess(&self, clock: &dyn Clock) -> Timestamp {
        let now = clock.now();
        let known = self.known_ms(clock.elapsed());
        let best = match (self.checked, known) {
            (Some(_), Some(known)) => known,
            (_, Some(least)) => least.max(now.as_millisecond()),
            (_, None) => return now,
        };
        Timestamp::from_millisecond(best).unwrap_or(now)
    }

    /// What is certain, Unix time in ms: without an answer to this process a lower bound.
    pub(super) fn known_ms(&self, elapsed: Duration) -> Option<i64> {
        self.checked.or(self.least).map(|known| known.now_ms(elapsed))
    }

    /// What to add to this computer's clock, in ms: whole seconds, 0 while the clocks are near.
    pub(super) fn offset_ms(&self, clock: &dyn Clock) -> i64 {
        let guess = self.guess(clock).as_millisecond();
        let offset = guess.saturating_sub(clock.now().as_millisecond());
        if offset.abs() < NEAR_MS { 0 } else { offset / 1000 * 1000 }
    }
}

#[cfg(test)]
mod tests {
    use luminous_testkit::FrozenClock;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn headers(date: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::DATE, date.parse().unwrap())])
    }

    /// The server's clock stands where [`FrozenClock::new`] does.
    const NOW: &str = "Sun, 22 Nov 2026 12:00:00 GMT";

    #[test]
    fn f10_a_clock_of_1970_is_corrected_by_the_servers_and_goes_on_by_monotonic_time() {
        let clock = FrozenClock::at(Timestamp::UNIX_EPOCH);
        let mut time = ServerTime::after(None, clock.elapsed());
        assert_eq!(time.guess(&clock), Timestamp::UNIX_EPOCH);
        assert!(time.note(&headers(NOW), &clock));
        let right = FrozenClock::new();
        assert_eq!(time.guess(&clock).as_second(), right.now().as_second());
        assert_eq!(time.offset_ms(&clock), right.now().as_second() * 1000);
        clock.advance(HOUR);
        right.advance(HOUR);
        assert_eq!(time.guess(&clock).as_second(), right.now().as_second());
        // The network sets the clock right: nothing changes but the offset.
        clock.set_wall(right.now());
        assert_eq!(time.guess(&clock).as_second(), right.now().as_second());
        assert_eq!(time.offset_ms(&clock), 0);
    }

    #[test]
    fn clocks_that_agree_have_no_offset() {
        let clock = FrozenClock::new();
        let mut time = ServerTime::after(None, clock.elapsed());
        assert!(!time.note(&headers(NOW), &clock));
        assert_eq!(time.offset_ms(&clock), 0);
        assert_eq!(time.guess(&clock), clock.now());
    }

    #[test]
    fn t22_a_clock_that_nobody_checked_is_no_evidence() {
        let clock = FrozenClock::new();
        let written = clock.now().as_millisecond();
        clock.set_wall(clock.now() + 100_000 * HOUR);
        let time = ServerTime::after(Some(written), clock.elapsed());
        assert_eq!(time.known_ms(clock.elapsed()), Some(written));
        assert_eq!(time.offset_ms(&clock), 0);
        clock.advance(HOUR);
        assert_eq!(time.known_ms(clock.elapsed()), Some(written + 3_600_000));
    }

    #[test]
    fn f10_it_is_not_earlier_than_it_was_once_whatever_the_clock_says() {
        let clock = FrozenClock::new();
        let written = clock.now().as_millisecond();
        clock.set_wall(Timestamp::UNIX_EPOCH);
        let time = ServerTime::after(Some(written), clock.elapsed());
        assert_eq!(time.offset_ms(&clock), written / 1000 * 1000);
    }

    #[test]
    fn what_is_no_date_tells_nothing() {
        let clock = FrozenClock::new();
        let mut time = ServerTime::after(None, clock.elapsed());
        assert!(!time.note(&headers("yesterday"), &clock));
        assert!(!time.note(&HeaderMap::new(), &clock));
        assert_eq!(time.known_ms(clock.elapsed()), None);
    }
}
