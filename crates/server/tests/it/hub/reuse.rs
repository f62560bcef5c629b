//! F6: a display whose sign-in was used in two places is ended in both, and the family is told why.

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::Role;
use luminous_store::Store;
use luminous_store::contract::postgres_server::PostgresServer;
use luminous_wire::api::hub::family_hub;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Listener, display_at, person_at};
use crate::display::Display;
use crate::rig::{Answer, Rig, Someone};

async fn devices(rig: &Rig, person: &Someone) -> Value {
    let path = format!("/api/families/{}/devices", person.family());
    rig.get(&path, &rig.token(person)).await.json()
}

/// At the family's newest event.
async fn up_to_date(mut listener: Listener) -> Listener {
    listener.resume(u64::MAX).await;
    listener.called(family_hub::RESYNC).await;
    listener
}

/// A display that has used the child of the token that somebody has copied.
async fn copied(rig: &Rig, person: &Someone) -> (Display, String) {
    let mut display = Display::linked(rig, person).await;
    let copied = display.token("refresh_token").to_owned();
    assert_eq!(display.refresh(rig).await.oauth(), "200");
    assert_eq!(display.get(rig, "/api/wall").await.status, 200);
    (display, copied)
}

/// Somebody uses the copy `there`; everybody listens `here`.
async fn a_copy_is_used(here: &Rig, there: &Rig) {
    let ana = here.owner("Ana").await;
    let ben = here.member(&ana, "Ben", Role::Adult).await;
    // On PostgreSQL time goes on by itself: what is issued from here on is younger than their places.
    here.pass(Duration::from_secs(10));
    let (mut display, copied) = copied(here, &ana).await;
    let mut wall = up_to_date(display_at(here, &display).await).await;
    let mut desks = Vec::new();
    for person in [&ana, &ben] {
        desks.push(up_to_date(person_at(here, person).await).await);
    }
    assert_eq!(devices(here, &ana).await["ended"], json!([]));

    assert_eq!(display.refresh_with(there, &copied).await.oauth(), "400 invalid_grant reuse");
    for desk in &mut desks {
        let event = desk.event().await;
        let told = (event.kind.as_str(), event.reason.as_deref());
        assert_eq!(told, ("device_revoked", Some("reuse")));
        assert_eq!(event.resource, Some(display.id().to_string()));
    }
    wall.shown_out().await;
    for rig in [here, there] {
        let refused = Answer::of(display.ask(rig, Method::POST, "/api/hub/ticket")).await;
        assert_eq!(refused.outcome(), "401 device.revoked");
        assert_eq!(refused.json()["detail"], "reuse");
        let refused = display.refresh(rig).await;
        assert_eq!(refused.oauth(), "400 invalid_grant reuse", "whoever has the child hears why");
        let listed = devices(rig, &ben).await;
        assert_eq!(listed["devices"], json!([]));
        let [ended] = listed["ended"].as_array().unwrap().as_slice() else { panic!("{listed}") };
        assert_eq!(ended["id"], display.id().to_string());
        assert_eq!((&ended["name"], &ended["room"]), (&json!("Kitchen"), &json!("Kitchen")));
        assert!(ended["ended_at_ms"].is_i64(), "{ended}");
    }

    // Linked again it is in its old place, and the news is over.
    let id = display.id();
    display.show(here).await;
    display.approve(here, &ana).await;
    assert_eq!(display.redeem(here).await.oauth(), "200");
    assert_eq!(display.id(), id);
    let listed = devices(there, &ana).await;
    assert_eq!((&listed["devices"][0]["id"], &listed["ended"]), (&json!(id), &json!([])));
}

#[tokio::test]
async fn f6_every_adult_hears_that_a_displays_sign_in_was_used_in_two_places() {
    let rig = Rig::start().await;
    a_copy_is_used(&rig, &rig).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f6_p9_what_was_used_at_one_replica_is_dead_and_told_at_the_other() {
    let database = PostgresServer::shared().create_database().await.migrated().await;
    let stores: [Arc<dyn Store>; 2] =
        [Arc::new(database.store().await), Arc::new(database.store().await)];
    let here = Rig::on(Some(Arc::clone(&stores[0])), |_, _| {}, |_| {}).await;
    let there = here.replica(Arc::clone(&stores[1])).await;
    a_copy_is_used(&here, &there).await;
}

#[tokio::test]
async fn f6_the_family_is_told_for_a_week() {
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let (mut display, copied) = copied(&rig, &ana).await;
    assert_eq!(display.refresh_with(&rig, &copied).await.oauth(), "400 invalid_grant reuse");
    for (days, told) in [(7, 1), (1, 0)] {
        rig.pass(Duration::from_secs(days * 24 * 3600));
        let ended = devices(&rig, &ana).await["ended"].clone();
        assert_eq!(ended.as_array().unwrap().len(), told, "{ended}");
    }
}
