//! The provider's other policies: a new password, another name, a second factor. None of their
//! results ever takes the place of the sign-in.

use std::time::Duration;

use luminous_domain::{MemberId, Role};
use luminous_testkit::SessionRig;
use luminous_testkit::scripted::{EDIT_POLICY, MFA_POLICY, RESET_POLICY, SIGN_IN_POLICY, Step};
use luminous_testkit::scripted_api::{FAMILY, FAMILY_SERVER, MEMBER, Say};
use luminous_wire::api::ChangeMember;
use luminous_wire::{
    AppError, BrowserPurpose, ErrorCode, FamilyStanding, SessionSnapshot, SignInIntent,
    SignedOutCause, Stage,
};
use serde_json::json;
use tokio::task::JoinHandle;
use url::Url;

/// Who is signed in, by their id.
fn account(rig: &SessionRig) -> Option<String> {
    match rig.snapshot().stage {
        Stage::SignedIn { account, .. } => Some(account.id),
        _ => None,
    }
}

fn query(link: &Url, name: &str) -> Option<String> {
    link.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The policy whose page a link opens.
fn policy(link: &Url) -> String {
    link.path_segments().unwrap().nth(1).unwrap().to_owned()
}

fn purpose(rig: &SessionRig) -> Option<BrowserPurpose> {
    match rig.snapshot().stage {
        Stage::WaitingForBrowser { purpose, .. } => Some(purpose),
        _ => None,
    }
}

fn name(snapshot: &SessionSnapshot) -> Option<&str> {
    match &snapshot.stage {
        Stage::SignedIn { account, .. } => Some(&account.name),
        _ => None,
    }
}

fn link(rig: &SessionRig) -> Url {
    Url::parse(&rig.session.sign_in_link().unwrap()).unwrap()
}

/// Somebody is signed in, and the family server has said where they belong.
async fn at_home(rig: &SessionRig) {
    rig.sign_in().await;
    rig.until(|snapshot| {
        matches!(&snapshot.stage, Stage::SignedIn { family: FamilyStanding::Member { .. }, .. })
    })
    .await;
}

fn change_a_role(rig: &SessionRig) -> JoinHandle<Result<(), AppError>> {
    let session = rig.session.clone();
    tokio::spawn(async move {
        let id: MemberId = MEMBER.parse().unwrap();
        let request = ChangeMember { role: Some(Role::Teen), ..ChangeMember::default() };
        session.change_member(id, &request).await
    })
}

async fn begin(rig: &SessionRig, intent: SignInIntent) -> Url {
    rig.session.begin_sign_in(intent, None).await.unwrap();
    link(rig)
}

async fn answer(rig: &SessionRig, link: &Url) {
    let redirect = rig.provider.authorize(link);
    rig.session.redirect(redirect.as_bytes()).await.unwrap();
}

async fn refuse(rig: &SessionRig, link: &Url, description: &str) -> Result<(), ErrorCode> {
    let state = query(link, "state").unwrap();
    let redirect = format!(
        "family.luminous.app://auth/callback?error=access_denied\
         &error_description={description}&state={state}"
    );
    rig.session.redirect(redirect.as_bytes()).await.map_err(|error| error.code)
}

#[tokio::test(start_paused = true)]
async fn r9_a_forgotten_password_leads_through_its_policy_to_a_sign_in() {
    let rig = SessionRig::with_policies();
    let first = begin(&rig, SignInIntent::SignIn).await;
    assert_eq!(policy(&first), SIGN_IN_POLICY);
    refuse(&rig, &first, "AADB2C90118%3a+forgotten").await.unwrap();
    assert_eq!(purpose(&rig), Some(BrowserPurpose::ResetPassword));
    assert_eq!(rig.snapshot().problem, None);
    let reset = link(&rig);
    assert_eq!(policy(&reset), RESET_POLICY);
    assert_eq!(query(&reset, "scope").as_deref(), Some("openid"), "no grant is asked for");

    answer(&rig, &reset).await;
    assert_eq!(purpose(&rig), Some(BrowserPurpose::SignIn));
    let again = link(&rig);
    assert_eq!(policy(&again), SIGN_IN_POLICY);
    assert_eq!(query(&again, "login_hint").as_deref(), Some("person-1@example.test"));
    assert!(rig.stored_sign_in().is_empty(), "the reset itself signed nobody in");

    answer(&rig, &again).await;
    assert_eq!(name(&rig.snapshot()), Some("Name of person-1"));
    assert_eq!(rig.browser.opened(), [first, reset, again]);
}

#[tokio::test(start_paused = true)]
async fn r9_without_a_policy_for_it_a_forgotten_password_is_said() {
    let rig = SessionRig::new();
    let first = begin(&rig, SignInIntent::SignIn).await;
    let code = refuse(&rig, &first, "AADB2C90118%3a+forgotten").await.unwrap_err();
    assert_eq!(code, ErrorCode::RedirectPasswordReset);
    let error = rig.session.begin_sign_in(SignInIntent::ResetPassword, None).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::ConfigInvalid);
}

