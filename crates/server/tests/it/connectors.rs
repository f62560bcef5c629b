//! What the identity provider asks while it issues a token, and the token that comes of it.

use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use luminous_domain::{
    AccountId, Clock as _, FamilyId, MemberId, ObjectId, PersonKey, Role, TenantId,
};
use luminous_emulator::{
    ApiConnector, DEMO_APP_CLIENT_ID, DEMO_LOOPBACK_PORTS, DEMO_POLICY, DEMO_SCOPE, DEMO_TENANT,
    EXTERNAL_TENANT, EXTERNAL_TENANT_ID, OTHER_TENANT_ID,
};
use luminous_server::Config;
use luminous_server::config::ConnectorSettings;
use luminous_store::{
    Act, Actor, Arrival, MemberChange, MemberState, Membership, Network, NewFamily,
};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use crate::browser::{Browser, parameter};
use crate::rig::{Answer, Rig, Someone};

const B2C: &str = "/connectors/b2c/claims";
const ENTRA: &str = "/connectors/entra/token-issuance-start";
const AUDIENCE: &str = "44444444-4444-4444-4444-444444444444";
const CALLER: &str = "99045fe1-7639-4a75-9d4a-577b6ca3810f";

pub fn with_b2c(config: &mut Config) {
    let password = config.key_file.with_file_name("connector-password");
    std::fs::write(&password, "a password: with colons\n").unwrap();
    config.connectors = ConnectorSettings {
        b2c_username: Some("b2c".into()),
        b2c_password_file: Some(password),
        ..ConnectorSettings::default()
    };
}

/// The External ID tenant beside the B2C one, as during a migration.
pub fn with_entra(config: &mut Config) {
    let external = format!("{{emulator-root}}{EXTERNAL_TENANT}");
    let mut issuer = config.issuers[0].clone();
    issuer.address = external;
    (issuer.step_up_policy, issuer.password_reset_policy) = (None, None);
    issuer.profile_edit_policy = None;
    config.issuers.push(issuer);
    config.connectors.entra_audience = Some(AUDIENCE.into());
}

fn question(object: &str) -> Value {
    json!({
        "email": "ana@example.test",
        "identities": [{ "signInType": "emailAddress", "issuer": "x", "issuerAssignedId": "ana" }],
        "displayName": "Ana",
        "objectId": object,
        "client_id": "a4f1c9d2-83b7-4e56-9c0f-1c0de5a7e0a1",
        "step": "PreTokenIssuance",
        "ui_locales": "en-US",
    })
}

