//! A family: created, renamed, left, deleted, and who notices.

use luminous_domain::Role;
use serde_json::{Value, json};
use std::time::Duration;

use crate::home::Home;

#[tokio::test]
async fn whoever_creates_a_family_owns_it() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let created = home.with(&olga).post("/api/families", json!({ "name": "  Lum " })).await;
    assert_eq!(created.status, 201, "{created:?}");
    let me = created.json();
    assert_eq!(me["membership"]["family"]["name"], "Lum");
    assert_eq!(me["membership"]["role"], "owner");
    let family = me["membership"]["family"]["id"].as_str().unwrap();
    assert_eq!(created.header("location"), format!("/api/families/{family}"));
    assert_eq!(home.with(&olga).get("/api/me").await.json(), me);
    let read = home.with(&olga).get(created.header("location")).await;
    assert_eq!(read.json(), me["membership"]["family"]);
}

#[tokio::test]
async fn a_person_has_one_family_at_most() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    home.family(&olga, "Lum").await;
    let second = home.with(&olga).post("/api/families", json!({ "name": "Two" })).await;
    assert_eq!(second.outcome(), "409 family.already_member");
}

#[tokio::test]
async fn a_repetition_after_a_lost_answer_finds_the_family_of_the_first_try() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let key = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
    let name = json!({ "name": "Lum" });
    let first = home.with(&olga).once(key).post("/api/families", name.clone()).await;
    let again = home.with(&olga).once(key).post("/api/families", name.clone()).await;
    assert_eq!((first.outcome(), again.outcome()), ("201".into(), "201".into()));
    assert_eq!(first.json(), again.json());
    let other = "7d444840-9dc0-11d1-b245-5ffdce74fad3";
    let other = home.with(&olga).once(other).post("/api/families", name.clone()).await;
    assert_eq!(other.outcome(), "409 family.already_member");
    let unusable = home.with(&olga).once("again").post("/api/families", name).await;
    assert_eq!(unusable.outcome(), "400 input.invalid");
}

#[tokio::test]
async fn the_key_of_one_person_means_nothing_for_another() {
    let home = Home::start().await;
    let key = "7d444840-9dc0-11d1-b245-5ffdce74fad2";
    let name = json!({ "name": "Lum" });
    let olga = home.with(&home.person("Olga")).once(key).post("/api/families", name.clone()).await;
    let otto = home.with(&home.person("Otto")).once(key).post("/api/families", name).await;
    assert_eq!(otto.status, 201);
    assert_ne!(
        olga.json()["membership"]["family"]["id"],
        otto.json()["membership"]["family"]["id"]
    );
}

#[tokio::test]
async fn d11_a_family_named_in_the_body_is_a_field_that_does_not_exist() {
    let home = Home::start().await;
    let (family, owner, _) = home.full_house().await;
    let notes = format!("/api/families/{family}/notes");
    for (path, body) in [
        (notes.as_str(), json!({ "text": "Milk", "family_id": family })),
        (notes.as_str(), json!({ "text": "Milk", "familyId": family })),
        ("/api/invites/accept", json!({ "code": "0123456789", "role": "owner" })),
        ("/api/families", json!({ "name": "Two", "owner": "somebody" })),
    ] {
        let refused = home.with(&owner).post(path, body.clone()).await;
        assert_eq!(refused.outcome(), "400 input.invalid", "{path} {body}");
    }
}

#[tokio::test]
async fn names_that_cannot_be_read_are_refused() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    for name in
        [json!(""), json!("  "), json!("x".repeat(61)), json!("a\u{202e}b"), json!(7), Value::Null]
    {
        let refused = home.with(&olga).post("/api/families", json!({ "name": name })).await;
        assert_eq!(refused.outcome(), "400 input.invalid", "{name}");
    }
    assert_eq!(home.with(&olga).get("/api/me").await.json()["membership"], Value::Null);
}

#[tokio::test]
async fn the_last_owner_cannot_leave_before_there_is_another() {
    let home = Home::start().await;
    let (family, owner, others) = home.full_house().await;
    let leave = format!("/api/families/{family}/leave");
    let refused = home.with(&owner).post(&leave, json!({})).await;
    assert_eq!(refused.outcome(), "409 family.last_owner");
    let (_, admin, member) = &others[0];
    let promote = format!("/api/families/{family}/members/{member}");
    let promoted = home.proved(&owner).patch(&promote, json!({ "role": "owner" })).await;
    assert_eq!(promoted.status, 200, "{promoted:?}");
    assert_eq!(home.with(&owner).post(&leave, json!({})).await.status, 204);
    let outside = home.with(&owner).get(&format!("/api/families/{family}")).await;
    assert_eq!(outside.outcome(), "403 authz.family_mismatch");
    let alone = home.with(admin).post(&leave, json!({})).await;
    assert_eq!(alone.outcome(), "409 family.last_owner");
}

