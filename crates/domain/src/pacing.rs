//! How long to wait before trying again: pure arithmetic, no timers.

use std::time::Duration;

/// Exponential back-off with full jitter: a uniformly random wait between zero and a ceiling that
/// doubles with each failure, so that many clients behind one address do not return together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first ceiling.
    pub first: Duration,
    /// The ceiling never grows past this.
    pub most: Duration,
}

impl Backoff {
    /// For token refresh: 1 s growing to 5 min.
    pub const REFRESH: Self =
        Self { first: Duration::from_secs(1), most: Duration::from_secs(300) };

    /// The wait after `failures` failures in a row (1 is the first); `random` picks the point
    /// between zero and the ceiling and any 32 random bits will do.
    #[must_use]
    pub fn wait(self, failures: u32, random: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let ceiling = self.first.saturating_mul(1 << doublings).min(self.most);
        ceiling.mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

/// How often a display asks what became of its code (RFC 8628 section 3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polling {
    interval: Duration,
    failures: u32,
}

impl Polling {
    /// What the interval grows by when the server says `slow_down`.
    pub const SLOWER: Duration = Duration::from_secs(5);
    /// The interval while a push would bring the news: it is a hint only, so it is not relied on.
    pub const BESIDE_PUSH: Duration = Duration::from_secs(30);
    /// The interval does not grow past this when the server is not reached.
    pub const MOST: Duration = Duration::from_secs(60);

    /// A server that wants longer intervals than this is not believed: somebody waits.
    pub const LONGEST: Duration = Duration::from_secs(300);

    /// Polling each `interval`, as the server said it; at least a second, at most [`Self::LONGEST`].
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        Self { interval: interval.clamp(Duration::from_secs(1), Self::LONGEST), failures: 0 }
    }

    /// The least time between two polls.
    #[must_use]
    pub const fn interval(self) -> Duration {
        self.interval
    }

    /// The server said `slow_down`: five seconds more, or what it `told`, whichever is longer.
    #[must_use]
    pub fn slowed(self, told: Option<Duration>) -> Self {
        let slower = self.interval.saturating_add(Self::SLOWER);
        Self { interval: slower.max(told.unwrap_or_default()).min(Self::LONGEST), failures: 0 }
    }

    /// The server was not reached: the interval doubles until it is.
    #[must_use]
    pub const fn failed(self) -> Self {
        Self { interval: self.interval, failures: self.failures.saturating_add(1) }
    }

    /// The server answered.
    #[must_use]
    pub const fn answered(self) -> Self {
        Self { interval: self.interval, failures: 0 }
    }

    /// When to ask again after the poll at `last`, when the code ends at `end`. `is_pushed` says
    /// whether a push would bring the news too. One poll goes out right at the end: somebody may have
    /// confirmed in the last moment (D10, D23). Who still has no answer then goes on at the same pace.
    #[must_use]
    pub fn due(self, last: Duration, end: Duration, is_pushed: bool) -> Duration {
        let grown = self.interval.saturating_mul(1 << self.failures.min(6));
        let pace = grown.min(Self::MOST.max(self.interval));
        let pace = if is_pushed { pace.max(Self::BESIDE_PUSH) } else { pace };
        // Never sooner than the server allows, and not much later than the end of the code.
        let due = last.saturating_add(pace);
        if last >= end { due } else { due.min(end.max(last.saturating_add(self.interval))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_and_then_stays() {
        let ceilings: Vec<u64> =
            (1..=11).map(|n| Backoff::REFRESH.wait(n, u32::MAX).as_secs()).collect();
        assert_eq!(ceilings, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(Backoff::REFRESH.wait(u32::MAX, u32::MAX).as_secs(), 300);
    }

    #[test]
    fn the_jitter_reaches_down_to_zero() {
        assert_eq!(Backoff::REFRESH.wait(5, 0), Duration::ZERO);
        assert_eq!(Backoff::REFRESH.wait(5, u32::MAX / 2).as_secs(), 7);
    }

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_display_asks_at_the_interval_and_five_seconds_later_after_each_slow_down() {
        let polling = Polling::new(at(5));
        assert_eq!(polling.due(at(10), at(600), false), at(15));
        let slowed = polling.slowed(None).slowed(None);
        assert_eq!(slowed.due(at(10), at(600), false), at(25));
        let told = polling.slowed(Some(at(40)));
        assert_eq!(told.due(at(10), at(600), false), at(50));
        let told_less = polling.slowed(Some(at(1)));
        assert_eq!(told_less.due(at(10), at(600), false), at(20));
        let for_ever = polling.slowed(Some(Duration::MAX));
        assert_eq!(for_ever.interval(), Polling::LONGEST, "somebody waits before the display");
    }

    #[test]
    fn a_push_is_a_hint_so_polling_goes_on_more_slowly_beside_it() {
        let polling = Polling::new(at(5));
        assert_eq!(polling.due(at(10), at(600), true), at(40));
    }

    #[test]
    fn a_server_that_is_not_reached_is_asked_at_growing_intervals() {
        let mut polling = Polling::new(at(5));
        let mut waits = Vec::new();
        for _ in 0..6 {
            polling = polling.failed();
            waits.push(polling.due(at(0), at(600), false).as_secs());
        }
        assert_eq!(waits, [10, 20, 40, 60, 60, 60]);
        assert_eq!(polling.answered().due(at(0), at(600), false), at(5));
    }

    #[test]
    fn d10_a_poll_goes_out_at_the_end_and_later_ones_keep_their_distance() {
        let polling = Polling::new(at(5));
        assert_eq!(polling.due(at(590), at(600), true), at(600));
        assert_eq!(polling.due(at(598), at(600), false), at(603));
        assert_eq!(polling.due(at(600), at(600), false), at(605), "no hot loop");
        assert_eq!(polling.slowed(None).due(at(600), at(600), false), at(610));
    }
}
