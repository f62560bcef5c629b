//! The token endpoint: responses, codes, proofs and secrets.

use std::time::Duration;

use luminous_emulator::{
    DEMO_API_CLIENT_ID, DEMO_APP_CLIENT_ID, DEMO_POLICY, DEMO_TENANT, Event, NumberStyle,
    OTHER_POLICY, PolicyClaim,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::{
    NOON, OPENID_AND_API, VERIFIER, WEB_CLIENT_ID, WEB_REDIRECT, WEB_SECRET, World, authorize_url,
    claims, code_form, endpoint, parameter, part, redacted, text,
};

/// What a refused request says, its correlation id taken out.
fn refusal((status, body): (StatusCode, Value)) -> String {
    assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
    let description = redacted(text(&body, "error_description"));
    let (message, rest) = description.split_once("\r\n").unwrap();
    assert!(rest.starts_with("Correlation ID: [id]\r\nTimestamp: 2026-1"), "{rest}");
    assert!(rest.ends_with("Z\r\n"), "{rest}");
    format!("{}: {message}", text(&body, "error"))
}

fn with<'a>(code: &'a str, name: &str, value: &'a str) -> Vec<(&'static str, &'a str)> {
    let mut form = code_form(code);
    for (key, old) in &mut form {
        if *key == name {
            *old = value;
        }
    }
    form.retain(|(_, value)| !value.is_empty());
    form
}

#[tokio::test]
async fn a_code_gives_tokens_in_b2cs_shape() {
    let world = World::with_ana(|_| {}).await;
    let body = world.tokens().await;
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["not_before"], NOON);
    assert_eq!(body["expires_in"], 3600);
    assert_eq!(body["expires_on"], NOON + 3600);
    assert_eq!(body["resource"], DEMO_API_CLIENT_ID);
    assert_eq!(body["scope"], OPENID_AND_API);
    assert_eq!(body["id_token_expires_in"], 3600);
    assert_eq!(body["refresh_token_expires_in"], 1_209_600);
    assert_eq!(body.get("client_info"), None);
    assert!(text(&body, "refresh_token").len() > 1024);
    assert_eq!(body.as_object().unwrap().len(), 12, "{body}");
}

#[tokio::test]
async fn tokens_have_b2cs_claims() {
    let world = World::with_ana(|_| {}).await;
    let body = world.tokens().await;
    let base = world.emulator.base_url().to_string();
    let user = world.emulator.control().user(crate::client::EMAIL).unwrap().unwrap();
    let kid = world.emulator.control().current_kid();
    for member in ["id_token", "access_token"] {
        let token = text(&body, member);
        let mut claims = world.verified(token).await;
        assert_eq!(part(token, 0), json!({ "alg": "RS256", "kid": kid, "typ": "JWT" }));
        if member == "id_token" {
            let digest = aws_lc_rs::digest::digest(
                &aws_lc_rs::digest::SHA256,
                text(&body, "access_token").as_bytes(),
            );
            use base64::Engine as _;
            let half =
                base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16]);
            assert_eq!(claims["at_hash"], half);
            claims["at_hash"] = json!("[at_hash]");
        }
        claims["iss"] = json!(text(&claims, "iss").replace(&base, "[base]/"));
        for id in ["sub", "oid"] {
            assert_eq!(claims[id], user.oid);
            claims[id] = json!("[oid]");
        }
        insta::with_settings!({ sort_maps => true }, {
            insta::assert_json_snapshot!(format!("{member}_claims"), claims);
        });
    }
}

#[tokio::test]
async fn client_info_replaces_the_profile_as_msal_asks() {
    let world = World::with_ana(|_| {}).await;
    let code = world.code().await;
    let mut form = code_form(&code);
    form.push(("client_info", "1"));
    let (_, body) = world.token(&form).await;
    assert_eq!(body.get("profile_info"), None);
    let info = part(&format!("{}.x", text(&body, "client_info")), 0);
    let user = world.emulator.control().user(crate::client::EMAIL).unwrap().unwrap();
    assert_eq!(info["uid"], format!("{}-b2c_1_signupsignin1", user.oid));
    assert_eq!(info["utid"], luminous_emulator::DEMO_TENANT_ID);
}

