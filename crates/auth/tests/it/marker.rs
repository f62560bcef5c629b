//! What the keyring may hold is known before it holds it, and nothing of a sign-in outlives its end.

use std::time::Duration;

use luminous_auth::vault::DEADLINE;
use luminous_testkit::SessionRig;
use luminous_testkit::faulty_store::Fault;
use luminous_testkit::scripted::Step;
use luminous_wire::{Connection, ErrorCode, SessionSnapshot, SignOutScope, Stage, StorageView};
use serde_json::json;

const LIFETIME: Duration = Duration::from_secs(3600);

async fn signed_in() -> SessionRig {
    let rig = SessionRig::new();
    rig.session.start().await;
    rig.sign_in().await;
    rig
}

fn is_online(snapshot: &SessionSnapshot) -> bool {
    matches!(snapshot.stage, Stage::SignedIn { connection: Connection::Online, .. })
}

fn presented(rig: &SessionRig) -> Vec<String> {
    let requests = rig.provider.token_requests();
    requests.iter().filter_map(|request| request.get("refresh_token").map(str::to_owned)).collect()
}

async fn refresh(rig: &SessionRig) {
    rig.clock.advance(LIFETIME);
    rig.session.access_token().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn s12_after_a_failed_write_the_next_refresh_presents_the_child_and_not_the_spent_parent() {
    let rig = signed_in().await;
    rig.store.set_fault(Fault::ReadOnly);
    refresh(&rig).await;
    refresh(&rig).await;
    refresh(&rig).await;
    let mut tokens = presented(&rig);
    tokens.dedup();
    assert_eq!(tokens.len(), 3, "no token was presented twice");
    let mut distinct = tokens.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 3, "and none came back: {tokens:?}");
}

#[tokio::test(start_paused = true)]
async fn s12_a_sign_in_the_keyring_does_not_take_is_not_replaced_by_the_older_one_it_holds() {
    let mut rig = signed_in().await;
    refresh(&rig).await;
    let in_keyring = presented(&rig);
    rig.restart().await;
    rig.store.set_fault(Fault::ReadOnly);
    rig.session.start().await;
    rig.until(is_online).await;
    let older = presented(&rig);
    assert!(older.len() > in_keyring.len());
    rig.sign_in().await;
    refresh(&rig).await;
    let all = presented(&rig);
    assert!(!older.contains(all.last().unwrap()), "{all:?}");
    let tokens = rig.provider.token_requests().len();
    assert_eq!(tokens, all.len() + 2, "two codes, all else refreshes");
}

