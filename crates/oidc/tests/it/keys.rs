//! When the provider is asked for its keys, and what happens when it does not answer (cases K).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use luminous_oidc::{HttpError, KeysError, KeysProblem, VerifyError};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::fake::{Answer, World, code};
use crate::signer::{NEXT, PUBLISHED, encode};

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;

fn token_of_nobody(kid: &str) -> String {
    let head = json!({ "alg": "RS256", "kid": kid }).to_string();
    format!("{}.e30.c2lnbmF0dXJl", encode(head))
}

fn failing_answers() -> Vec<Answer> {
    let html = &[("content-type", "text/html; charset=utf-8")][..];
    let gzip = &[("content-encoding", "gzip")][..];
    vec![
        Answer::Other(500, &[], b"oops".to_vec()),
        Answer::Other(404, &[], Vec::new()),
        Answer::Other(200, html, b"<html>Welcome to our hotel".to_vec()),
        Answer::Other(200, &[], b"\x00\xff garbage".to_vec()),
        Answer::Other(200, gzip, vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0]),
        Answer::Json(json!({ "keys": "none" })),
        Answer::Json(json!([])),
        Answer::Fail(HttpError::Timeout),
        Answer::Fail(HttpError::Tls { reason: "expired".to_owned() }),
        Answer::Fail(HttpError::TooLarge { limit: 65_536 }),
        Answer::Fail(HttpError::Unreachable { reason: "refused".to_owned() }),
        Answer::Fail(HttpError::Malformed { reason: "early end".to_owned() }),
    ]
}

#[tokio::test]
async fn k1_a_flood_of_unknown_keys_costs_three_requests_a_minute_and_no_valid_token() {
    let world = World::new();
    let good = PUBLISHED.sign(&world.id_claims(&json!({})));
    for n in 0..60_000 {
        if n % 100 == 0 {
            assert_eq!(code(&world.id(&good).await), "ok", "at {n} ms");
        } else {
            let outcome = world.id(&token_of_nobody(&format!("random-{n}"))).await;
            assert_eq!(code(&outcome), "token.kid_unknown");
        }
        world.clock.advance(std::time::Duration::from_millis(1));
    }
    assert!(world.keys_requests() <= 3, "{} requests", world.keys_requests());
    assert_eq!(world.metadata_requests(), 1);
}

#[tokio::test]
async fn k1_an_absent_key_is_remembered_for_five_minutes() {
    let world = World::new();
    let absent = token_of_nobody("absent");
    assert_eq!(code(&world.id(&absent).await), "token.kid_unknown");
    world.pass(299);
    assert_eq!(code(&world.id(&absent).await), "token.kid_unknown");
    assert_eq!(world.keys_requests(), 1, "remembered");
    world.pass(2);
    assert_eq!(code(&world.id(&absent).await), "token.kid_unknown");
    assert_eq!(world.keys_requests(), 2, "forgotten");
}

#[tokio::test]
async fn k1_only_128_absent_keys_are_remembered() {
    let world = World::new();
    for n in 0..129 {
        assert_eq!(code(&world.id(&token_of_nobody(&format!("{n}"))).await), "token.kid_unknown");
        world.pass(30);
    }
    // 300 s are over for all but the last ten, so what counts here is only what 300 s leave.
    let asked = world.keys_requests();
    assert_eq!(asked, 129);
    assert_eq!(code(&world.id(&token_of_nobody("128")).await), "token.kid_unknown");
    assert_eq!(world.keys_requests(), asked, "the youngest is remembered");
}

#[tokio::test]
async fn k1_a_key_seen_during_the_cool_down_is_not_taken_for_absent() {
    let world = World::new();
    let old = PUBLISHED.sign(&world.id_claims(&json!({})));
    let new = NEXT.sign(&world.id_claims(&json!({})));
    assert_eq!(code(&world.id(&old).await), "ok");
    world.publish(&[&PUBLISHED, &NEXT]);
    world.pass(10);
    assert_eq!(code(&world.id(&new).await), "token.kid_unknown", "cooling down");
    world.pass(21);
    assert_eq!(code(&world.id(&new).await), "ok");
    assert_eq!(world.keys_requests(), 2);
}

