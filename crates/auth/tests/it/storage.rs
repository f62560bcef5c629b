//! The session while the keyring is absent, locked, hanging, empty or damaged.

use std::time::Duration;

use luminous_auth::vault::DEADLINE;
use luminous_testkit::SessionRig;
use luminous_testkit::faulty_store::Fault;
use luminous_wire::{
    Connection, ErrorCode, SessionSnapshot, SignOutScope, SignedOutCause, Stage, StorageView,
};

/// Somebody signed in, and the program was started again with this fault.
async fn restarted_with(fault: Fault) -> SessionRig {
    let mut rig = SessionRig::new();
    rig.sign_in().await;
    rig.store.set_fault(fault);
    rig.restart().await;
    rig
}

fn storage_code(snapshot: &SessionSnapshot) -> Option<ErrorCode> {
    match &snapshot.storage {
        StorageView::Unusable { problem } => Some(problem.code),
        _ => None,
    }
}

fn is_blocked(snapshot: &SessionSnapshot) -> bool {
    matches!(&snapshot.stage, Stage::StorageBlocked { account: Some(account) }
        if account.name == "Name of person-1")
}

fn is_online(snapshot: &SessionSnapshot) -> bool {
    matches!(snapshot.stage, Stage::SignedIn { connection: Connection::Online, .. })
}

