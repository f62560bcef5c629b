//! Counted tries.

use std::sync::Arc;

use super::Bench;
use super::people::{HOUR, MS, all_at_once};

pub async fn exactly_as_many_are_counted_as_may_be(bench: &Bench) {
    assert_eq!(bench.store.attempts("code", HOUR).await.unwrap(), 0);
    for n in 1..=5 {
        assert!(bench.store.count_attempt("code", HOUR, 5).await.unwrap(), "try {n}");
        assert_eq!(bench.store.attempts("code", HOUR).await.unwrap(), n);
    }
    for _ in 0..3 {
        assert!(!bench.store.count_attempt("code", HOUR, 5).await.unwrap());
        assert_eq!(bench.store.attempts("code", HOUR).await.unwrap(), 5);
    }
    assert!(!bench.store.count_attempt("never", HOUR, 0).await.unwrap());
}

pub async fn of_a_hundred_at_once_exactly_the_most_are_counted(bench: &Bench) {
    let counted = all_at_once(100, |_| {
        let store = Arc::clone(&bench.store);
        async move { store.count_attempt("code", HOUR, 7).await.unwrap() }
    })
    .await;
    assert_eq!(counted.into_iter().filter(|counted| *counted).count(), 7);
    assert_eq!(bench.store.attempts("code", HOUR).await.unwrap(), 7);
}

pub async fn a_counted_try_is_forgotten_after_the_window_to_the_millisecond(bench: &Bench) {
    assert!(bench.store.count_attempt("code", HOUR, 1).await.unwrap());
    bench.time.advance(HOUR).await;
    assert_eq!(bench.store.attempts("code", HOUR).await.unwrap(), 1);
    assert!(!bench.store.count_attempt("code", HOUR, 1).await.unwrap());
    bench.time.advance(MS).await;
    assert_eq!(bench.store.attempts("code", HOUR).await.unwrap(), 0);
    assert!(bench.store.count_attempt("code", HOUR, 1).await.unwrap());
}

pub async fn buckets_do_not_mix(bench: &Bench) {
    assert!(bench.store.count_attempt("invite:account:a", HOUR, 1).await.unwrap());
    assert!(bench.store.count_attempt("invite:account:b", HOUR, 1).await.unwrap());
    assert!(!bench.store.count_attempt("invite:account:a", HOUR, 1).await.unwrap());
    assert_eq!(bench.store.attempts("invite:account:", HOUR).await.unwrap(), 0);
}

pub async fn a_try_that_is_taken_back_leaves_room_for_another(bench: &Bench) {
    bench.store.take_back_attempt("code").await.unwrap();
    for _ in 0..2 {
        assert!(bench.store.count_attempt("code", HOUR, 2).await.unwrap());
    }
    assert!(bench.store.count_attempt("other", HOUR, 2).await.unwrap());
    bench.store.take_back_attempt("code").await.unwrap();
    assert_eq!(bench.store.attempts("code", HOUR).await.unwrap(), 1);
    assert_eq!(bench.store.attempts("other", HOUR).await.unwrap(), 1);
    assert!(bench.store.count_attempt("code", HOUR, 2).await.unwrap());
    assert!(!bench.store.count_attempt("code", HOUR, 2).await.unwrap());
}
