//! Linked displays over HTTP.

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::{DeviceId, Role};
use luminous_server::Server;
use luminous_server::door::note_connected;
use luminous_store::contract::postgres_server::PostgresServer;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::display::Display;
use crate::home::{Home, id};
use crate::link::link;
use crate::link::stand_in::StandIn;
use crate::rig::{Rig, Someone};

async fn family_with_a_display(home: &Home) -> (Someone, Value) {
    let olga = home.rig.found(home.person("Olga")).await;
    let linked = link(home, &olga, &StandIn::new(&home.rig).await).await;
    (olga, linked)
}

fn path(device: &Value) -> String {
    format!("/api/devices/{}", device["id"].as_str().unwrap())
}

async fn list(home: &Home, person: &Someone) -> Value {
    let path = format!("/api/families/{}/devices", person.family());
    home.with(person).get(&path).await.json()["devices"].clone()
}

#[tokio::test]
async fn displays_are_listed_with_whether_they_are_connected_now() {
    let home = Home::start().await;
    let (olga, linked) = family_with_a_display(&home).await;
    assert_eq!(list(&home, &olga).await[0]["online"], true, "it fetched its tokens just now");
    home.rig.pass(Duration::from_secs(361));
    let device: DeviceId = id(&linked["id"]);
    let listed = list(&home, &olga).await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!((&listed[0]["online"], &listed[0]["state"]), (&json!(false), &json!("active")));
    let until = listed[0]["linked_at_ms"].as_i64().unwrap() + 86_400_000;
    assert_eq!(listed[0]["undo_until_ms"], until);
    let connected = home.rig.server.state().presence().connect(device);
    assert_eq!(list(&home, &olga).await[0]["online"], true);
    drop(connected);
    assert_eq!(list(&home, &olga).await[0]["online"], false);
}

