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
}
