//! What is in between fails (DB7).

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::{Clock as _, OsEntropy, SystemClock};
use luminous_store::contract::Bench;
use luminous_store::contract::faulty_link::{Fault, FaultyLink};
use luminous_store::contract::people::{HOUR, hash, key};
use luminous_store::contract::postgres_server::{
    PostgresServer, ServerOptions, TestDatabase, bench,
};
use luminous_store::postgres::PostgresOptions;
use luminous_store::{
    Accounts as _, Attempts as _, Families as _, Health as _, NewFamily, PostgresStore, StoreError,
    WebSessions as _,
};

const SHORT: Duration = Duration::from_millis(300);

/// A suite bench, a link to its database, and a store behind that link.
async fn behind_a_link(options: PostgresOptions) -> (Bench, FaultyLink, PostgresStore) {
    let bench = bench().await;
    let link = FaultyLink::to(PostgresServer::shared().address()).await;
    let database: &TestDatabase<'static> = bench.keep.downcast_ref().unwrap();
    let url = database.url_at(link.address());
    let store = PostgresStore::connect(&url, Arc::new(OsEntropy), options).await.unwrap();
    (bench, link, store)
}

/// Patient with a slow test machine, and one connection, so that it is clear which one breaks.
fn patient() -> PostgresOptions {
    let wait = Duration::from_secs(20);
    PostgresOptions {
        connections: 1,
        connection_wait: wait,
        statement_wait: wait,
        call_wait: wait,
        ..PostgresOptions::default()
    }
}

