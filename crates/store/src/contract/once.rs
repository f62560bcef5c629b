//! What may be used once.

use std::sync::Arc;

use super::Bench;
use super::people::{HOUR, MS, all_at_once, hash};

pub async fn of_a_hundred_who_use_it_one_has_it(bench: &Bench) {
    let used = all_at_once(100, |_| {
        let store = Arc::clone(&bench.store);
        async move { store.use_once(&hash("ticket"), HOUR).await.unwrap() }
    });
    assert_eq!(used.await.into_iter().filter(|used| *used).count(), 1);
    assert!(bench.store.use_once(&hash("another"), HOUR).await.unwrap());
}

pub async fn it_is_remembered_to_the_millisecond(bench: &Bench) {
    let store = &bench.store;
    assert!(store.use_once(&hash("ticket"), HOUR).await.unwrap());
    bench.time.advance(HOUR).await;
    assert_eq!(store.sweep().await.unwrap(), 0);
    assert!(!store.use_once(&hash("ticket"), HOUR).await.unwrap());
    bench.time.advance(MS).await;
    assert_eq!(store.sweep().await.unwrap(), 1, "nothing prolonged it");
    assert!(store.use_once(&hash("ticket"), HOUR).await.unwrap());
    bench.time.advance(HOUR + MS).await;
    assert!(store.use_once(&hash("ticket"), HOUR).await.unwrap(), "also without a sweep");
}
