//! The device code grant (RFC 8628 sections 3.4 and 3.5).

use std::time::Duration;

use futures_util::future::join_all;
use luminous_domain::{Clock as _, LinkId, OsEntropy, Role};
use luminous_server::oauth;
use luminous_store::{Failure, MemberChange, Network, Refusal};
use reqwest::Method;
use serde_json::json;

use super::{approved, family};
use crate::display::{DEVICE_CODE, Display, part};
use crate::rig::{Answer, Rig};

const TOKEN: &str = "/oauth2/token";

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn a_display_is_linked_by_plain_rfc_8628() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let mut display = Display::showing(&rig).await;
    let pending = display.redeem(&rig).await;
    assert_eq!(pending.oauth(), "400 authorization_pending");
    assert!(pending.json().get("match_number").is_none());

    let approval = display.claim(&rig, &ana).await.unwrap();
    rig.pass(secs(5));
    let pending = display.redeem(&rig).await;
    assert_eq!(pending.oauth(), "400 authorization_pending");
    assert_eq!(pending.json()["match_number"], approval.number.to_string(), "also without the hub");

    let device = display.confirm(&rig, &ana, &approval).await.unwrap();
    rig.pass(secs(5));
    let answer = display.redeem(&rig).await;
    assert_eq!(answer.oauth(), "200");
    assert_eq!(answer.header("cache-control"), "no-store");
    let given = answer.json();
    assert_eq!(given["token_type"], "DPoP");
    assert_eq!((&given["expires_in"], &given["scope"]), (&1800.into(), &"display".into()));
    assert_eq!(given["refresh_token_expires_in"], 45 * 24 * 3600);
    assert_eq!(given["device_id"], device.id.to_string());
    assert_eq!(display.token("refresh_token").len(), 43, "256 bits");

    let (header, claims) =
        (part(display.token("access_token"), 0), part(display.token("access_token"), 1));
    assert_eq!((&header["typ"], &header["alg"]), (&"at+jwt".into(), &"ES256".into()));
    let now = rig.clock.now().as_second();
    let jkt = luminous_oidc_jkt(&display);
    assert_eq!(
        claims,
        json!({
            "iss": rig.base, "aud": rig.base, "sub": device.id, "client_id": "luminous-display",
            "scope": "display", "family_id": ana.family(), "role": "display",
            "cnf": { "jkt": jkt }, "jti": claims["jti"], "iat": now, "exp": now + 1800,
        })
    );
}

fn luminous_oidc_jkt(display: &Display) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(display.key.thumbprint())
}

#[tokio::test]
async fn d7_only_the_whole_device_code_with_its_own_key_redeems() {
    let (rig, _, mut display) = approved().await;
    let code = display.code("device_code").to_owned();
    let thief = Display { codes: display.codes.clone(), ..Display::new() };
    for (who, code) in [
        (&display, &code[..42]),
        (&display, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        (&display, display.code("user_code")),
        (&thief, &code),
    ] {
        let form =
            [("grant_type", DEVICE_CODE), ("client_id", "luminous-display"), ("device_code", code)];
        let answer = who.post(&rig, TOKEN, &form).await;
        assert_eq!(answer.oauth(), "400 invalid_grant unknown", "{code}");
    }
    assert_eq!(display.redeem(&rig).await.oauth(), "200");
}

#[tokio::test]
async fn d7_who_polls_too_fast_is_told_to_slow_down_by_five_seconds_each_time() {
    let rig = Rig::start().await;
    let mut display = Display::showing(&rig).await;
    for (wait, expected, interval) in [
        (0, "400 authorization_pending", None),
        (4, "400 slow_down", Some(10)),
        (9, "400 slow_down", Some(15)),
        (15, "400 authorization_pending", None),
        (14, "400 slow_down", Some(20)),
        (20, "400 authorization_pending", None),
    ] {
        rig.pass(secs(wait));
        let answer = display.redeem(&rig).await;
        assert_eq!(answer.oauth(), expected, "after {wait} s");
        let told = answer.json()["interval"].as_u64();
        assert_eq!(told, interval, "after {wait} s");
    }
}

#[tokio::test]
async fn d7_what_was_declined_or_came_too_late_gives_nothing() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let mut display = Display::showing(&rig).await;
    let approval = display.claim(&rig, &ana).await.unwrap();
    let (account, act) = rig.arrive(&ana).await;
    rig.store.decline_link(approval.claim.challenge, account, ana.family(), &act).await.unwrap();
    assert_eq!(display.redeem(&rig).await.oauth(), "400 access_denied");

    let mut late = Display::showing(&rig).await;
    rig.pass(secs(601));
    assert_eq!(late.redeem(&rig).await.oauth(), "400 expired_token");
}

#[tokio::test]
async fn d10_a_code_can_be_approved_until_its_last_millisecond_and_not_after() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let (in_time, late) = (Display::showing(&rig).await, Display::showing(&rig).await);
    rig.pass(secs(590));
    let (first, second) =
        (in_time.claim(&rig, &ana).await.unwrap(), late.claim(&rig, &ana).await.unwrap());
    // Asking again and again does not make it longer.
    in_time.claim(&rig, &ana).await.unwrap();
    rig.pass(secs(10));
    assert!(in_time.confirm(&rig, &ana, &first).await.is_ok());
    rig.pass(Duration::from_millis(1));
    let refused = late.confirm(&rig, &ana, &second).await.unwrap_err();
    assert_eq!(refused, Failure::Refused(Refusal::LinkInvalid));
    assert!(late.claim(&rig, &ana).await.is_err());
}