/// Founds a family through `store` while the link has `fault`; it must be there once, and the answer
/// must say so.
async fn founds_once(fault: Fault) {
    let (bench, link, store) = behind_a_link(patient()).await;
    let ada = bench.person("ada").await;
    // The connection exists and its statements are prepared.
    store.standing(&key("ada")).await.unwrap();
    let new = NewFamily {
        id: bench.family_id().await,
        name: "Adas".to_owned(),
        owner: ada.account.id,
        member: ada.member,
    };
    link.set(fault);
    let place = store.create_family(&new, &ada.act()).await.unwrap();
    assert!(link.is_over(), "the fault has happened");
    assert_eq!(bench.standing(&ada).await.membership, Some(place));
    let lines = bench.store.audit(new.id, &Default::default(), 9).await.unwrap();
    assert_eq!(lines.len(), 1, "written once: {lines:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db7_a_connection_that_breaks_within_a_transaction_is_begun_anew() {
    founds_once(Fault::CutBefore(b"INSERT INTO families")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db7_a_commit_that_never_arrived_is_done_again() {
    founds_once(Fault::CutBefore(b"COMMIT")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db7_a_commit_whose_answer_never_arrived_is_not_done_again() {
    founds_once(Fault::CutAfter(b"COMMIT", Duration::ZERO)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db7_a_commit_that_arrives_while_it_is_done_again_counts_once() {
    founds_once(Fault::CutAfter(b"COMMIT", SHORT)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db7_a_try_counts_once_although_its_commit_was_not_confirmed() {
    let (_bench, link, store) = behind_a_link(patient()).await;
    for (n, fault) in [
        Fault::CutAfter(b"COMMIT", Duration::ZERO),
        Fault::CutAfter(b"COMMIT", SHORT),
        Fault::CutBefore(b"COMMIT"),
    ]
    .into_iter()
    .enumerate()
    {
        link.set(fault);
        assert!(store.count_attempt("code", HOUR, 9).await.unwrap());
        assert!(link.is_over());
        assert_eq!(store.attempts("code", HOUR).await.unwrap() as usize, n + 1, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db7_a_sign_in_taken_without_confirmation_is_still_answered_and_only_once() {
    let (_bench, link, store) = behind_a_link(patient()).await;
    let pending = luminous_store::NewPendingSignIn {
        state: hash("state"),
        browser: hash("browser"),
        nonce: "nonce".to_owned(),
        verifier: "verifier".to_owned(),
        issuer: "issuer".to_owned(),
        return_to: "/".to_owned(),
        lifetime: HOUR,
    };
    store.begin_pending(&pending).await.unwrap();
    link.set(Fault::CutAfter(b"COMMIT", Duration::ZERO));
    let taken = store.take_pending(&hash("state"), &hash("browser")).await.unwrap();
    assert_eq!(taken.unwrap().verifier, "verifier");
    assert!(store.take_pending(&hash("state"), &hash("browser")).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db7_a_reading_whose_connection_breaks_is_read_again() {
    let (bench, link, store) = behind_a_link(patient()).await;
    bench.person("ada").await;
    store.standing(&key("ada")).await.unwrap();
    link.set(Fault::CutBefore(b"ada"));
    assert!(store.standing(&key("ada")).await.unwrap().is_some());
    assert!(link.is_over());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db7_ten_seconds_of_latency_end_in_unavailable_and_leave_no_hung_connection() {
    let options = PostgresOptions { call_wait: Duration::from_secs(2), ..patient() };
    let (bench, link, store) = behind_a_link(options).await;
    bench.person("ada").await;
    link.set(Fault::Slow(Duration::from_secs(10)));
    let begun = SystemClock.elapsed();
    for answer in [
        store.standing(&key("ada")).await.map(drop),
        store.count_attempt("code", HOUR, 9).await.map(drop),
    ] {
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    }
    let took = SystemClock.elapsed() - begun;
    assert!(took < Duration::from_secs(9), "{took:?}");
    // The one connection of the pool was given up, not kept waiting: a new one works at once.
    link.set(Fault::None);
    recovered(&store).await;
}

/// Waits until the store answers again; a slow test machine may need more than one call's time.
async fn recovered(store: &PostgresStore) {
    for _ in 0..40 {
        if store.ping().await.is_ok() {
            return;
        }
    }
    store.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db7_with_all_connections_taken_the_next_caller_is_told_busy() {
    let options = PostgresOptions { connection_wait: SHORT, ..patient() };
    let (bench, _link, store) = behind_a_link(options).await;
    let home = bench.home("ada").await;
    let database: &TestDatabase<'static> = bench.keep.downcast_ref().unwrap();
    let mut client = database.client().await;
    let holder = client.transaction().await.unwrap();
    holder.batch_execute("SELECT FROM families FOR UPDATE").await.unwrap();

    let store = Arc::new(store);
    let blocked = tokio::spawn({
        let (store, act) = (Arc::clone(&store), home.owner.act());
        async move { store.rename_family(home.family, "Waiting", home.owner.member, &act).await }
    });
    waiting_for_a_lock(&database.client().await).await;
    let begun = SystemClock.elapsed();
    assert_eq!(store.standing(&key("ada")).await, Err(StoreError::Busy));
    assert!(SystemClock.elapsed() - begun < Duration::from_secs(5));
    holder.rollback().await.unwrap();
    assert_eq!(blocked.await.unwrap().unwrap().name, "Waiting");
    assert!(store.standing(&key("ada")).await.unwrap().is_some());
}

async fn waiting_for_a_lock(client: &tokio_postgres::Client) {
    let sql = "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db7_a_lock_that_is_held_for_too_long_ends_in_busy_and_changes_nothing() {
    let options = PostgresOptions { statement_wait: SHORT, ..patient() };
    let (bench, _link, store) = behind_a_link(options).await;
    let home = bench.home("ada").await;
    let database: &TestDatabase<'static> = bench.keep.downcast_ref().unwrap();
    let mut client = database.client().await;
    let holder = client.transaction().await.unwrap();
    holder.batch_execute("SELECT FROM families FOR UPDATE").await.unwrap();
    let renamed =
        store.rename_family(home.family, "Never", home.owner.member, &home.owner.act()).await;
    assert_eq!(renamed, Err(StoreError::Busy.into()));
    holder.rollback().await.unwrap();
    let family = bench.standing(&home.owner).await.membership.unwrap().family;
    assert_eq!(family.name, "adas");
}

/// Makes the database refuse the next `times` foundings with a serialization failure. A sequence
/// counts, for it is not rolled back.
async fn conflicts(bench: &Bench, times: u32) {
    let database: &TestDatabase<'static> = bench.keep.downcast_ref().unwrap();
    let sql = format!(
        "CREATE SEQUENCE conflicts; CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN IF nextval('conflicts') <= {times} THEN \
         RAISE EXCEPTION 'conflict' USING ERRCODE = 'serialization_failure'; END IF; \
         RETURN NEW; END $$; \
         CREATE TRIGGER conflict BEFORE UPDATE ON families FOR EACH ROW \
         EXECUTE FUNCTION conflict()"
    );
    database.client().await.batch_execute(&sql).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db7_a_serialization_failure_is_tried_again_three_times_and_no_more() {
    for (times, expected) in [(3, Ok("New")), (4, Err(StoreError::Busy))] {
        let bench = bench().await;
        let home = bench.home("ada").await;
        conflicts(&bench, times).await;
        let renamed = bench
            .store
            .rename_family(home.family, "New", home.owner.member, &home.owner.act())
            .await;
        let name = renamed.map(|family| family.name);
        assert_eq!(name, expected.clone().map(str::to_owned).map_err(Into::into));
        let family = bench.standing(&home.owner).await.membership.unwrap().family;
        assert_eq!(family.name, expected.unwrap_or("adas"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db7_a_caller_who_goes_away_leaves_no_open_transaction_in_the_pool() {
    let (bench, link, store) = behind_a_link(patient()).await;
    let home = bench.home("ada").await;
    let store = Arc::new(store);
    // BEGIN passes, the next message is held: the caller waits within a transaction.
    link.set(Fault::HoldAfter(1));
    let caller = tokio::spawn({
        let (store, act) = (Arc::clone(&store), home.owner.act());
        async move { store.rename_family(home.family, "Never", home.owner.member, &act).await }
    });
    link.held().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    assert!(store.standing(&key("ada")).await.unwrap().is_some());
    let act = home.owner.act();
    assert_eq!(
        store.rename_family(home.family, "New", home.owner.member, &act).await.unwrap().name,
        "New"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_and_comes_back_lost_nothing_it_acknowledged() {
    let server = PostgresServer::start(&ServerOptions::default());
    let database = server.create_database().await.migrated().await;
    let store = database.store().await;
    let mut counted = 0;
    for _ in 0..2 {
        for _ in 0..10 {
            assert!(store.count_attempt("code", HOUR, 999).await.unwrap());
            counted += 1;
        }
        server.crash();
        let down = PostgresOptions { call_wait: SHORT, ..patient() };
        let refused = PostgresStore::connect(&database.url(), Arc::new(OsEntropy), down).await;
        assert!(refused.unwrap_err().to_string().contains("cannot be reached"));
        server.resume();
        // The old connections are dead; the store finds that out by itself.
        recovered(&store).await;
        assert_eq!(store.attempts("code", HOUR).await.unwrap(), counted);
    }
}
