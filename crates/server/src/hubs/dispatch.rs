//! From hints to connections.

use std::time::Duration;

use luminous_domain::FamilyId;
use luminous_store::Hint;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::rounds::{Matter, look};
use crate::AppState;

/// How often what failed, and codes whose time may be over, are looked at.
const TICK: Duration = Duration::from_secs(1);

/// Until `stop`: follows the store's hints.
pub async fn run(state: AppState, stop: CancellationToken) {
    let mut hints = state.store().hints();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => make_up(&state),
            hint = hints.recv() => match hint {
                Ok(hint) => follow(&state, hint),
                Err(RecvError::Lagged(_)) => follow(&state, Hint::Gap),
                Err(RecvError::Closed) => return,
            },
        }
    }
}

fn follow(state: &AppState, hint: Hint) {
    let listeners = state.listeners();
    match hint {
        Hint::Family { family, .. } if listeners.families.is_anybody_of(family) => {
            look(state, Matter::Family(family));
        }
        Hint::Link { link } if listeners.links.is_here(link) => look(state, Matter::Link(link)),
        Hint::Family { .. } | Hint::Link { .. } => {}
        Hint::Account { account } => {
            for family in listeners.families.doubt_account(account) {
                look(state, Matter::Family(family));
            }
        }
        Hint::Gap => look_at_everything(state, listeners.families.doubt_all()),
        Hint::Rewound => look_at_everything(state, listeners.families.forget_numbers()),
    }
}

/// Links first: somebody stands before each of them and waits.
fn look_at_everything(state: &AppState, families: Vec<FamilyId>) {
    for link in state.listeners().links.links() {
        look(state, Matter::Link(link));
    }
    for family in families {
        look(state, Matter::Family(family));
    }
}

fn make_up(state: &AppState) {
    let due = state.listeners().links.due(state.clock().now());
    for link in due {
        look(state, Matter::Link(link));
    }
    for matter in state.listeners().rounds.failed() {
        look(state, matter);
    }
}
