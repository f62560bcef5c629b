//! `/hubs/link`: a display that waits for somebody's yes hears of it at once.
//!
//! What is pushed are words and the number to show, never a token: those are the result of the
//! display's own `Redeem`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use luminous_domain::{LinkId, Timestamp};
use luminous_signalr::codec::Arguments;
use luminous_signalr::hub::{HubError, Reply};
use luminous_store::{LinkState, StoreError};
use luminous_wire::api::hub::link_hub;
use luminous_wire::api::{CodeClaimed, RedeemArguments};

use super::rounds::{Matter, look};
use super::{Caller, Connection, Subject};
use crate::{AppState, oauth};

/// How long after the end of its code a display is still connected, to be told of it.
const FAREWELL: Duration = Duration::from_secs(5);

/// Displays that wait.
pub(super) struct Link;

impl Subject for Link {
    const METHOD: &'static str = link_hub::REDEEM;

    fn is_for(caller: &Caller) -> bool {
        caller.family().is_none()
    }

    /// A yes of the last moment can be redeemed for as long again; and a moment to be told the end.
    fn grace(state: &AppState) -> Duration {
        redeemable(state) + FAREWELL
    }

    async fn connected(state: &AppState, connection: &Connection) -> Result<(), HubError> {
        let Caller::Waiting { link, .. } = connection.caller() else {
            return Err(HubError::Internal);
        };
        state.listeners().links.enter(connection);
        // What happened before it came is told now.
        look(state, Matter::Link(*link));
        Ok(())
    }

    async fn invoke(
        state: &AppState,
        connection: &Connection,
        arguments: Arguments,
    ) -> Result<Reply, HubError> {
        let (asked,): (RedeemArguments,) = arguments.read()?;
        let Caller::Waiting { link, network, .. } = connection.caller() else {
            return Err(HubError::Internal);
        };
        let (code, proof) = (&asked.device_code, &asked.proof);
        match oauth::redeem(state, *link, code, proof, *network).await {
            Ok(tokens) => Reply::of(&tokens),
            Err(problem) => Reply::of(&problem),
        }
    }

    fn closed(state: &AppState, connection: &Connection) {
        state.listeners().links.leave(connection);
    }
}

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

    /// The displays whose time may be over. Only the store knows: a yes gives them more of it.
    pub fn due(&self, now: Timestamp) -> Vec<LinkId> {
        let displays = self.displays();
        let due = displays.iter().filter(|(_, display)| display.until < now);
        due.map(|(link, _)| *link).collect()
    }

    /// Whether the display with this wish waits here.
    pub fn is_here(&self, link: LinkId) -> bool {
        self.displays().contains_key(&link)
    }

    fn displays(&self) -> MutexGuard<'_, HashMap<LinkId, Display>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Display {
    /// Tells it where its wish stands, once.
    fn tell(&mut self, state: LinkState, now: Timestamp, redeemable: Duration) {
        let is_due = self.until < now;
        match state {
            // Its tokens it has from its own call; the connection is of no more use.
            LinkState::Redeemed if is_due => self.connection.close(None, false),
            _ if self.told == state => {}
            LinkState::Pending | LinkState::Redeemed => {}
            LinkState::Claimed { number } => {
                let claimed = CodeClaimed { number: number.to_string() };
                // Whoever cannot be sent to is about to leave, and polls.
                let _ = self.connection.send(link_hub::CODE_CLAIMED, &[claimed]);
            }
            LinkState::Linked => {
                self.until = now.saturating_add(redeemable).unwrap_or(Timestamp::MAX);
                let _ = self.connection.send(link_hub::LINKED, &());
            }
            LinkState::Denied => self.end(link_hub::DENIED),
            LinkState::Expired => self.end(link_hub::EXPIRED),
        }
        self.told = state;
    }

    fn end(&self, word: &str) {
        let _ = self.connection.send(word, &());
        self.connection.close(None, false);
    }
}

/// For how long a confirmed wish can be redeemed: as long as its code was shown.
fn redeemable(state: &AppState) -> Duration {
    Duration::from_secs(state.config().displays.code_seconds)
}

/// Asks where the wish stands and tells its display, if that waits here.
///
/// # Errors
/// [`StoreError`]; the display's own polling finds out as well.
pub async fn tell(state: &AppState, link: LinkId) -> Result<(), StoreError> {
    let waiting = &state.listeners().links;
    if waiting.is_here(link) {
        let stands = state.store().link_state(link).await?.unwrap_or(LinkState::Expired);
        if let Some(display) = waiting.displays().get_mut(&link) {
            display.tell(stands, state.clock().now(), redeemable(state));
        }
    }
    Ok(())
}