#[tokio::test(start_paused = true)]
async fn a_person_who_signs_in_again_in_memory_takes_the_stored_token_along_when_they_sign_out() {
    let mut rig = signed_in().await;
    rig.restart().await;
    rig.store.set_fault(Fault::Locked);
    rig.session.start().await;
    rig.session.use_memory_only().await.unwrap();
    rig.sign_in().await;
    assert_eq!(rig.snapshot().storage, StorageView::Memory);
    rig.session.sign_out(SignOutScope::Here).await.unwrap();
    assert!(!rig.stored_sign_in().is_empty(), "it is locked");
    rig.restart().await;
    rig.store.set_fault(Fault::None);
    rig.session.start().await;
    assert!(rig.stored_sign_in().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_locked_token_of_somebody_else_is_erased_when_another_person_took_their_place() {
    let mut rig = signed_in().await;
    rig.restart().await;
    rig.store.set_fault(Fault::Locked);
    rig.session.start().await;
    rig.session.use_memory_only().await.unwrap();
    rig.provider.set_person("person-2");
    rig.sign_in().await;
    rig.session.sign_out(SignOutScope::Here).await.unwrap();
    rig.restart().await;
    rig.store.set_fault(Fault::None);
    rig.session.start().await;
    assert!(rig.stored_sign_in().is_empty());
    assert!(matches!(rig.snapshot().stage, Stage::SignedOut { .. }));
}

/// Signs in while the keyring hangs; answers when the session gave up waiting for it.
async fn sign_in_over_a_hanging_keyring(rig: &SessionRig) {
    let redirect = rig.provider.authorize(&rig.begin().await);
    let calls = rig.store.log().len();
    rig.store.set_fault(Fault::Hanging);
    let session = rig.session.clone();
    let answer = tokio::spawn(async move { session.redirect(redirect.as_bytes()).await });
    rig.store.until_called(calls + 1).await;
    rig.advance(DEADLINE).await;
    answer.await.unwrap().unwrap();
    assert!(is_online(&rig.snapshot()));
    assert!(rig.stored_sign_in().is_empty());
}

async fn until_head_is_stored(rig: &SessionRig) {
    while !rig.stored_sign_in().keys().any(|name| name.ends_with(".head")) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_reaches_the_keyring_late_does_not_survive_a_sign_out_in_between() {
    let rig = SessionRig::new();
    sign_in_over_a_hanging_keyring(&rig).await;
    rig.session.sign_out(SignOutScope::Here).await.unwrap();
    rig.store.set_fault(Fault::None);
    until_head_is_stored(&rig).await;
    let mut rig = rig;
    rig.restart().await;
    rig.session.start().await;
    assert!(rig.stored_sign_in().is_empty());
    assert!(matches!(rig.snapshot().stage, Stage::SignedOut { .. }));
}

#[tokio::test(start_paused = true)]
async fn killed_between_the_keyring_and_the_marker_the_sign_in_is_still_there() {
    let mut rig = SessionRig::new();
    sign_in_over_a_hanging_keyring(&rig).await;
    // The program ends while the write is on its way: it lands, and nobody notes that it did.
    rig.restart().await;
    rig.store.set_fault(Fault::None);
    until_head_is_stored(&rig).await;
    rig.session.start().await;
    rig.until(is_online).await;
    assert_eq!(presented(&rig).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_that_never_reached_the_keyring_is_not_called_lost() {
    let mut rig = SessionRig::new();
    rig.store.set_fault(Fault::Unavailable);
    rig.sign_in().await;
    rig.restart().await;
    rig.store.set_fault(Fault::None);
    rig.session.start().await;
    let snapshot = rig.snapshot();
    assert!(matches!(snapshot.stage, Stage::SignedOut { .. }));
    assert_eq!(snapshot.problem, None);
}

#[tokio::test(start_paused = true)]
async fn f12_a_sign_in_of_another_application_is_kept_and_the_configuration_is_blamed() {
    let mut rig = signed_in().await;
    let stored = rig.stored_sign_in();
    rig.restart_as("another-client").await;
    rig.session.start().await;
    let snapshot = rig.until(|snapshot| snapshot.problem.is_some()).await;
    assert_eq!(snapshot.problem.map(|problem| problem.code), Some(ErrorCode::SessionOtherProvider));
    assert!(matches!(snapshot.stage, Stage::SignedIn { .. }));
    assert_eq!(rig.stored_sign_in(), stored);
    assert!(presented(&rig).is_empty(), "the token goes to nobody else");
    rig.restart().await;
    rig.session.start().await;
    rig.until(is_online).await;
}

#[tokio::test(start_paused = true)]
async fn f8_a_refreshed_id_token_without_name_and_email_changes_neither_them_nor_the_marker() {
    let mut rig = signed_in().await;
    let before = rig.snapshot().stage;
    rig.store.set_fault(Fault::ReadOnly);
    let bare = json!({"name": null, "email": null, "idp": "google.com"});
    rig.provider.script([Step::IdToken(bare)]);
    refresh(&rig).await;
    let name = |stage: &Stage| match stage {
        Stage::SignedIn { account, .. } => (account.name.clone(), account.email.clone()),
        other => panic!("signed in, not {other:?}"),
    };
    assert_eq!(name(&rig.snapshot().stage), name(&before));
    rig.store.set_fault(Fault::None);
    rig.restart().await;
    assert_eq!(name(&rig.snapshot().stage), name(&before), "the marker still knows them");
}

#[tokio::test(start_paused = true)]
async fn without_a_refresh_token_the_truth_is_told_once_the_access_token_has_ended() {
    let rig = SessionRig::new();
    rig.session.start().await;
    rig.provider.script([Step::Tokens(json!({"refresh_token": null}))]);
    rig.sign_in().await;
    let sent = rig.provider.requests();
    rig.session.access_token().await.unwrap();
    rig.session.access_token().await.unwrap();
    assert_eq!(rig.provider.requests(), sent);
    rig.clock.advance(LIFETIME);
    let error = rig.session.access_token().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::SessionReauthRequired);
    assert_eq!(rig.provider.requests(), sent);
    assert!(matches!(rig.snapshot().stage, Stage::SignedIn { .. }));
}

#[tokio::test(start_paused = true)]
async fn f2_a_sign_out_in_one_process_is_not_undone_by_another_ones_refresh() {
    let rig = signed_in().await;
    let other = rig.another_process();
    other.start().await;
    other.access_token().await.unwrap();
    rig.clock.advance(LIFETIME);
    rig.provider.hold();
    let arrived = rig.provider.token_requests().len();
    let late = tokio::spawn({
        let other = other.clone();
        async move { other.access_token().await.map(drop) }
    });
    rig.provider.until_token_requests(arrived + 1).await;
    rig.session.sign_out(SignOutScope::Here).await.unwrap();
    assert!(rig.stored_sign_in().is_empty());
    rig.provider.release();
    let error = late.await.unwrap().unwrap_err();
    assert_eq!(error.code, ErrorCode::SessionStaleGeneration);
    assert!(rig.stored_sign_in().is_empty());
    let stage = other.snapshots().borrow().stage.clone();
    assert!(matches!(stage, Stage::SignedOut { .. }), "{stage:?}");
}

#[tokio::test(start_paused = true)]
async fn s6_what_was_put_aside_goes_with_the_next_good_sign_in() {
    let mut rig = signed_in().await;
    rig.store.corrupt(|name| name.starts_with("session.") && !name.ends_with("head"));
    rig.restart().await;
    rig.session.start().await;
    assert!(rig.stored_sign_in().keys().all(|name| name.contains(".aside.")));
    rig.sign_in().await;
    assert!(!rig.stored_sign_in().keys().any(|name| name.contains(".aside.")));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_gives_no_access_token_is_not_asked_by_every_caller() {
    let rig = SessionRig::new();
    rig.session.start().await;
    rig.provider.script([Step::Tokens(json!({"access_token": null}))]);
    rig.sign_in().await;
    let sent = rig.provider.requests();
    for _ in 0..3 {
        let error = rig.session.access_token().await.unwrap_err();
        assert_eq!(error.code, ErrorCode::ProviderNoAccess);
    }
    assert_eq!(rig.provider.requests(), sent);
    rig.clock.advance(LIFETIME);
    rig.session.access_token().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn s2_one_click_on_unlock_asks_a_keyring_that_stays_locked_only_once() {
    let mut rig = signed_in().await;
    rig.restart().await;
    rig.store.set_fault(Fault::Locked);
    rig.session.start().await;
    let before = rig.store.log().len();
    rig.sign_in().await;
    // What is pending at first, the sign-in, and what is pending afterwards.
    rig.store.until_called(before + 3).await;
    let error = rig.session.retry_storage().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::StoreLocked);
    assert_eq!(rig.store.log().len(), before + 4);
}
