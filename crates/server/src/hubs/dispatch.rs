//! From hints to connections.

use std::time::Duration;

use luminous_store::{Hint, StoreError};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{family, link};
use crate::AppState;

/// How often codes are looked at whose time may be over.
const EXPIRE_EVERY: Duration = Duration::from_secs(1);

/// Until `stop`: follows the store's hints. A hint is worked off by a task of its own, so that a slow
/// family holds up no other; the work for one family is never done twice at once.
pub async fn run(state: AppState, stop: CancellationToken) {
    let mut hints = state.store().hints();
    let mut expire = interval(EXPIRE_EVERY);
    expire.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = expire.tick() => state.listeners().links.expire(state.clock().now()),
            hint = hints.recv() => match hint {
                Ok(hint) => follow(&state, hint),
                Err(RecvError::Lagged(_)) => follow(&state, Hint::Gap),
                Err(RecvError::Closed) => return,
            },
        }
    }
}

fn follow(state: &AppState, hint: Hint) {
    let state = state.clone();
    tokio::spawn(async move {
        match hint {
            Hint::Family { family, .. } => look_at_family(&state, family).await,
            Hint::Link { link } => note(link::tell(&state, link).await),
            Hint::Account { account } => family::recheck_account(&state, account).await,
            Hint::Gap => look_at_everything(&state).await,
        }
    });
}

async fn look_at_family(state: &AppState, family: luminous_domain::FamilyId) {
    // Whoever may no longer listen shall not hear this either.
    family::recheck(state, family).await;
    note(family::deliver(state, family).await);
}

async fn look_at_everything(state: &AppState) {
    for family in state.listeners().families.families() {
        look_at_family(state, family).await;
    }
    for link in state.listeners().links.links() {
        note(link::tell(state, link).await);
    }
}

fn note(outcome: Result<(), StoreError>) {
    if let Err(error) = outcome {
        tracing::debug!(
            code = error.code(),
            "a hint was not followed; the next one makes up for it"
        );
    }
}
