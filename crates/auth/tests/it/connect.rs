//! The first connection: one address, and what the family server there says of itself.

use luminous_emulator::{Config, DEMO_APP_CLIENT_ID, DEMO_POLICY, DEMO_TENANT};
use luminous_testkit::EmulatorRig;
use luminous_testkit::scripted_api::{FAMILY_SERVER, Say};
use luminous_wire::{
    ConnectRequest, Connection, ErrorCode, FamilyStanding, SessionSnapshot, SignInIntent,
    SignOutScope, Stage,
};
use serde_json::{Value, json};

const PLACE: &str = "/.well-known/luminous";

fn to(address: &str) -> ConnectRequest {
    ConnectRequest { address: address.to_owned() }
}

/// What a family server behind this emulator says of itself.
fn discovery(rig: &EmulatorRig) -> Value {
    json!({
        "version": 1,
        "name": "Home",
        "api": FAMILY_SERVER,
        "provider": {
            "address": format!("{}{DEMO_TENANT}/{DEMO_POLICY}", rig.emulator.base_url()),
            "issuer": null,
            "client_id": DEMO_APP_CLIENT_ID,
            "scopes": ["openid", "offline_access", DEMO_APP_CLIENT_ID],
            "password_reset_policy": "B2C_1_passwordreset1",
            "profile_edit_policy": null,
            "step_up_policy": "B2C_1_mfa1",
            "hints": [{ "domain_hint": "google.com", "name": "Google" }],
        },
    })
}

#[tokio::test]
async fn one_address_leads_to_everything_and_is_remembered() {
    let mut rig = EmulatorRig::unconnected(Config::demo()).await;
    assert_eq!(rig.snapshot().stage, Stage::Unconfigured { address: None });
    rig.api.script(PLACE, [Say::Json(discovery(&rig))]);
    rig.session.connect(to("family.example.test")).await.unwrap();
    let shown = rig.snapshot().provider.unwrap();
    assert_eq!((shown.host.as_str(), shown.demo), ("localhost", false));
    assert_eq!((shown.password_reset, shown.profile_edit), (true, false));
    assert_eq!(shown.hints[0].name, "Google");

    rig.sign_in().await;
    let is_member = |stage: &Stage| {
        matches!(stage, Stage::SignedIn { family: FamilyStanding::Member { .. }, .. })
    };
    rig.until(|snapshot| is_member(&snapshot.stage)).await;
    let refused = rig.session.connect(to("family.example.test")).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ConfigInvalid, "not while somebody is signed in");

    rig.restart().await;
    assert_eq!(rig.snapshot().provider.unwrap(), shown, "without asking again");
    let online =
        |stage: &Stage| matches!(stage, Stage::SignedIn { connection: Connection::Online, .. });
    rig.until(|snapshot| online(&snapshot.stage)).await;
    assert!(rig.api.requests_to(PLACE)[0].token.is_empty(), "there is no token to send yet");
}

#[tokio::test]
async fn what_is_no_family_server_is_said_so_and_nothing_is_remembered() {
    let mut rig = EmulatorRig::unconnected(Config::demo()).await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut said = discovery(&rig);
        change(&mut said);
        Say::Json(said)
    };
    let cases = [
        (Say::Raw(200, "text/html", "<h1>Hello</h1>"), ErrorCode::ServerNotLuminous),
        (Say::Raw(302, "text/html", ""), ErrorCode::ServerNotLuminous),
        (Say::Raw(404, "application/problem+json", "{}"), ErrorCode::ServerNotLuminous),
        (Say::Raw(200, "application/json", "{}"), ErrorCode::ServerNotLuminous),
        (Say::Raw(503, "text/html", ""), ErrorCode::ServerBusy),
        (Say::Unreachable, ErrorCode::ServerUnreachable),
        (with(&|said| said["version"] = json!(2)), ErrorCode::ServerNotLuminous),
        (
            with(&|said| said["api"] = json!("http://family.example.test")),
            ErrorCode::ServerNotLuminous,
        ),
        (with(&|said| said["provider"]["client_id"] = json!(" ")), ErrorCode::ServerNotLuminous),
        (
            with(&|said| said["provider"]["issuer"] = json!("https://elsewhere.example/v2.0/")),
            ErrorCode::DiscoveryFailed,
        ),
        (
            with(&|said| said["provider"]["address"] = json!("http://localhost:9/oidc")),
            ErrorCode::NetUnreachable,
        ),
    ];
    for (answer, code) in cases {
        rig.api.script(PLACE, [answer.clone()]);
        let error = rig.session.connect(to("family.example.test")).await.unwrap_err();
        assert_eq!(error.code, code, "{answer:?}: {error:?}");
        assert_eq!(rig.snapshot().stage, Stage::Unconfigured { address: None }, "{answer:?}");
    }
    for address in ["", "not an address", "http://family.example.test"] {
        let error = rig.session.connect(to(address)).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::ConfigInvalid, "{address}");
    }
    rig.restart().await;
    assert_eq!(rig.snapshot().stage, Stage::Unconfigured { address: None });
}

