//! Signing out, here and at the provider, online and not.

use luminous_testkit::SessionRig;
use luminous_testkit::faulty_store::Fault;
use luminous_wire::{ErrorCode, SignOutScope, SignedOutCause, Stage};

async fn signed_in() -> SessionRig {
    let rig = SessionRig::new();
    rig.session.start().await;
    rig.sign_in().await;
    rig
}

fn is_signed_out(rig: &SessionRig) -> bool {
    let expected = SignedOutCause::SignedOut;
    matches!(rig.snapshot().stage, Stage::SignedOut { cause, .. } if cause == expected)
}

#[tokio::test(start_paused = true)]
async fn signing_out_here_leaves_nothing_in_the_keyring_and_asks_nobody() {
    let mut rig = signed_in().await;
    let asked = rig.provider.requests();
    rig.session.sign_out(SignOutScope::Here).await.unwrap();
    assert!(is_signed_out(&rig));
    assert_eq!(rig.store.names(), Vec::<String>::new());
    assert_eq!(rig.provider.requests(), asked);
    let error = rig.session.access_token().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::SessionReauthRequired);

    rig.restart().await;
    let Stage::SignedOut { last_account: Some(account), .. } = rig.snapshot().stage else {
        panic!("welcomed back by name")
    };
    assert_eq!(account.name, "Name of person-1");
}

#[tokio::test(start_paused = true)]
async fn signing_out_at_the_provider_opens_its_page_and_puts_no_token_into_the_url() {
    let rig = signed_in().await;
    rig.session.sign_out(SignOutScope::AndProvider).await.unwrap();
    let page = rig.browser.opened().pop().unwrap();
    assert_eq!(page.as_str(), "https://id.example.test/logout?p=kept&client_id=luminous-desktop");
    assert!(is_signed_out(&rig));
}

#[tokio::test(start_paused = true)]
async fn f14_signing_out_offline_works_here_and_says_what_did_not() {
    let rig = signed_in().await;
    rig.provider.set_down(true);
    rig.browser.break_down(true);
    let error = rig.session.sign_out(SignOutScope::AndProvider).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::RedirectNoBrowser);
    assert!(is_signed_out(&rig));
    assert!(rig.stored_sign_in().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_a_locked_keyring_could_not_erase_is_erased_when_it_opens() {
    let mut rig = signed_in().await;
    rig.store.set_fault(Fault::Locked);
    rig.session.sign_out(SignOutScope::Here).await.unwrap();
    assert!(is_signed_out(&rig));
    assert!(!rig.stored_sign_in().is_empty());

    rig.restart().await;
    assert!(is_signed_out(&rig), "the token still there signs nobody in");
    rig.store.set_fault(Fault::None);
    rig.session.start().await;
    assert!(rig.stored_sign_in().is_empty());
    assert!(is_signed_out(&rig));
}

#[tokio::test(start_paused = true)]
async fn signing_out_ends_a_sign_in_that_waits() {
    let rig = signed_in().await;
    let redirect = rig.provider.authorize(&rig.begin().await);
    rig.session.sign_out(SignOutScope::Here).await.unwrap();
    let error = rig.session.redirect(redirect.as_bytes()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::RedirectNoPending);
    assert!(is_signed_out(&rig));
}
