//! A clock that moves only when told to.

use std::sync::Mutex;
use std::time::Duration;

use luminous_domain::{Clock, Timestamp};

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct FrozenClock {
    state: Mutex<(Timestamp, Duration)>,
}

impl FrozenClock {
    /// Stands at 2026-11-22T12:00:00Z.
    #[must_use]
    pub fn new() -> Self {
        Self::at(Timestamp::constant(1_795_348_800, 0))
    }

    /// Stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { state: Mutex::new((now, Duration::ZERO)) }
    }

    /// Time passes: both clocks move.
    pub fn advance(&self, by: Duration) {
        let mut state = self.state.lock().expect("no test panicked holding the clock");
        state.0 += by;
        state.1 += by;
    }

    /// Somebody sets the wall clock; the monotonic clock does not notice.
    pub fn set_wall(&self, now: Timestamp) {
        self.state.lock().expect("no test panicked holding the clock").0 = now;
    }
}

impl Default for FrozenClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> Timestamp {
        self.state.lock().expect("no test panicked holding the clock").0
    }

    fn elapsed(&self) -> Duration {
        self.state.lock().expect("no test panicked holding the clock").1
    }
}
