//! What the server does by itself: keeps the keys fresh, and sweeps out what has ended.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::door::{SEEN_EVERY, note_connected};
use crate::state::AppState;
use crate::views::HEARD_OF_LATELY;

/// How often the keys are looked after. They are asked for only when there are none (at most once
/// in their cool-down) or when they grow old.
const KEYS_EVERY: Duration = Duration::from_secs(1);
/// How often the file of the displays' signing keys is read.
const SIGNING_KEYS_EVERY: Duration = Duration::from_secs(60);
/// How often it is looked whether a connected display is to be noted as heard of. With
/// [`SEEN_EVERY`] it stays below [`HEARD_OF_LATELY`].
const CONNECTED_EVERY: Duration = Duration::from_secs(30);
/// How often the store is swept.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

const _: () = assert!(
    SEEN_EVERY.as_secs() + CONNECTED_EVERY.as_secs() < HEARD_OF_LATELY.as_secs(),
    "a connected display would count as gone between two notes"
);

/// Asks every provider without keys for them, all at once.
pub async fn warm(state: &AppState) {
    join_all(state.trust().providers().map(|(_, provider)| async move {
        if let Err(error) = provider.warm().await {
            tracing::debug!(code = error.code(), "a provider's keys are still missing");
        }
    }))
    .await;
}

/// Until `stop`.
pub async fn run(state: AppState, stop: CancellationToken) {
    tokio::join!(look_after(&state, &stop), follow_connected(&state, &stop));
}

async fn look_after(state: &AppState, stop: &CancellationToken) {
    let mut keys = every(KEYS_EVERY);
    let mut signing_keys = every(SIGNING_KEYS_EVERY);
    let mut sweep = every(SWEEP_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = keys.tick() => warm(state).await,
            _ = signing_keys.tick() => follow_signing_keys(state).await,
            _ = sweep.tick() => match state.store().sweep().await {
                Ok(rows) => tracing::debug!(rows, "swept"),
                Err(error) => tracing::warn!(code = error.code(), %error, "could not sweep"),
            },
        }
    }
}

/// By itself, because with many displays it takes its time.
async fn follow_connected(state: &AppState, stop: &CancellationToken) {
    let mut connected = every(CONNECTED_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = connected.tick() => if let Err(error) = note_connected(state).await {
                tracing::debug!(code = error.code(), "connected displays were not noted");
            },
        }
    }
}

/// Reads the file of signing keys where it changed. With a damaged one the keys that are there go on.
async fn follow_signing_keys(state: &AppState) {
    let state = state.clone();
    let read = tokio::task::spawn_blocking(move || state.displays().reload_keys());
    match read.await {
        Ok(Ok(true)) => tracing::info!("the displays' signing keys have changed"),
        Ok(Ok(false)) => {}
        Ok(Err(error)) => tracing::error!(%error, "the displays' signing keys cannot be read anew"),
        Err(error) => tracing::error!(%error, "the displays' signing keys were not read"),
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