#[tokio::test]
async fn legacy_policies_send_their_numbers_as_strings_and_acr() {
    let world = World::with_ana(|config| {
        config.numbers = NumberStyle::Strings;
        config.policy_claim = PolicyClaim::Acr;
    })
    .await;
    let body = world.tokens().await;
    assert_eq!(body["expires_in"], "3600");
    assert_eq!(body["not_before"], NOON.to_string());
    assert_eq!(body["refresh_token_expires_in"], "1209600");
    assert!(body.as_object().unwrap().values().all(Value::is_string));
    let claims = claims(text(&body, "id_token"));
    assert_eq!(claims["acr"], DEMO_POLICY);
    assert_eq!(claims.get("tfp"), None);
    assert!(claims["exp"].is_number(), "claims stay numbers");
}

#[tokio::test]
async fn openid_and_offline_access_alone_give_no_access_token() {
    let world = World::with_ana(|_| {}).await;
    let url = authorize_url(&world, &[("scope", "openid offline_access")]);
    let back = world.browser().sign_in(&url).await;
    let (_, body) = world.redeem(&parameter(&back, "code").unwrap()).await;
    for missing in ["access_token", "expires_in", "expires_on", "resource"] {
        assert_eq!(body.get(missing), None, "{missing}");
    }
    assert!(body["id_token"].is_string() && body["refresh_token"].is_string());
    assert_eq!(claims(text(&body, "id_token")).get("at_hash"), None);
    let (_, again) = world.refresh(text(&body, "refresh_token")).await;
    assert_eq!(again.get("access_token"), None, "nor does a refresh");
}

#[tokio::test]
async fn the_client_id_as_a_scope_gives_a_token_for_the_app_itself() {
    let world = World::with_ana(|_| {}).await;
    let scope = format!("openid {DEMO_APP_CLIENT_ID}");
    let back = world.browser().sign_in(&authorize_url(&world, &[("scope", &scope)])).await;
    let (_, body) = world.redeem(&parameter(&back, "code").unwrap()).await;
    let claims = claims(text(&body, "access_token"));
    assert_eq!(claims["aud"], DEMO_APP_CLIENT_ID);
    assert_eq!(claims.get("scp"), None);
    assert_eq!(body.get("refresh_token"), None, "offline_access was not asked for");
}

#[tokio::test]
async fn each_refusal_of_a_code_has_b2cs_error_and_text() {
    let world = World::with_ana(|_| {}).await;
    let code = world.code().await;
    let other = format!("{DEMO_TENANT}/{OTHER_POLICY}/oauth2/v2.0/token");
    let wrong_verifier = VERIFIER.replace('d', "e");
    let mut seen = vec![
        ("other policy", refusal(world.token_at(&other, &code_form(&code)).await)),
        ("no grant type", refusal(world.token(&with(&code, "grant_type", "")).await)),
        ("grant type", refusal(world.token(&with(&code, "grant_type", "device_code")).await)),
        ("no client", refusal(world.token(&with(&code, "client_id", "")).await)),
        ("unknown client", refusal(world.token(&with(&code, "client_id", "x")).await)),
        ("no code", refusal(world.token(&with(&code, "code", "")).await)),
        ("unknown code", refusal(world.token(&with(&code, "code", "eyJ.a.b.c.d")).await)),
        ("no redirect", refusal(world.token(&with(&code, "redirect_uri", "")).await)),
        ("redirect", refusal(world.token(&with(&code, "redirect_uri", "x://y/z")).await)),
        ("no verifier", refusal(world.token(&with(&code, "code_verifier", "")).await)),
        ("verifier", refusal(world.token(&with(&code, "code_verifier", &wrong_verifier)).await)),
        ("bad verifier", refusal(world.token(&with(&code, "code_verifier", "short")).await)),
    ];
    let mut public_with_secret = code_form(&code);
    public_with_secret.push(("client_secret", "x"));
    seen.push(("public secret", refusal(world.token(&public_with_secret).await)));
    let mut twice = code_form(&code);
    twice.push(("code", "x"));
    seen.push(("twice", refusal(world.token(&twice).await)));
    world.clock.advance(Duration::from_secs(600));
    seen.push(("late", refusal(world.redeem(&code).await)));
    let lines: Vec<String> = seen.iter().map(|(name, line)| format!("{name} -> {line}")).collect();
    insta::assert_snapshot!("refusals_of_a_code", lines.join("\n"));
}

