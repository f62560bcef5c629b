//! The control over HTTP, the request log, and who is answered at all.

use luminous_emulator::{Config, Emulator, Endpoint, Event, ListenError, StartError};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::{EMAIL, PASSWORD, VERIFIER, World, claims, metadata_path, text};

const SECRET: &str = "a-secret-of-this-test";

async fn command(world: &World, secret: &str, command: Value) -> (StatusCode, Value) {
    let request =
        world.http.post(world.url("emulator/control")).header("x-emulator-control", secret);
    let response = request.json(&command).send().await.unwrap();
    (response.status(), response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn without_a_secret_in_the_configuration_there_is_no_control() {
    let world = World::start().await;
    let (status, _) = command(&world, "", json!({ "command": "clear" })).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_wrong_or_missing_secret_is_forbidden_and_does_nothing() {
    let world = World::with_ana(|config| config.control_secret = Some(SECRET.into())).await;
    let delete = json!({ "command": "delete_user", "email": EMAIL });
    for wrong in ["", "wrong", "a-secret-of-this-tesT"] {
        assert_eq!(command(&world, wrong, delete.clone()).await.0, StatusCode::FORBIDDEN);
    }
    let bare = world.http.post(world.url("emulator/control")).json(&delete).send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::FORBIDDEN);
    assert!(world.emulator.control().user(EMAIL).unwrap().is_some());
}

#[tokio::test]
async fn commands_do_what_the_methods_do() {
    let world = World::with(|config| config.control_secret = Some(SECRET.into())).await;
    let send = |value| command(&world, SECRET, value);
    let made =
        json!({ "command": "create_user", "email": EMAIL, "name": "Ana", "password": PASSWORD });
    let (status, body) = send(made.clone()).await;
    assert_eq!(status, StatusCode::OK);
    assert!(body["oid"].is_string());
    assert_eq!(send(made).await.0, StatusCode::CONFLICT);

    let (status, _) = send(json!({ "command": "lie", "lie": "wrong_issuer", "times": 1 })).await;
    assert_eq!(status, StatusCode::OK);
    let tokens = world.tokens().await;
    assert_eq!(claims(text(&tokens, "id_token"))["iss"], "https://evil.example/v2.0/");

    for good in [
        json!({ "command": "fault", "endpoint": "discovery", "fault": { "unavailable": 5 }, "times": 1 }),
        json!({ "command": "metadata", "lie": { "issuer": "https://evil.example/" }, "times": 0 }),
        json!({ "command": "keys", "lie": "empty", "times": 0 }),
        json!({ "command": "respond", "lie": "no_refresh_token", "times": 0 }),
        json!({ "command": "redirect", "lie": "wrong_state", "times": 0 }),
        json!({ "command": "publish_next_key" }),
        json!({ "command": "promote_next_key" }),
        json!({ "command": "retire_old_keys" }),
        json!({ "command": "clear_sessions" }),
        json!({ "command": "release" }),
    ] {
        assert_eq!(send(good.clone()).await.0, StatusCode::OK, "{good}");
    }
    let down = world.http.get(world.url(&metadata_path())).send().await.unwrap();
    assert_eq!(down.status(), StatusCode::SERVICE_UNAVAILABLE);
    let count = json!({ "command": "requests", "endpoint": "discovery" });
    assert_eq!(send(count).await.1, json!({ "count": 1 }));
    let events = json!({ "command": "count", "event": "code_redeemed" });
    assert_eq!(send(events).await.1, json!({ "count": 1 }));
    let revoke = json!({ "command": "revoke_refresh_tokens", "email": EMAIL });
    assert_eq!(send(revoke).await.1, json!({ "revoked": 1 }));
    assert_eq!(send(json!({ "command": "delete_user", "email": EMAIL })).await.0, StatusCode::OK);
    let gone = json!({ "command": "delete_user", "email": EMAIL });
    assert_eq!(send(gone).await.0, StatusCode::CONFLICT);
    for bad in [
        json!({}),
        json!({ "command": "explode" }),
        json!({ "command": "lie", "lie": "wrong_nonce", "tmes": 1 }),
    ] {
        assert_eq!(send(bad.clone()).await.0, StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn second_factors_and_mail_can_be_had_from_outside() {
    let world = World::with_ana(|config| config.control_secret = Some("open".into())).await;
    let send = async |command: Value| {
        let request = world.http.post(world.url("emulator/control"));
        let request = request.header("x-emulator-control", "open").json(&command);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{command}");
        response.json::<Value>().await.unwrap()
    };
    let about_ana = |command: &str| json!({ "command": command, "email": EMAIL });
    assert_eq!(send(about_ana("second_factor_code")).await, json!({ "code": null }));
    send(about_ana("enrol_second_factor")).await;
    let code = send(about_ana("second_factor_code")).await["code"].clone();
    assert_eq!(code.as_str().unwrap().len(), 6);
    let forget = about_ana("forget_second_factor");
    assert_eq!(send(forget.clone()).await, json!({ "forgotten": true }));
    assert_eq!(send(forget).await, json!({ "forgotten": false }));
    assert_eq!(send(json!({ "command": "mailbox" })).await, json!({ "mail": [] }));
    send(json!({ "command": "connector_down", "times": 1 })).await;
}

#[tokio::test]
async fn s9_the_request_log_holds_names_and_no_values() {
    let world = World::with_ana(|_| {}).await;
    let tokens = world.tokens().await;
    world.refresh(text(&tokens, "refresh_token")).await;
    let log = world.emulator.control().request_log();
    assert_eq!(log.len(), 3);
    assert_eq!(log[0].endpoint, Endpoint::Authorize);
    assert_eq!(log[1].grant_type.as_deref(), Some("authorization_code"));
    assert!(log[1].parameters.contains(&"code_verifier".to_owned()));
    assert_eq!(log[2].grant_type.as_deref(), Some("refresh_token"));
    let written = serde_json::to_string(&log).unwrap();
    for secret in [VERIFIER, PASSWORD, text(&tokens, "refresh_token"), "a-state-of-this-sign-in"] {
        assert!(!written.contains(secret));
    }
    assert_eq!(world.emulator.control().count(Event::CodeRedeemed), 1);
}

#[tokio::test]
async fn only_names_of_this_machine_are_answered() {
    let world = World::start().await;
    let request = world.http.get(world.url(&metadata_path())).header("host", "evil.example");
    assert_eq!(request.send().await.unwrap().status(), StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn nothing_but_loopback_is_ever_listened_on() {
    for address in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let config = Config { listen: address.parse().unwrap(), ..Config::demo() };
        let refused = Emulator::start(config).await.err();
        assert!(
            matches!(refused, Some(StartError::Listen(ListenError::NotLoopback(_)))),
            "{address}"
        );
    }
}

#[tokio::test]
async fn both_loopback_addresses_answer_and_a_taken_port_is_an_error() {
    let world = World::start().await;
    let port = world.emulator.base_url().port().unwrap();
    let path = metadata_path();
    let v4 = world.http.get(format!("http://127.0.0.1:{port}/{path}")).send().await.unwrap();
    assert_eq!(v4.status(), StatusCode::OK);
    // A machine without IPv6 has nothing to answer on.
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        let v6 = world.http.get(format!("http://[::1]:{port}/{path}")).send().await.unwrap();
        assert_eq!(v6.status(), StatusCode::OK);
    }
    let listen = format!("127.0.0.1:{port}").parse().unwrap();
    let second = Emulator::start(Config { listen, ..Config::demo() }).await.err();
    assert!(matches!(second, Some(StartError::Listen(ListenError::Bind { .. }))));
}

#[tokio::test]
async fn the_environment_has_the_eight_variables_of_the_guide() {
    let world = World::start().await;
    let environment = world.emulator.environment();
    let names: Vec<&str> = environment.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        [
            "B2C_TENANT_ID",
            "B2C_CLIENT_ID",
            "B2C_CLIENT_SECRET",
            "B2C_SIGNIN_POLICY",
            "B2C_AUTHORITY",
            "B2C_SCOPE",
            "B2C_JWKS_URI",
            "B2C_OPENID_CONFIG"
        ]
    );
    let config = &environment[7].1;
    let document: Value = world.http.get(config).send().await.unwrap().json().await.unwrap();
    assert_eq!(document["jwks_uri"], environment[6].1);
    assert_eq!(document["issuer"], world.emulator.issuer());
}
