//! The claims cache: hits, its two ends, and what empties it.

use std::time::Duration;

use luminous_domain::Clock as _;
use luminous_emulator::Endpoint;

use crate::rig::{Answer, Rig};

/// How many tokens were remembered, and how many verified.
async fn figures(rig: &Rig) -> (u64, u64) {
    let text = rig.server.state().meters().render(0);
    let figure = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    (figure("luminous_claims_cache_hits_total"), figure("luminous_claims_cache_misses_total"))
}

#[tokio::test]
async fn a_token_is_verified_once_and_then_remembered() {
    let rig = Rig::start().await;
    let token = rig.token(&rig.someone("ana"));
    for _ in 0..3 {
        assert_eq!(rig.get("/api/me", &token).await.outcome(), "200");
    }
    assert_eq!(figures(&rig).await, (2, 1));
    assert_eq!(rig.server.state().claims().len(), 1);
}

#[tokio::test]
async fn nothing_is_remembered_beyond_the_tokens_end() {
    let rig = Rig::start().await;
    let ana = rig.someone("ana");
    let end = luminous_domain::Clock::now(&*rig.clock).as_second() + 100;
    let token = rig.mint(&rig.spec(&ana).with("exp", end));
    assert_eq!(rig.get("/api/me", &token).await.outcome(), "200");
    rig.pass(Duration::from_secs(99));
    assert_eq!(rig.get("/api/me", &token).await.outcome(), "200");
    assert_eq!(figures(&rig).await, (1, 1));
    rig.pass(Duration::from_secs(2));
    assert_eq!(rig.get("/api/me", &token).await.outcome(), "200", "verified, within the leeway");
    assert_eq!(rig.get("/api/me", &token).await.outcome(), "200");
    assert_eq!(figures(&rig).await, (1, 3), "and not remembered again");
    rig.pass(Duration::from_secs(60));
    assert_eq!(rig.get("/api/me", &token).await.outcome(), "401 token.invalid");
}

#[tokio::test]
async fn k3_what_a_withdrawn_key_signed_is_forgotten_within_ten_minutes() {
    let rig = Rig::start().await;
    let control = rig.emulator.control();
    let token = rig.token(&rig.someone("ana"));
    assert_eq!(rig.get("/api/me", &token).await.outcome(), "200");
    control.publish_next_key().unwrap();
    control.promote_next_key().unwrap();
    control.retire_old_keys().unwrap();
    rig.pass(Duration::from_secs(300));
    assert_eq!(rig.get("/api/me", &token).await.outcome(), "200", "nobody has asked since");
    rig.pass(Duration::from_secs(301));
    assert_eq!(rig.get("/api/me", &token).await.outcome(), "401 token.invalid");
    assert!(control.requests(Endpoint::Keys) >= 2);
}

#[tokio::test]
async fn v21_a_token_is_revoked_at_once_when_its_person_signs_out_everywhere() {
    let rig = Rig::start().await;
    let ana = rig.someone("ana");
    let token = rig.token(&ana);
    assert_eq!(rig.get("/api/me", &token).await.outcome(), "200");
    rig.pass(Duration::from_secs(1));
    // By way of the store, as another replica does it: this one still remembers the token.
    let (account, act) = rig.arrive(&ana).await;
    rig.store.end_sign_ins(account, &act).await.unwrap();
    let refused = rig.get("/api/me", &token).await;
    assert_eq!(refused.outcome(), "401 token.revoked");
    assert!(refused.header("www-authenticate").contains("error=\"invalid_token\""));
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.get("/api/me", &rig.token(&ana)).await.outcome(), "200", "a new one counts");
}

#[tokio::test]
async fn v21_a_token_refreshed_after_signing_out_everywhere_is_revoked_too() {
    let rig = Rig::start().await;
    let ana = rig.someone("ana");
    let signed_in = rig.clock.now().as_second();
    rig.pass(Duration::from_secs(10));
    let (account, act) = rig.arrive(&ana).await;
    rig.store.end_sign_ins(account, &act).await.unwrap();
    rig.pass(Duration::from_secs(10));
    let now = rig.clock.now().as_second();
    let without_proof = rig.spec(&ana).without("auth_time");
    for (spec, outcome) in [
        (rig.spec(&ana).with("auth_time", signed_in), "401 token.revoked"),
        (rig.spec(&ana).with("auth_time", now - 10), "401 token.revoked"),
        (rig.spec(&ana).with("auth_time", now - 9), "200"),
        (without_proof.clone().with("iat", now - 10).with("auth_time", now), "401 token.revoked"),
        (without_proof.clone().with("iat", now - 10), "401 token.revoked"),
        (without_proof, "200"),
    ] {
        let claims = format!("{:?}", spec.claims);
        assert_eq!(rig.get("/api/me", &rig.mint(&spec)).await.outcome(), outcome, "{claims}");
    }
}

#[tokio::test]
async fn forgetting_a_person_leaves_the_others_tokens() {
    let rig = Rig::start().await;
    let (ana, ben) = (rig.someone("ana"), rig.someone("ben"));
    for person in [&ana, &ben] {
        let answer: Answer = rig.get("/api/me", &rig.token(person)).await;
        assert_eq!(answer.outcome(), "200");
    }
    rig.server.state().forget(&ana.key());
    assert_eq!(rig.server.state().claims().len(), 1);
    assert_eq!(rig.get("/api/me", &rig.token(&ben)).await.outcome(), "200");
    assert_eq!(figures(&rig).await, (1, 2));
}
