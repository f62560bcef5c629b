//! Events and hints of several replicas: what one writes the others hear, and what they could not
//! hear they read (P11).

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::{FamilyId, OsEntropy};
use luminous_store::contract::Bench;
use luminous_store::contract::faulty_link::{Fault, FaultyLink};
use luminous_store::contract::people::all_at_once;
use luminous_store::contract::postgres_server::{PostgresServer, TestDatabase, benches};
use luminous_store::postgres::PostgresOptions;
use luminous_store::{Events as _, Hint, PostgresStore};
use tokio::sync::broadcast::Receiver;

/// The next hint. The limit is for a test that fails.
async fn next(hints: &mut Receiver<Hint>) -> Hint {
    tokio::time::timeout(Duration::from_secs(60), hints.recv()).await.expect("no hint").unwrap()
}

/// Waits until the family is said to have that many events, whatever else is said before.
async fn heard(hints: &mut Receiver<Hint>, family: FamilyId, seq: u64) {
    while next(hints).await != (Hint::Family { family, seq }) {}
}

/// All numbers of the family's events that the replica reads, in pages of seven.
async fn numbers(bench: &Bench, family: FamilyId) -> Vec<u64> {
    let mut numbers = Vec::new();
    loop {
        let after = numbers.last().copied().unwrap_or(0);
        let page = bench.store.events_after(family, after, 7).await.unwrap();
        assert!(!page.is_torn);
        if page.events.is_empty() {
            assert_eq!(page.latest, after);
            return numbers;
        }
        numbers.extend(page.events.iter().map(|event| event.seq));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_three_replicas_write_at_once_each_hears_and_reads_without_a_gap() {
    let replicas = benches(3).await;
    let home = replicas[0].home("ada").await;
    let mut ears: Vec<_> = replicas.iter().map(|bench| bench.store.hints()).collect();
    all_at_once(45, |n| {
        let (bench, home) = (Arc::clone(&replicas[n % 3]), home.clone());
        async move { bench.note(&home, &home.owner, &format!("{n}"), None).await.unwrap() }
    })
    .await;
    for (bench, hints) in replicas.iter().zip(&mut ears) {
        heard(hints, home.family, 45).await;
        assert_eq!(numbers(bench, home.family).await, Vec::from_iter(1..=45));
        let wall = bench.store.wall(home.family).await.unwrap().unwrap();
        assert_eq!((wall.notes.len(), wall.seq), (45, 45));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_and_the_end_of_sign_ins_are_heard_at_the_other_replica() {
    let replicas = benches(2).await;
    let home = replicas[0].home("ada").await;
    let mut hints = replicas[1].store.hints();
    let link = replicas[0].begin("wall", "one").await.id;
    replicas[0].claim(&home, &home.owner, "one").await.unwrap();
    assert_eq!(next(&mut hints).await, Hint::Link { link });
    let account = home.owner.account.id;
    replicas[0].store.end_sign_ins(account, &home.owner.act()).await.unwrap();
    assert_eq!(next(&mut hints).await, Hint::Account { account });
}

/// What is read at one moment with other writers at work is of one moment: the number and the notes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_a_wall_shows_exactly_what_happened_up_to_its_number() {
    let replicas = benches(2).await;
    let home = replicas[0].home("ada").await;
    let writer = {
        let (bench, home) = (Arc::clone(&replicas[0]), home.clone());
        tokio::spawn(async move {
            for n in 0..40 {
                bench.note(&home, &home.owner, &format!("{n}"), None).await.unwrap();
            }
        })
    };
    loop {
        let wall = replicas[1].store.wall(home.family).await.unwrap().unwrap();
        assert_eq!(wall.notes.len() as u64, wall.seq);
        if wall.seq == 40 {
            break;
        }
    }
    writer.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_what_was_written_while_nobody_listened_is_a_gap_and_the_table_tells_it() {
    let replicas = benches(2).await;
    let home = replicas[0].home("ada").await;
    let database: &TestDatabase<'static> = replicas[0].keep.downcast_ref().unwrap();
    let meddler = database.client().await;
    let mut ears = [replicas[0].store.hints(), replicas[1].store.hints()];
    replicas[0].note(&home, &home.owner, "before", None).await.unwrap();
    for hints in &mut ears {
        heard(hints, home.family, 1).await;
    }
    // All who listen are cut off, and nobody gets in anew.
    let door = async |open: bool| {
        let sql = "UPDATE pg_database SET datallowconn = $1 WHERE datname = current_database()";
        meddler.execute(sql, &[&open]).await.unwrap();
    };
    door(false).await;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name = 'luminous-hints'";
    assert_eq!(meddler.query_one(cut, &[]).await.unwrap().get::<_, i64>(0), 2);
    for n in 2..=4 {
        replicas[0].note(&home, &home.owner, &format!("{n}"), None).await.unwrap();
    }
    door(true).await;
    for (bench, hints) in replicas.iter().zip(&mut ears) {
        assert_eq!(next(hints).await, Hint::Gap);
        assert_eq!(numbers(bench, home.family).await, [1, 2, 3, 4]);
    }
    replicas[1].note(&home, &home.owner, "after", None).await.unwrap();
    for hints in &mut ears {
        assert_eq!(next(hints).await, Hint::Family { family: home.family, seq: 5 });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_a_connection_that_says_nothing_any_more_is_found_out() {
    let replicas = benches(1).await;
    let home = replicas[0].home("ada").await;
    let database: &TestDatabase<'static> = replicas[0].keep.downcast_ref().unwrap();
    let link = FaultyLink::to(PostgresServer::shared().address()).await;
    let options = PostgresOptions::default();
    let url = database.url_at(link.address());
    let store = PostgresStore::connect(&url, Arc::new(OsEntropy), options).await.unwrap();
    let mut hints = store.hints();
    // The next question whether it is alive never arrives, and nobody says so.
    link.set(Fault::HoldAfter(0));
    link.held().await;
    link.set(Fault::None);
    assert_eq!(next(&mut hints).await, Hint::Gap);
    replicas[0].note(&home, &home.owner, "after", None).await.unwrap();
    assert_eq!(next(&mut hints).await, Hint::Family { family: home.family, seq: 1 });
    assert_eq!(store.events_after(home.family, 0, 9).await.unwrap().latest, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_for_hints_hears_that_the_store_was_closed() {
    let replicas = benches(1).await;
    let mut hints = replicas[0].store.hints();
    replicas[0].store.close().await;
    assert!(hints.recv().await.is_err());
    assert!(replicas[0].store.hints().recv().await.is_err(), "also of a later one");
}