#[tokio::test]
async fn d13_whoever_lost_their_role_before_the_display_came_linked_nothing() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let ben = rig.member(&ana, "ben", Role::Adult).await;
    let mut display = Display::showing(&rig).await;
    display.approve(&rig, &ben).await;
    let (_, act) = rig.arrive(&ana).await;
    let change = MemberChange { role: Some(Role::Child), ..MemberChange::default() };
    let (family, member) = (ana.family(), ben.place().member);
    rig.store.change_member(family, member, &change, ana.place().member, &act).await.unwrap();
    assert_eq!(display.redeem(&rig).await.oauth(), "400 access_denied");
    assert!(rig.store.devices(family).await.unwrap().is_empty());
}

/// How many of these access tokens open the door; the others are dead, and nothing else is wrong.
async fn live(rig: &Rig, display: &Display, path: &str, tokens: &[String]) -> usize {
    let mut live = 0;
    for token in tokens {
        let asked = display.ask_with(rig, Method::GET, path, token);
        match Answer::of(asked).await.outcome().as_str() {
            "200" => live += 1,
            other => assert_eq!(other, "401 token.invalid"),
        }
    }
    live
}

#[tokio::test]
async fn d9_of_a_hundred_polls_at_once_one_pair_lives() {
    let (rig, ana, display) = approved().await;
    let form = [
        ("grant_type", DEVICE_CODE),
        ("client_id", "luminous-display"),
        ("device_code", display.code("device_code")),
    ];
    let answers = join_all((0..100).map(|_| display.post(&rig, TOKEN, &form))).await;
    let tokens: Vec<_> = answers
        .iter()
        .map(|answer| answer.json()["access_token"].as_str().expect(&answer.text).to_owned())
        .collect();
    let path = family(&ana);
    assert_eq!(live(&rig, &display, &path, &tokens).await, 1);
    assert_eq!(rig.store.devices(ana.family()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn d9_of_a_hundred_redemptions_at_once_as_the_hub_makes_them_one_pair_lives() {
    let (rig, ana, display) = approved().await;
    let state = rig.server.state();
    let link = LinkId::new(rig.clock.now(), &OsEntropy).unwrap();
    let redeem = async |_| {
        let proof = display.proof(&rig, &Method::POST, TOKEN, None);
        let code = display.code("device_code");
        oauth::redeem(state, link, code, &proof, Network::Loopback).await.unwrap().access_token
    };
    let tokens = join_all((0..100).map(redeem)).await;
    let path = family(&ana);
    assert_eq!(live(&rig, &display, &path, &tokens).await, 1);
    assert_eq!(rig.store.devices(ana.family()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn d9_d23_after_a_lost_answer_the_same_key_gets_another_pair_until_the_wish_ends() {
    let (rig, ana, mut display) = approved().await;
    assert_eq!(display.redeem(&rig).await.oauth(), "200");
    let lost = display.tokens.clone();
    rig.pass(secs(599));
    let mut thief = Display { codes: display.codes.clone(), ..Display::new() };
    assert_eq!(thief.redeem(&rig).await.oauth(), "400 invalid_grant unknown");
    assert_eq!(display.redeem(&rig).await.oauth(), "200");
    assert_ne!(lost["refresh_token"], display.tokens["refresh_token"]);
    let path = family(&ana);
    assert_eq!(display.get(&rig, &path).await.outcome(), "200");
    let old = lost["access_token"].as_str().unwrap();
    let old = Answer::of(display.ask_with(&rig, Method::GET, &path, old)).await;
    assert_eq!(old.outcome(), "401 token.invalid", "the first pair is dead");

    let mut slow = Display::showing(&rig).await;
    slow.approve(&rig, &ana).await;
    assert_eq!(slow.redeem(&rig).await.oauth(), "200");
    rig.pass(secs(601));
    assert_eq!(slow.redeem(&rig).await.oauth(), "400 expired_token");
}

#[tokio::test]
async fn d23_a_display_that_lost_power_after_the_approval_gets_its_tokens_while_the_code_lives() {
    let (rig, ana, mut display) = approved().await;
    rig.pass(secs(595));
    assert_eq!(display.redeem(&rig).await.oauth(), "200");

    let mut gone = Display::showing(&rig).await;
    gone.approve(&rig, &ana).await;
    rig.pass(secs(601));
    assert_eq!(gone.redeem(&rig).await.oauth(), "400 expired_token");
    assert_eq!(rig.store.devices(ana.family()).await.unwrap().len(), 1, "no ghost");
}

#[tokio::test]
async fn the_token_endpoint_speaks_rfc_6749() {
    let rig = Rig::start().await;
    let display = Display::showing(&rig).await;
    let (client, code) = (("client_id", "luminous-display"), ("device_code", "x"));
    let grant = ("grant_type", DEVICE_CODE);
    for (form, expected) in [
        (&[][..], "400 invalid_request"),
        (&[grant, code], "400 invalid_request"),
        (&[grant, client], "400 invalid_request"),
        (&[grant, client, ("device_code", "")], "400 invalid_request"),
        (&[grant, client, code, code], "400 invalid_request"),
        (&[grant, ("client_id", "other"), code], "401 invalid_client"),
        (&[("grant_type", "password"), client, code], "400 unsupported_grant_type"),
        (&[("grant_type", "authorization_code"), client, code], "400 unsupported_grant_type"),
        (&[("grant_type", "refresh_token"), client], "400 invalid_request"),
        (&[grant, client, code, ("scope", "all")], "400 invalid_scope"),
        (&[grant, client, code, ("family_id", "any")], "400 invalid_grant unknown"),
    ] {
        assert_eq!(display.post(&rig, TOKEN, form).await.oauth(), expected, "{form:?}");
    }
    let bare = rig.request(Method::POST, TOKEN).form(&[grant, client, code]);
    assert_eq!(Answer::of(bare).await.oauth(), "400 invalid_dpop_proof dpop.missing");
}
