//! How far behind a guest is with reading, counted in events (P6).

/// How many events are sent to a guest before it must have read them; its connection would take twice
/// as many.
const BURST: u32 = 128;
/// The most events that may wait for a guest that reads too slowly: those it was sent, and those that
/// happened since.
const MOST_WAITING: u64 = 256;

/// What a guest was sent since it had read everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Backlog {
    unread: u32,
    /// The family's newest event when the last of them was sent.
    latest: u64,
}

impl Backlog {
    /// One more was sent, while `latest` was the family's newest event.
    pub fn sent(&mut self, latest: u64) {
        self.unread += 1;
        self.latest = latest;
    }

    /// Whether it gets no more until it has read what it was sent.
    pub fn is_full(self) -> bool {
        self.unread >= BURST
    }

    /// Whether more waits by now than may: others shall not keep events, nor we connections, for somebody
    /// who does not read. Who comes back from far behind and reads is never meant.
    pub fn is_too_much(self, latest: u64) -> bool {
        let since = latest.saturating_sub(self.latest);
        self.is_full() && u64::from(self.unread) + since > MOST_WAITING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sent: u32, latest: u64) -> Backlog {
        let mut backlog = Backlog::default();
        (0..sent).for_each(|_| backlog.sent(latest));
        backlog
    }

    #[test]
    fn p6_the_257th_event_is_one_too_many_for_who_does_not_read() {
        let full = of(128, 1000);
        assert!(full.is_full() && !of(127, 1000).is_full());
        assert!(!full.is_too_much(1000) && !full.is_too_much(1128));
        assert!(full.is_too_much(1129));
        // Of a database that came back from a backup.
        assert!(!full.is_too_much(3));
    }

    #[test]
    fn p6_who_comes_back_from_far_behind_and_reads_is_not_meant() {
        assert!(!of(128, 9000).is_too_much(9000), "the rest follows as it reads");
        assert!(!of(127, 1000).is_too_much(9000), "it was not asked to read yet");
    }
}
