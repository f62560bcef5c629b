//! Acts of administration that wait for a second factor (RFC 9470), against a scripted server.

use std::time::Duration;

use luminous_domain::{MemberId, Role};
use luminous_testkit::SessionRig;
use luminous_testkit::scripted::{REFRESH_CANARY, Step};
use luminous_testkit::scripted_api::{FAMILY, MEMBER, Say};
use luminous_wire::api::ChangeMember;
use luminous_wire::{
    AppError, BrowserPurpose, ErrorCode, FamilyStanding, SessionSnapshot, SignInIntent, Stage,
};
use serde_json::json;
use tokio::task::JoinHandle;
use url::Url;

const MINUTE: Duration = Duration::from_secs(60);

async fn at_home() -> SessionRig {
    let rig = SessionRig::served();
    rig.session.start().await;
    rig.sign_in().await;
    let member = |snapshot: &SessionSnapshot| {
        matches!(&snapshot.stage, Stage::SignedIn { family: FamilyStanding::Member { .. }, .. })
    };
    rig.until(member).await;
    rig
}

fn place() -> String {
    format!("/api/families/{FAMILY}/members/{MEMBER}")
}

/// Somebody changes a role; the answer comes when the browser has been there.
fn change_a_role(rig: &SessionRig) -> JoinHandle<Result<(), AppError>> {
    let session = rig.session.clone();
    tokio::spawn(async move {
        let id: MemberId = MEMBER.parse().unwrap();
        let request = ChangeMember { role: Some(Role::Admin), ..ChangeMember::default() };
        session.change_member(id, &request).await
    })
}

fn asks(snapshot: &SessionSnapshot) -> bool {
    let purpose = BrowserPurpose::StepUp;
    matches!(snapshot.stage, Stage::WaitingForBrowser { purpose: asked, .. } if asked == purpose)
}

/// Waits until the browser is asked, and answers the link it got.
async fn asked(rig: &SessionRig) -> Url {
    rig.until(asks).await;
    Url::parse(&rig.session.sign_in_link().unwrap()).unwrap()
}

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

#[tokio::test(start_paused = true)]
async fn u9_an_act_of_administration_waits_for_the_browser_and_is_done() {
    let rig = at_home().await;
    let stored = rig.stored_sign_in();
    let before = rig.snapshot();
    rig.api.script(&place(), [Say::StepUp("mfa")]);
    let act = change_a_role(&rig);
    let link = asked(&rig).await;
    assert_eq!(query(&link, "acr_values").as_deref(), Some("mfa"));
    assert_eq!(query(&link, "max_age").as_deref(), Some("900"));
    assert_eq!(query(&link, "login_hint").as_deref(), Some("person-1@example.test"));
    assert_eq!(query(&link, "scope").as_deref(), Some("openid profile email"));

    let redirect = rig.provider.authorize(&link);
    rig.session.redirect(redirect.as_bytes()).await.unwrap();
    act.await.unwrap().unwrap();
    let tries = rig.api.requests_to(&place());
    assert_eq!(tries.len(), 2);
    assert_ne!(tries[0].token, tries[1].token);
    assert_eq!(tries[0].body, tries[1].body);
    assert_eq!(rig.snapshot().stage, before.stage, "the window is where it was");
    assert_eq!(rig.stored_sign_in(), stored, "the sign-in in the keyring is what it was");
}

