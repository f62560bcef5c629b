//! A family's door: the membership row decides, the token's claims only narrow.

use std::time::Duration;

use luminous_domain::{Clock as _, Role};
use luminous_store::{MemberChange, MemberState};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{Rig, Someone};

fn members(of: &Someone) -> String {
    format!("/api/families/{}/members", of.family())
}

async fn home() -> (Rig, Someone, Someone) {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let ben = rig.member(&ana, "ben", Role::Admin).await;
    (rig, ana, ben)
}

async fn change(rig: &Rig, by: &Someone, who: &Someone, change: MemberChange) {
    let (_, act) = rig.arrive(by).await;
    let (family, member) = (by.family(), who.place().member);
    rig.store.change_member(family, member, &change, by.place().member, &act).await.unwrap();
}

#[tokio::test]
async fn absent_claims_narrow_nothing_and_fitting_ones_are_let_in() {
    let (rig, ana, _) = home().await;
    let family = ana.family().to_string();
    let bare = rig.spec(&ana);
    for spec in [
        bare.clone(),
        bare.clone().in_family(&family, "owner"),
        bare.clone().with("extension_family_id", "").with("extension_role", ""),
        bare.with("extension_role", Value::Null),
    ] {
        assert_eq!(rig.get(&members(&ana), &rig.mint(&spec)).await.outcome(), "200");
    }
}

#[tokio::test]
async fn v19_claims_that_cannot_be_used_open_nothing() {
    let (rig, ana, _) = home().await;
    let family = ana.family().to_string();
    let good = rig.spec(&ana).in_family(&family, "owner");
    let many: Vec<String> = (0..200).map(|n| format!("role{n}")).collect();
    for (claim, value) in [
        ("extension_role", json!(["owner"])),
        ("extension_role", json!(7)),
        ("extension_role", json!({ "owner": true })),
        ("extension_role", json!("root")),
        ("extension_role", json!("Owner")),
        ("extension_role", json!(many)),
        ("role", json!(["owner"])),
        ("extension_family_id", json!([family])),
        ("extension_family_id", json!("not-a-uuid")),
        ("extension_family_id", json!(true)),
    ] {
        let token = rig.mint(&good.clone().with(claim, value.clone()));
        let refused = rig.get(&members(&ana), &token).await;
        assert_eq!(refused.outcome(), "403 authz.claims_unusable", "{claim} {value}");
        assert!(refused.header("www-authenticate").contains("error=\"insufficient_scope\""));
        assert_eq!(rig.get("/api/me", &token).await.outcome(), "200", "they say nothing about me");
    }
}

#[tokio::test]
async fn claims_only_narrow() {
    let (rig, ana, _) = home().await;
    let other = rig.owner("zoe").await;
    let audit = format!("/api/families/{}/audit", ana.family());
    let as_child = rig.mint(&rig.spec(&ana).in_family(&ana.family().to_string(), "child"));
    assert_eq!(rig.get(&audit, &as_child).await.outcome(), "403 authz.role_missing");
    assert_eq!(rig.get(&members(&ana), &as_child).await.outcome(), "200");
    let elsewhere = rig.mint(&rig.spec(&ana).in_family(&other.family().to_string(), "owner"));
    assert_eq!(rig.get(&members(&ana), &elsewhere).await.outcome(), "403 authz.family_mismatch");

    let carl = rig.member(&ana, "carl", Role::Child).await;
    let as_owner = rig.mint(&rig.spec(&carl).in_family(&ana.family().to_string(), "owner"));
    assert_eq!(rig.get(&audit, &as_owner).await.outcome(), "403 authz.role_missing");
}

#[tokio::test]
async fn claims_that_a_refresh_repeats_do_not_hold_against_a_newer_place() {
    let (rig, ana, _) = home().await;
    let zoe = rig.owner("zoe").await;
    let audit = |home: &Someone| format!("/api/families/{}/audit", home.family());
    let tess = rig.member(&ana, "tess", Role::Teen).await;
    let signed_in = rig.clock.now().as_second();
    // B2C asks its connector at sign-in only, so that is when these were true.
    let refreshed = |who| {
        let old = rig.spec(who).in_family(&ana.family().to_string(), "teen");
        rig.mint(&old.with("auth_time", signed_in))
    };
    assert_eq!(rig.get(&audit(&ana), &refreshed(&tess)).await.outcome(), "403 authz.role_missing");

    rig.pass(Duration::from_secs(2));
    let stale = refreshed(&tess);
    rig.pass(Duration::from_secs(1));
    change(&rig, &ana, &tess, MemberChange { role: Some(Role::Admin), ..Default::default() }).await;
    assert_eq!(rig.get(&audit(&ana), &stale).await.outcome(), "401 token.stale");
    assert_eq!(rig.get(&audit(&ana), &refreshed(&tess)).await.outcome(), "200", "promoted");
    let again = rig.spec(&tess).in_family(&ana.family().to_string(), "teen");
    let again = rig.get(&audit(&ana), &rig.mint(&again)).await;
    assert_eq!(again.outcome(), "403 authz.role_missing", "a new sign-in's claims narrow");

    rig.pass(Duration::from_secs(1));
    let (_, act) = rig.arrive(&ana).await;
    let by = ana.place().member;
    rig.store.remove_member(ana.family(), tess.place().member, by, &act).await.unwrap();
    let tess = rig.take_in(&zoe, tess.clone(), Role::Admin).await;
    assert_eq!(rig.get(&audit(&zoe), &refreshed(&tess)).await.outcome(), "200", "moved");
    assert_eq!(
        rig.get(&audit(&ana), &refreshed(&tess)).await.outcome(),
        "403 authz.family_mismatch"
    );
}

