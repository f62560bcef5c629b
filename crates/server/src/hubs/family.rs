//! `/hubs/family`: what happens in a family, to everybody in it, in order and without a gap.
//!
//! A connection says which event it saw last ([`family_hub::RESUME`]) and gets what came after, then
//! what comes. The events themselves are read from the store; a hint only says when (P11). So it does
//! not matter which replica wrote them, or whether a hint was lost.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use luminous_domain::{AccountId, FamilyId, Permission};
use luminous_store::{DeviceState, Event, EventPage, MemberState, StoreError};
use luminous_wire::api::FamilyEvent;
use luminous_wire::api::hub::family_hub;
use tokio::time::timeout;

use luminous_signalr::hub::{Frame, SLOW_CONSUMER};

use super::{Caller, Connection};
use crate::AppState;
use crate::door::is_ended_at;
use crate::presence::Connected;

/// How many events are read at once.
const PAGE: u32 = 256;
/// How many events may wait for a guest to read them; its connection would take twice as many.
const BURST: u32 = 128;
/// How long a guest may take to read them.
const PATIENCE: Duration = Duration::from_secs(15);

/// Everybody who is connected, by family.
#[derive(Default)]
pub struct Rooms(Mutex<HashMap<FamilyId, Room>>);

#[derive(Default)]
struct Room {
    guests: Vec<Guest>,
    /// Somebody is reading events for this room; whoever wants more of them says so here.
    delivery: Delivery,
}

#[derive(Default, PartialEq, Eq)]
enum Delivery {
    #[default]
    Idle,
    Running,
    Again,
}

struct Guest {
    connection: Connection,
    /// The newest event that was sent; `None` until the connection said what it has.
    position: Option<u64>,
    /// How many events it was sent since it had read all of them. At [`BURST`] it gets no more until it
    /// has (P6).
    unread: u32,
    /// Counts a display as online while it is here.
    _online: Option<Connected>,
}

