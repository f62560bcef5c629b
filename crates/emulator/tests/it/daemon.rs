//! The client credentials grant: a token that no person stands behind.

use luminous_emulator::{
    DEMO_API_CLIENT_ID, DEMO_APP_CLIENT_ID, DEMO_DAEMON_CLIENT_ID, DEMO_DAEMON_CLIENT_SECRET,
    DEMO_DAEMON_SCOPE, DEMO_MFA_POLICY, EXTERNAL_TENANT, Event,
};
use serde_json::json;

use crate::client::{WEB_CLIENT_ID, WEB_SECRET, World, endpoint_of, text};

const GOOD: [(&str, &str); 4] = [
    ("grant_type", "client_credentials"),
    ("client_id", DEMO_DAEMON_CLIENT_ID),
    ("client_secret", DEMO_DAEMON_CLIENT_SECRET),
    ("scope", DEMO_DAEMON_SCOPE),
];

fn with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut form: Vec<_> = GOOD.into_iter().filter(|(key, _)| *key != name).collect();
    form.push((name, value));
    form
}

#[tokio::test]
async fn a_daemon_gets_an_access_token_with_its_roles_in_scp_and_nothing_of_a_person() {
    let world = World::start().await;
    let (status, body) = world.token(&GOOD).await;
    assert_eq!(status, 200, "{body}");
    let members: Vec<&String> = body.as_object().unwrap().keys().collect();
    let expected =
        ["access_token", "expires_in", "expires_on", "not_before", "resource", "token_type"];
    assert_eq!(members, expected);
    let claims = world.verified(text(&body, "access_token")).await;
    assert_eq!(claims["aud"], DEMO_API_CLIENT_ID);
    assert_eq!(claims["azp"], DEMO_DAEMON_CLIENT_ID);
    assert_eq!(claims["scp"], "app.read app.write");
    for person in ["oid", "emails", "name", "tfp", "auth_time", "nonce"] {
        assert_eq!(claims.get(person), None, "{person}");
    }
    assert_eq!(world.emulator.control().count(Event::DaemonTokenIssued), 1);
}

#[tokio::test]
async fn any_policy_and_the_external_tenant_answer_it_in_their_own_shape() {
    let world = World::start().await;
    let (status, _) = world.token_at(&endpoint_of(DEMO_MFA_POLICY, "token"), &GOOD).await;
    assert_eq!(status, 200);
    let path = format!("{EXTERNAL_TENANT}/oauth2/v2.0/token");
    let (_, body) = world.token_at(&path, &GOOD).await;
    let claims = crate::client::claims(text(&body, "access_token"));
    assert_eq!(claims["roles"], json!(["app.read", "app.write"]));
    assert_eq!((&claims["idtyp"], claims.get("scp")), (&"app".into(), None));
}

#[tokio::test]
async fn only_a_client_with_a_secret_and_one_whole_api_is_served() {
    let world = World::start().await;
    let public = [
        ("grant_type", "client_credentials"),
        ("client_id", DEMO_APP_CLIENT_ID),
        ("scope", DEMO_DAEMON_SCOPE),
    ];
    let two = format!("{DEMO_DAEMON_SCOPE} {DEMO_DAEMON_SCOPE}");
    for (form, number) in [
        (with("client_secret", "guess"), 90081),
        (with("client_secret", ""), 90079),
        (with("scope", ""), 90010),
        (with("scope", luminous_emulator::DEMO_SCOPE), 90117),
        (with("scope", "https://evil.example/api/.default"), 90117),
        (with("scope", &two), 90146),
        (public.to_vec(), 90079),
    ] {
        let (status, body) = world.token(&form).await;
        assert_eq!(status, 400, "{form:?}");
        let description = text(&body, "error_description");
        assert!(description.starts_with(&format!("AADB2C{number}: ")), "{form:?}: {description}");
    }
    let mut roleless = GOOD;
    roleless[1].1 = WEB_CLIENT_ID;
    roleless[2].1 = WEB_SECRET;
    let (_, body) = world.token(&roleless).await;
    let claims = crate::client::claims(text(&body, "access_token"));
    assert_eq!(claims.get("scp"), None, "no app role was given to it");
}

#[tokio::test]
async fn the_control_mints_the_same_shape() {
    let world = World::start().await;
    let control = world.emulator.control();
    let spec = control.daemon_token_spec(DEMO_DAEMON_CLIENT_ID, &["app.read", "app.write"]);
    let minted = world.verified(&control.mint(&spec).unwrap()).await;
    let (_, body) = world.token(&GOOD).await;
    assert_eq!(minted, crate::client::claims(text(&body, "access_token")));
}
