//! A wall that nobody watches must not stand still because of a fault in this program.

use std::time::Duration;

use tokio::task::JoinSet;

/// Does `work` until it ends by itself. Work that breaks off is begun again after `pause`.
pub(super) async fn going<F>(pause: Duration, work: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        // Whoever gives this up gives the work up too.
        let mut tasks = JoinSet::new();
        tasks.spawn(work());
        match tasks.join_next().await {
            Some(Err(error)) if error.is_panic() => {
                tracing::error!("the display's work broke off; it is begun again");
            }
            _ => return,
        }
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_that_breaks_off_is_begun_again_and_work_that_ends_is_not() {
        let begun = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&begun);
        going(Duration::from_secs(5), move || {
            let nth = count.fetch_add(1, Ordering::Relaxed);
            async move { assert!(nth >= 2, "this one breaks off") }
        })
        .await;
        assert_eq!(begun.load(Ordering::Relaxed), 3);
    }
}
