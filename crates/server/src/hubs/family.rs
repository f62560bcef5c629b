//! `/hubs/family`: what happens in a family, to everybody in it, in order and without a gap.
//!
//! A connection says which event it saw last ([`family_hub::RESUME`]) and gets what came after, then
//! what comes. The events themselves are read from the store; a hint only says when (P11). So it does
//! not matter which replica wrote them, or whether a hint was lost.
//!
//! [`family_hub::RESUME`]: luminous_wire::api::hub::family_hub::RESUME

mod backlog;
mod rooms;

use luminous_domain::{FamilyId, Permission};
use luminous_signalr::codec::Arguments;
use luminous_signalr::hub::{HubError, Reply};
use luminous_store::{DeviceState, MemberState, StoreError};
use luminous_wire::api::hub::family_hub;

use super::rounds::{Matter, look};
use super::{Caller, Connection, Subject, failed};
use crate::AppState;
use crate::door::is_ended_at;

use rooms::NEW;

pub use rooms::Rooms;

/// Everybody in a family.
pub(super) struct Family;

impl Subject for Family {
    const METHOD: &'static str = family_hub::RESUME;

    fn is_for(caller: &Caller) -> bool {
        caller.family().is_some()
    }

    async fn connected(state: &AppState, connection: &Connection) -> Result<(), HubError> {
        let rooms = &state.listeners().families;
        rooms.enter(connection, state);
        // Only now, so that a revocation of this very moment is either seen here or meets it there.
        match may_listen(state, connection.caller()).await {
            Ok(true) => rooms.settle(connection, NEW),
            Ok(false) => return Err(HubError::told("push.revoked")),
            // An error would end it for good, and whoever may listen shall come again.
            Err(error) => connection.close(Some(&failed(&error).to_string()), true),
        }
        Ok(())
    }

    async fn invoke(
        state: &AppState,
        connection: &Connection,
        arguments: Arguments,
    ) -> Result<Reply, HubError> {
        count(state, connection.caller())?;
        let (seen,): (u64,) = arguments.read()?;
        let Some(family) = connection.caller().family() else { return Err(HubError::Internal) };
        let latest = resume(state, connection, family, seen).await;
        Reply::of(&latest.map_err(|error| failed(&error))?)
    }

    fn closed(state: &AppState, connection: &Connection) {
        state.listeners().families.leave(connection);
    }
}

/// Counts what is asked over the hub with what the same bearer asks for by HTTP.
fn count(state: &AppState, caller: &Caller) -> Result<(), HubError> {
    let now = state.clock().elapsed();
    let counted = match caller {
        Caller::Person { account, .. } => state.account_rate().count(account, now),
        Caller::Display { device, .. } => state.displays().rate.count(device, now),
        Caller::Waiting { .. } => return Err(HubError::Internal),
    };
    counted.map_err(|_| HubError::told("request.rate_limited"))
}

/// How many events are read at once.
const PAGE: u32 = 256;

/// The connection has seen everything up to `seen`: what came after follows. Answers the newest
/// number. Whoever has seen what is forgotten, or what never was, is told at once to read everything
/// anew.
///
/// # Errors
/// [`StoreError`].
async fn resume(
    state: &AppState,
    connection: &Connection,
    family: FamilyId,
    seen: u64,
) -> Result<u64, StoreError> {
    let page = state.store().events_after(family, seen, 1).await?;
    if page.is_torn {
        // Whoever cannot be sent to is about to leave.
        let _ = connection.send(family_hub::RESYNC, &[page.latest]);
    }
    let position = if page.is_torn { page.latest } else { seen };
    state.listeners().families.resume(connection, position);
    look(state, Matter::Family(family));
    Ok(page.latest)
}

/// Sends everybody of the family who is connected here, and may listen, what they have not had.
///
/// # Errors
/// [`StoreError`]; nobody's position has moved past what was sent, and whoever is in doubt still is, so
/// that the next time makes up for it.
pub async fn deliver(state: &AppState, family: FamilyId) -> Result<(), StoreError> {
    let rooms = &state.listeners().families;
    let mut latest = None;
    loop {
        let rechecked = recheck(state, family).await;
        let Some(from) = rooms.behind(family, latest) else { return rechecked };
        let page = state.store().events_after(family, from, PAGE).await?;
        if rooms.heed(family, from, &page) {
            // Whoever may listen no more shall not hear this either.
            latest = Some(page.latest);
            continue;
        }
        for connection in rooms.hand_out(family, from, &page) {
            tokio::spawn(wait_for_reader(state.clone(), connection, family));
        }
        if page.events.is_empty() && !page.is_torn {
            return rechecked;
        }
        latest = Some(page.latest);
    }
}

/// Goes on with whoever had enough to read, once they have read it. However long that takes, no more
/// waits for them than may.
async fn wait_for_reader(state: AppState, connection: Connection, family: FamilyId) {
    connection.caught_up().await;
    state.listeners().families.caught_up(&connection);
    look(&state, Matter::Family(family));
}

/// Closes the connections of those in doubt who no longer may listen. A failing store ends nobody's.
async fn recheck(state: &AppState, family: FamilyId) -> Result<(), StoreError> {
    let rooms = &state.listeners().families;
    let mut outcome = Ok(());
    for (connection, doubt) in rooms.doubtful(family) {
        match may_listen(state, connection.caller()).await {
            Ok(true) => rooms.settle(&connection, doubt),
            // A word to this one alone: it need not wait as after a loss that everybody shares.
            Ok(false) => connection.close(Some("push.revoked"), true),
            Err(error) => outcome = Err(error),
        }
    }
    outcome
}

/// Whether the caller may still listen to the family they came for.
///
/// # Errors
/// [`StoreError`].
async fn may_listen(state: &AppState, caller: &Caller) -> Result<bool, StoreError> {
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
