//! What other services and clients learn: metadata (RFC 8414), introspection (RFC 7662).

use std::time::Duration;

use luminous_domain::Clock as _;
use reqwest::Method;
use serde_json::{Value, json};

use crate::display::Display;
use crate::rig::{Answer, Rig, Someone};

const SERVICE: &str = "a service's own token";
const INTROSPECT: &str = "/oauth2/introspect";

async fn home() -> (Rig, Someone, Display) {
    let rig = Rig::with(|config, _| {
        let token = config.key_file.with_file_name("introspection-token");
        std::fs::write(&token, "services-token").unwrap();
        config.displays.introspection_token_file = Some(token);
    })
    .await;
    let ana = rig.owner("ana").await;
    let display = Display::linked(&rig, &ana).await;
    (rig, ana, display)
}

async fn introspect(rig: &Rig, form: &[(&str, &str)]) -> Answer {
    let request = rig.request(Method::POST, INTROSPECT).bearer_auth("services-token");
    Answer::of(request.form(form)).await
}

#[tokio::test]
async fn the_metadata_says_what_a_standard_client_needs() {
    let (rig, ..) = home().await;
    let path = "/.well-known/oauth-authorization-server";
    let answer = Answer::of(rig.request(Method::GET, path)).await;
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let base = &rig.base;
    assert_eq!(
        answer.json(),
        json!({
            "issuer": base,
            "device_authorization_endpoint": format!("{base}/oauth2/device_authorization"),
            "token_endpoint": format!("{base}/oauth2/token"),
            "revocation_endpoint": format!("{base}/oauth2/revoke"),
            "introspection_endpoint": format!("{base}/oauth2/introspect"),
            "jwks_uri": format!("{base}/.well-known/jwks.json"),
            "scopes_supported": ["display"],
            "response_types_supported": [],
            "grant_types_supported":
                ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["none"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "dpop_signing_alg_values_supported": ["ES256"],
        })
    );
    let plain = Rig::start().await;
    let answer = Answer::of(plain.request(Method::GET, path)).await.json();
    assert_eq!(answer.get("introspection_endpoint"), None);
}

#[tokio::test]
async fn a_live_access_token_is_told_and_everything_else_is_not_active() {
    let (rig, ana, mut display) = home().await;
    let access = display.token("access_token").to_owned();
    let refresh = display.token("refresh_token").to_owned();
    let said = introspect(&rig, &[("token", &access)]).await;
    assert_eq!(said.header("cache-control"), "no-store");
    let said = said.json();
    let now = rig.clock.now().as_second();
    for (claim, value) in [
        ("active", json!(true)),
        ("sub", display.tokens["device_id"].clone()),
        ("family_id", json!(ana.family())),
        ("role", json!("display")),
        ("scope", json!("display")),
        ("token_type", json!("DPoP")),
        ("exp", json!(now + 1800)),
        ("iss", json!(rig.base)),
    ] {
        assert_eq!(said[claim], value, "{claim}");
    }
    assert_eq!(said["cnf"]["jkt"].as_str().unwrap().len(), 43);
    for hint in ["", "refresh_token", "access_token", "unheard_of"] {
        for (token, kind) in [(&refresh, "refresh_token"), (&access, "DPoP")] {
            let hinted = [("token", &**token), ("token_type_hint", hint)];
            let told = introspect(&rig, &hinted).await.json();
            assert_eq!((&told["active"], &told["token_type"]), (&json!(true), &json!(kind)));
        }
    }
    let nothing = json!({ "active": false });
    let persons = rig.token(&ana);
    for token in ["nonsense", "non.sen.se", &access[..access.len() - 1], &persons] {
        assert_eq!(introspect(&rig, &[("token", token)]).await.json(), nothing);
    }
    assert_eq!(introspect(&rig, &[]).await.oauth(), "400 invalid_request");

    rig.pass(Duration::from_secs(1800));
    assert_eq!(introspect(&rig, &[("token", &access)]).await.json(), nothing, "over");
    display.refresh(&rig).await;
    let access = display.token("access_token").to_owned();
    assert_eq!(introspect(&rig, &[("token", &access)]).await.json()["active"], true);
    let (_, act) = rig.arrive(&ana).await;
    let by = ana.place().member;
    rig.store.revoke_device(ana.family(), display.id(), by, &act).await.unwrap();
    assert_eq!(introspect(&rig, &[("token", &access)]).await.json(), nothing, "revoked");
    let refresh = display.token("refresh_token");
    let hinted = [("token", refresh), ("token_type_hint", "refresh_token")];
    assert_eq!(introspect(&rig, &hinted).await.json(), nothing);
}

#[tokio::test]
async fn only_a_service_may_introspect_and_nobody_where_none_is_configured() {
    let (rig, ana, display) = home().await;
    let token = display.token("access_token");
    let ask = |rig: &Rig| rig.request(Method::POST, INTROSPECT).form(&[("token", token)]);
    for request in [
        ask(&rig),
        ask(&rig).bearer_auth("services-toke"),
        ask(&rig).bearer_auth(rig.token(&ana)),
        ask(&rig).basic_auth("service", Some(SERVICE)),
    ] {
        let answer = Answer::of(request).await;
        assert_eq!(answer.oauth(), "401 invalid_client");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        assert_eq!(answer.json().get("active"), None::<&Value>);
    }
    let plain = Rig::start().await;
    assert_eq!(Answer::of(ask(&plain)).await.outcome(), "404 resource.not_found");
}
