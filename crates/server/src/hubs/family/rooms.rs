//! Who of which family is connected here, what each has had, and whose right to listen is in doubt.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use luminous_domain::{AccountId, FamilyId};
use luminous_signalr::hub::{Frame, SLOW_CONSUMER};
use luminous_store::{Event, EventKind, EventPage};
use luminous_wire::api::FamilyEvent;
use luminous_wire::api::hub::family_hub;

use super::super::{Caller, Connection};
use super::backlog::Backlog;
use crate::AppState;
use crate::presence::Connected;

/// The most connections of one display: one, and the one before it that is not known to be dead yet.
const MOST_OF_DISPLAY: usize = 2;
/// The most connections of one person, over all their devices.
const MOST_OF_PERSON: usize = 8;
/// The most connections of one family: its 50 displays twice, and people.
const MOST_OF_FAMILY: usize = 160;
/// Told to whoever is closed because newer connections of the same came.
const REPLACED: &str = "push.replaced";

/// The position of whoever is to read everything anew: no event has this number.
const NOWHERE: u64 = u64::MAX;

/// The doubt that a guest comes with.
pub const NEW: u32 = 1;

/// Everybody who is connected, by family.
#[derive(Default)]
pub struct Rooms(Mutex<HashMap<FamilyId, Room>>);

#[derive(Default)]
struct Room {
    guests: Vec<Guest>,
    /// Up to which event it is known what changes who may listen; `None` until it was first asked.
    heard: Option<u64>,
}

struct Guest {
    connection: Connection,
    /// The newest event that was sent; `None` until the connection said what it has.
    position: Option<u64>,
    /// How far behind it is with reading.
    backlog: Backlog,
    /// How often it came into doubt whether it may listen, and up to which of these it was found that
    /// it may. It hears nothing in between, and a store that fails ends nothing.
    doubts: u32,
    settled: u32,
    /// Counts a display as online while it is here.
    _online: Option<Connected>,
}

impl Rooms {
    /// Takes a connection in, in doubt ([`NEW`]). Of too many of the same the oldest is closed (T24).
    pub fn enter(&self, connection: &Connection, state: &AppState) {
        let Some(family) = connection.caller().family() else { return };
        let (online, most) = match connection.caller() {
            Caller::Display { device, .. } => {
                (Some(state.presence().connect(*device)), MOST_OF_DISPLAY)
            }
            _ => (None, MOST_OF_PERSON),
        };
        let guest = Guest {
            connection: connection.clone(),
            position: None,
            backlog: Backlog::default(),
            doubts: NEW,
            settled: 0,
            _online: online,
        };
        let mut rooms = self.rooms();
        let room = rooms.entry(family).or_default();
        room.guests.push(guest);
        room.keep_newest(most, |caller| caller.is_same_bearer(connection.caller()));
        room.keep_newest(MOST_OF_FAMILY, |_| true);
    }

    /// A connection has ended.
    pub fn leave(&self, connection: &Connection) {
        let Some(family) = connection.caller().family() else { return };
        let mut rooms = self.rooms();
        if let Some(room) = rooms.get_mut(&family) {
            room.guests.retain(|guest| guest.connection.id() != connection.id());
            if room.guests.is_empty() {
                rooms.remove(&family);
            }
        }
    }

    /// How many connections there are.
    pub fn count(&self) -> usize {
        self.rooms().values().map(|room| room.guests.len()).sum()
    }

    /// Whether somebody of this family is connected.
    pub fn is_anybody_of(&self, family: FamilyId) -> bool {
        self.rooms().contains_key(&family)
    }

    /// Casts doubt on everybody, and answers of which families they are.
    pub fn doubt_all(&self) -> Vec<FamilyId> {
        self.doubt(|_| true)
    }

    /// Casts doubt on everybody and on each number that was told, for they may be given again: whoever is
    /// here is told to read everything anew. Answers of which families they are.
    pub fn forget_numbers(&self) -> Vec<FamilyId> {
        let mut rooms = self.rooms();
        for room in rooms.values_mut() {
            room.heard = None;
            for guest in &mut room.guests {
                guest.doubts += 1;
                guest.position = guest.position.map(|_| NOWHERE);
            }
        }
        rooms.keys().copied().collect()
    }

    /// Casts doubt on all connections of a person, and answers of which families they are.
    pub fn doubt_account(&self, whose: AccountId) -> Vec<FamilyId> {
        self.doubt(|caller| matches!(caller, Caller::Person { account, .. } if *account == whose))
    }

    fn doubt(&self, whom: impl Fn(&Caller) -> bool) -> Vec<FamilyId> {
        let mut rooms = self.rooms();
        let doubted = rooms.iter_mut().filter_map(|(family, room)| {
            let guests = room.guests.iter_mut().filter(|guest| whom(guest.connection.caller()));
            (guests.map(|guest| guest.doubts += 1).count() > 0).then_some(*family)
        });
        doubted.collect()
    }

    /// The open connections that are in doubt, each with the doubt to be settled.
    pub fn doubtful(&self, family: FamilyId) -> Vec<(Connection, u32)> {
        let rooms = self.rooms();
        let guests = rooms.get(&family).map(|room| room.guests.as_slice()).unwrap_or_default();
        let doubtful = guests.iter().filter(|guest| guest.is_doubtful());
        let open = doubtful.filter(|guest| guest.connection.is_open());
        open.map(|guest| (guest.connection.clone(), guest.doubts)).collect()
    }

    /// Since that doubt the connection was found to be of somebody who may listen.
    pub fn settle(&self, connection: &Connection, doubt: u32) {
        self.with_guest(connection, |guest| guest.settled = guest.settled.max(doubt));
    }

