//! What a wall shows, over HTTP.

use std::collections::BTreeSet;

use luminous_domain::Role;
use luminous_store::{MemberChange, MemberState};
use serde_json::{Value, json};

use crate::home::Home;

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn the_wall_shows_names_and_notes_and_nothing_else_of_the_family() {
    let home = Home::start().await;
    let (family, olga, others) = home.full_house().await;
    let path = format!("/api/families/{family}/notes");
    let posted = home.with(&olga).post(&path, json!({ "text": "Milk", "hours": 2 })).await.json();
    let answer = home.with(&others[3].1).get("/api/wall").await;
    assert_eq!(answer.outcome(), "200");
    let wall = answer.json();
    assert_eq!(keys(&wall), ["device", "family_id", "family_name", "members", "notes", "seq"]);
    assert_eq!((&wall["family_id"], &wall["family_name"]), (&json!(family), &json!("Lum")));
    assert_eq!(wall["device"], Value::Null, "a person is no display");
    let members = wall["members"].as_array().unwrap();
    let names: BTreeSet<_> = members.iter().map(|one| one["name"].as_str().unwrap()).collect();
    let mut expected: BTreeSet<_> = others.iter().map(|(_, one, _)| &*one.user.name).collect();
    expected.insert("Olga");
    assert_eq!(names, expected);
    assert_eq!(keys(&wall["members"][0]), ["id", "name"]);
    let note = &wall["notes"][0];
    assert_eq!((&note["id"], &note["text"]), (&posted["id"], &json!("Milk")));
    assert_eq!(note["author_name"], "Olga");
    let latest = home.rig.store.events_after(family, 0, 1).await.unwrap().latest;
    assert_eq!(wall["seq"], latest);
    assert!(!answer.text.contains("@example.test"));
}

#[tokio::test]
async fn who_is_switched_off_is_not_on_the_wall() {
    let home = Home::start().await;
    let olga = home.rig.found(home.person("Olga")).await;
    let ben = home.rig.take_in(&olga, home.person("Ben"), Role::Adult).await;
    let (_, act) = home.rig.arrive(&olga).await;
    let off = MemberChange { state: Some(MemberState::Deactivated), ..MemberChange::default() };
    let (family, by) = (olga.family(), olga.place().member);
    home.rig.store.change_member(family, ben.place().member, &off, by, &act).await.unwrap();
    let wall = home.with(&olga).get("/api/wall").await.json();
    assert_eq!(wall["members"].as_array().unwrap().len(), 1);
    home.rig.pass(std::time::Duration::from_secs(1));
    let answer = home.with(&ben).get("/api/wall").await;
    assert_eq!(answer.outcome(), "403 authz.role_missing");
}

#[tokio::test]
async fn everybody_sees_their_own_familys_wall() {
    let home = Home::start().await;
    let olga = home.rig.found(home.person("Olga")).await;
    let otto = home.rig.found(home.person("Otto")).await;
    for person in [&olga, &otto] {
        let wall = home.with(person).get("/api/wall").await.json();
        assert_eq!(wall["family_id"], json!(person.family()));
    }
    let outside = home.with(&home.person("Nobody")).get("/api/wall").await;
    assert_eq!(outside.outcome(), "403 authz.family_mismatch");
}