#[tokio::test(start_paused = true)]
async fn s2_the_policy_that_the_server_asks_for_now_counts_more_than_the_one_it_named_once() {
    let rig = SessionRig::with_policies();
    at_home(&rig).await;
    let place = format!("/api/families/{FAMILY}/members/{MEMBER}");
    for (class, asked) in [("B2C_1_other", "B2C_1_other"), ("mfa", MFA_POLICY)] {
        rig.api.script(&place, [Say::StepUp(class)]);
        let act = change_a_role(&rig);
        rig.until(|snapshot| matches!(snapshot.stage, Stage::WaitingForBrowser { .. })).await;
        assert_eq!(policy(&link(&rig)), asked);
        rig.session.cancel_step_up().await;
        act.await.unwrap().unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn u7_without_a_policy_for_a_second_factor_there_is_no_way_to_prove_one() {
    let mut rig = SessionRig::with_policies();
    rig.restart_at(Some(FAMILY_SERVER)).await;
    rig.api.script("/.well-known/luminous", [Say::Json(rig.discovery())]);
    rig.session.start().await;
    rig.until(|snapshot| matches!(snapshot.stage, Stage::SignedOut { .. })).await;
    at_home(&rig).await;
    rig.api.script(&format!("/api/families/{FAMILY}/members/{MEMBER}"), [Say::StepUp("mfa")]);
    let error = change_a_role(&rig).await.unwrap().unwrap_err();
    assert_eq!(error.code, ErrorCode::SessionStepUpUnavailable);
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_was_cancelled_leaves_everything_as_it_was() {
    let rig = SessionRig::with_policies();
    at_home(&rig).await;
    let (before, stored) = (rig.snapshot().stage, rig.stored_sign_in());
    let reset = begin(&rig, SignInIntent::ResetPassword).await;
    let code = refuse(&rig, &reset, "AADB2C90091%3a+cancelled").await.unwrap_err();
    assert_eq!(code, ErrorCode::RedirectCancelled);
    assert_eq!((rig.snapshot().stage, rig.snapshot().problem), (before, None));
    assert_eq!(rig.stored_sign_in(), stored);
}

#[tokio::test(start_paused = true)]
async fn f12_a_reset_ends_the_old_grants_and_ends_signed_in_again() {
    let rig = SessionRig::with_policies();
    rig.session.start().await;
    rig.sign_in().await;
    let stored = rig.stored_sign_in();
    let reset = begin(&rig, SignInIntent::ResetPassword).await;
    answer(&rig, &reset).await;
    assert_eq!(rig.stored_sign_in(), stored, "vault bytes are unchanged by the reset's result");

    // The provider ended what was given for the old password, and says so at the next refresh.
    rig.session.cancel_sign_in().await.unwrap();
    let Stage::SignedIn { account, .. } = rig.snapshot().stage else { panic!("signed in") };
    rig.provider.script([Step::Error("invalid_grant", "AADB2C90129: revoked")]);
    rig.advance(Duration::from_secs(3600)).await;
    rig.session.access_token().await.unwrap_err();
    let last_account = Some(account);
    let ended = Stage::SignedOut { cause: SignedOutCause::Ended, last_account };
    assert_eq!(rig.snapshot().stage, ended);
    rig.sign_in().await;
    assert_ne!(rig.stored_sign_in(), stored);
}

#[tokio::test(start_paused = true)]
async fn a_changed_profile_arrives_through_the_sign_in_policy_and_the_grant_stays_its_own() {
    let rig = SessionRig::with_policies();
    rig.sign_in().await;
    let edit = begin(&rig, SignInIntent::EditProfile).await;
    assert_eq!(
        (policy(&edit), purpose(&rig)),
        (EDIT_POLICY.to_owned(), Some(BrowserPurpose::EditProfile))
    );
    assert_eq!(query(&edit, "scope").as_deref(), Some("openid"));
    rig.provider.set_name("Ana Luz");
    answer(&rig, &edit).await;
    assert_eq!(name(&rig.snapshot()), Some("Ana Luz"));
    let requests = rig.provider.token_requests();
    let asked: Vec<_> =
        requests.iter().map(|asked| (asked.get("grant_type"), asked.get("policy"))).collect();
    assert_eq!(
        asked[1..],
        [
            (Some("authorization_code"), Some(EDIT_POLICY)),
            (Some("refresh_token"), Some(SIGN_IN_POLICY)),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn results_of_other_policies_leave_the_vaults_bytes_alone() {
    let rig = SessionRig::with_policies();
    at_home(&rig).await;
    let stored = rig.stored_sign_in();
    let edit = begin(&rig, SignInIntent::EditProfile).await;
    let redirect = rig.provider.authorize(&edit);
    // The refresh that brings the new name does not rotate here: any change would be the edit's.
    rig.provider.script([
        Step::Tokens(json!({ "refresh_token": "canary-refresh-of-the-edit" })),
        Step::Tokens(json!({ "refresh_token": null })),
    ]);
    rig.session.redirect(redirect.as_bytes()).await.unwrap();
    assert_eq!(rig.stored_sign_in(), stored);

    let place = format!("/api/families/{FAMILY}/members/{MEMBER}");
    rig.api.script(&place, [Say::StepUp(MFA_POLICY)]);
    let act = change_a_role(&rig);
    rig.until(|snapshot| matches!(snapshot.stage, Stage::WaitingForBrowser { .. })).await;
    let step_up = link(&rig);
    assert_eq!(policy(&step_up), MFA_POLICY);
    assert_eq!(query(&step_up, "acr_values"), None, "the policy says it");
    answer(&rig, &step_up).await;
    act.await.unwrap().unwrap();
    assert_eq!(rig.stored_sign_in(), stored);
    let exchanged = rig.provider.token_requests().pop().unwrap();
    assert_eq!(exchanged.get("policy"), Some(MFA_POLICY));
}

#[tokio::test(start_paused = true)]
async fn f8_another_persons_answer_changes_nothing() {
    let rig = SessionRig::with_policies();
    at_home(&rig).await;
    let (before, stored) = (rig.snapshot().stage, rig.stored_sign_in());
    for intent in [SignInIntent::EditProfile, SignInIntent::ResetPassword] {
        let asked = begin(&rig, intent).await;
        rig.provider.set_person("person-2");
        let redirect = rig.provider.authorize(&asked);
        rig.provider.set_person("person-1");
        let error = rig.session.redirect(redirect.as_bytes()).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::SessionIdentityChanged, "{intent:?}");
        assert_eq!(rig.snapshot().problem.unwrap().code, ErrorCode::SessionIdentityChanged);
        assert_eq!((rig.snapshot().stage, rig.stored_sign_in()), (before.clone(), stored.clone()));
    }
}

#[tokio::test(start_paused = true)]
async fn v11_a_token_of_another_policy_than_the_one_asked_is_refused() {
    let rig = SessionRig::with_policies();
    rig.sign_in().await;
    let edit = begin(&rig, SignInIntent::EditProfile).await;
    let redirect = rig.provider.authorize(&edit);
    rig.provider.script([Step::IdToken(json!({ "tfp": SIGN_IN_POLICY }))]);
    let error = rig.session.redirect(redirect.as_bytes()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::TokenRejected);
}

#[tokio::test(start_paused = true)]
async fn nobodys_profile_is_edited() {
    let rig = SessionRig::with_policies();
    let error = rig.session.begin_sign_in(SignInIntent::EditProfile, None).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::SessionReauthRequired);
    assert!(rig.browser.opened().is_empty());
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_each_answer_is_taken_for_what_was_asked() {
    let mut rig = SessionRig::with_policies();
    rig.sign_in().await;
    let before = account(&rig);
    let edit = begin(&rig, SignInIntent::EditProfile).await;
    rig.provider.set_name("Ana Luz");
    let redirect = rig.provider.authorize(&edit);
    rig.restart().await;
    rig.session.redirect_received(redirect.as_bytes());
    rig.session.start().await;
    rig.until(|snapshot| name(snapshot) == Some("Ana Luz")).await;
    assert_eq!(account(&rig), before, "nobody else is signed in");
    let policies: Vec<_> = rig
        .provider
        .token_requests()
        .iter()
        .map(|asked| asked.get("policy").map(str::to_owned))
        .collect();
    assert!(policies.contains(&Some(EDIT_POLICY.to_owned())));

    let reset = begin(&rig, SignInIntent::ResetPassword).await;
    let redirect = rig.provider.authorize(&reset);
    rig.restart().await;
    rig.session.redirect_received(redirect.as_bytes());
    rig.session.start().await;
    rig.until(|snapshot| {
        let purpose = BrowserPurpose::SignIn;
        matches!(snapshot.stage, Stage::WaitingForBrowser { purpose: asked, .. } if asked == purpose)
    })
    .await;
}