    /// The connection has everything up to `position`. It says so once; nothing that it was sent
    /// since is sent again.
    pub fn resume(&self, connection: &Connection, position: u64) {
        self.with_guest(connection, |guest| guest.position = guest.position.max(Some(position)));
    }

    /// The connection has read everything it was sent.
    pub fn caught_up(&self, connection: &Connection) {
        self.with_guest(connection, |guest| guest.backlog = Backlog::default());
    }

    /// From where to read: what the guest furthest behind has, of those who read and may listen, or
    /// what was heard. `None` when all of them are at `latest`, or nobody is here.
    pub fn behind(&self, family: FamilyId, latest: Option<u64>) -> Option<u64> {
        let rooms = self.rooms();
        let room = rooms.get(&family)?;
        let guests = room.guests.iter().filter(|guest| guest.may_be_sent());
        let positions = guests.filter_map(|guest| guest.position);
        // Nothing is after the last number, so that only the newest one is told.
        let all = positions.chain([room.heard.unwrap_or(NOWHERE)]);
        all.filter(|position| Some(*position) != latest).min()
    }

    /// Takes notice of the page that follows `from`. Answers whether it tells, for the first time, of
    /// what may change who may listen: then everybody is in doubt, and nobody gets it yet.
    pub fn heed(&self, family: FamilyId, from: u64, page: &EventPage) -> bool {
        let mut rooms = self.rooms();
        let Some(room) = rooms.get_mut(&family) else { return false };
        let in_doubt = room.heed(from, page);
        if in_doubt {
            room.guests.iter_mut().for_each(|guest| guest.doubts += 1);
        }
        in_doubt
    }

    /// Sends to each guest what it has not had of the page that follows `from`. Answers who must read
    /// before they get more; who has not for too long is closed, and may come again.
    pub fn hand_out(&self, family: FamilyId, from: u64, page: &EventPage) -> Vec<Connection> {
        let mut rooms = self.rooms();
        let Some(room) = rooms.get_mut(&family) else { return Vec::new() };
        let frames: Vec<(u64, Frame)> =
            page.events.iter().filter_map(|event| Some((event.seq, frame(event)?))).collect();
        let mut full = Vec::new();
        for guest in &mut room.guests {
            if guest.backlog.is_too_much(page.latest) {
                guest.connection.close(Some(SLOW_CONSUMER), true);
            } else if guest.may_be_sent() {
                guest.hand(from, page, &frames);
                full.extend(guest.backlog.is_full().then(|| guest.connection.clone()));
            }
        }
        full
    }

    fn with_guest(&self, connection: &Connection, act: impl FnOnce(&mut Guest)) {
        let Some(family) = connection.caller().family() else { return };
        let mut rooms = self.rooms();
        let guests = rooms.get_mut(&family).map(|room| room.guests.as_mut_slice());
        let is_this = |guest: &&mut Guest| guest.connection.id() == connection.id();
        if let Some(guest) = guests.unwrap_or_default().iter_mut().find(is_this) {
            act(guest);
        }
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<FamilyId, Room>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// Closes the oldest of those who are more than `most`.
    fn keep_newest(&self, most: usize, counts: impl Fn(&Caller) -> bool) {
        let guests = self.guests.iter().map(|guest| &guest.connection);
        let open = guests.filter(|guest| guest.is_open() && counts(guest.caller()));
        let open: Vec<&Connection> = open.collect();
        for oldest in &open[..open.len().saturating_sub(most)] {
            oldest.close(Some(REPLACED), false);
        }
    }

    fn heed(&mut self, from: u64, page: &EventPage) -> bool {
        let Some(heard) = self.heard else {
            self.heard = Some(page.latest);
            return true;
        };
        if page.is_torn {
            let is_ours = from == heard;
            self.heard = Some(if is_ours { page.latest } else { heard });
            return is_ours;
        }
        let news = || page.events.iter().filter(|event| event.seq > heard);
        self.heard = news().next_back().map_or(self.heard, |newest| Some(newest.seq));
        news().any(|event| changes_standing(event.kind))
    }
}

impl Guest {
    fn is_doubtful(&self) -> bool {
        self.settled < self.doubts
    }

    fn may_be_sent(&self) -> bool {
        !self.backlog.is_full() && !self.is_doubtful()
    }

    fn hand(&mut self, from: u64, page: &EventPage, frames: &[(u64, Frame)]) {
        let Some(position) = &mut self.position else { return };
        if page.is_torn && *position == from {
            // Whoever cannot be sent to is about to leave.
            let _ = self.connection.send(family_hub::RESYNC, &[page.latest]);
            *position = page.latest;
        }
        for (seq, frame) in frames {
            if position.checked_add(1) == Some(*seq) && !self.backlog.is_full() {
                let _ = self.connection.send_frame(frame);
                *position = *seq;
                self.backlog.sent(page.latest);
            }
        }
    }
}

/// Whether after such an event somebody may listen no more who could before.
fn changes_standing(kind: EventKind) -> bool {
    match kind {
        EventKind::FamilyChanged
        | EventKind::MembersChanged
        | EventKind::DevicesChanged
        | EventKind::DeviceRevoked => true,
        EventKind::NotesChanged | EventKind::DeviceLinked => false,
    }
}

fn frame(event: &Event) -> Option<Frame> {
    let event = FamilyEvent {
        seq: event.seq,
        kind: event.kind.as_str().to_owned(),
        resource: event.subject.clone(),
        reason: event.reason.map(|reason| reason.as_str().to_owned()),
    };
    // Two texts and a number are always JSON.
    Frame::call(family_hub::EVENT, &[event]).ok()
}
