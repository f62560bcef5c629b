//! Where the process dies.

use std::fmt;

/// The seven points of F3, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    BeforeSend,
    SentNoResponse,
    ReceivedNotWritten,
    PendingSlotWritten,
    HeadSwitched,
    OldSlotDeleted,
    AfterFirstUse,
}

impl Point {
    pub const ALL: [Self; 7] = [
        Self::BeforeSend,
        Self::SentNoResponse,
        Self::ReceivedNotWritten,
        Self::PendingSlotWritten,
        Self::HeadSwitched,
        Self::OldSlotDeleted,
        Self::AfterFirstUse,
    ];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|point| point.to_string() == text)
    }

    /// Dies here, if this is the point: no destructor runs, nothing is flushed.
    pub fn reach(self, chosen: Option<Self>) {
        if chosen == Some(self) {
            let this = rustix::process::getpid();
            rustix::process::kill_process(this, rustix::process::Signal::KILL).unwrap();
            // The signal arrives at the next chance; nothing else is done until then.
            loop {
                std::thread::park();
            }
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeforeSend => "before-send",
            Self::SentNoResponse => "sent-no-response",
            Self::ReceivedNotWritten => "received-not-written",
            Self::PendingSlotWritten => "pending-slot-written",
            Self::HeadSwitched => "head-switched",
            Self::OldSlotDeleted => "old-slot-deleted",
            Self::AfterFirstUse => "after-first-use",
        })
    }
}