impl Rooms {
    /// Takes a connection in.
    pub fn enter(&self, connection: &Connection, state: &AppState) {
        let Some(family) = connection.caller().family() else { return };
        let online = match connection.caller() {
            Caller::Display { device, .. } => Some(state.presence().connect(*device)),
            _ => None,
        };
        let guest =
            Guest { connection: connection.clone(), position: None, unread: 0, _online: online };
        self.rooms().entry(family).or_default().guests.push(guest);
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

    /// The connection has everything up to `position`.
    fn resume(&self, connection: &Connection, family: FamilyId, position: u64) {
        if let Some(room) = self.rooms().get_mut(&family) {
            for guest in &mut room.guests {
                if guest.connection.id() == connection.id() {
                    guest.position = Some(position);
                }
            }
        }
    }

    /// How many connections there are.
    pub fn count(&self) -> usize {
        self.rooms().values().map(|room| room.guests.len()).sum()
    }

    /// The families somebody is connected of.
    pub fn families(&self) -> Vec<FamilyId> {
        self.rooms().keys().copied().collect()
    }

    fn connections(&self, family: FamilyId) -> Vec<Connection> {
        let rooms = self.rooms();
        let guests = rooms.get(&family).map(|room| room.guests.as_slice()).unwrap_or_default();
        guests.iter().map(|guest| guest.connection.clone()).collect()
    }

    /// Whether the caller is to deliver; else whoever is at it already will go on.
    fn begin_delivery(&self, family: FamilyId) -> bool {
        let mut rooms = self.rooms();
        let Some(room) = rooms.get_mut(&family) else { return false };
        let is_mine = room.delivery == Delivery::Idle;
        room.delivery = if is_mine { Delivery::Running } else { Delivery::Again };
        is_mine
    }

    /// Whether there is nothing more to deliver.
    fn end_delivery(&self, family: FamilyId) -> bool {
        let mut rooms = self.rooms();
        let Some(room) = rooms.get_mut(&family) else { return true };
        let is_done = room.delivery == Delivery::Running;
        room.delivery = if is_done { Delivery::Idle } else { Delivery::Running };
        is_done
    }

    /// What the guest furthest behind has, of those who read.
    fn furthest_behind(&self, family: FamilyId) -> Option<u64> {
        let rooms = self.rooms();
        let guests = rooms.get(&family)?.guests.iter().filter(|guest| guest.unread < BURST);
        guests.filter_map(|guest| guest.position).min()
    }

    /// The connection has read everything it was sent.
    fn caught_up(&self, connection: &Connection, family: FamilyId) {
        if let Some(room) = self.rooms().get_mut(&family) {
            for guest in &mut room.guests {
                if guest.connection.id() == connection.id() {
                    guest.unread = 0;
                }
            }
        }
    }

    /// Sends to each guest what it has not had of the page that follows `after`. Answers whether
    /// somebody who reads is still behind, and who must read first.
    fn hand_out(&self, family: FamilyId, after: u64, page: &EventPage) -> (bool, Vec<Connection>) {
        let mut rooms = self.rooms();
        let Some(room) = rooms.get_mut(&family) else { return (false, Vec::new()) };
        let frames: Vec<(u64, Frame)> =
            page.events.iter().filter_map(|event| Some((event.seq, frame(event)?))).collect();
        let (mut is_behind, mut full) = (false, Vec::new());
        for guest in room.guests.iter_mut().filter(|guest| guest.unread < BURST) {
            guest.hand(after, page, &frames);
            if guest.unread >= BURST {
                full.push(guest.connection.clone());
            } else {
                is_behind |= guest.position.is_some_and(|position| position < page.latest);
            }
        }
        (is_behind, full)
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<FamilyId, Room>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    fn hand(&mut self, after: u64, page: &EventPage, frames: &[(u64, Frame)]) {
        let Some(position) = &mut self.position else { return };
        if page.is_torn && *position == after {
            // Whoever cannot be sent to is about to leave.
            let _ = self.connection.send(family_hub::RESYNC, &[page.latest]);
            *position = page.latest;
        }
        for (seq, frame) in frames {
            if *seq == *position + 1 && self.unread < BURST {
                let _ = self.connection.send_frame(frame);
                *position = *seq;
                self.unread += 1;
            }
        }
    }
}

fn frame(event: &Event) -> Option<Frame> {
    let event = FamilyEvent {
        seq: event.seq,
        kind: event.kind.as_str().to_owned(),
        resource: event.subject.clone(),
    };
    // Two texts and a number are always JSON.
    Frame::call(family_hub::EVENT, &[event]).ok()
}

/// The connection has seen everything up to `seen`: sends what came after, and answers the newest
/// number.
///
/// # Errors
/// [`StoreError`].
pub async fn resume(
    state: &AppState,
    connection: &Connection,
    family: FamilyId,
    seen: u64,
) -> Result<u64, StoreError> {
    let latest = state.store().events_after(family, seen, 1).await?.latest;
    state.listeners().families.resume(connection, family, seen);
    deliver(state, family).await?;
    Ok(latest)
}

/// Sends everybody of the family who is connected here what they have not had.
///
/// # Errors
/// [`StoreError`]; nobody's position has moved past what was sent, so the next time makes up for it.
pub async fn deliver(state: &AppState, family: FamilyId) -> Result<(), StoreError> {
    let rooms = &state.listeners().families;
    if !rooms.begin_delivery(family) {
        return Ok(());
    }
    loop {
        let delivered = deliver_once(state, rooms, family).await;
        // Also after a failure: the next hint must find the room idle.
        if rooms.end_delivery(family) || delivered.is_err() {
            return delivered;
        }
    }
}

async fn deliver_once(state: &AppState, rooms: &Rooms, family: FamilyId) -> Result<(), StoreError> {
    while let Some(after) = rooms.furthest_behind(family) {
        let page = state.store().events_after(family, after, PAGE).await?;
        let (is_behind, full) = rooms.hand_out(family, after, &page);
        for connection in full {
            tokio::spawn(wait_for_reader(state.clone(), connection, family));
        }
        if !is_behind {
            break;
        }
    }
    Ok(())
}

/// Goes on with whoever had enough to read, once they have read it; not for ever. Boxed, for going on
/// may come here again.
fn wait_for_reader(
    state: AppState,
    connection: Connection,
    family: FamilyId,
) -> BoxFuture<'static, ()> {
    let wait = async move {
        if timeout(PATIENCE, connection.caught_up()).await.is_err() {
            connection.close(Some(SLOW_CONSUMER), true);
            return;
        }
        state.listeners().families.caught_up(&connection, family);
        if let Err(error) = deliver(&state, family).await {
            tracing::debug!(code = error.code(), "a hint makes up for what was not delivered");
        }
    };
    wait.boxed()
}

/// Closes the connections of everybody who no longer may listen to this family. What cannot be asked
/// now is asked again with the next hint; a failing store ends nobody's connection.
pub async fn recheck(state: &AppState, family: FamilyId) {
    for connection in state.listeners().families.connections(family) {
        match may_listen(state, connection.caller()).await {
            Ok(true) => {}
            Ok(false) => connection.close(None, true),
            Err(error) => tracing::debug!(code = error.code(), "a connection was not rechecked"),
        }
    }
}

/// Closes the connections of a person whose sign-ins were ended.
pub async fn recheck_account(state: &AppState, account: AccountId) {
    for family in state.listeners().families.families() {
        for connection in state.listeners().families.connections(family) {
            if is_of(state, connection.caller(), account).await {
                recheck(state, family).await;
            }
        }
    }
}

async fn is_of(state: &AppState, caller: &Caller, account: AccountId) -> bool {
    let Caller::Person { person, .. } = caller else { return false };
    let standing = state.store().standing(person).await;
    standing.is_ok_and(|standing| standing.is_some_and(|standing| standing.account.id == account))
}

/// Whether the caller may still listen to the family they came for.
pub async fn may_listen(state: &AppState, caller: &Caller) -> Result<bool, StoreError> {
    Ok(match caller {
        Caller::Person { person, family, proved_at_s, .. } => {
            state.store().standing(person).await?.is_some_and(|standing| {
                let place = standing.membership.as_ref();
                !is_ended_at(*proved_at_s, standing.account.not_before)
                    && place.is_some_and(|place| {
                        place.family.id == *family
                            && place.state == MemberState::Active
                            && place.role.may(Permission::FamilyRead)
                    })
            })
        }
        Caller::Display { device, family, token, .. } => {
            let standing = state.store().device_standing(*device, *token).await?;
            standing.is_some_and(|standing| {
                standing.device.family == *family && standing.device.state == DeviceState::Active
            })
        }
        Caller::Waiting { .. } => false,
    })
}
