//! The program is started by the redirect while the keyring, which knows what was asked, is silent.

use std::time::Duration;

use luminous_auth::vault::DEADLINE;
use luminous_testkit::SessionRig;
use luminous_testkit::faulty_store::Fault;
use luminous_wire::Stage;

/// A sign-in was begun, the program ended, and its answer starts it again over this keyring.
async fn started_by_the_answer(fault: Fault) -> SessionRig {
    let mut rig = SessionRig::new();
    let redirect = rig.provider.authorize(&rig.begin().await);
    rig.restart().await;
    rig.store.set_fault(fault);
    rig.session.redirect_received(redirect.as_bytes());
    rig
}

fn is_signed_in(rig: &SessionRig) -> bool {
    matches!(rig.snapshot().stage, Stage::SignedIn { .. })
}

#[tokio::test(start_paused = true)]
async fn s2_an_answer_that_comes_while_the_keyring_is_locked_counts_when_it_is_unlocked() {
    let rig = started_by_the_answer(Fault::Locked).await;
    rig.session.start().await;
    rig.advance(Duration::from_secs(60)).await;
    assert!(!is_signed_in(&rig));
    rig.store.set_fault(Fault::None);
    rig.session.retry_storage().await.unwrap();
    rig.until(|snapshot| matches!(snapshot.stage, Stage::SignedIn { .. })).await;
}

#[tokio::test(start_paused = true)]
async fn s3_an_answer_that_comes_while_the_keyring_asks_counts_when_it_was_told() {
    let rig = started_by_the_answer(Fault::Asking).await;
    let session = rig.session.clone();
    let start = tokio::spawn(async move { session.start().await });
    let calls = rig.store.log().len();
    rig.store.until_called(calls.max(1)).await;
    rig.advance(DEADLINE).await;
    start.await.unwrap();
    assert!(!is_signed_in(&rig));
    rig.store.set_fault(Fault::None);
    rig.until(|snapshot| matches!(snapshot.stage, Stage::SignedIn { .. })).await;
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_begun_while_the_keyring_is_locked_does_not_wait_for_it() {
    let rig = started_by_the_answer(Fault::Locked).await;
    rig.session.start().await;
    let redirect = rig.provider.authorize(&rig.begin().await);
    rig.session.redirect_received(redirect.as_bytes());
    rig.until(|snapshot| matches!(snapshot.stage, Stage::SignedIn { .. })).await;
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_the_keyring_gives_up_the_answers_it_knew() {
    let rig = started_by_the_answer(Fault::Locked).await;
    rig.session.start().await;
    rig.session.use_memory_only().await.unwrap();
    rig.store.set_fault(Fault::None);
    rig.advance(Duration::from_secs(60)).await;
    assert!(!is_signed_in(&rig));
    assert!(rig.provider.token_requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn s2_the_loopback_port_is_open_again_once_the_keyring_is() {
    let mut rig = SessionRig::new();
    rig.scheme.set(false);
    let redirect = rig.provider.authorize(&rig.begin().await);
    let port = url::Url::parse(&redirect).unwrap().port().unwrap();
    rig.restart().await;
    rig.advance(Duration::ZERO).await;
    rig.store.set_fault(Fault::Locked);
    rig.session.start().await;
    let connect = || tokio::net::TcpStream::connect(("127.0.0.1", port));
    connect().await.unwrap_err();
    rig.store.set_fault(Fault::None);
    rig.session.retry_storage().await.unwrap();
    connect().await.unwrap();
}
