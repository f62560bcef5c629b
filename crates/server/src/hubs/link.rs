//! `/hubs/link`: a display that waits for somebody's yes hears of it at once.
//!
//! What is pushed are words and the number to show, never a token: those are the result of the
//! display's own `Redeem`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use luminous_domain::{LinkId, Timestamp};
use luminous_store::{LinkState, StoreError};
use luminous_wire::api::CodeClaimed;
use luminous_wire::api::hub::link_hub;

use super::{Caller, Connection};
use crate::AppState;

/// How long after the end of its code a display is still connected, to be told of it.
pub const FAREWELL: Duration = Duration::from_secs(5);

/// The displays that wait here, by their wish.
#[derive(Default)]
pub struct Waiting(Mutex<HashMap<LinkId, Display>>);

struct Display {
    connection: Connection,
    until: Timestamp,
    /// What it was told last.
    told: LinkState,
}

impl Waiting {
    /// Takes a display's connection in; one it had before is closed, for it has one at a time.
    pub fn enter(&self, connection: &Connection) {
        let Caller::Waiting { link, .. } = connection.caller() else { return };
        let until = connection.caller().until().unwrap_or(Timestamp::UNIX_EPOCH);
        let display = Display { connection: connection.clone(), until, told: LinkState::Pending };
        let before = self.displays().insert(*link, display);
        if let Some(before) = before {
            before.connection.close(None, false);
        }
    }

    /// A connection has ended.
    pub fn leave(&self, connection: &Connection) {
        let Caller::Waiting { link, .. } = connection.caller() else { return };
        let mut displays = self.displays();
        let is_this = |display: &Display| display.connection.id() == connection.id();
        if displays.get(link).is_some_and(is_this) {
            displays.remove(link);
        }
    }

    /// How many connections there are.
    pub fn count(&self) -> usize {
        self.displays().len()
    }

    /// Who waits here.
    pub fn links(&self) -> Vec<LinkId> {
        self.displays().keys().copied().collect()
    }

    /// Tells the displays whose time is over.
    pub fn expire(&self, now: Timestamp) {
        let mut displays = self.displays();
        for display in displays.values_mut().filter(|display| display.until < now) {
            display.tell(LinkState::Expired);
        }
    }

    fn tell(&self, link: LinkId, state: LinkState) {
        if let Some(display) = self.displays().get_mut(&link) {
            display.tell(state);
        }
    }

    fn is_here(&self, link: LinkId) -> bool {
        self.displays().contains_key(&link)
    }

    fn displays(&self) -> MutexGuard<'_, HashMap<LinkId, Display>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Display {
    /// Tells it where its wish stands, once.
    fn tell(&mut self, state: LinkState) {
        if self.told == state {
            return;
        }
        self.told = state;
        match state {
            LinkState::Pending | LinkState::Redeemed => {}
            LinkState::Claimed { number } => {
                let claimed = CodeClaimed { number: number.to_string() };
                // Whoever cannot be sent to is about to leave, and polls.
                let _ = self.connection.send(link_hub::CODE_CLAIMED, &[claimed]);
            }
            LinkState::Linked => {
                let _ = self.connection.send(link_hub::LINKED, &());
            }
            LinkState::Denied => self.end(link_hub::DENIED),
            LinkState::Expired => self.end(link_hub::EXPIRED),
        }
    }

    fn end(&self, word: &str) {
        let _ = self.connection.send(word, &());
        self.connection.close(None, false);
    }
}

/// Asks where the wish stands and tells its display, if that waits here.
///
/// # Errors
/// [`StoreError`]; the display's own polling finds out as well.
pub async fn tell(state: &AppState, link: LinkId) -> Result<(), StoreError> {
    let waiting = &state.listeners().links;
    if waiting.is_here(link) {
        let stands = state.store().link_state(link).await?.unwrap_or(LinkState::Expired);
        waiting.tell(link, stands);
    }
    Ok(())
}
