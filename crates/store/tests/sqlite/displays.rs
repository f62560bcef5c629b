//! Displays: what only the store in one file promises of them.

use std::path::Path;
use std::sync::Arc;

use luminous_domain::{Clock as _, OsEntropy};
use luminous_store::contract::Bench;
use luminous_store::contract::displays::{INTERVAL, refused};
use luminous_store::contract::people::HOUR;
use luminous_store::{Hint, Redeemed, Refusal, SqliteStore};
use luminous_testkit::FrozenClock;
use tokio::sync::broadcast::error::TryRecvError;

use crate::Hand;

/// What changes when anybody else commits to the file.
fn version(onlooker: &rusqlite::Connection) -> i64 {
    onlooker.query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn what_displays_do_all_day_costs_no_commit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    let bench = crate::bench(&path, folder);
    let home = bench.home("ada").await;
    let grant = bench.linked(&home, &home.owner, "wall", "one").await;
    bench.use_token(&grant).await;
    bench.begin("hall", "two").await;
    let mut poll = bench.redemption("hall", "two", "t").await;
    poll.is_poll = true;

    let onlooker = rusqlite::Connection::open(&path).unwrap();
    let before = version(&onlooker);
    for _ in 0..3 {
        bench.time.advance(INTERVAL).await;
        bench.use_token(&grant).await;
        bench.store.device_seen(grant.device.id).await.unwrap();
        assert!(bench.is_let_in(&grant).await);
        let told = bench.store.redeem_link(&poll).await.unwrap();
        assert_eq!(told, Redeemed::Pending { number: None });
        let again = bench.store.redeem_link(&poll).await.unwrap();
        assert!(matches!(again, Redeemed::TooFast { .. }));
        bench.time.advance(HOUR / 60).await;
    }
    assert_eq!(version(&onlooker), before);
    bench.refresh("wall", "one", "next").await.unwrap();
    assert_ne!(version(&onlooker), before, "this is how a commit looks");
    bench.store.close().await;
}

fn open(path: &Path, clock: &Arc<FrozenClock>) -> Bench {
    let store = SqliteStore::open(path, clock.clone(), Arc::new(OsEntropy)).unwrap();
    let hand = Box::new(Hand(clock.clone()));
    Bench { store: Arc::new(store), time: hand, keep: Box::new(()) }
}

#[tokio::test]
async fn displays_and_their_events_go_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    let clock = Arc::new(FrozenClock::new());
    let bench = open(&path, &clock);
    let home = bench.home("ada").await;
    let parent = bench.linked(&home, &home.owner, "wall", "parent").await;
    let child = bench.refresh("wall", "parent", "child").await.unwrap();
    bench.begin("hall", "two").await;
    let claim = bench.claim(&home, &home.owner, "two").await.unwrap();
    let seq = bench.store.wall(home.family).await.unwrap().unwrap().seq;
    bench.time.advance(HOUR / 60).await;
    bench.store.device_seen(child.device.id).await.unwrap();
    let seen = Some(bench.time.now().await);
    bench.store.close().await;

    let bench = open(&path, &clock);
    assert_eq!(bench.device(&home, child.device.id).await.unwrap().last_seen_at, seen);
    bench.use_token(&child).await;
    assert!(bench.is_let_in(&child).await && !bench.is_let_in(&parent).await);
    let yes = bench.yes(&home, &home.owner, &claim).await;
    bench.store.confirm_link(&yes, &home.owner.act()).await.unwrap();
    let page = bench.store.events_after(home.family, seq, 10).await.unwrap();
    assert_eq!((page.events.len(), page.latest, page.is_torn), (1, seq + 1, false));
    bench.store.close().await;
}

#[tokio::test]
async fn a_clock_that_was_set_back_tears_no_hole_into_the_events() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(FrozenClock::new());
    let bench = open(&folder.path().join("family.db"), &clock);
    let home = bench.home("ada").await;
    for _ in 0..4 {
        bench.note(&home, &home.owner, "milk", None).await.unwrap();
        clock.set_wall(clock.now() - HOUR);
    }
    // The last alone is older than a day now; those before it, which bear later times, go with it.
    clock.set_wall(clock.now() + 25 * HOUR + HOUR / 2);
    for gone in [4, 0] {
        for (after, is_torn) in [(0, true), (3, true), (4, false), (5, true)] {
            let page = bench.store.events_after(home.family, after, 10).await.unwrap();
            assert_eq!((page.latest, page.is_torn), (4, is_torn), "{after}");
        }
        assert_eq!(bench.store.sweep().await.unwrap(), gone);
    }
    bench.store.close().await;
}

#[tokio::test]
async fn an_examination_says_what_is_wrong_with_displays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    let bench = crate::bench(&path, folder);
    let home = bench.home("ada").await;
    bench.linked(&home, &home.owner, "wall", "one").await;
    assert_eq!(bench.store.examine().await.unwrap(), Vec::<String>::new());
    let meddler = rusqlite::Connection::open(&path).unwrap();
    meddler
        .execute_batch(
            "INSERT INTO device_tokens (id, device_id, refresh, parent, issued_at) \
             SELECT randomblob(16), device_id, randomblob(32), id, 1 FROM device_tokens; \
             UPDATE event_counters SET latest = 1",
        )
        .unwrap();
    let wrong = [
        "1 displays whose tokens live on in two branches",
        "1 families with events beyond the newest number",
    ];
    assert_eq!(bench.store.examine().await.unwrap(), wrong);
    bench.store.close().await;
}

#[tokio::test]
async fn hints_are_there_when_the_answer_is_and_none_of_what_was_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    let bench = crate::bench(&path, folder);
    let home = bench.home("ada").await;
    let link = bench.begin("wall", "one").await;
    let mut hints = bench.store.hints();
    let mut full = bench.new_link("wall", "two").await;
    full.most = 0;
    // The wish that it would have ended stays, and nobody is told that it ended.
    assert_eq!(bench.store.begin_link(&full).await, refused(Refusal::TooMany));
    assert_eq!(hints.try_recv(), Err(TryRecvError::Empty));
    bench.approve(&home, &home.owner, "one").await;
    assert_eq!(hints.try_recv(), Ok(Hint::Link { link: link.id }));
    assert_eq!(hints.try_recv(), Ok(Hint::Link { link: link.id }));
    assert_eq!(hints.try_recv(), Ok(Hint::Family { family: home.family, seq: 1 }));
    assert_eq!(hints.try_recv(), Err(TryRecvError::Empty));
    bench.store.close().await;
}
