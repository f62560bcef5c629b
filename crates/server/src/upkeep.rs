//! What the server does by itself: keeps the keys fresh, and sweeps out what has ended.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::state::AppState;

/// How often the keys are looked after. They are asked for only when there are none (at most once
/// in their cool-down) or when they grow old.
const KEYS_EVERY: Duration = Duration::from_secs(1);
/// How often the store is swept.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

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
    let mut keys = every(KEYS_EVERY);
    let mut sweep = every(SWEEP_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = keys.tick() => warm(&state).await,
            _ = sweep.tick() => match state.store().sweep().await {
                Ok(rows) => tracing::debug!(rows, "swept"),
                Err(error) => tracing::warn!(code = error.code(), %error, "could not sweep"),
            },
        }
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
