//! One request at a time, shared by everybody who waits for it.

use std::future::Future;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

/// A request under way. Whoever awaits it drives it, so when the one who started it is cancelled,
/// the next one carries it on instead of asking again.
pub(crate) struct Flight<T: Clone> {
    number: u64,
    started: Duration,
    outcome: Shared<BoxFuture<'static, T>>,
}

impl<T: Clone> Clone for Flight<T> {
    fn clone(&self) -> Self {
        Self { number: self.number, started: self.started, outcome: self.outcome.clone() }
    }
}

/// Where a flight waits for company.
pub(crate) struct Runway<T: Clone> {
    current: Option<Flight<T>>,
    numbers: u64,
}

impl<T: Clone> Default for Runway<T> {
    fn default() -> Self {
        Self { current: None, numbers: 0 }
    }
}

/// A flight nobody has driven to its end in this time was abandoned by all, and its connection is
/// not worth resuming: twice the limit of one request.
const ABANDONED_AFTER: Duration = Duration::from_secs(10);

impl<T: Clone> Runway<T> {
    /// Whether somebody is already asking.
    pub(crate) fn is_busy(&self, now: Duration) -> bool {
        self.current.as_ref().is_some_and(|flight| now < flight.started + ABANDONED_AFTER)
    }

    /// Joins the flight under way, or starts one.
    pub(crate) fn board<F>(&mut self, now: Duration, start: impl FnOnce() -> F) -> Flight<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        if let Some(flight) = self.current.as_ref().filter(|_| self.is_busy(now)) {
            return flight.clone();
        }
        self.numbers += 1;
        let outcome = start().boxed().shared();
        let flight = Flight { number: self.numbers, started: now, outcome };
        self.current = Some(flight.clone());
        flight
    }

    /// Ends `flight`; only the first of its passengers gets `true` and records the outcome.
    pub(crate) fn land(&mut self, flight: &Flight<T>) -> bool {
        let first = self.current.as_ref().is_some_and(|current| current.number == flight.number);
        if first {
            self.current = None;
        }
        first
    }
}

impl<T: Clone> Flight<T> {
    /// Waits for the answer.
    pub(crate) async fn outcome(&self) -> T {
        self.outcome.clone().await
    }

    /// When the request was sent, on the clock that never jumps.
    pub(crate) fn started(&self) -> Duration {
        self.started
    }
}