#[tokio::test]
async fn k2_an_empty_set_keeps_the_old_keys_and_the_cool_down_and_is_noticed() {
    let world = World::new();
    let good = PUBLISHED.sign(&world.id_claims(&json!({})));
    assert_eq!(code(&world.id(&good).await), "ok");
    world.answer_keys(Answer::Json(json!({ "keys": [] })));
    world.pass(31);
    let unknown = world.id(&token_of_nobody("x")).await.expect_err("an unknown key");
    assert_eq!(unknown, KeysError::Unavailable(KeysProblem::Empty).into());
    assert_eq!(
        world.provider.keys().problem.map(|p| p.code().to_owned()),
        Some("keys.refresh_empty".to_owned())
    );
    for n in 0..29 {
        world.pass(1);
        assert_eq!(code(&world.id(&good).await), "ok");
        assert_eq!(code(&world.id(&token_of_nobody(&format!("{n}"))).await), "keys.unavailable");
    }
    assert_eq!(world.keys_requests(), 2, "the cool-down holds");
    let later = world.id_claims(&json!({}));
    world.pass(1200);
    assert_eq!(code(&world.id(&PUBLISHED.sign(&later)).await), "ok", "the old key is kept");
}

#[tokio::test]
async fn k2_an_empty_set_at_the_first_contact_is_the_providers_failure() {
    let world = World::new();
    world.answer_keys(Answer::Json(json!({ "keys": [] })));
    let good = PUBLISHED.sign(&world.id_claims(&json!({})));
    let outcome = world.id(&good).await.expect_err("no keys");
    assert_eq!(outcome, KeysError::Unavailable(KeysProblem::Empty).into());
    world.publish(&[&PUBLISHED]);
    assert_eq!(code(&world.id(&good).await), "keys.unavailable", "cooling down");
    world.pass(30);
    assert_eq!(code(&world.id(&good).await), "ok");
}

#[tokio::test]
async fn k3_a_new_key_counts_at_once_and_a_removed_one_ends_within_ten_minutes() {
    let world = World::new();
    let sign_old = |world: &World| PUBLISHED.sign(&world.id_claims(&json!({})));
    assert_eq!(code(&world.id(&sign_old(&world)).await), "ok");
    world.pass(HOUR);
    assert_eq!(code(&world.id(&sign_old(&world)).await), "ok");
    let asked = world.keys_requests();

    world.pass(31);
    world.publish(&[&NEXT, &PUBLISHED]);
    let new = NEXT.sign(&world.id_claims(&json!({})));
    assert_eq!(code(&world.id(&new).await), "ok");
    assert_eq!(world.keys_requests(), asked + 1);
    assert_eq!(code(&world.id(&sign_old(&world)).await), "ok");

    world.publish(&[&NEXT]);
    world.pass(569);
    assert_eq!(code(&world.id(&sign_old(&world)).await), "ok", "not asked again yet");
    world.pass(30);
    assert_eq!(code(&world.id(&sign_old(&world)).await), "token.kid_unknown");
    assert_eq!(world.keys_requests(), asked + 2);
    assert_eq!(code(&world.id(&NEXT.sign(&world.id_claims(&json!({})))).await), "ok");
}

#[tokio::test]
async fn k3_near_the_end_of_a_sets_life_one_caller_asks_and_the_others_go_on() {
    let world = Arc::new(World::new());
    let good = PUBLISHED.sign(&world.id_claims(&json!({})));
    assert_eq!(code(&world.id(&good).await), "ok");
    world.pass(575);
    close(&world.http.gate);
    let leader = tokio::spawn({
        let (world, good) = (world.clone(), good.clone());
        async move { code(&world.id(&good).await) }
    });
    until(|| world.keys_requests() == 2).await;
    assert_eq!(code(&world.id(&good).await), "ok", "while the leader waits");
    world.http.gate.add_permits(1);
    assert_eq!(leader.await.expect("the leader"), "ok");
    assert_eq!(world.keys_requests(), 2);
}

