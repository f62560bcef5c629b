//! What waits to be sent to one client: bounded, and without memory while it is empty.

use std::collections::VecDeque;
use std::mem::take;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use futures_util::task::AtomicWaker;
use tokio::sync::Notify;

use super::SLOW_CONSUMER;

/// The most frames that may wait.
const MOST_FRAMES: usize = 256;
/// The most bytes that may wait.
pub(super) const MOST_BYTES: usize = 256 * 1024;

/// How a connection shall end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct End {
    pub(super) error: Option<String>,
    pub(super) allow_reconnect: bool,
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    waker: AtomicWaker,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<Utf8Bytes>,
    bytes: usize,
    state: State,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    Ending(End),
    Over,
}

/// What the connection's task finds.
pub(super) enum Next {
    Frame(Utf8Bytes),
    Nothing,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing in here can panic half-way.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it was taken. One too many drops all that waits and ends the connection.
    pub(super) fn push(&self, frame: Utf8Bytes) -> bool {
        let mut waiting = self.lock();
        if waiting.state != State::Open {
            return false;
        }
        let full = waiting.frames.len() == MOST_FRAMES || waiting.bytes + frame.len() > MOST_BYTES;
        if full {
            waiting.drop_all();
            let error = Some(SLOW_CONSUMER.to_owned());
            waiting.state = State::Ending(End { error, allow_reconnect: true });
            self.emptied.notify_waiters();
        } else {
            waiting.bytes += frame.len();
            waiting.frames.push_back(frame);
        }
        drop(waiting);
        self.waker.wake();
        !full
    }

    /// Ends after what waits; the first end counts.
    pub(super) fn end(&self, end: End) {
        let mut waiting = self.lock();
        if waiting.state == State::Open {
            waiting.state = State::Ending(end);
        }
        drop(waiting);
        self.waker.wake();
    }

    /// Nothing is taken any more.
    pub(super) fn finish(&self) {
        let mut waiting = self.lock();
        waiting.drop_all();
        waiting.state = State::Over;
        drop(waiting);
        self.emptied.notify_waiters();
    }

    /// Until nothing waits any more, or never will.
    pub(super) async fn empty(&self) {
        loop {
            let mut emptied = std::pin::pin!(self.emptied.notified());
            // From here on no word is missed.
            emptied.as_mut().enable();
            if self.lock().frames.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.lock().state == State::Open
    }

    /// A reply goes out even if the end was asked for while it was made.
    pub(super) fn reply(&self, frame: Utf8Bytes) {
        let mut waiting = self.lock();
        if matches!(waiting.state, State::Ending(_)) {
            waiting.bytes += frame.len();
            waiting.frames.push_back(frame);
        } else {
            drop(waiting);
            self.push(frame);
        }
    }

    /// The end that was asked for, though frames may still wait before it.
    pub(super) fn ending(&self) -> Option<End> {
        match &self.lock().state {
            State::Ending(end) => Some(end.clone()),
            State::Open | State::Over => None,
        }
    }

    pub(super) fn is_ending(&self) -> bool {
        matches!(self.lock().state, State::Ending(_))
    }

    /// Who is woken when there is something new; to be said before [`Queue::next`].
    pub(super) fn register(&self, waker: &std::task::Waker) {
        self.waker.register(waker);
    }

    pub(super) fn next(&self) -> Next {
        let mut waiting = self.lock();
        let Some(frame) = waiting.frames.pop_front() else { return Next::Nothing };
        waiting.bytes -= frame.len();
        if waiting.frames.is_empty() {
            waiting.drop_all();
            drop(waiting);
            self.emptied.notify_waiters();
        }
        Next::Frame(frame)
    }
}

impl Waiting {
    /// Gives the memory back too: most connections are idle most of the time.
    fn drop_all(&mut self) {
        drop(take(&mut self.frames));
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p6_the_257th_waiting_frame_ends_the_connection_and_frees_the_rest() {
        let queue = Queue::default();
        for _ in 0..MOST_FRAMES {
            assert!(queue.push("x".into()));
        }
        assert!(!queue.push("x".into()));
        assert!(!queue.is_open());
        assert!(matches!(queue.next(), Next::Nothing));
        let end = queue.ending().expect("it ends");
        assert_eq!(end, End { error: Some(SLOW_CONSUMER.to_owned()), allow_reconnect: true });
        assert_eq!(queue.lock().frames.capacity(), 0);
    }

    #[test]
    fn p6_so_do_more_than_256_kib() {
        let queue = Queue::default();
        assert!(queue.push("x".repeat(MOST_BYTES).into()));
        assert!(!queue.push("x".into()));
    }

    #[test]
    fn what_was_read_makes_room() {
        let queue = Queue::default();
        for _ in 0..MOST_FRAMES * 3 {
            assert!(queue.push("x".repeat(1024).into()));
            assert!(matches!(queue.next(), Next::Frame(_)));
        }
        assert!(matches!(queue.next(), Next::Nothing));
        assert_eq!(queue.lock().bytes, 0);
    }

    #[test]
    fn the_end_comes_after_what_waits_and_nothing_after_the_end() {
        let queue = Queue::default();
        queue.push("x".into());
        queue.end(End { error: None, allow_reconnect: true });
        queue.end(End { error: None, allow_reconnect: false });
        assert!(!queue.push("y".into()));
        queue.reply("z".into());
        assert!(matches!(queue.next(), Next::Frame(frame) if frame.as_str() == "x"));
        assert!(matches!(queue.next(), Next::Frame(frame) if frame.as_str() == "z"));
        assert!(matches!(queue.next(), Next::Nothing));
        assert!(queue.ending().is_some_and(|end| end.allow_reconnect));
        queue.finish();
        assert_eq!(queue.ending(), None);
    }
}