async fn ask_b2c(rig: &Rig, body: &Value) -> Value {
    let request = rig.request(Method::POST, B2C).basic_auth("b2c", Some("a password: with colons"));
    let answer = Answer::of(request.json(body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn nothing() -> Value {
    json!({ "version": "1.0.0", "action": "Continue" })
}

#[tokio::test]
async fn b2c_is_told_family_and_role_of_whoever_has_a_place() {
    let rig = Rig::with(|config, _| with_b2c(config)).await;
    let ana = rig.owner("ana").await;
    let ben = rig.member(&ana, "ben", Role::Child).await;
    assert_eq!(
        ask_b2c(&rig, &question(&ben.user.oid)).await,
        json!({
            "version": "1.0.0",
            "action": "Continue",
            "extension_family_id": ana.family().to_string(),
            "extension_role": "child",
        })
    );
}

#[tokio::test]
async fn the_claims_have_the_names_that_the_tenant_gave_them() {
    let rig = Rig::with(|config, _| {
        with_b2c(config);
        config.connectors.b2c_claim_prefix = "extension_0123_".into();
    })
    .await;
    let ana = rig.owner("ana").await;
    assert_eq!(ask_b2c(&rig, &question(&ana.user.oid)).await["extension_0123_role"], "owner");
}

#[tokio::test]
async fn whoever_has_no_place_and_whatever_cannot_be_read_goes_on_without_claims() {
    let rig = Rig::with(|config, _| with_b2c(config)).await;
    let ana = rig.owner("ana").await;
    let ben = rig.member(&ana, "ben", Role::Adult).await;
    let off = MemberChange { state: Some(MemberState::Deactivated), ..MemberChange::default() };
    let (_, act) = rig.arrive(&ana).await;
    let (family, by) = (ana.family(), ana.place().member);
    rig.store.change_member(family, ben.place().member, &off, by, &act).await.unwrap();
    let stranger = rig.someone("eve");
    for body in [
        question(&stranger.user.oid),
        question(&ben.user.oid),
        question(""),
        json!({}),
        json!({ "objectId": 7 }),
        json!([]),
    ] {
        assert_eq!(ask_b2c(&rig, &body).await, nothing(), "{body}");
    }
}

#[tokio::test]
async fn a_failure_of_ours_keeps_nobody_from_signing_in() {
    let rig = Rig::with(|config, _| with_b2c(config)).await;
    let ana = rig.owner("ana").await;
    rig.store.close().await;
    assert_eq!(ask_b2c(&rig, &question(&ana.user.oid)).await, nothing());
    let figures = rig.server.state().meters().render(0);
    let line = "luminous_connector_calls_total{connector=\"b2c\",outcome=\"failed\"} 1";
    assert!(figures.contains(line), "{figures}");
}

#[tokio::test]
async fn nobody_but_b2c_is_answered() {
    let rig = Rig::with(|config, _| with_b2c(config)).await;
    let ana = rig.owner("ana").await;
    let post = || rig.request(Method::POST, B2C).json(&question(&ana.user.oid));
    let right = "Basic YjJjOmEgcGFzc3dvcmQ6IHdpdGggY29sb25z";
    for request in [
        post(),
        post().basic_auth("b2c", Some("a password: with colon")),
        post().basic_auth("b2c", Some("")),
        post().basic_auth("B2C", Some("a password: with colons")),
        post().bearer_auth(rig.token(&ana)),
        post().header("authorization", "Basic !!!"),
        post().header("authorization", right).header("authorization", right),
    ] {
        let answer = Answer::of(request).await;
        assert_eq!(answer.outcome(), "401 connector.refused");
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"luminous connectors\"");
    }
    assert_eq!(Answer::of(post().header("authorization", right)).await.status, 200);
}

#[tokio::test]
async fn a_connector_that_is_not_configured_is_not_there() {
    let rig = Rig::start().await;
    for path in [B2C, ENTRA] {
        let request = rig.request(Method::POST, path).basic_auth("b2c", Some("x"));
        assert_eq!(Answer::of(request).await.outcome(), "404 resource.not_found");
    }
}

#[tokio::test]
async fn the_connector_of_one_tenant_knows_nothing_of_another_tenants_people() {
    let rig = Rig::with(|config, _| with_b2c(config)).await;
    found_elsewhere(&rig, OTHER_TENANT_ID, "there").await;
    assert_eq!(ask_b2c(&rig, &question("there")).await, nothing());
}

#[tokio::test]
async fn the_emulators_tokens_carry_what_the_connector_said() {
    let rig = Rig::with(|config, emulator| {
        with_b2c(config);
        let url = format!("{}{B2C}", config.base()).parse().unwrap();
        emulator.connector = Some(ApiConnector::new(url, "b2c", "a password: with colons"));
    })
    .await;
    let ana = rig.owner("ana").await;
    let token = access_token(&sign_in(&rig, &ana).await);
    let claims = payload(&token);
    assert_eq!(claims["extension_family_id"], ana.family().to_string());
    assert_eq!(claims["extension_role"], "owner");
    let me = rig.get("/api/me", &token).await;
    assert_eq!(me.json()["membership"]["role"], "owner");
}

#[tokio::test]
async fn what_b2c_repeats_at_a_refresh_does_not_hold_against_a_newer_place() {
    let rig = Rig::with(|config, emulator| {
        with_b2c(config);
        let url = format!("{}{B2C}", config.base()).parse().unwrap();
        emulator.connector = Some(ApiConnector::new(url, "b2c", "a password: with colons"));
    })
    .await;
    let ana = rig.owner("ana").await;
    let tess = rig.member(&ana, "tess", Role::Teen).await;
    let audit = |home: &Someone| format!("/api/families/{}/audit", home.family());
    let tokens = sign_in(&rig, &tess).await;
    let refused = rig.get(&audit(&ana), &access_token(&tokens)).await;
    assert_eq!(refused.outcome(), "403 authz.role_missing");

    rig.pass(Duration::from_secs(2));
    let (_, act) = rig.arrive(&ana).await;
    let (family, member, by) = (ana.family(), tess.place().member, ana.place().member);
    let admin = MemberChange { role: Some(Role::Admin), ..MemberChange::default() };
    rig.store.change_member(family, member, &admin, by, &act).await.unwrap();
    let stale = rig.get(&audit(&ana), &access_token(&tokens)).await;
    assert_eq!(stale.outcome(), "401 token.stale");
    let tokens = refresh(&rig, &tokens).await;
    assert_eq!(payload(&access_token(&tokens))["extension_role"], "teen", "as at sign-in");
    assert_eq!(rig.get(&audit(&ana), &access_token(&tokens)).await.outcome(), "200");

    rig.pass(Duration::from_secs(2));
    rig.store.remove_member(family, member, by, &act).await.unwrap();
    let zoe = rig.owner("zoe").await;
    rig.take_in(&zoe, tess, Role::Admin).await;
    let tokens = refresh(&rig, &tokens).await;
    assert_eq!(payload(&access_token(&tokens))["extension_family_id"], family.to_string());
    assert_eq!(rig.get(&audit(&zoe), &access_token(&tokens)).await.outcome(), "200");
}

#[tokio::test]
async fn v21_refreshing_does_not_undo_signing_out_everywhere() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let tokens = sign_in(&rig, &ana).await;
    rig.pass(Duration::from_secs(2));
    let (account, act) = rig.arrive(&ana).await;
    rig.store.end_sign_ins(account, &act).await.unwrap();
    rig.pass(Duration::from_secs(2));
    let refreshed = access_token(&refresh(&rig, &tokens).await);
    assert_eq!(rig.get("/api/me", &refreshed).await.outcome(), "401 token.revoked");
    let anew = access_token(&sign_in(&rig, &ana).await);
    assert_eq!(rig.get("/api/me", &anew).await.outcome(), "200");
}

fn access_token(tokens: &Value) -> String {
    tokens["access_token"].as_str().unwrap().to_owned()
}

async fn refresh(rig: &Rig, tokens: &Value) -> Value {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", DEMO_APP_CLIENT_ID),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    redeem(&mut Browser::new(rig), rig, &form).await
}

fn endpoint(rig: &Rig) -> String {
    format!("{}{DEMO_TENANT}/{DEMO_POLICY}/oauth2/v2.0", rig.emulator.base_url())
}

async fn redeem(browser: &mut Browser, rig: &Rig, form: &[(&str, &str)]) -> Value {
    let form: Vec<_> =
        form.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    let url = format!("{}/token", endpoint(rig)).parse().unwrap();
    let answer = browser.send(Method::POST, &url, Some(&form), HeaderMap::new()).await;
    serde_json::from_str(&answer.text).unwrap()
}

/// What the desktop app gets when `someone` signs in.
async fn sign_in(rig: &Rig, someone: &Someone) -> Value {
    let redirect_uri = format!("http://localhost:{}/auth/callback", DEMO_LOOPBACK_PORTS[0]);
    let verifier = "v".repeat(43);
    let challenge = digest::digest(&digest::SHA256, verifier.as_bytes());
    let challenge = URL_SAFE_NO_PAD.encode(challenge);
    let mut url: Url = format!("{}/authorize", endpoint(rig)).parse().unwrap();
    url.query_pairs_mut().extend_pairs([
        ("client_id", DEMO_APP_CLIENT_ID),
        ("response_type", "code"),
        ("redirect_uri", &redirect_uri),
        ("scope", &format!("openid offline_access {DEMO_SCOPE}")),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    let mut browser = Browser::new(rig);
    let page = browser.open(&url).await;
    let page = browser.follow(page).await;
    let fields = [("email", someone.user.email.as_str()), ("password", "correct horse 7 battery")];
    let back = browser.press_once(&page, "next", &fields).await.leads_to().unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", DEMO_APP_CLIENT_ID),
        ("redirect_uri", &redirect_uri),
        ("code", &parameter(&back, "code").unwrap()),
        ("code_verifier", &verifier),
    ];
    redeem(&mut browser, rig, &form).await
}

fn event(tenant: &str, object: &str) -> Value {
    json!({
        "type": "microsoft.graph.authenticationEvent.tokenIssuanceStart",
        "source": format!("/tenants/{tenant}/applications/x"),
        "data": {
            "@odata.type": "microsoft.graph.onTokenIssuanceStartCalloutData",
            "tenantId": tenant,
            "authenticationContext": { "protocol": "OAUTH2.0", "user": { "id": object } },
        },
    })
}

/// What Entra's own service presents, with changes.
fn bearer(rig: &Rig, changes: Value) -> String {
    let someone = rig.someone("ana");
    let now = rig.clock.now().as_second();
    let base = rig.emulator.base_url();
    let issuer = format!(
        "http://{EXTERNAL_TENANT_ID}.localhost:{}/{EXTERNAL_TENANT_ID}/v2.0",
        base.port().unwrap()
    );
    let mut spec = rig.spec(&someone);
    spec.claims.clear();
    let claims = json!({
        "iss": issuer, "aud": AUDIENCE, "azp": CALLER, "azpacr": "2", "tid": EXTERNAL_TENANT_ID,
        "sub": "2", "oid": "2", "ver": "2.0", "iat": now, "nbf": now, "exp": now + 300,
    });
    for claims in [claims, changes] {
        for (name, value) in claims.as_object().unwrap() {
            spec = spec.with(name, value.clone());
        }
    }
    rig.mint(&spec)
}

async fn ask_entra(rig: &Rig, token: &str, body: &Value) -> Answer {
    Answer::of(rig.request(Method::POST, ENTRA).bearer_auth(token).json(body)).await
}

/// Founds a family for somebody of another directory.
async fn found_elsewhere(rig: &Rig, tenant: &str, object: &str) -> Membership {
    let arrival = Arrival {
        id: AccountId::from_uuid(Uuid::from_u128(9)),
        person: PersonKey { tenant: TenantId::new(tenant), object: ObjectId::new(object) },
        name: "Ana".into(),
        email: None,
        network: Network::Loopback,
    };
    let account = rig.store.arrive(&arrival).await.unwrap().account;
    let actor = Actor::Account { id: account.id, name: account.name };
    let new = NewFamily {
        id: FamilyId::from_uuid(Uuid::from_u128(10)),
        name: "There".into(),
        owner: account.id,
        member: MemberId::from_uuid(Uuid::from_u128(11)),
    };
    rig.store.create_family(&new, &Act { actor, network: Network::Loopback }).await.unwrap()
}

#[tokio::test]
async fn entra_is_told_family_and_role() {
    let rig = Rig::with(|config, _| with_entra(config)).await;
    let place = found_elsewhere(&rig, EXTERNAL_TENANT_ID, "there").await;
    let answer =
        ask_entra(&rig, &bearer(&rig, json!({})), &event(EXTERNAL_TENANT_ID, "there")).await;
    assert_eq!(
        answer.json(),
        json!({
            "data": {
                "@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData",
                "actions": [{
                    "@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken",
                    "claims": { "family_id": place.family.id.to_string(), "role": "owner" },
                }],
            },
        })
    );
    let unknown = ask_entra(&rig, &bearer(&rig, json!({})), &event(EXTERNAL_TENANT_ID, "x")).await;
    assert_eq!(unknown.json()["data"]["actions"][0]["claims"], json!({}));
    let odd = ask_entra(&rig, &bearer(&rig, json!({})), &json!({ "data": 1 })).await;
    assert_eq!(odd.json()["data"]["actions"][0]["claims"], json!({}));
}

#[tokio::test]
async fn nobody_but_entra_for_this_application_and_tenant_is_answered() {
    let rig = Rig::with(|config, _| with_entra(config)).await;
    found_elsewhere(&rig, EXTERNAL_TENANT_ID, "there").await;
    let body = event(EXTERNAL_TENANT_ID, "there");
    for changes in [
        json!({ "azp": "a4f1c9d2-83b7-4e56-9c0f-1c0de5a7e0a1" }),
        json!({ "aud": "another" }),
        json!({ "iss": "https://evil.example/" }),
        json!({ "scp": "user_impersonation" }),
        json!({ "exp": 1_000_000 }),
    ] {
        let answer = ask_entra(&rig, &bearer(&rig, changes.clone()), &body).await;
        assert_eq!(answer.outcome(), "401 token.invalid", "{changes}");
    }
    let without = Answer::of(rig.request(Method::POST, ENTRA).json(&body)).await;
    assert_eq!(without.outcome(), "401 token.missing");
    let elsewhere = event(OTHER_TENANT_ID, "there");
    let answer = ask_entra(&rig, &bearer(&rig, json!({})), &elsewhere).await;
    assert_eq!(answer.outcome(), "401 token.invalid", "another tenant's person");
}

/// The claims of a token, not verified.
fn payload(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
