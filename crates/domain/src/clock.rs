//! The port through which time comes in.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

/// A point in civil time, UTC.
pub use jiff::Timestamp;

/// Where time comes from.
///
/// Lifetimes are measured on [`Clock::elapsed`], which never jumps; only what is compared with a
/// time written down by somebody else (a token's `exp`) uses [`Clock::now`]. Waiting is not here:
/// the callers wait on tokio's timer, which tests pause.
pub trait Clock: Send + Sync {
    /// The wall clock. It may be wrong and it may jump.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary fixed point of this process. It only grows.
    fn elapsed(&self) -> Duration;
}

/// The clocks of the operating system, and the only reader of them in the product.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn elapsed(&self) -> Duration {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let origin = *ORIGIN.get_or_init(Instant::now);
        Instant::now().saturating_duration_since(origin)
    }
}
