//! Claims from outside: B2C's API connector and External ID's token issuance extension, against a
//! server of the test's own that says what it is told to say.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use luminous_emulator::{
    ApiConnector, Config, DEMO_APP_CLIENT_ID, DEMO_EDIT_POLICY, DEMO_EXTENSIONS_APP, DEMO_POLICY,
    DEMO_TENANT, EXTERNAL_TENANT, EXTERNAL_TENANT_ID, Event, Tenant, Times, TokenIssuanceStart,
};
use serde_json::{Value, json};
use url::Url;

use crate::client::{
    EMAIL, NAME, PASSWORD, World, authorize_url, authorize_url_at, claims, code_form, parameter,
    refusal, signature_holds, text,
};

/// A question that was asked: its `Authorization` and its body.
type Asked = (String, Value);

/// A stand-in for the family API: it answers in turn what it was told to, the last answer for ever.
#[derive(Clone)]
struct Source {
    url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Mutex<VecDeque<(u16, Value)>>>,
}

impl Source {
    async fn start(answers: &[(u16, Value)]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://127.0.0.1:{}/claims", listener.local_addr().unwrap().port());
        let source = Self {
            url: Url::parse(&url).unwrap(),
            asked: Arc::default(),
            answers: Arc::new(Mutex::new(answers.iter().cloned().collect())),
        };
        let router = Router::new().route("/claims", post(answer)).with_state(source.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        source
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(
    State(source): State<Source>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let authorization = headers["authorization"].to_str().unwrap().to_owned();
    assert_eq!(headers["content-type"], "application/json");
    let body = serde_json::from_slice(&body).unwrap();
    source.asked.lock().unwrap().push((authorization, body));
    let mut answers = source.answers.lock().unwrap();
    let (status, body) =
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() };
    (StatusCode::from_u16(status).unwrap(), body.to_string())
}

fn family(role: &str) -> (u16, Value) {
    let id = format!("extension_{DEMO_EXTENSIONS_APP}_family_id");
    let mut body = json!({ "version": "1.0.0", "action": "Continue", "extension_role": role });
    body[&id] = "3f2c".into();
    (200, body)
}

fn asks(source: &Source) -> impl FnOnce(&mut Config) {
    let url = source.url.clone();
    |config| config.connector = Some(ApiConnector::new(url, "b2c", "s3cret"))
}

#[tokio::test]
async fn custom_attributes_reach_both_tokens_and_stay_as_they_were_at_the_sign_in() {
    let source = Source::start(&[family("adult"), family("admin")]).await;
    let world = World::with_ana(asks(&source)).await;
    let tokens = world.tokens().await;
    let of = |body: &Value| {
        let claims = claims(text(body, "access_token"));
        (claims["extension_family_id"].clone(), claims["extension_role"].clone())
    };
    let expected = (json!("3f2c"), json!("adult"));
    assert_eq!(of(&tokens), expected);
    assert_eq!(claims(text(&tokens, "id_token"))["extension_role"], "adult");
    let (_, refreshed) = world.refresh(text(&tokens, "refresh_token")).await;
    assert_eq!(of(&refreshed), expected, "user flows ask at the first authentication only");

    let ana = world.emulator.control().user(EMAIL).unwrap().unwrap();
    let [(authorization, body)] = source.asked().try_into().unwrap();
    assert_eq!(authorization, format!("Basic {}", STANDARD.encode("b2c:s3cret")));
    let expected = json!({
        "email": EMAIL,
        "identities": [{
            "signInType": "emailAddress", "issuer": DEMO_TENANT, "issuerAssignedId": EMAIL
        }],
        "displayName": NAME,
        "objectId": ana.oid,
        "client_id": DEMO_APP_CLIENT_ID,
        "step": "PreTokenIssuance",
        "ui_locales": "en",
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_connector_that_is_asked_at_refresh_changes_the_next_tokens() {
    let source = Source::start(&[family("adult"), family("admin")]).await;
    let world = World::with_ana(|config| {
        asks(&source)(config);
        config.connector.as_mut().unwrap().at_refresh = true;
    })
    .await;
    let tokens = world.tokens().await;
    let (_, refreshed) = world.refresh(text(&tokens, "refresh_token")).await;
    assert_eq!(claims(text(&refreshed, "access_token"))["extension_role"], "admin");
    assert_eq!(claims(text(&refreshed, "id_token"))["extension_role"], "admin");

    world.emulator.control().connector_down(Times::Always);
    let (status, kept) = world.refresh(text(&refreshed, "refresh_token")).await;
    assert_eq!(status, 200, "a wall screen goes on without the connector");
    assert_eq!(claims(text(&kept, "access_token"))["extension_family_id"], "3f2c");
}

#[tokio::test]
async fn a_session_that_answers_silently_asks_too_and_other_policies_do_not() {
    let source = Source::start(&[family("teen")]).await;
    let world = World::with_ana(asks(&source)).await;
    let mut browser = world.browser();
    browser.sign_in(&authorize_url(&world, &[])).await;
    let silent = browser.get(&authorize_url(&world, &[])).await.location();
    let tokens = world.redeem_at(DEMO_POLICY, &silent).await;
    assert_eq!(claims(text(&tokens, "access_token"))["extension_role"], "teen");
    assert_eq!(source.asked().len(), 2);

    let page = browser.get(&world.authorize_url_of(DEMO_EDIT_POLICY, &[])).await;
    let back = browser.submit(&page, &[("displayName", "Anna")]).await.location();
    let edited = world.redeem_at(DEMO_EDIT_POLICY, &back).await;
    assert_eq!(claims(text(&edited, "access_token")).get("extension_role"), None);
    assert_eq!(source.asked().len(), 2, "B2C has this step in its sign-in policies only");
}

#[tokio::test]
async fn a_source_that_fails_is_an_error_at_the_app_and_signs_nobody_in() {
    let source = Source::start(&[
        (500, json!({})),
        (401, json!({})),
        (200, json!("nonsense")),
        family("adult"),
    ])
    .await;
    let world = World::with_ana(asks(&source)).await;
    let control = world.emulator.control();
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let mut browser = world.browser();
        let back = browser.sign_in(&authorize_url(&world, &[])).await;
        assert!(browser.cookie("x-ms-cpim-sso").is_none());
        numbers.push(refusal(&back));
    }
    control.connector_down(Times::Next(1));
    numbers.push(refusal(&world.browser().sign_in(&authorize_url(&world, &[])).await));
    let error = |number: &str| ("server_error".to_owned(), number.to_owned());
    let expected = ["AADB2C90075", "AADB2C90075", "AADB2C90261", "AADB2C90261"].map(error);
    assert_eq!(numbers, expected);
    assert_eq!(control.count(Event::ClaimsRefused), 4);
    let back = world.browser().sign_in(&authorize_url(&world, &[])).await;
    assert!(parameter(&back, "code").is_some(), "it is up again");
}

#[tokio::test]
async fn nobody_behind_the_address_and_nobody_in_time_are_errors_too() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    let url = Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
    // Bound and never answered: the kernel takes the connection, nobody takes the request.
    let slow = |config: &mut Config| {
        let connector = ApiConnector::new(url.clone(), "b2c", "s3cret");
        let timeout = std::time::Duration::from_millis(20);
        config.connector = Some(ApiConnector { timeout, ..connector });
    };
    let world = World::with_ana(slow).await;
    let back = world.browser().sign_in(&authorize_url(&world, &[])).await;
    assert_eq!(refusal(&back).1, "AADB2C90261");
    drop(closed);
    let back = world.browser().sign_in(&authorize_url(&world, &[])).await;
    assert_eq!(refusal(&back).1, "AADB2C90261");
}

#[tokio::test]
async fn a_block_page_shows_what_the_source_says_as_text() {
    let message = "Not <b>today</b>.";
    let block = json!({ "version": "1.0.0", "action": "ShowBlockPage", "userMessage": message });
    let source = Source::start(&[(200, block)]).await;
    let world = World::with_ana(asks(&source)).await;
    let mut browser = world.browser();
    let page = browser.get(&authorize_url(&world, &[])).await;
    let entry = [("email", EMAIL), ("password", PASSWORD), ("action", "next")];
    let page = browser.submit(&page, &entry).await;
    assert!(page.has("You cannot sign in now") && page.has("Not &#60;b&#62;today"));
    assert!(browser.cookie("x-ms-cpim-sso").is_none());
}

fn provides(claims: &Value) -> (u16, Value) {
    let body = json!({ "data": {
        "@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData",
        "actions": [{
            "@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken",
            "claims": claims
        }]
    }});
    (200, body)
}

#[tokio::test]
async fn external_id_brings_a_token_of_its_service_and_takes_the_claims() {
    let first = json!({ "family_id": "3f2c", "role": "adult", "scp": "evil", "oid": "evil" });
    let second = json!({ "family_id": "3f2c", "role": "admin" });
    let source = Source::start(&[(503, json!({})), provides(&first), provides(&second)]).await;
    let audience = "ab2c7e1d-0000-4000-8000-1c0de5a7e0aa";
    let world = World::with(|config| {
        let url = source.url.clone();
        config.token_issuance_start = Some(TokenIssuanceStart::new(url, audience));
    })
    .await;
    let control = world.emulator.control();
    let tenant = Tenant::external(EXTERNAL_TENANT, EXTERNAL_TENANT_ID);
    let ana = control.create_user_in(&tenant, EMAIL, NAME, PASSWORD).unwrap();
    let path = format!("{EXTERNAL_TENANT}/oauth2/v2.0");
    let request = [("scope", "openid offline_access")];
    let url = authorize_url_at(&world.url(&format!("{path}/authorize")), &request);
    let failed = world.browser().sign_in(&url).await;
    assert_eq!(refusal(&failed), ("server_error".into(), "AADSTS1100001".into()));
    let back = world.browser().sign_in(&url).await;
    let code = parameter(&back, "code").unwrap();
    let (status, body) = world.token_at(&format!("{path}/token"), &code_form(&code)).await;
    assert_eq!(status, 200, "{body}");
    let token = claims(text(&body, "access_token"));
    assert_eq!((&token["family_id"], &token["role"]), (&"3f2c".into(), &"adult".into()));
    assert_eq!((&token["oid"], token.get("scp")), (&ana.oid.clone().into(), None));
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", DEMO_APP_CLIENT_ID),
        ("refresh_token", text(&body, "refresh_token")),
    ];
    let (_, body) = world.token_at(&format!("{path}/token"), &refresh).await;
    assert_eq!(claims(text(&body, "access_token"))["role"], "admin", "asked again");

    let (authorization, question) = source.asked().remove(1);
    let bearer = authorization.strip_prefix("Bearer ").unwrap();
    assert!(signature_holds(bearer, &control.jwks()));
    let bearer = claims(bearer);
    let metadata = format!("{EXTERNAL_TENANT}/v2.0/.well-known/openid-configuration");
    assert_eq!(bearer["iss"], world.json(&metadata).await["issuer"]);
    assert_eq!(bearer["aud"], audience);
    assert_eq!(bearer["azp"], "99045fe1-7639-4a75-9d4a-577b6ca3810f");
    let data = &question["data"];
    assert_eq!(data["@odata.type"], "microsoft.graph.onTokenIssuanceStartCalloutData");
    assert_eq!(data["tenantId"], EXTERNAL_TENANT_ID);
    let context = &data["authenticationContext"];
    assert_eq!(context["user"]["id"], ana.oid);
    assert_eq!(context["clientServicePrincipal"]["appId"], DEMO_APP_CLIENT_ID);
}