#[tokio::test]
async fn k4_a_failing_provider_is_bridged_for_a_day_and_then_nothing_is_accepted() {
    for answer in failing_answers() {
        let world = World::new();
        let good = |world: &World| PUBLISHED.sign(&world.id_claims(&json!({})));
        assert_eq!(code(&world.id(&good(&world)).await), "ok");
        world.answer_keys(answer);
        for _ in 0..23 {
            world.pass(HOUR);
            assert_eq!(code(&world.id(&good(&world)).await), "ok");
        }
        world.pass(59 * MINUTE);
        assert_eq!(code(&world.id(&good(&world)).await), "ok");
        world.pass(MINUTE);
        assert_eq!(code(&world.id(&good(&world)).await), "keys.unavailable");
        assert_eq!(code(&world.id(&token_of_nobody("x")).await), "keys.unavailable");
        world.publish(&[&PUBLISHED]);
        world.pass(30);
        assert_eq!(code(&world.id(&good(&world)).await), "ok", "recovers by itself");
    }
}

#[tokio::test]
async fn k4_a_failing_provider_never_makes_a_new_key_look_forged() {
    let world = World::new();
    let old = PUBLISHED.sign(&world.id_claims(&json!({})));
    assert_eq!(code(&world.id(&old).await), "ok");
    world.answer_keys(Answer::Fail(HttpError::Timeout));
    world.pass(31);
    let new = NEXT.sign(&world.id_claims(&json!({})));
    for _ in 0..3 {
        assert_eq!(code(&world.id(&new).await), "keys.unavailable");
    }
    assert_eq!(world.keys_requests(), 2);
    world.publish(&[&PUBLISHED, &NEXT]);
    world.pass(30);
    assert_eq!(code(&world.id(&new).await), "ok");
}

#[tokio::test]
async fn k4_a_failing_provider_at_the_first_contact_is_asked_again_after_the_cool_down() {
    for answer in failing_answers() {
        let world = World::new();
        world.answer_keys(answer);
        let good = PUBLISHED.sign(&world.id_claims(&json!({})));
        for _ in 0..3 {
            assert_eq!(code(&world.id(&good).await), "keys.unavailable");
        }
        assert_eq!(world.keys_requests(), 1);
        world.publish(&[&PUBLISHED]);
        world.pass(30);
        assert_eq!(code(&world.id(&good).await), "ok");
    }
}

#[tokio::test]
async fn k4_keys_that_moved_are_found_by_way_of_fresh_metadata() {
    let world = World::new();
    let good = |world: &World| PUBLISHED.sign(&world.id_claims(&json!({})));
    assert_eq!(code(&world.id(&good(&world)).await), "ok");
    world.answer_keys(Answer::Other(404, &[], Vec::new()));
    world.pass(601);
    assert_eq!(code(&world.id(&good(&world)).await), "ok");
    assert_eq!(world.metadata_requests(), 1);
    world.publish(&[&PUBLISHED]);
    world.pass(31);
    assert_eq!(code(&world.id(&good(&world)).await), "ok");
    assert_eq!(world.metadata_requests(), 2);
    assert_eq!(world.provider.keys().problem, None);
}

#[tokio::test]
async fn every_request_is_limited_to_five_seconds_and_64_kib() {
    let world = World::new();
    assert_eq!(world.id_code(json!({})).await, "ok");
    let limits = world.http.limits.lock().expect("limits").clone();
    assert_eq!(limits.len(), 2);
    for limit in limits {
        assert_eq!((limit.timeout.as_secs(), limit.max_body), (5, 64 * 1024));
    }
}

#[tokio::test]
async fn k11_fifty_first_requests_at_once_ask_once() {
    let world = World::new();
    let good = PUBLISHED.sign(&world.id_claims(&json!({})));
    close(&world.http.gate);
    let waiting = join_all((0..50).map(|_| world.id(&good)));
    let open = async {
        until(|| world.metadata_requests() == 1).await;
        world.http.gate.add_permits(1);
        until(|| world.keys_requests() == 1).await;
        world.http.gate.add_permits(1);
    };
    let (outcomes, ()) = tokio::join!(waiting, open);
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!((world.metadata_requests(), world.keys_requests()), (1, 1));
}

