//! The provider's other policies over the real emulator, with a browser that walks their pages.

use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use luminous_auth::tokens::{TokenEndpoint, TokenFailure, Tokens};
use luminous_domain::{MemberId, RefreshToken, Role};
use luminous_emulator::{
    Config, DEMO_APP_CLIENT_ID, DEMO_MFA_POLICY, DEMO_POLICY, DEMO_TENANT, Event,
};
use luminous_oidc::{ReqwestClient, Trust};
use luminous_testkit::EmulatorRig;
use luminous_testkit::following::Visit;
use luminous_testkit::scripted_api::{FAMILY, MEMBER, Say};
use luminous_wire::api::ChangeMember;
use luminous_wire::{
    AppError, ErrorCode, FamilyStanding, SessionSnapshot, SignInIntent, SignOutScope, Stage,
};
use serde_json::Value;

const HOUR: Duration = Duration::from_secs(3600);

fn name(snapshot: &SessionSnapshot) -> Option<&str> {
    match &snapshot.stage {
        Stage::SignedIn { account, .. } => Some(&account.name),
        _ => None,
    }
}

fn goes_on(snapshot: &SessionSnapshot) -> bool {
    matches!(snapshot.stage, Stage::WaitingForBrowser { .. } | Stage::Finishing)
}

/// Begins and waits until the browser has had its say.
async fn visit(rig: &EmulatorRig, intent: SignInIntent, visit: Visit) -> SessionSnapshot {
    rig.browser.set_visit(visit);
    rig.session.begin_sign_in(intent, None).await.unwrap();
    rig.until(|snapshot| !goes_on(snapshot)).await
}

fn stored(rig: &EmulatorRig) -> Vec<(String, Vec<Vec<u8>>)> {
    let names = rig.store.names().into_iter().filter(|name| name.starts_with("session."));
    names.map(|name| (name.clone(), rig.store.values(&name))).collect()
}

/// The refresh token in the keyring.
fn refresh_token(rig: &EmulatorRig) -> RefreshToken {
    let values = stored(rig).into_iter().flat_map(|(_, values)| values);
    let records = values.filter_map(|value| BASE64_URL_SAFE_NO_PAD.decode(value).ok());
    let mut tokens = records.filter_map(|record| {
        let record: Value = serde_json::from_slice(&record).ok()?;
        Some(RefreshToken::new(record["refresh_token"].as_str()?))
    });
    tokens.next().unwrap()
}

/// Whoever has a refresh token tries it.
async fn present(rig: &EmulatorRig, token: &RefreshToken) -> Result<Tokens, TokenFailure> {
    let base = rig.emulator.base_url();
    let place = format!("{DEMO_TENANT}/{DEMO_POLICY}/oauth2/v2.0/token");
    let endpoint = TokenEndpoint {
        http: &ReqwestClient::new(Trust::system()).unwrap(),
        clock: &*rig.clock,
        url: &base.join(&place).unwrap(),
        client_id: DEMO_APP_CLIENT_ID,
    };
    endpoint.refresh(token, &["openid".to_owned()]).await.tokens
}

#[tokio::test]
async fn r9_forget_my_password_choose_another_and_be_signed_in() {
    let rig = EmulatorRig::start(Config::demo()).await;
    rig.sign_in().await;
    let old = refresh_token(&rig);
    rig.session.sign_out(SignOutScope::Here).await.unwrap();
    rig.emulator.control().clear_sessions().unwrap();

    let before = rig.browser.password();
    let snapshot = visit(&rig, SignInIntent::SignIn, Visit::Forget).await;
    assert_eq!((name(&snapshot), &snapshot.problem), (Some("Ana"), &None));
    assert_ne!(rig.browser.password(), before);
    assert_eq!(rig.emulator.control().count(Event::PasswordReset), 1);
    let refused = present(&rig, &old).await.unwrap_err();
    assert!(matches!(refused, TokenFailure::Ended(_)), "the old password's grant: {refused:?}");
}

#[tokio::test]
async fn a_new_password_by_its_button_ends_old_grants_and_ends_signed_in_again() {
    let rig = EmulatorRig::start(Config::demo()).await;
    rig.sign_in().await;
    let (old, token) = (stored(&rig), refresh_token(&rig));
    let snapshot = visit(&rig, SignInIntent::ResetPassword, Visit::SignIn).await;
    assert_eq!((name(&snapshot), &snapshot.problem), (Some("Ana"), &None));
    assert_eq!(rig.emulator.control().count(Event::PasswordReset), 1);
    assert_ne!(stored(&rig), old, "a sign-in of its own");
    let refused = present(&rig, &token).await.unwrap_err();
    assert!(matches!(refused, TokenFailure::Ended(_)), "{refused:?}");
    rig.clock.advance(HOUR);
    rig.session.access_token().await.unwrap();
}

#[tokio::test]
async fn a_new_name_by_its_button_is_shown_at_once() {
    let rig = EmulatorRig::start(Config::demo()).await;
    rig.sign_in().await;
    rig.browser.set_name("Ana Luz");
    let snapshot = visit(&rig, SignInIntent::EditProfile, Visit::SignIn).await;
    assert_eq!((name(&snapshot), &snapshot.problem), (Some("Ana Luz"), &None));

    let snapshot = visit(&rig, SignInIntent::EditProfile, Visit::Cancel).await;
    assert_eq!((name(&snapshot), &snapshot.problem), (Some("Ana Luz"), &None));
}

fn change_a_role(rig: &EmulatorRig) -> impl Future<Output = Result<(), AppError>> + use<> {
    let session = rig.session.clone();
    let request = ChangeMember { role: Some(Role::Admin), ..ChangeMember::default() };
    async move { session.change_member(MEMBER.parse::<MemberId>().unwrap(), &request).await }
}

/// What an access token says; nobody here judges it.
fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn u9_an_act_of_administration_goes_through_the_policy_of_the_second_factor() {
    let rig = EmulatorRig::served(Config::demo()).await;
    rig.sign_in().await;
    let at_home = rig
        .until(|snapshot| {
            matches!(&snapshot.stage, Stage::SignedIn { family: FamilyStanding::Member { .. }, .. })
        })
        .await;
    let before = stored(&rig);
    let place = format!("/api/families/{FAMILY}/members/{MEMBER}");

    rig.browser.set_visit(Visit::Cancel);
    rig.api.script(&place, [Say::StepUp(DEMO_MFA_POLICY)]);
    let error = change_a_role(&rig).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::SessionStepUpRequired);
    assert_eq!(rig.snapshot().problem, None);

    rig.browser.set_visit(Visit::SignIn);
    rig.api.script(&place, [Say::StepUp(DEMO_MFA_POLICY)]);
    change_a_role(&rig).await.unwrap();
    assert_eq!(rig.snapshot().stage, at_home.stage, "the window is where it was");
    let proof = rig.api.requests_to(&place).pop().unwrap().token;
    assert_eq!(claims(&proof)["tfp"], DEMO_MFA_POLICY);
    assert_eq!(stored(&rig), before, "the sign-in's grant is what it was");

    let opened = rig.browser.opened().len();
    change_a_role(&rig).await.unwrap();
    assert_eq!(rig.browser.opened().len(), opened, "the proof is still fresh");
    assert_eq!(rig.emulator.control().count(Event::SecondFactorShown), 1);
}
