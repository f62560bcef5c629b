//! Bearer tokens: the guide's own tests, and every token that is not one of ours.

use std::time::Duration;

use luminous_emulator::{
    DEMO_APP_CLIENT_ID, DEMO_DAEMON_CLIENT_ID, DEMO_POLICY, DEMO_RESET_POLICY, Endpoint,
    OTHER_POLICY, OTHER_TENANT, OTHER_TENANT_ID, Signing, TokenSpec,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{Answer, Rig, Someone};

const HOUR: u64 = 3600;

/// The one answer to a token that is not accepted, whatever is wrong with it (V23).
const REFUSED: &str = "401 token.invalid";

async fn desk() -> (Rig, Someone) {
    let rig = Rig::start().await;
    let ana = rig.someone("ana");
    (rig, ana)
}

async fn outcome(rig: &Rig, spec: &TokenSpec) -> String {
    rig.get("/api/me", &rig.mint(spec)).await.outcome()
}

#[tokio::test]
async fn a_valid_token_is_let_in() {
    let (rig, ana) = desk().await;
    assert_eq!(outcome(&rig, &rig.spec(&ana)).await, "200");
}

#[tokio::test]
async fn v18_an_expired_token_is_refused_and_one_within_the_leeway_is_not() {
    let (rig, ana) = desk().await;
    let token = rig.token(&ana);
    rig.pass(Duration::from_secs(HOUR + 59));
    assert_eq!(rig.get("/api/me", &token).await.outcome(), "200");
    rig.pass(Duration::from_secs(2));
    let answer = rig.get("/api/me", &token).await;
    assert_eq!(answer.outcome(), REFUSED);
    assert_eq!(
        answer.header("www-authenticate"),
        "Bearer realm=\"luminous\", error=\"invalid_token\", \
         error_description=\"The token is not accepted.\""
    );
}

#[tokio::test]
async fn v12_v14_another_issuer_is_refused() {
    let (rig, ana) = desk().await;
    let spec = rig.spec(&ana);
    let issuer = rig.emulator.issuer();
    let other = issuer.replace(luminous_emulator::DEMO_TENANT_ID, OTHER_TENANT_ID);
    for wrong in [
        json!("https://evil.example/v2.0/"),
        json!(issuer.trim_end_matches('/')),
        json!(issuer.replace("localhost", "LOCALHOST")),
        json!([issuer]),
        json!(7),
        json!(other),
    ] {
        assert_eq!(
            outcome(&rig, &spec.clone().with("iss", wrong.clone())).await,
            REFUSED,
            "{wrong}"
        );
    }
    assert_eq!(outcome(&rig, &spec.clone().without("iss")).await, REFUSED);
    assert_eq!(outcome(&rig, &spec.with("tid", OTHER_TENANT_ID)).await, REFUSED);
}

#[tokio::test]
async fn v10_v13_another_audience_or_another_application_is_refused() {
    let (rig, ana) = desk().await;
    let spec = rig.spec(&ana);
    let ours = spec.claims["aud"].clone();
    for (claim, wrong) in [
        ("aud", json!("99999999-9999-9999-9999-999999999999")),
        ("aud", json!([ours, "99999999-9999-9999-9999-999999999999"])),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("azp", json!("99999999-9999-9999-9999-999999999999")),
    ] {
        let spec = spec.clone().with(claim, wrong.clone());
        assert_eq!(outcome(&rig, &spec).await, REFUSED, "{claim} {wrong}");
    }
}

#[tokio::test]
async fn v9_an_id_token_is_refused() {
    let (rig, ana) = desk().await;
    let spec = rig.emulator.control().id_token_spec(&ana.user, DEMO_APP_CLIENT_ID, Some("n"));
    assert_eq!(outcome(&rig, &spec).await, REFUSED);
    let aud = rig.spec(&ana).claims["aud"].clone();
    assert_eq!(outcome(&rig, &spec.with("aud", aud)).await, REFUSED, "not even with our audience");
}

#[tokio::test]
async fn v11_a_token_of_a_policy_that_does_not_count_is_refused() {
    let (rig, ana) = desk().await;
    for policy in [OTHER_POLICY, DEMO_RESET_POLICY, "B2C_1_nothing"] {
        let spec = rig.spec(&ana).with("tfp", policy);
        assert_eq!(outcome(&rig, &spec).await, REFUSED, "{policy}");
    }
    assert_eq!(outcome(&rig, &rig.spec(&ana).without("tfp")).await, REFUSED);
    assert_eq!(rig.get("/api/me", &rig.fresh_token(&ana)).await.outcome(), "200", "step-up counts");
}

#[tokio::test]
async fn v1_v2_v5_wrong_signatures_and_keys_are_refused() {
    let (rig, ana) = desk().await;
    let spec = rig.spec(&ana);
    for signing in [Signing::OtherKeySameKid, Signing::UnknownKid, Signing::Hs256WithPublicKey] {
        assert_eq!(outcome(&rig, &spec.clone().signed(signing)).await, REFUSED, "{signing:?}");
    }
    let unsigned = outcome(&rig, &spec.clone().signed(Signing::Unsigned)).await;
    assert!(unsigned.starts_with("401 token."), "{unsigned}");
    for kid in ["../../etc/passwd", "' OR 1=1--"] {
        assert_eq!(outcome(&rig, &spec.clone().with_header("kid", kid)).await, REFUSED, "{kid}");
    }
    assert_eq!(outcome(&rig, &spec.with_header("kid", Value::Null)).await, REFUSED, "no kid");
}

#[tokio::test]
async fn k3_an_unknown_key_is_looked_for_once_and_a_rollover_goes_through() {
    let (rig, ana) = desk().await;
    let control = rig.emulator.control();
    assert_eq!(outcome(&rig, &rig.spec(&ana)).await, "200");
    rig.pass(Duration::from_secs(31));
    let asked = control.requests(Endpoint::Keys);
    let unknown = rig.spec(&ana).signed(Signing::UnknownKid);
    for _ in 0..3 {
        assert_eq!(outcome(&rig, &unknown).await, REFUSED);
    }
    assert_eq!(control.requests(Endpoint::Keys), asked + 1);

    rig.pass(Duration::from_secs(31));
    control.publish_next_key().unwrap();
    control.promote_next_key().unwrap();
    assert_eq!(outcome(&rig, &rig.spec(&ana)).await, "200", "the new key, at once");
}

#[tokio::test]
async fn a_daemons_token_is_nobodys() {
    let (rig, _) = desk().await;
    let spec = rig.emulator.control().daemon_token_spec(DEMO_DAEMON_CLIENT_ID, &["app.read"]);
    let refused = outcome(&rig, &spec.clone()).await;
    assert_eq!(refused, REFUSED, "it is not one of the applications whose tokens are believed");
    let spec = spec.with("azp", DEMO_APP_CLIENT_ID);
    assert_eq!(outcome(&rig, &spec).await, "403 authz.not_a_person");
}

#[tokio::test]
async fn v22_the_credential_is_one_bearer_token_in_the_header() {
    let (rig, ana) = desk().await;
    let token = rig.token(&ana);
    let missing = Answer::of(rig.request(Method::GET, "/api/me")).await;
    assert_eq!(missing.outcome(), "401 token.missing");
    assert_eq!(missing.header("www-authenticate"), "Bearer realm=\"luminous\"");
    let two = [format!("Bearer {token}"), format!("Bearer {token}")];
    for (headers, outcome) in [
        (&two[..], "401 token.malformed"),
        (&[format!("bearer {token}")], "401 token.malformed"),
        (&[format!("Bearer {token} {token}")], "401 token.malformed"),
        (&["Bearer a.b".to_owned()], "401 token.malformed"),
        (&["Basic YW5hOnNlY3JldA==".to_owned()], "401 token.missing"),
    ] {
        // The same again with the good one remembered: the cache must not be a way round the rules.
        for _ in 0..2 {
            let mut request = rig.request(Method::GET, "/api/me");
            for header in headers {
                request = request.header("authorization", header);
            }
            assert_eq!(Answer::of(request).await.outcome(), outcome);
            assert_eq!(rig.get("/api/me", &token).await.outcome(), "200");
        }
    }
    let query = rig.request(Method::GET, &format!("/api/me?access_token={token}"));
    assert_eq!(Answer::of(query).await.outcome(), "401 token.missing");
}

#[tokio::test]
async fn v23_refused_tokens_are_told_apart_in_the_log_only() {
    let (rig, ana) = desk().await;
    let spec = rig.spec(&ana);
    let mut bodies = Vec::new();
    for spec in [
        spec.clone().signed(Signing::OtherKeySameKid),
        spec.clone().signed(Signing::UnknownKid),
        spec.clone().with("iss", "https://evil.example/"),
        spec.clone().with("aud", "nobody"),
        spec.clone().with("tfp", OTHER_POLICY),
        spec.with("exp", 1),
    ] {
        let answer = rig.get("/api/me", &rig.mint(&spec)).await;
        let mut body = answer.json();
        body["request_id"] = json!(null);
        bodies.push((body, answer.header("www-authenticate").to_owned()));
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
}

#[tokio::test]
async fn v15_v16_neither_an_equal_sub_nor_an_equal_address_makes_the_same_person() {
    let rig = Rig::with(|config, _| {
        let mut second = config.issuers[0].clone();
        second.address = format!("{{emulator-root}}{OTHER_TENANT}/{DEMO_POLICY}");
        second.step_up_policy = None;
        config.issuers.push(second);
    })
    .await;
    let ana = rig.someone("ana");
    let issuer = rig.emulator.issuer();
    let other = issuer.replace(luminous_emulator::DEMO_TENANT_ID, OTHER_TENANT_ID);
    let id = |answer: Answer| answer.json()["account"]["id"].as_str().unwrap().to_owned();
    let here = id(rig.get("/api/me", &rig.token(&ana)).await);
    let there = rig.spec(&ana).with("iss", other);
    let there = id(rig.get("/api/me", &rig.mint(&there)).await);
    assert_ne!(here, there, "the same sub, oid and address in another directory");

    let namesake = rig.spec(&ana).with("oid", "0-0-0").with("sub", "0-0-0");
    let namesake = id(rig.get("/api/me", &rig.mint(&namesake)).await);
    assert_ne!(here, namesake, "the same address with another id");
}
