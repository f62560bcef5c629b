//! Waiting for programs that are not ours, with a deadline and a name for what is waited for.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// The longest anything here may take; a machine with two busy cores needs most of it at times.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Asks `probe` until it answers `Some`, and says what was missing when it never does.
pub async fn until<T, F>(what: &str, mut probe: impl FnMut() -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<Option<T>>>,
{
    let mut last = None;
    let asking = async {
        let mut ticks = interval(Duration::from_millis(40));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match probe().await {
                Ok(Some(found)) => return found,
                Ok(None) => {}
                Err(error) => last = Some(error),
            }
        }
    };
    if let Ok(found) = timeout(PATIENCE, asking).await {
        return Ok(found);
    }
    match last {
        Some(error) => Err(error).with_context(|| format!("never saw: {what}")),
        None => bail!("never saw: {what}"),
    }
}
