//! Confirm-by-use rotation: a lost answer costs nothing, a stolen token is found out.

use std::time::Duration;

use luminous_store::AuditFilter;
use reqwest::Method;
use serde_json::json;

use super::{family, home};
use crate::display::Display;
use crate::rig::{Answer, Rig, Someone};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn outcome_with(rig: &Rig, display: &Display, ana: &Someone, token: &str) -> String {
    Answer::of(display.ask_with(rig, Method::GET, &family(ana), token)).await.outcome()
}

#[tokio::test]
async fn f5_after_a_lost_answer_the_same_parent_gives_a_fresh_child_and_one_branch_lives() {
    let (rig, ana, mut display) = home().await;
    assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "200");
    let parent = display.tokens.clone();
    let refresh = parent["refresh_token"].as_str().unwrap();
    let mut children = Vec::new();
    for _ in 0..3 {
        assert_eq!(display.refresh_with(&rig, refresh).await.oauth(), "200");
        children.push(display.tokens["access_token"].as_str().unwrap().to_owned());
    }
    let parents = parent["access_token"].as_str().unwrap();
    assert_eq!(outcome_with(&rig, &display, &ana, parents).await, "200", "until a child is used");
    for dead in &children[..2] {
        assert_eq!(outcome_with(&rig, &display, &ana, dead).await, "401 token.invalid");
    }
    assert_eq!(outcome_with(&rig, &display, &ana, &children[2]).await, "200");
    assert_eq!(outcome_with(&rig, &display, &ana, parents).await, "401 token.invalid");
    assert_eq!(display.refresh(&rig).await.oauth(), "200");
}

#[tokio::test]
async fn f6_a_parent_that_comes_back_after_its_child_was_used_ends_the_display() {
    let (rig, ana, mut display) = home().await;
    let stolen = display.token("refresh_token").to_owned();
    assert_eq!(display.refresh(&rig).await.oauth(), "200");
    assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "200");
    assert_eq!(display.refresh_with(&rig, &stolen).await.oauth(), "400 invalid_grant reuse");

    let ended = display.get(&rig, &family(&ana)).await;
    assert_eq!(ended.outcome(), "401 device.revoked");
    assert_eq!(ended.json()["detail"], "reuse");
    assert_eq!(
        ended.header("www-authenticate"),
        "DPoP realm=\"luminous\", error=\"invalid_token\", algs=\"ES256\""
    );
    assert_eq!(display.refresh(&rig).await.oauth(), "400 invalid_grant reuse");
    assert!(rig.store.devices(ana.family()).await.unwrap().is_empty());
    let filter =
        AuditFilter { action: Some("device.token_reused".into()), ..AuditFilter::default() };
    let lines = rig.store.audit(ana.family(), &filter, 10).await.unwrap();
    assert_eq!(lines.len(), 1, "the family is told");
}

#[tokio::test]
async fn f6_a_refresh_token_is_of_no_use_with_another_key() {
    let (rig, ana, mut display) = home().await;
    let mut thief = Display { tokens: display.tokens.clone(), ..Display::new() };
    assert_eq!(thief.refresh(&rig).await.oauth(), "400 invalid_grant unknown");
    assert_eq!(thief.refresh_with(&rig, "AAAA").await.oauth(), "400 invalid_grant unknown");
    assert_eq!(thief.get(&rig, &family(&ana)).await.outcome(), "401 token.proof_invalid");
    assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "200", "and it does no harm");
    assert_eq!(display.refresh(&rig).await.oauth(), "200");
}

#[tokio::test]
async fn f11_a_display_that_was_away_for_less_than_45_days_comes_back_silently() {
    let (rig, ana, mut display) = home().await;
    rig.pass(44 * DAY);
    assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "401 token.invalid");
    assert_eq!(display.refresh(&rig).await.oauth(), "200");
    assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "200");
    rig.pass(46 * DAY);
    assert_eq!(display.refresh(&rig).await.oauth(), "400 invalid_grant expired");
}

#[tokio::test]
async fn f11_after_91_days_it_shows_a_code_and_relinks_into_its_old_place() {
    let (rig, ana, mut display) = home().await;
    let before = display.id();
    for _ in 0..3 {
        rig.pass(29 * DAY);
        assert_eq!(display.refresh(&rig).await.oauth(), "200");
        assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "200");
    }
    // The last tokens do not outlive the 90 days.
    rig.pass(3 * DAY - Duration::from_secs(600));
    assert_eq!(display.refresh(&rig).await.oauth(), "200");
    assert_eq!(display.tokens["expires_in"], 600);
    assert_eq!(display.tokens["refresh_token_expires_in"], 600);
    rig.pass(DAY);
    assert_eq!(display.refresh(&rig).await.oauth(), "400 invalid_grant expired");

    assert_eq!(display.show(&rig).await.oauth(), "200");
    let approval = display.claim(&rig, &ana).await.unwrap();
    let former = approval.claim.former.clone().unwrap();
    assert_eq!((former.device, &*former.name), (before, "Kitchen"));
    display.confirm(&rig, &ana, &approval).await.unwrap();
    assert_eq!(display.redeem(&rig).await.oauth(), "200");
    assert_eq!(display.id(), before);
    assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "200");
}

#[tokio::test]
async fn d19_a_revoked_display_hears_it_at_its_next_request_and_relinks_with_its_key() {
    let (rig, ana, mut display) = home().await;
    let before = display.id();
    assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "200");
    let (_, act) = rig.arrive(&ana).await;
    rig.store.revoke_device(ana.family(), before, ana.place().member, &act).await.unwrap();
    for path in [family(&ana), format!("{}/notes", family(&ana))] {
        assert_eq!(display.get(&rig, &path).await.outcome(), "401 device.revoked");
    }
    assert_eq!(display.refresh(&rig).await.oauth(), "400 invalid_grant revoked");
    display.show(&rig).await;
    display.approve(&rig, &ana).await;
    assert_eq!(display.redeem(&rig).await.oauth(), "200");
    assert_eq!(display.id(), before);
}

#[tokio::test]
async fn a_display_gives_its_tokens_back() {
    let (rig, ana, mut display) = home().await;
    let client = ("client_id", "luminous-display");
    let revoke = "/oauth2/revoke";
    let refresh = display.token("refresh_token").to_owned();
    for (form, expected) in [
        (&[client][..], "400 invalid_request"),
        (&[("token", "x")], "400 invalid_request"),
        (&[("token", "x"), ("client_id", "other")], "401 invalid_client"),
        (&[client, ("token", "nobody-knows-it")], "200"),
        (&[client, ("token", display.token("access_token"))], "400 unsupported_token_type"),
    ] {
        assert_eq!(display.post(&rig, revoke, form).await.oauth(), expected, "{form:?}");
    }
    let form = [client, ("token", &refresh), ("token_type_hint", "refresh_token")];
    assert_eq!(Display::new().post(&rig, revoke, &form).await.oauth(), "200");
    assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "200", "not by another's key");
    for _ in 0..2 {
        assert_eq!(display.post(&rig, revoke, &form).await.oauth(), "200");
    }
    assert_eq!(display.get(&rig, &family(&ana)).await.outcome(), "401 device.revoked");
    assert_eq!(display.refresh(&rig).await.oauth(), "400 invalid_grant revoked");
    let me = rig.send(Method::GET, "/api/me", &rig.token(&ana), &json!(null)).await;
    assert_eq!(me.outcome(), "200");
}
