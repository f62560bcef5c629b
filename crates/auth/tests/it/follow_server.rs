//! Keeping up with the family server: one that is away, one that changed, one that moved.

use std::time::Duration;

use luminous_testkit::SessionRig;
use luminous_testkit::scripted::RESET_POLICY;
use luminous_testkit::scripted_api::{FAMILY_SERVER, Say};
use luminous_wire::{ConnectRequest, Connection, ErrorCode, SessionSnapshot, SignOutScope, Stage};
use serde_json::{Value, json};

const PLACE: &str = "/.well-known/luminous";
const MOVED: &str = "https://new.family.example.test";

fn problem(snapshot: &SessionSnapshot) -> Option<ErrorCode> {
    snapshot.problem.as_ref().map(|problem| problem.code)
}

fn is_online(snapshot: &SessionSnapshot) -> bool {
    matches!(snapshot.stage, Stage::SignedIn { connection: Connection::Online, .. })
}

fn is_signed_out(snapshot: &SessionSnapshot) -> bool {
    matches!(snapshot.stage, Stage::SignedOut { .. })
}

/// The app is connected to the family server by a person, and somebody is signed in.
async fn at_home() -> SessionRig {
    let mut rig = SessionRig::with_policies();
    rig.restart_at(None).await;
    rig.session.start().await;
    rig.api.script(PLACE, [Say::Json(rig.discovery())]);
    let address = FAMILY_SERVER.to_owned();
    rig.session.connect(ConnectRequest { address }).await.unwrap();
    rig.sign_in().await;
    rig
}

#[tokio::test(start_paused = true)]
async fn u3_a_configured_family_server_that_is_away_is_waited_for() {
    let mut rig = SessionRig::served();
    rig.restart_at(Some(FAMILY_SERVER)).await;
    let say = [Say::Unreachable, Say::Raw(503, "text/html", ""), Say::Json(rig.discovery())];
    rig.api.script(PLACE, say);
    assert_eq!(rig.snapshot().stage, Stage::Starting);
    rig.session.start().await;
    for code in [ErrorCode::ServerUnreachable, ErrorCode::ServerBusy] {
        let shown = rig.until(|snapshot| problem(snapshot) == Some(code)).await;
        assert_eq!(shown.stage, Stage::Starting, "and nobody is asked for another");
        rig.advance(Duration::from_secs(4)).await;
    }
    let shown = rig.until(is_signed_out).await;
    assert_eq!(shown.problem, None);
}

/// After a restart the family server says `change` of itself.
async fn after(rig: &mut SessionRig, change: impl FnOnce(&mut Value)) {
    let mut said = rig.discovery();
    change(&mut said);
    let asked = rig.api.requests_to(PLACE).len();
    rig.api.script(PLACE, [Say::Json(said)]);
    rig.restart().await;
    rig.session.start().await;
    rig.api.until_requests_to(PLACE, asked + 1).await;
    rig.until(is_online).await;
    rig.advance(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn s2_what_a_known_family_server_says_anew_is_taken_over() {
    let mut rig = at_home().await;
    assert!(!rig.snapshot().provider.unwrap().password_reset);
    after(&mut rig, |said| {
        said["provider"]["password_reset_policy"] = json!(RESET_POLICY);
        said["provider"]["hints"] = json!([{ "domain_hint": "google.com", "name": "Google" }]);
    })
    .await;
    let taken = |snapshot: &SessionSnapshot| {
        let provider = snapshot.provider.clone().unwrap();
        provider.password_reset && provider.hints.len() == 1
    };
    rig.until(taken).await;
    rig.restart().await;
    assert!(taken(&rig.snapshot()), "and remembered");
}

#[tokio::test(start_paused = true)]
async fn s2_whom_to_sign_in_with_and_where_tokens_go_does_not_change_by_itself() {
    let mut rig = at_home().await;
    let before = rig.snapshot().provider;
    for change in [
        |said: &mut Value| said["api"] = json!("https://evil.example.test"),
        |said: &mut Value| said["provider"]["client_id"] = json!("another"),
    ] {
        after(&mut rig, |said| {
            said["provider"]["password_reset_policy"] = json!(RESET_POLICY);
            change(said);
        })
        .await;
        assert_eq!(rig.snapshot().provider, before);
    }
    rig.session.load_family().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn u1_a_configuration_that_names_another_address_of_the_same_keeps_the_sign_in() {
    let mut rig = at_home().await;
    rig.restart_at(Some(MOVED)).await;
    rig.api.script(PLACE, [Say::Unreachable, Say::Json(rig.discovery())]);
    assert!(matches!(rig.snapshot().stage, Stage::SignedIn { .. }), "in the first frame");
    rig.session.start().await;
    rig.until(|snapshot| problem(snapshot) == Some(ErrorCode::ServerUnreachable)).await;
    rig.advance(Duration::from_secs(10)).await;
    let shown = rig.until(is_online).await;
    assert_eq!(shown.problem, None);
    assert!(!shown.provider.unwrap().changeable);
}

#[tokio::test(start_paused = true)]
async fn u1_a_configuration_that_names_another_provider_can_be_signed_out_to() {
    let mut rig = at_home().await;
    let requests = rig.provider.token_requests().len();
    rig.restart_at(Some(MOVED)).await;
    let mut said = rig.discovery();
    said["provider"]["client_id"] = json!("another");
    rig.api.script(PLACE, [Say::Json(said)]);
    rig.session.start().await;
    let other = ErrorCode::SessionOtherProvider;
    let shown = rig.until(|snapshot| problem(snapshot) == Some(other)).await;
    assert!(matches!(shown.stage, Stage::SignedIn { .. }));
    assert_eq!(rig.provider.token_requests().len(), requests, "the grant is sent nowhere else");
    rig.session.sign_out(SignOutScope::Here).await.unwrap();
    assert!(is_signed_out(&rig.snapshot()));
    let link = rig.begin().await;
    assert!(link.query().unwrap().contains("client_id=another"), "{link}");
}

#[tokio::test(start_paused = true)]
async fn s6_who_signs_in_while_another_server_is_asked_stays_where_they_are() {
    let rig = at_home().await;
    rig.session.sign_out(SignOutScope::Here).await.unwrap();
    let before = rig.snapshot().provider;
    let mut said = rig.discovery();
    said["provider"]["password_reset_policy"] = json!(RESET_POLICY);
    rig.api.script(PLACE, [Say::Json(said)]);
    let asked = rig.api.requests_to(PLACE).len();
    rig.api.hold();
    let session = rig.session.clone();
    let request = ConnectRequest { address: MOVED.to_owned() };
    let connect = tokio::spawn(async move { session.connect(request).await });
    rig.api.until_requests_to(PLACE, asked + 1).await;
    rig.sign_in().await;
    rig.api.release();
    assert_eq!(connect.await.unwrap().unwrap_err().code, ErrorCode::ConfigInvalid);
    assert_eq!(rig.snapshot().provider, before);
}

#[tokio::test(start_paused = true)]
async fn u2_a_server_that_is_left_takes_what_waited_there_along() {
    let rig = at_home().await;
    rig.session.sign_out(SignOutScope::Here).await.unwrap();
    let link = rig.begin().await;
    rig.session.disconnect().await.unwrap();
    assert_eq!(rig.snapshot().stage, Stage::Unconfigured { address: None });
    let late = rig.provider.authorize(&link);
    let error = rig.session.redirect(late.as_bytes()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::RedirectNoPending, "what waited there is given up");
}