#[tokio::test]
async fn another_familys_door_stays_shut() {
    let (rig, ana, _) = home().await;
    let zoe = rig.owner("zoe").await;
    let nobody = rig.someone("nina");
    for (who, path) in [
        (&zoe, members(&ana)),
        (&nobody, members(&ana)),
        (&ana, "/api/families/00000000-0000-7000-8000-000000000000/members".to_owned()),
        (&ana, "/api/families/not-a-uuid/members".to_owned()),
        (&ana, format!("/api/families/{}%00/members", ana.family())),
    ] {
        let refused = rig.get(&path, &rig.token(who)).await;
        assert_eq!(refused.outcome(), "403 authz.family_mismatch", "{path}");
    }
}

#[tokio::test]
async fn v20_a_role_that_was_lowered_counts_from_the_next_request_on() {
    let (rig, ana, ben) = home().await;
    let audit = format!("/api/families/{}/audit", ana.family());
    let token = rig.token(&ben);
    assert_eq!(rig.get(&audit, &token).await.outcome(), "200");
    rig.pass(Duration::from_secs(1));
    change(&rig, &ana, &ben, MemberChange { role: Some(Role::Teen), ..Default::default() }).await;
    assert_eq!(rig.get(&audit, &token).await.outcome(), "403 authz.role_missing");
    let stale = rig.get(&members(&ana), &token).await;
    assert_eq!(stale.outcome(), "401 token.stale", "what it still may, it may with a new token");
    assert!(stale.header("www-authenticate").contains("error=\"invalid_token\""));
    let fresh = rig.token(&ben);
    assert_eq!(rig.get(&members(&ana), &fresh).await.outcome(), "200");
    assert_eq!(rig.get(&audit, &fresh).await.outcome(), "403 authz.role_missing");
}

#[tokio::test]
async fn v20_who_was_switched_off_or_removed_is_out_at_once() {
    let (rig, ana, ben) = home().await;
    let token = rig.token(&ben);
    assert_eq!(rig.get(&members(&ana), &token).await.outcome(), "200");
    rig.pass(Duration::from_secs(1));
    let off = MemberChange { state: Some(MemberState::Deactivated), ..Default::default() };
    change(&rig, &ana, &ben, off).await;
    for token in [token, rig.token(&ben)] {
        assert_eq!(rig.get(&members(&ana), &token).await.outcome(), "403 authz.role_missing");
    }
    let me = rig.get("/api/me", &rig.token(&ben)).await.json();
    assert_eq!(me["membership"]["state"], "deactivated", "and is told so");
    assert_eq!(me["membership"]["permissions"], json!([]));

    let (_, act) = rig.arrive(&ana).await;
    let (family, member) = (ana.family(), ben.place().member);
    rig.store.remove_member(family, member, ana.place().member, &act).await.unwrap();
    let refused = rig.get(&members(&ana), &rig.token(&ben)).await;
    assert_eq!(refused.outcome(), "403 authz.family_mismatch");
}

#[tokio::test]
async fn v20_who_was_switched_off_may_still_leave_and_begin_anew() {
    let (rig, ana, ben) = home().await;
    let zoe = rig.owner("zoe").await;
    let off = MemberChange { state: Some(MemberState::Deactivated), ..Default::default() };
    change(&rig, &ana, &ben, off).await;
    let leave = |home: &Someone| format!("/api/families/{}/leave", home.family());
    let post = async |path: &str, body: &Value| {
        rig.send(Method::POST, path, &rig.token(&ben), body).await.outcome()
    };
    let new = json!({ "name": "Anew" });
    assert_eq!(post("/api/families", &new).await, "409 family.already_member");
    assert_eq!(post(&leave(&zoe), &Value::Null).await, "403 authz.family_mismatch");
    assert_eq!(post(&leave(&ana), &Value::Null).await, "204");
    assert_eq!(post(&leave(&ana), &Value::Null).await, "403 authz.family_mismatch");
    assert_eq!(post("/api/families", &new).await, "201");
}
