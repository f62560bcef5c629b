//! A replica that cannot read its database for a while. The database is a real PostgreSQL; what fails
//! is the way to it.

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::OsEntropy;
use luminous_signalr::client::InvokeError;
use luminous_store::contract::faulty_link::{Fault, FaultyLink};
use luminous_store::contract::postgres_server::PostgresServer;
use luminous_store::postgres::PostgresOptions;
use luminous_store::{PostgresStore, Store};
use luminous_wire::api::hub::{family_hub, link_hub};
use reqwest::Method;
use serde_json::Value;

use super::{Listener, PATIENCE, display_at, negotiate, person_at, post_note, ticket, waiting_at};
use crate::display::Display;
use crate::rig::Rig;

/// That the hub says that it cannot go on, rather than nothing.
async fn is_refused(listener: &Listener, seen: u64) {
    let asked = listener.client.invoke::<u64>(family_hub::RESUME, &(seen,), PATIENCE).await;
    match asked.unwrap_err() {
        InvokeError::Refused(error) => assert!(error.contains("store."), "{error}"),
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_a_replica_that_could_not_read_for_a_while_loses_nothing_and_leaves_nobody_silent() {
    let database = PostgresServer::shared().create_database().await.migrated().await;
    let link = FaultyLink::to(PostgresServer::shared().address()).await;
    let near: Arc<dyn Store> = Arc::new(database.store().await);
    let url = database.url_at(link.address());
    let far = PostgresStore::connect(&url, Arc::new(OsEntropy), PostgresOptions::default()).await;
    let here = Rig::on(Some(near), |_, _| {}, |_| {}).await;
    let there = here.replica(Arc::new(far.unwrap())).await;
    let ana = here.owner("Ana").await;
    // Time is the database's, which goes on: what is issued from here on is younger than her place.
    here.pass(Duration::from_secs(10));
    let display = Display::linked(&here, &ana).await;
    let waits = Display::showing(&here).await;
    let mut waiting = waiting_at(&there, &waits).await;
    let (mut desk, mut wall) = (person_at(&there, &ana).await, display_at(&there, &display).await);
    let latest = desk.resume(u64::MAX).await;
    desk.called(family_hub::RESYNC).await;
    wall.resume(latest).await;

    // Hints still come, and what they are about cannot be read.
    link.set(Fault::DownBut(b"luminous-hints"));
    post_note(&here, &ana, "Milk").await;
    link.held().await;
    // Whoever asks meanwhile is told that it cannot be.
    is_refused(&desk, latest).await;
    let bought = here.send(Method::POST, "/api/hub/ticket", &here.token(&ana), &Value::Null).await;
    let refused = negotiate(&there, family_hub::PATH, ticket(&bought)).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    // Meanwhile the display is removed, a wish is granted, and life goes on.
    let path = format!("/api/devices/{}/revoke", display.id());
    let revoked = here.send(Method::POST, &path, &here.fresh_token(&ana), &Value::Null).await;
    assert!(revoked.status.is_success(), "{revoked:?}");
    waits.approve(&here, &ana).await;
    post_note(&here, &ana, "Bread").await;
    is_refused(&desk, latest).await;

    link.set(Fault::None);
    // Nothing of the number, which is over.
    waiting.called(link_hub::LINKED).await;
    wall.shown_out().await;
    let newest = here.store.events_after(ana.family(), 0, 1).await.unwrap().latest;
    assert_eq!(newest, latest + 4, "two notes, a display that was removed and one that was linked");
    for expected in latest + 1..=newest {
        assert_eq!(desk.event().await.seq, expected);
    }
    // It is the same connection, and what follows comes over it.
    post_note(&there, &ana, "Salt").await;
    assert_eq!(desk.event().await.seq, newest + 1);
}