#[tokio::test]
async fn k11_when_the_leader_is_cancelled_a_follower_takes_over() {
    let world = Arc::new(World::new());
    let good = PUBLISHED.sign(&world.id_claims(&json!({})));
    let call = || {
        let (world, good) = (world.clone(), good.clone());
        tokio::spawn(async move { code(&world.id(&good).await) })
    };
    world.http.gate.forget_permits(usize::MAX);
    world.http.gate.add_permits(1);
    let leader = call();
    until(|| world.keys_requests() == 1).await;
    let followers = [call(), call(), call()];
    tokio::task::yield_now().await;
    leader.abort();
    assert!(leader.await.expect_err("it was cancelled").is_cancelled());
    world.http.gate.add_permits(1);
    for follower in followers {
        assert_eq!(follower.await.expect("a follower"), "ok");
    }
    assert_eq!(world.keys_requests(), 1, "the request under way is carried on");
}

#[tokio::test]
async fn k11_when_everybody_is_cancelled_the_next_one_starts_anew() {
    let world = Arc::new(World::new());
    let good = PUBLISHED.sign(&world.id_claims(&json!({})));
    close(&world.http.gate);
    let lost = tokio::spawn({
        let (world, good) = (world.clone(), good.clone());
        async move { code(&world.id(&good).await) }
    });
    until(|| world.metadata_requests() == 1).await;
    lost.abort();
    assert!(lost.await.expect_err("it was cancelled").is_cancelled());
    world.pass(3600);
    world.http.gate.add_permits(2);
    assert_eq!(code(&world.id(&good).await), "ok");
    assert_eq!((world.metadata_requests(), world.keys_requests()), (2, 1));
}

#[tokio::test]
async fn a_leap_of_the_wall_clock_does_not_age_the_keys() {
    let world = World::new();
    assert_eq!(world.id_code(json!({})).await, "ok");
    world.clock.set_wall(luminous_domain::Timestamp::UNIX_EPOCH);
    assert_eq!(world.id_code(json!({})).await, "ok");
    assert_eq!(world.http.keys_requests.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn nothing_is_said_about_a_token_while_the_metadata_cannot_be_had() {
    let world = World::new();
    world.answer_metadata(Answer::Fail(HttpError::Timeout));
    let good = PUBLISHED.sign(&world.id_claims(&json!({})));
    for _ in 0..3 {
        let outcome = world.id(&good).await.expect_err("no metadata");
        assert!(matches!(outcome, VerifyError::Keys(_)), "{outcome}");
    }
    assert_eq!((world.metadata_requests(), world.keys_requests()), (1, 0));
}

fn close(gate: &Semaphore) {
    gate.forget_permits(usize::MAX);
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn k10_without_any_keys_the_provider_is_asked_again_after_five_seconds() {
    let world = World::new();
    world.answer_keys(Answer::Other(500, &[], Vec::new()));
    assert_eq!(code(&world.provider.warm().await), "keys.unavailable");
    world.publish(&[&PUBLISHED]);
    world.pass(4);
    assert_eq!(code(&world.provider.warm().await), "keys.unavailable");
    assert_eq!(world.keys_requests(), 1, "cooling down");
    world.pass(1);
    assert_eq!(code(&world.provider.warm().await), "ok");
    assert_eq!(world.keys_requests(), 2);
}

#[tokio::test]
async fn warming_asks_once_and_again_only_when_the_keys_grow_old() {
    let world = World::new();
    for (wait, asked) in [(0, 1), (0, 1), (569, 1), (1, 2), (569, 2), (1, 3)] {
        world.pass(wait);
        assert_eq!(code(&world.provider.warm().await), "ok");
        assert_eq!(world.keys_requests(), asked, "after {wait} s");
    }
}
