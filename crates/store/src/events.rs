//! What happened in a family, in order: the truth behind every push.
//!
//! Each event is written in the transaction of what it tells of, with a number of its own that grows
//! by one within the family. A [`Hint`] says that there is something to read; hints get lost.
//!
//! An event is forgotten when it is older than [`RETENTION`] or not among the newest
//! [`MOST_KEPT`] of its family, to the millisecond and whether or not a sweep came by.

use std::time::Duration;

use async_trait::async_trait;
use luminous_domain::{AccountId, FamilyId, LinkId, Timestamp};
use tokio::sync::broadcast;

use crate::error::StoreError;
use crate::families::Family;
use crate::members::Member;
use crate::notes::Note;

/// How long an event is kept.
pub const RETENTION: Duration = Duration::from_hours(24);
/// How many events of a family are kept.
pub const MOST_KEPT: u32 = 1000;

/// What happened. It names nothing that a display may not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// The family has another name; or it is gone.
    FamilyChanged,
    /// Somebody came, went or changed. The subject is the member.
    MembersChanged,
    /// A note went up or came down. The subject is the note.
    NotesChanged,
    /// A display was linked. The subject is the display.
    DeviceLinked,
    /// A display changed. The subject is the display.
    DevicesChanged,
    /// A display was ended. The subject is the display.
    DeviceRevoked,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::FamilyChanged,
        Self::MembersChanged,
        Self::NotesChanged,
        Self::DeviceLinked,
        Self::DevicesChanged,
        Self::DeviceRevoked,
    ];

    /// As it is written down and sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FamilyChanged => "family_changed",
            Self::MembersChanged => "members_changed",
            Self::NotesChanged => "notes_changed",
            Self::DeviceLinked => "device_linked",
            Self::DevicesChanged => "devices_changed",
            Self::DeviceRevoked => "device_revoked",
        }
    }

    /// The one that is written down so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Why, where whoever hears of it does something else for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventReason {
    /// Of a display that was ended: a refresh token of it came back that had been used up (F6).
    Reuse,
}

impl EventReason {
    /// As it is written down and sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reuse => "reuse",
        }
    }

    /// The one that is written down so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text == Self::Reuse.as_str()).then_some(Self::Reuse)
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number in the family; the first is 1.
    pub seq: u64,
    /// What happened.
    pub kind: EventKind,
    /// The id of what it is about.
    pub subject: Option<String>,
    /// Why, if that is told.
    pub reason: Option<EventReason>,
    /// When.
    pub at: Timestamp,
}

/// What happened after a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// In order, without a gap; at most as many as were asked for.
    pub events: Vec<Event>,
    /// The newest number of the family, 0 when nothing ever happened.
    pub latest: u64,
    /// Whether events after the number asked for were forgotten already (or the number is from the
    /// future): read everything anew. There are no events on such a page.
    pub is_torn: bool,
}

/// Everything a wall shows, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WallContent {
    /// The family.
    pub family: Family,
    /// Who belongs to it.
    pub members: Vec<Member>,
    /// Its notes, the newest first.
    pub notes: Vec<Note>,
    /// The newest event that this already shows.
    pub seq: u64,
}

/// Something may have changed: look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// The family has events up to this number at least.
    Family {
        /// Which.
        family: FamilyId,
        /// The number.
        seq: u64,
    },
    /// A display's wish stands elsewhere than before.
    Link {
        /// Which.
        link: LinkId,
    },
    /// All sign-ins of a person were ended.
    Account {
        /// Whose.
        account: AccountId,
    },
    /// Hints were lost: look at everything.
    Gap,
    /// The same, and the database is another server than before, or was started anew: it may lack what
    /// was committed last (a standby that was behind, a backup), and give numbers of events again that
    /// were told already. No number counts any more.
    Rewound,
}

/// Events.
#[async_trait]
pub trait Events: Send + Sync {
    /// What happened in the family after `after`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn events_after(
        &self,
        family: FamilyId,
        after: u64,
        limit: u32,
    ) -> Result<EventPage, StoreError>;

    /// Everything a wall shows and the number it is as of, read in one transaction; `None` when there
    /// is no such family.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn wall(&self, family: FamilyId) -> Result<Option<WallContent>, StoreError>;

    /// Hints from now on, of all replicas. Whoever lags behind lost some: the same as [`Hint::Gap`].
    fn hints(&self) -> broadcast::Receiver<Hint>;
}