#[tokio::test]
async fn a_family_goes_only_with_its_name_typed_and_everybody_is_outside_at_once() {
    let home = Home::start().await;
    let (family, owner, others) = home.full_house().await;
    let path = format!("/api/families/{family}");
    let delete = async |caller: crate::home::Caller<'_>, name: &str| {
        caller.send(reqwest::Method::DELETE, &path, Some(json!({ "name": name }))).await.outcome()
    };
    assert_eq!(delete(home.with(&owner), "Lum").await, "401 session.step_up_required");
    assert_eq!(delete(home.proved(&owner), "lum").await, "409 family.name_mismatch");
    assert_eq!(delete(home.proved(&others[0].1), "Lum").await, "403 authz.role_missing");
    assert_eq!(delete(home.proved(&owner), " Lum ").await, "204");
    for (role, person, _) in &others {
        let read = home.with(person).get(&path).await;
        assert_eq!(read.outcome(), "403 authz.family_mismatch", "{role}");
    }
    home.family(&owner, "Again").await;
}

#[tokio::test]
async fn v20_what_changes_in_the_family_holds_from_the_next_request_on() {
    let home = Home::start().await;
    let (family, owner, others) = home.full_house().await;
    let (_, admin, member) = &others[0];
    let before = home.rig.token(admin);
    let audit = format!("/api/families/{family}/audit");
    let notes = format!("/api/families/{family}/notes");
    let asks = async |path: &str| home.bearer(before.clone()).get(path).await.outcome();
    assert_eq!(asks(&audit).await, "200");

    home.rig.pass(Duration::from_secs(2));
    let path = format!("/api/families/{family}/members/{member}");
    let lowered = home.proved(&owner).patch(&path, json!({ "role": "adult" })).await;
    assert_eq!(lowered.status, 200, "{lowered:?}");
    assert_eq!(asks(&audit).await, "403 authz.role_missing");
    // What is still allowed asks for a token that says so.
    assert_eq!(asks(&notes).await, "401 token.stale");
    assert_eq!(home.with(admin).get(&notes).await.outcome(), "200");

    let off = home.proved(&owner).patch(&path, json!({ "state": "deactivated" })).await;
    assert_eq!(off.json()["state"], "deactivated", "{off:?}");
    assert_eq!(asks(&notes).await, "403 authz.role_missing");
    assert_eq!(home.with(admin).get(&notes).await.outcome(), "403 authz.role_missing");

    assert_eq!(home.proved(&owner).delete(&path).await.status, 204);
    assert_eq!(asks(&notes).await, "403 authz.family_mismatch");
}

#[tokio::test]
async fn whoever_just_joined_is_told_to_refresh_an_older_token() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let ben = home.person("Ben");
    let older = home.rig.token(&ben);
    home.rig.pass(Duration::from_secs(2));
    home.join(&olga, family, &ben, Role::Teen).await;
    let notes = format!("/api/families/{family}/notes");
    let stale = home.bearer(older).get(&notes).await;
    assert_eq!(stale.outcome(), "401 token.stale");
    assert!(stale.header("www-authenticate").contains("error=\"invalid_token\""), "{stale:?}");
    assert_eq!(home.with(&ben).get(&notes).await.status, 200);
}

#[tokio::test]
async fn t18_an_id_that_cannot_be_one_opens_nothing_and_breaks_nothing() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    for id in ["x", "%00", "..%2F..", "'%20OR%201=1--", &"0".repeat(4000)] {
        let outside = home.with(&olga).get(&format!("/api/families/{id}/notes")).await;
        assert_eq!(outside.outcome(), "403 authz.family_mismatch", "{id}");
        let inside = home.with(&olga).delete(&format!("/api/families/{family}/notes/{id}")).await;
        assert_eq!(inside.outcome(), "404 resource.not_found", "{id}");
        let mine = home.with(&olga).delete(&format!("/api/me/sessions/{id}")).await;
        assert_eq!(mine.outcome(), "404 resource.not_found", "{id}");
        let nobody = home.anonymous().get(&format!("/api/families/{id}")).await;
        assert_eq!(nobody.outcome(), "401 token.missing", "{id}");
    }
    // A path that is not text has no part that could be read.
    for path in [format!("/api/families/{family}/notes/%FF"), "/api/families/%FF".to_owned()] {
        let refused = home.with(&olga).send(reqwest::Method::DELETE, &path, None).await;
        assert_eq!(refused.outcome(), "403 authz.family_mismatch", "{path}");
    }
}

#[tokio::test]
async fn a_deleted_family_does_not_come_back_by_repeating_the_request() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let (key, name) = ("7d444840-9dc0-11d1-b245-5ffdce74fad2", json!({ "name": "Lum" }));
    let made = home.with(&olga).once(key).post("/api/families", name.clone()).await;
    let path = made.header("location").to_owned();
    let typed = Some(name.clone());
    let gone = home.proved(&olga).send(reqwest::Method::DELETE, &path, typed).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    let again = home.with(&olga).once(key).post("/api/families", name).await;
    assert_eq!(again.outcome(), "409 request.repeated");
}