#[tokio::test]
async fn only_an_identity_provider_that_was_offered_is_gone_to() {
    let rig = EmulatorRig::unconnected(Config::demo()).await;
    rig.api.script(PLACE, [Say::Json(discovery(&rig))]);
    rig.session.connect(to(FAMILY_SERVER)).await.unwrap();
    let error = rig.session.begin_sign_in(SignInIntent::SignIn, Some("evil.example")).await;
    assert_eq!(error.unwrap_err().code, ErrorCode::ConfigInvalid);
    assert!(rig.browser.opened().is_empty());
    rig.session.begin_sign_in(SignInIntent::SignIn, Some("google.com")).await.unwrap();
    let link = rig.browser.opened().pop().unwrap();
    assert!(link.query().unwrap().contains("domain_hint=google.com"), "{link}");
}

#[tokio::test]
async fn a_configured_family_server_is_gone_to_without_asking() {
    let rig = EmulatorRig::unconnected(Config::demo()).await;
    rig.api.script(PLACE, [Say::Json(discovery(&rig))]);
    let session = rig.configured("family.example.test");
    assert_eq!(session.snapshots().borrow().stage, Stage::Starting);
    session.start().await;
    let known = |stage: &Stage| matches!(stage, Stage::SignedOut { .. });
    session.snapshots().wait_for(|snapshot| known(&snapshot.stage)).await.unwrap();
    let shown = session.snapshots().borrow().provider.clone().unwrap();
    assert!(!shown.changeable, "the configuration names it");
    assert!(session.disconnect().await.is_err());
}

#[tokio::test]
async fn u3_a_configured_address_that_is_no_family_server_is_shown_to_be_mended() {
    let rig = EmulatorRig::unconnected(Config::demo()).await;
    rig.api.script(PLACE, [Say::Raw(404, "text/plain", "")]);
    let session = rig.configured("family.example.test");
    session.start().await;
    let mut snapshots = session.snapshots();
    let address = Some("family.example.test".to_owned());
    let shown = snapshots
        .wait_for(|snapshot| snapshot.stage == Stage::Unconfigured { address: address.clone() })
        .await
        .unwrap()
        .clone();
    assert_eq!(problem(&shown), Some(ErrorCode::ServerNotLuminous));
}

fn problem(snapshot: &SessionSnapshot) -> Option<ErrorCode> {
    snapshot.problem.as_ref().map(|problem| problem.code)
}

#[tokio::test]
async fn u2_whoever_is_signed_out_may_go_to_another_family_server() {
    let mut rig = EmulatorRig::unconnected(Config::demo()).await;
    rig.api.script(PLACE, [Say::Json(discovery(&rig))]);
    rig.session.connect(to("family.example.test")).await.unwrap();
    assert!(rig.snapshot().provider.unwrap().changeable);
    rig.sign_in().await;
    let refused = rig.session.disconnect().await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::ConfigInvalid, "not while somebody is signed in");
    rig.session.sign_out(SignOutScope::Here).await.unwrap();
    rig.session.disconnect().await.unwrap();
    let nowhere = Stage::Unconfigured { address: None };
    assert_eq!((rig.snapshot().stage, rig.snapshot().provider), (nowhere.clone(), None));
    rig.restart().await;
    assert_eq!(rig.snapshot().stage, nowhere, "and it is forgotten");
}