#[tokio::test]
async fn a_code_lives_ten_minutes_and_once_and_reuse_costs_what_came_of_it() {
    let world = World::with_ana(|_| {}).await;
    let code = world.code().await;
    world.clock.advance(Duration::from_secs(599));
    let (status, tokens) = world.redeem(&code).await;
    assert_eq!(status, StatusCode::OK);
    let again = refusal(world.redeem(&code).await);
    assert_eq!(
        again,
        "invalid_grant: AADB2C90129: The provided grant has been revoked. Please reauthenticate and try again."
    );
    assert_eq!(world.emulator.control().count(Event::CodeReused), 1);
    let refreshed = refusal(world.refresh(text(&tokens, "refresh_token")).await);
    assert!(refreshed.contains("AADB2C90129"), "{refreshed}");
}

#[tokio::test]
async fn r1_a_wrong_verifier_does_not_spend_the_code() {
    let world = World::with_ana(|_| {}).await;
    let code = world.code().await;
    let wrong = VERIFIER.replace('d', "e");
    let refused = refusal(world.token(&with(&code, "code_verifier", &wrong)).await);
    assert!(refused.starts_with("invalid_grant: AADB2C90182"), "{refused}");
    assert_eq!(world.redeem(&code).await.0, StatusCode::OK);
}

/// A code of the confidential client, asked for with or without a challenge.
async fn web_code(world: &World, challenge: bool) -> String {
    let mut changes = vec![("client_id", WEB_CLIENT_ID), ("redirect_uri", WEB_REDIRECT)];
    if !challenge {
        changes.extend([("code_challenge", ""), ("code_challenge_method", "")]);
    }
    let back = world.browser().sign_in(&authorize_url(world, &changes)).await;
    parameter(&back, "code").unwrap()
}

fn web_form(code: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("client_id", WEB_CLIENT_ID),
        ("code", code),
        ("redirect_uri", WEB_REDIRECT),
    ]
}

#[tokio::test]
async fn a_confidential_client_shows_its_secret_in_the_body_or_the_header() {
    let world = World::with_ana(|_| {}).await;
    let code = web_code(&world, false).await;
    let missing = refusal(world.token(&web_form(&code)).await);
    assert_eq!(
        missing,
        "invalid_client: AADB2C90079: Clients must send a client_secret when redeeming a confidential grant."
    );
    let mut wrong = web_form(&code);
    wrong.push(("client_secret", "wrong"));
    assert!(refusal(world.token(&wrong).await).starts_with("invalid_client: AADB2C90081: "));
    let mut right = web_form(&code);
    right.push(("client_secret", WEB_SECRET));
    assert_eq!(world.token(&right).await.0, StatusCode::OK);

    let code = web_code(&world, false).await;
    let mut form = web_form(&code);
    form.retain(|(name, _)| *name != "client_id");
    let secret: String = url::form_urlencoded::byte_serialize(WEB_SECRET.as_bytes()).collect();
    let request =
        world.http.post(world.url(&endpoint("token"))).basic_auth(WEB_CLIENT_ID, Some(secret));
    assert_eq!(request.form(&form).send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn r18_a_verifier_without_a_challenge_is_refused_as_a_downgrade() {
    let world = World::with_ana(|_| {}).await;
    let code = web_code(&world, false).await;
    let mut form = web_form(&code);
    form.extend([("client_secret", WEB_SECRET), ("code_verifier", VERIFIER)]);
    let refused = refusal(world.token(&form).await);
    assert_eq!(
        refused,
        "invalid_grant: AADB2C90182: The supplied code_verifier does not match associated code_challenge"
    );
}

#[tokio::test]
async fn a_grant_is_of_one_client() {
    let world = World::with_ana(|_| {}).await;
    let code = world.code().await;
    let mut form = web_form(&code);
    form.push(("client_secret", WEB_SECRET));
    assert!(refusal(world.token(&form).await).starts_with("invalid_grant: AADB2C90279: "));
}

#[tokio::test]
async fn the_token_endpoint_takes_posts_only() {
    let world = World::start().await;
    let response = world.http.get(world.url(&endpoint("token"))).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}
