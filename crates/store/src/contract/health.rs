//! Fitness and upkeep.

use super::Bench;
use super::people::{HOUR, MS, hash};
use crate::error::StoreError;
use crate::web_sessions::NewPendingSignIn;
use luminous_domain::Role;

pub async fn a_healthy_store_answers_and_finds_nothing_wrong(bench: &Bench) {
    bench.home("ada").await;
    bench.store.ping().await.unwrap();
    assert_eq!(bench.store.examine().await.unwrap(), Vec::<String>::new());
}

pub async fn sweeping_forgets_what_has_ended_and_nothing_else(bench: &Bench) {
    let home = bench.home("ada").await;
    let (ada, store) = (&home.owner, &bench.store);
    let pending = NewPendingSignIn {
        state: hash("state"),
        browser: hash("browser"),
        nonce: "nonce".into(),
        verifier: "verifier".into(),
        issuer: "issuer".into(),
        return_to: "/".into(),
        lifetime: HOUR,
    };
    store.begin_pending(&pending).await.unwrap();
    store.count_attempt("code", HOUR, 5).await.unwrap();
    bench.invite(&home, ada, Role::Adult, "code").await.unwrap();
    bench.note(&home, ada, "for an hour", Some(HOUR)).await.unwrap();
    bench.note(&home, ada, "for good", None).await.unwrap();
    let mut session = bench.new_session(ada, "cookie").await;
    (session.idle, session.lifetime) = (2 * HOUR, HOUR);
    store.open_session(&session, None, &ada.act()).await.unwrap();

    bench.time.advance(HOUR).await;
    assert_eq!(store.sweep().await.unwrap(), 0, "all of it still holds");
    bench.time.advance(MS).await;
    assert_eq!(store.sweep().await.unwrap(), 5, "pending, try, invitation, note, session");
    assert_eq!(store.sweep().await.unwrap(), 0);
    let notes = store.notes(home.family).await.unwrap();
    assert_eq!(notes.iter().map(|note| note.text.as_str()).collect::<Vec<_>>(), ["for good"]);
    assert!(bench.standing(ada).await.membership.is_some());

    // A session that nobody used for too long goes as well.
    bench.session(ada, "idle").await;
    bench.time.advance(HOUR / 2).await;
    assert_eq!(store.sweep().await.unwrap(), 0);
    bench.time.advance(MS).await;
    assert_eq!(store.sweep().await.unwrap(), 1);
}

pub async fn a_closed_store_is_unavailable(bench: &Bench) {
    let home = bench.home("ada").await;
    let store = &bench.store;
    store.close().await;
    store.close().await;
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    let standing = store.standing(home.owner.key()).await;
    assert!(matches!(standing, Err(StoreError::Unavailable(_))), "{standing:?}");
    assert!(matches!(store.members(home.family).await, Err(StoreError::Unavailable(_))));
    let counted = store.count_attempt("code", HOUR, 1).await;
    assert!(matches!(counted, Err(StoreError::Unavailable(_))));
}