#[tokio::test(start_paused = true)]
async fn the_proof_serves_further_acts_while_it_is_fresh_and_no_longer() {
    let rig = at_home().await;
    rig.api.script(&place(), [Say::StepUp("mfa")]);
    let act = change_a_role(&rig);
    let redirect = rig.provider.authorize(&asked(&rig).await);
    rig.session.redirect(redirect.as_bytes()).await.unwrap();
    act.await.unwrap().unwrap();
    let proof = rig.api.requests_to(&place()).pop().unwrap().token;

    rig.advance(10 * MINUTE).await;
    change_a_role(&rig).await.unwrap().unwrap();
    assert_eq!(rig.api.requests_to(&place()).pop().unwrap().token, proof);
    let ordinary = rig.session.access_token().await.unwrap();
    assert_ne!(ordinary.expose(), proof, "it is for nothing else");
    rig.session.list_members().await.unwrap_err();
    let members = format!("/api/families/{FAMILY}/members");
    assert_ne!(rig.api.requests_to(&members).pop().unwrap().token, proof);

    rig.advance(5 * MINUTE).await;
    rig.api.script(&place(), [Say::StepUp("mfa")]);
    let act = change_a_role(&rig);
    asked(&rig).await;
    assert_ne!(rig.api.requests_to(&place()).pop().unwrap().token, proof);
    rig.session.cancel_step_up().await;
    act.await.unwrap().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_proof_of_a_while_ago_counts_from_when_it_was_given() {
    let rig = at_home().await;
    rig.api.script(&place(), [Say::StepUp("mfa")]);
    let act = change_a_role(&rig);
    let redirect = rig.provider.authorize(&asked(&rig).await);
    let now = luminous_domain::Clock::now(&*rig.clock).as_second();
    rig.provider.script([Step::IdToken(json!({ "auth_time": now - 840 }))]);
    rig.session.redirect(redirect.as_bytes()).await.unwrap();
    act.await.unwrap().unwrap();
    let proof = rig.api.requests_to(&place()).pop().unwrap().token;

    rig.advance(MINUTE).await;
    change_a_role(&rig).await.unwrap().unwrap();
    assert_ne!(rig.api.requests_to(&place()).pop().unwrap().token, proof);
}

#[tokio::test(start_paused = true)]
async fn u11_a_proof_that_is_too_old_is_asked_for_once_more_and_then_given_up() {
    let rig = at_home().await;
    let before = rig.snapshot();
    rig.api.script(&place(), [Say::StepUp("mfa")]);
    let act = change_a_role(&rig);
    let first = asked(&rig).await;
    let redirect = rig.provider.authorize(&first);
    let now = luminous_domain::Clock::now(&*rig.clock).as_second();
    let old = || Step::IdToken(json!({ "auth_time": now - 3600 }));
    rig.provider.script([old(), old()]);
    rig.session.redirect(redirect.as_bytes()).await.unwrap();
    let again = asked(&rig).await;
    assert_eq!(query(&first, "prompt"), None);
    assert_eq!(query(&again, "prompt").as_deref(), Some("login"));

    let redirect = rig.provider.authorize(&again);
    rig.session.redirect(redirect.as_bytes()).await.unwrap_err();
    assert_eq!(act.await.unwrap().unwrap_err().code, ErrorCode::SessionStepUpRequired);
    assert_eq!(rig.api.requests_to(&place()).len(), 1, "the act was not tried again");
    assert_eq!((rig.snapshot().stage, rig.snapshot().problem), (before.stage, None));
}

#[tokio::test(start_paused = true)]
async fn u11_a_proof_that_is_fresh_at_the_second_try_serves_the_act_that_waits() {
    let rig = at_home().await;
    rig.api.script(&place(), [Say::StepUp("mfa")]);
    let act = change_a_role(&rig);
    let redirect = rig.provider.authorize(&asked(&rig).await);
    let now = luminous_domain::Clock::now(&*rig.clock).as_second();
    rig.provider.script([Step::IdToken(json!({ "auth_time": now - 3600 }))]);
    rig.session.redirect(redirect.as_bytes()).await.unwrap();
    let redirect = rig.provider.authorize(&asked(&rig).await);
    rig.session.redirect(redirect.as_bytes()).await.unwrap();
    act.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn s5_a_sign_in_that_ends_takes_along_what_it_was_asked_to_prove() {
    let rig = at_home().await;
    rig.api.script(&place(), [Say::StepUp("mfa")]);
    let act = change_a_role(&rig);
    let link = asked(&rig).await;
    rig.api.script("/api/me", [Say::Problem(401, "token.revoked")]);
    rig.session.load_family().await.unwrap_err();
    assert_eq!(act.await.unwrap().unwrap_err().code, ErrorCode::SessionStepUpRequired);
    assert!(matches!(rig.snapshot().stage, Stage::SignedOut { .. }), "the window waits no more");
    let late = rig.provider.authorize(&link);
    let error = rig.session.redirect(late.as_bytes()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::RedirectNoPending);
}

#[tokio::test(start_paused = true)]
async fn s6_a_proof_that_comes_for_an_ended_session_is_not_the_next_ones() {
    let rig = at_home().await;
    rig.api.script(&place(), [Say::StepUp("mfa")]);
    let act = change_a_role(&rig);
    let redirect = rig.provider.authorize(&asked(&rig).await);
    let requests = rig.provider.token_requests().len();
    rig.provider.hold();
    let session = rig.session.clone();
    let answer = tokio::spawn(async move { session.redirect(redirect.as_bytes()).await });
    rig.provider.until_token_requests(requests + 1).await;
    rig.session.sign_out(luminous_wire::SignOutScope::Here).await.unwrap();
    let again = rig.provider.authorize(&rig.begin().await);
    let session = rig.session.clone();
    let sign_in = tokio::spawn(async move { session.redirect(again.as_bytes()).await });
    rig.provider.until_token_requests(requests + 2).await;
    rig.provider.release();
    sign_in.await.unwrap().unwrap();
    assert_eq!(answer.await.unwrap().unwrap_err().code, ErrorCode::SessionStaleGeneration);
    act.await.unwrap().unwrap_err();

    let ordinary = rig.session.access_token().await.unwrap();
    change_a_role(&rig).await.unwrap().unwrap();
    assert_eq!(rig.api.requests_to(&place()).pop().unwrap().token, ordinary.expose());
}

#[tokio::test(start_paused = true)]
async fn cancelled_here_the_act_fails_quietly_and_nothing_else_changes() {
    let rig = at_home().await;
    let before = rig.snapshot();
    rig.api.script(&place(), [Say::StepUp("mfa")]);
    let act = change_a_role(&rig);
    let link = asked(&rig).await;
    rig.session.cancel_step_up().await;
    let error = act.await.unwrap().unwrap_err();
    assert_eq!(error.code, ErrorCode::SessionStepUpRequired);
    assert_eq!((rig.snapshot().stage, rig.snapshot().problem), (before.stage, None));

    let late = rig.provider.authorize(&link);
    rig.session.redirect(late.as_bytes()).await.unwrap_err();
    assert_eq!(rig.api.requests_to(&place()).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn cancelled_in_the_browser_it_is_the_same() {
    let rig = at_home().await;
    rig.api.script(&place(), [Say::StepUp("mfa")]);
    let act = change_a_role(&rig);
    let state = query(&asked(&rig).await, "state").unwrap();
    let redirect = format!(
        "family.luminous.app://auth/callback?error=access_denied\
         &error_description=AADB2C90091%3a+cancelled&state={state}"
    );
    rig.session.redirect(redirect.as_bytes()).await.unwrap_err();
    assert_eq!(act.await.unwrap().unwrap_err().code, ErrorCode::SessionStepUpRequired);
    assert_eq!(rig.snapshot().problem, None);
    assert!(matches!(rig.snapshot().stage, Stage::SignedIn { .. }));
}

#[tokio::test(start_paused = true)]
async fn out_of_time_signed_out_or_turned_away_from_the_act_does_not_wait_for_ever() {
    let rig = at_home().await;
    rig.api.script(&place(), [Say::StepUp("mfa"), Say::StepUp("mfa"), Say::StepUp("mfa")]);
    let act = change_a_role(&rig);
    asked(&rig).await;
    rig.advance(11 * MINUTE).await;
    assert_eq!(act.await.unwrap().unwrap_err().code, ErrorCode::SessionStepUpRequired);
    assert_eq!(rig.snapshot().problem, None, "the act says it");

    let act = change_a_role(&rig);
    asked(&rig).await;
    rig.session.begin_sign_in(SignInIntent::SwitchAccount, None).await.unwrap();
    assert_eq!(act.await.unwrap().unwrap_err().code, ErrorCode::SessionStepUpRequired);
    rig.session.cancel_sign_in().await.unwrap();

    let act = change_a_role(&rig);
    asked(&rig).await;
    rig.session.sign_out(luminous_wire::SignOutScope::Here).await.unwrap();
    assert_eq!(act.await.unwrap().unwrap_err().code, ErrorCode::SessionStepUpRequired);
}

#[tokio::test(start_paused = true)]
async fn f8_another_persons_proof_is_none_and_changes_nothing() {
    let rig = at_home().await;
    let (before, stored) = (rig.snapshot().stage, rig.stored_sign_in());
    rig.api.script(&place(), [Say::StepUp("mfa")]);
    let act = change_a_role(&rig);
    let link = asked(&rig).await;
    rig.provider.set_person("person-2");
    let redirect = rig.provider.authorize(&link);
    rig.session.redirect(redirect.as_bytes()).await.unwrap_err();
    assert_eq!(act.await.unwrap().unwrap_err().code, ErrorCode::SessionIdentityChanged);
    assert_eq!((rig.snapshot().stage, rig.stored_sign_in()), (before, stored));
    assert_eq!(rig.api.requests_to(&place()).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn however_many_acts_wait_the_browser_opens_once() {
    let rig = at_home().await;
    let opened = rig.browser.opened().len();
    rig.api.script(&place(), [Say::StepUp("mfa"), Say::StepUp("mfa"), Say::StepUp("mfa")]);
    let acts = [change_a_role(&rig), change_a_role(&rig), change_a_role(&rig)];
    rig.api.until_requests_to(&place(), 3).await;
    let redirect = rig.provider.authorize(&asked(&rig).await);
    rig.session.redirect(redirect.as_bytes()).await.unwrap();
    for act in acts {
        act.await.unwrap().unwrap();
    }
    assert_eq!(rig.browser.opened().len(), opened + 1);
    assert_eq!(rig.api.requests_to(&place()).len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_never_content_is_asked_no_third_time() {
    let rig = at_home().await;
    rig.api.script(&place(), [Say::StepUp("mfa"), Say::StepUp("mfa")]);
    let act = change_a_role(&rig);
    let redirect = rig.provider.authorize(&asked(&rig).await);
    rig.session.redirect(redirect.as_bytes()).await.unwrap();
    assert_eq!(act.await.unwrap().unwrap_err().code, ErrorCode::SessionStepUpRequired);
    assert!(matches!(rig.snapshot().stage, Stage::SignedIn { .. }), "and the browser stays shut");
}

#[tokio::test(start_paused = true)]
async fn a_proof_is_never_stored_and_its_refresh_token_thrown_away() {
    let rig = at_home().await;
    rig.api.script(&place(), [Say::StepUp("mfa")]);
    let act = change_a_role(&rig);
    let redirect = rig.provider.authorize(&asked(&rig).await);
    // A provider that gives one although it was not asked to.
    let gift = format!("{REFRESH_CANARY}of-the-step-up");
    rig.provider.script([Step::Tokens(json!({ "refresh_token": gift }))]);
    rig.session.redirect(redirect.as_bytes()).await.unwrap();
    act.await.unwrap().unwrap();
    let proof = rig.api.requests_to(&place()).pop().unwrap().token;
    for value in rig.store.all_values() {
        let value = String::from_utf8_lossy(&value).into_owned();
        assert!(!value.contains(&proof) && !value.contains(&gift));
    }
    rig.advance(60 * MINUTE).await;
    rig.session.access_token().await.unwrap();
    let refresh = rig.provider.token_requests().pop().unwrap();
    assert_ne!(refresh.get("refresh_token"), Some(gift.as_str()), "the sign-in's own is used");
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_the_answer_is_still_taken_for_what_it_is() {
    let mut rig = at_home().await;
    let before = account(&rig);
    rig.api.script(&place(), [Say::StepUp("mfa")]);
    let act = change_a_role(&rig);
    let redirect = rig.provider.authorize(&asked(&rig).await);
    rig.restart().await;
    act.abort();
    rig.session.redirect_received(redirect.as_bytes());
    rig.session.start().await;
    rig.provider.until_token_requests(2).await;
    rig.until(|snapshot| matches!(snapshot.stage, Stage::SignedIn { .. })).await;
    assert_eq!(account(&rig), before, "nobody else is signed in");
    // The proof serves the next act, without the browser.
    let opened = rig.browser.opened().len();
    change_a_role(&rig).await.unwrap().unwrap();
    let ordinary = rig.session.access_token().await.unwrap();
    assert_ne!(rig.api.requests_to(&place()).pop().unwrap().token, ordinary.expose());
    assert_eq!(rig.browser.opened().len(), opened);
}
