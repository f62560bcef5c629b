//! P4: a database that lacks what was committed last gives numbers of events again that were told
//! already. Whoever is connected must not take the new ones for the old ones.

use std::sync::Arc;
use std::time::Duration;

use luminous_store::contract::postgres_server::{PostgresServer, ServerOptions};
use luminous_store::{Hint, Store};
use luminous_wire::api::hub::family_hub;
use tokio::sync::broadcast::Receiver;

use super::{PATIENCE, display_at, person_at, post_note};
use crate::display::Display;
use crate::rig::Rig;

/// What becomes of the family whose newest event is lost, and of another that comes in its place.
const AGAIN: &str = "UPDATE events SET kind = 'family_changed', subject = NULL \
     WHERE seq = (SELECT max(latest) FROM event_counters)";
/// All who listen are cut off.
const CUT: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
     WHERE datname = current_database() AND application_name = 'luminous-hints'";

async fn hinted(hints: &mut Receiver<Hint>, expected: Hint) {
    let hinted = async { while hints.recv().await.unwrap() != expected {} };
    tokio::time::timeout(PATIENCE, hinted).await.expect("no hint");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_numbers_that_are_given_again_are_taken_for_nothing_that_was_seen() {
    let server = PostgresServer::start(&ServerOptions::default());
    let database = server.create_database().await.migrated().await;
    let store: Arc<dyn Store> = Arc::new(database.store().await);
    let mut hints = store.hints();
    let rig = Rig::on(Some(store), |_, _| {}, |_| {}).await;
    let ana = rig.owner("Ana").await;
    // Time is the database's, which goes on: what is issued from here on is younger than her place.
    rig.pass(Duration::from_secs(10));
    let display = Display::linked(&rig, &ana).await;
    let (mut desk, mut wall) = (person_at(&rig, &ana).await, display_at(&rig, &display).await);
    let mut latest = 0;
    for listener in [&mut desk, &mut wall] {
        latest = listener.resume(u64::MAX).await;
        listener.called(family_hub::RESYNC).await;
    }

    // A connection that was lost is no reason to read everything anew: the database is the same.
    database.client().await.query_one(CUT, &[]).await.unwrap();
    hinted(&mut hints, Hint::Gap).await;
    post_note(&rig, &ana, "Milk").await;
    for listener in [&mut desk, &mut wall] {
        assert_eq!(listener.event().await.seq, latest + 1);
    }

    // What they saw last is lost, and its number is given again while nobody hears of it.
    assert_eq!(database.client().await.execute(AGAIN, &[]).await.unwrap(), 1);
    server.crash();
    server.resume();
    for listener in [&mut desk, &mut wall] {
        let (told,): (u64,) = listener.called(family_hub::RESYNC).await.read().unwrap();
        assert_eq!(told, latest + 1);
    }
    post_note(&rig, &ana, "Bread").await;
    for listener in [&mut desk, &mut wall] {
        assert_eq!(listener.event().await.seq, latest + 2);
    }
}
