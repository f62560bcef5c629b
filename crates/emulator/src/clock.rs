//! Where the emulator's time comes from.

use jiff::Timestamp;

/// The wall clock: the only time the emulator knows. Nothing in it waits.
///
/// Any closure that answers a [`Timestamp`] is a clock, so a test's frozen clock needs no adapter.
pub trait Clock: Send + Sync {
    /// What time it is, UTC.
    fn now(&self) -> Timestamp;
}

impl<F: Fn() -> Timestamp + Send + Sync> Clock for F {
    fn now(&self) -> Timestamp {
        self()
    }
}

/// The operating system's clock, and the only reader of it in this crate.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
