//! `/.well-known/luminous`.

use luminous_emulator::{DEMO_APP_CLIENT_ID, DEMO_MFA_POLICY, DEMO_RESET_POLICY, DEMO_TENANT_ID};
use luminous_server::config::Hint;
use luminous_wire::api::Discovery;
use reqwest::Method;

use crate::rig::{Answer, Rig};

#[tokio::test]
async fn one_address_tells_a_client_all_it_needs_and_no_secret() {
    let google = Hint { domain_hint: "google.com".into(), name: "Google".into() };
    let rig = Rig::with(|config, _| config.issuers[0].hints.push(google)).await;
    let answer = Answer::of(rig.request(Method::GET, "/.well-known/luminous")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    assert_eq!(answer.header("content-type"), "application/json");
    let said: Discovery = serde_json::from_str(&answer.text).unwrap();
    assert_eq!((said.version, said.api.as_str()), (1, rig.base.as_str()));
    let provider = said.provider;
    let issuer = format!("{}{DEMO_TENANT_ID}/v2.0/", rig.emulator.base_url());
    assert_eq!(provider.issuer, Some(issuer), "asked for at the server's start");
    assert_eq!(provider.client_id, DEMO_APP_CLIENT_ID);
    assert_eq!(provider.password_reset_policy.as_deref(), Some(DEMO_RESET_POLICY));
    assert_eq!(provider.step_up_policy.as_deref(), Some(DEMO_MFA_POLICY));
    assert_eq!(provider.hints[0].name, "Google");
    assert!(provider.scopes.iter().any(|scope| scope == "offline_access"));
    assert!(!answer.text.contains("secret"), "{}", answer.text);
}

#[tokio::test]
async fn it_answers_while_the_provider_is_away() {
    let rig = Rig::down().await;
    let answer = Answer::of(rig.request(Method::GET, "/.well-known/luminous")).await;
    assert_eq!(answer.json()["provider"]["issuer"], serde_json::Value::Null);
}