#[tokio::test]
async fn a_display_at_another_replica_is_online_until_it_was_not_heard_of_for_six_minutes() {
    let home = Home::start().await;
    let (olga, linked) = family_with_a_display(&home).await;
    home.rig.pass(Duration::from_secs(361));
    let here = home.rig.server.state();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (config, parts) = (here.config().clone(), here.parts().clone());
    let there = Server::start_on(listener, config, parts).await.unwrap();
    let online = async || list(&home, &olga).await[0]["online"] == true;
    assert!(!online().await, "nobody is connected");
    let connected = there.state().presence().connect(id(&linked["id"]));
    note_connected(there.state()).await.unwrap();
    assert!(online().await);
    home.rig.pass(Duration::from_secs(360));
    assert!(online().await);
    home.rig.pass(Duration::from_millis(1));
    assert!(!online().await);
    // It is asked for nothing, and noted while it is connected.
    note_connected(there.state()).await.unwrap();
    assert!(online().await);
    drop(connected);
    home.rig.pass(Duration::from_secs(361));
    note_connected(there.state()).await.unwrap();
    assert!(!online().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_not_be_noted_is_due_again_at_once() {
    let database = PostgresServer::shared().create_database().await.migrated().await;
    let rig = Rig::on(Some(Arc::new(database.store().await)), |_, _| {}, |_| {}).await;
    let ana = rig.owner("Ana").await;
    let display = Display::linked(&rig, &ana).await;
    let _connected = rig.server.state().presence().connect(display.id());
    rig.pass(Duration::from_secs(361));
    let sql = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql \
         AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$; \
         CREATE TRIGGER refuse BEFORE UPDATE ON displays EXECUTE FUNCTION refuse()";
    database.client().await.batch_execute(sql).await.unwrap();
    let state = rig.server.state();
    for _ in 0..2 {
        assert!(note_connected(state).await.is_err());
    }
    database.client().await.batch_execute("DROP TRIGGER refuse ON displays").await.unwrap();
    note_connected(state).await.unwrap();
}

#[tokio::test]
async fn a_display_is_renamed_and_moved_and_nothing_else() {
    let home = Home::start().await;
    let (olga, linked) = family_with_a_display(&home).await;
    let (proved, path) = (home.proved(&olga), path(&linked));
    for (change, name, room) in [
        (json!({ "name": " Hall " }), "Hall", Value::Null),
        (json!({ "room": "Upstairs" }), "Hall", json!("Upstairs")),
        (json!({ "name": "Attic", "room": " " }), "Attic", Value::Null),
    ] {
        let changed = proved.patch(&path, change).await;
        assert_eq!(changed.outcome(), "200");
        let changed = changed.json();
        assert_eq!((&changed["name"], &changed["room"]), (&json!(name), &room));
    }
    for wrong in [
        json!({}),
        json!({ "name": "" }),
        json!({ "name": "x".repeat(61) }),
        json!({ "room": "Up\u{202e}stairs" }),
        json!({ "state": "active" }),
    ] {
        assert_eq!(
            proved.patch(&path, wrong.clone()).await.outcome(),
            "400 input.invalid",
            "{wrong}"
        );
    }
    assert_eq!(list(&home, &olga).await[0]["name"], "Attic");
}

#[tokio::test]
async fn a_renewal_lets_a_display_stay_as_long_as_a_new_one() {
    let home = Home::start().await;
    let (olga, linked) = family_with_a_display(&home).await;
    home.rig.pass(Duration::from_secs(10 * 86_400));
    let renewed = home.proved(&olga).post(&format!("{}/renew", path(&linked)), json!({})).await;
    assert_eq!(renewed.outcome(), "200");
    let day = 86_400_000;
    let (before, after) = (&linked["expires_at_ms"], &renewed.json()["expires_at_ms"]);
    assert_eq!(after.as_i64().unwrap(), home.now_ms() + 90 * day);
    assert!(after.as_i64().unwrap() - before.as_i64().unwrap() >= 10 * day);
}

#[tokio::test]
async fn a_revoked_display_is_gone_and_cannot_be_touched_again() {
    let home = Home::start().await;
    let (olga, linked) = family_with_a_display(&home).await;
    let (proved, path) = (home.proved(&olga), path(&linked));
    assert_eq!(proved.post(&format!("{path}/revoke"), json!({})).await.outcome(), "204");
    assert_eq!(list(&home, &olga).await, json!([]));
    for act in ["revoke", "renew", "undo"] {
        let again = proved.post(&format!("{path}/{act}"), json!({})).await;
        assert_eq!(again.outcome(), "404 resource.not_found", "{act}");
    }
    let rename = proved.patch(&path, json!({ "name": "Hall" })).await;
    assert_eq!(rename.outcome(), "404 resource.not_found");
}

#[tokio::test]
async fn managing_displays_takes_a_fresh_second_factor_and_undoing_a_link_does_not() {
    let home = Home::start().await;
    let (olga, linked) = family_with_a_display(&home).await;
    let (caller, path) = (home.with(&olga), path(&linked));
    let rename = caller.patch(&path, json!({ "name": "Hall" })).await;
    assert_eq!(rename.outcome(), "401 session.step_up_required");
    for act in ["revoke", "renew"] {
        let answer = caller.post(&format!("{path}/{act}"), json!({})).await;
        assert_eq!(answer.outcome(), "401 session.step_up_required", "{act}");
    }
    assert_eq!(caller.post(&format!("{path}/undo"), json!({})).await.outcome(), "204");
}

#[tokio::test]
async fn t18_another_familys_display_is_not_there() {
    let home = Home::start().await;
    let (_olga, linked) = family_with_a_display(&home).await;
    let otto = home.rig.found(home.person("Otto")).await;
    let admin = home.rig.take_in(&otto, home.person("Ada"), Role::Admin).await;
    let path = path(&linked);
    for person in [&otto, &admin] {
        let proved = home.proved(person);
        let name = json!({ "name": "Mine" });
        let unknown = format!("/api/devices/{}", uuid::Uuid::from_u128(7));
        for path in [&path, &unknown, &"/api/devices/nothing".to_owned()] {
            let rename = proved.send(Method::PATCH, path, Some(name.clone())).await;
            assert_eq!(rename.outcome(), "404 resource.not_found", "{path}");
            for act in ["revoke", "renew", "undo"] {
                let answer = proved.post(&format!("{path}/{act}"), json!({})).await;
                assert_eq!(answer.outcome(), "404 resource.not_found", "{path} {act}");
            }
        }
    }
}