fn cause(snapshot: &SessionSnapshot) -> Option<SignedOutCause> {
    match &snapshot.stage {
        Stage::SignedOut { cause, .. } => Some(*cause),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn s1_a_keyring_that_appears_after_the_start_is_found_without_a_restart() {
    let rig = restarted_with(Fault::Unavailable).await;
    rig.session.start().await;
    let snapshot = rig.snapshot();
    assert!(is_blocked(&snapshot));
    assert_eq!(storage_code(&snapshot), Some(ErrorCode::StoreUnavailable));
    assert_eq!(snapshot.problem.map(|p| p.code), Some(ErrorCode::StoreUnavailable));

    rig.advance(Duration::from_secs(30)).await;
    assert!(is_blocked(&rig.snapshot()));
    rig.store.set_fault(Fault::None);
    rig.advance(Duration::from_secs(30)).await;
    let snapshot = rig.until(is_online).await;
    assert_eq!((snapshot.storage, snapshot.problem), (StorageView::Keyring, None));
}

#[tokio::test(start_paused = true)]
async fn s1_memory_only_is_a_choice_and_the_keyring_takes_over_when_it_appears() {
    let mut rig = SessionRig::new();
    rig.store.set_fault(Fault::Unavailable);
    rig.session.start().await;
    assert_eq!(storage_code(&rig.snapshot()), Some(ErrorCode::StoreUnavailable));
    assert_eq!(cause(&rig.snapshot()), Some(SignedOutCause::Never));
    rig.session.use_memory_only().await.unwrap();
    assert_eq!(rig.snapshot().storage, StorageView::Memory);

    rig.sign_in().await;
    assert_eq!(rig.snapshot().storage, StorageView::Memory);
    rig.session.access_token().await.unwrap();
    assert!(rig.store.names().is_empty());

    rig.store.set_fault(Fault::None);
    rig.advance(Duration::from_secs(30)).await;
    rig.until(|snapshot| snapshot.storage == StorageView::Keyring).await;
    assert!(!rig.stored_sign_in().is_empty());
    rig.restart().await;
    rig.session.start().await;
    rig.until(is_online).await;
}

#[tokio::test(start_paused = true)]
async fn a_memory_only_sign_in_ends_with_the_program_and_is_not_called_lost() {
    let mut rig = SessionRig::new();
    rig.store.set_fault(Fault::Unavailable);
    rig.session.start().await;
    rig.session.use_memory_only().await.unwrap();
    rig.sign_in().await;
    rig.restart().await;
    rig.store.set_fault(Fault::None);
    rig.session.start().await;
    let snapshot = rig.snapshot();
    assert_eq!(cause(&snapshot), Some(SignedOutCause::SignedOut));
    assert_eq!(snapshot.problem, None);
}

#[tokio::test(start_paused = true)]
async fn s2_locked_deletes_nothing_and_the_unlock_button_continues_the_session() {
    let rig = restarted_with(Fault::Locked).await;
    let (stored, changes) = (rig.stored_sign_in(), rig.store.changes());
    rig.session.start().await;
    assert!(is_blocked(&rig.snapshot()));
    assert_eq!(storage_code(&rig.snapshot()), Some(ErrorCode::StoreLocked));
    let again = rig.session.retry_storage().await.unwrap_err();
    assert_eq!(again.code, ErrorCode::StoreLocked);
    assert_eq!((rig.stored_sign_in(), rig.store.changes()), (stored, changes));

    // By itself it does not ask again: each try would show the system's prompt.
    let asked = rig.store.log().len();
    rig.advance(Duration::from_secs(600)).await;
    assert_eq!(rig.store.log().len(), asked, "{:#?}", rig.store.log());

    rig.store.set_fault(Fault::None);
    rig.session.retry_storage().await.unwrap();
    rig.until(is_online).await;
    assert_eq!(rig.snapshot().problem, None);
}

#[tokio::test(start_paused = true)]
async fn s3_a_prompt_that_is_answered_late_continues_the_session_by_itself() {
    let rig = restarted_with(Fault::Asking).await;
    let session = rig.session.clone();
    let start = tokio::spawn(async move { session.start().await });
    rig.advance(DEADLINE).await;
    start.await.unwrap();
    assert!(is_blocked(&rig.snapshot()));
    assert_eq!(storage_code(&rig.snapshot()), Some(ErrorCode::StoreWaiting));
    rig.advance(Duration::from_secs(600)).await;
    rig.store.set_fault(Fault::None);
    rig.until(is_online).await;
}

#[tokio::test(start_paused = true)]
async fn s4_a_keyring_that_never_answers_leaves_the_app_usable() {
    let rig = restarted_with(Fault::Hanging).await;
    let session = rig.session.clone();
    let start = tokio::spawn(async move { session.start().await });
    rig.advance(DEADLINE).await;
    start.await.unwrap();
    assert!(is_blocked(&rig.snapshot()));
    assert_eq!(storage_code(&rig.snapshot()), Some(ErrorCode::StoreTimeout));

    // Signing in anew works meanwhile, without waiting for the keyring once more.
    rig.sign_in().await;
    rig.session.access_token().await.unwrap();
    assert_eq!(storage_code(&rig.snapshot()), Some(ErrorCode::StoreTimeout));
    // And quitting does not wait for it: the thread in the call is joined by nobody.
    rig.session.shutdown().await;
    rig.store.set_fault(Fault::None);
}

#[tokio::test(start_paused = true)]
async fn s5_gone_from_the_keyring_is_lost_and_never_there_is_a_first_start() {
    let mut rig = SessionRig::new();
    rig.session.start().await;
    assert_eq!(cause(&rig.snapshot()), Some(SignedOutCause::Never));
    assert_eq!(rig.snapshot().problem, None);

    rig.sign_in().await;
    rig.store.lose(|_| true);
    rig.restart().await;
    assert!(matches!(rig.snapshot().stage, Stage::SignedIn { .. }), "not asked yet");
    rig.session.start().await;
    let snapshot = rig.snapshot();
    assert_eq!(cause(&snapshot), Some(SignedOutCause::Lost));
    assert_eq!(snapshot.problem.map(|p| p.code), Some(ErrorCode::StoreLost));

    rig.sign_in().await;
    assert_eq!(rig.snapshot().problem, None);
}

#[tokio::test(start_paused = true)]
async fn s6_what_cannot_be_read_is_put_aside_and_a_new_sign_in_works() {
    let mut rig = SessionRig::new();
    rig.sign_in().await;
    rig.store.corrupt(|name| name.starts_with("session.") && !name.ends_with("head"));
    let damaged = rig.stored_sign_in();
    rig.restart().await;
    rig.session.start().await;
    let snapshot = rig.snapshot();
    assert_eq!(cause(&snapshot), Some(SignedOutCause::Corrupt));
    assert_eq!(snapshot.problem.map(|p| p.code), Some(ErrorCode::StoreCorrupt));
    let aside = rig.stored_sign_in();
    assert!(aside.keys().all(|name| name.contains(".aside.")), "{:?}", aside.keys());
    assert!(aside.values().eq(damaged.values()), "raw as it was");

    rig.sign_in().await;
    rig.restart().await;
    rig.session.start().await;
    rig.until(is_online).await;
}

#[tokio::test(start_paused = true)]
async fn s10_a_keyring_that_goes_away_while_running_costs_nothing_until_the_end() {
    let mut rig = SessionRig::new();
    rig.session.start().await;
    rig.sign_in().await;
    rig.store.set_fault(Fault::Locked);
    rig.clock.advance(Duration::from_secs(3600));
    rig.session.access_token().await.unwrap();
    let snapshot = rig.snapshot();
    assert!(is_online(&snapshot));
    assert_eq!(storage_code(&snapshot), Some(ErrorCode::StoreLocked));

    rig.store.set_fault(Fault::None);
    rig.session.retry_storage().await.unwrap();
    assert_eq!(rig.snapshot().storage, StorageView::Keyring);
    rig.restart().await;
    rig.session.start().await;
    rig.until(is_online).await;
    rig.session.sign_out(SignOutScope::Here).await.unwrap();
    assert!(rig.stored_sign_in().is_empty());
}
