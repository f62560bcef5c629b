//! Whole journeys over the real emulator, real HTTP and a browser that walks the pages.

use std::time::Duration;

use luminous_emulator::{
    Config, Endpoint, Event, Fault, IssuerForm, NumberStyle, RefreshMode, ResponseLie, Times,
    TokenLie,
};
use luminous_testkit::EmulatorRig;
use luminous_testkit::following::Visit;
use luminous_wire::{
    Connection, ErrorCode, SessionSnapshot, SignOutScope, SignedOutCause, Stage, StorageView,
};

const HOUR: Duration = Duration::from_secs(3600);

fn name(snapshot: &SessionSnapshot) -> Option<&str> {
    match &snapshot.stage {
        Stage::SignedIn { account, .. } => Some(&account.name),
        _ => None,
    }
}

fn is_online(snapshot: &SessionSnapshot) -> bool {
    matches!(snapshot.stage, Stage::SignedIn { connection: Connection::Online, .. })
}

#[tokio::test]
async fn sign_up_restart_sign_out_and_sign_in_again() {
    let mut rig = EmulatorRig::start(Config::demo()).await;
    let snapshot = rig.sign_in().await;
    assert_eq!((name(&snapshot), &snapshot.problem), (Some("Ana"), &None));
    assert_eq!(snapshot.storage, StorageView::Keyring);
    assert!(snapshot.provider.unwrap().demo);
    rig.session.access_token().await.unwrap();

    rig.restart().await;
    let snapshot = rig.until(is_online).await;
    assert_eq!(name(&snapshot), Some("Ana"));
    assert_eq!(rig.emulator.control().count(Event::Refreshed), 1);

    rig.session.sign_out(SignOutScope::AndProvider).await.unwrap();
    rig.emulator.control().wait_for_requests(Endpoint::Logout, 1).await;
    assert!(rig.store.names().is_empty());

    rig.browser.set_visit(Visit::SignIn);
    let snapshot = rig.sign_in().await;
    assert_eq!((name(&snapshot), &snapshot.problem), (Some("Ana"), &None));
    assert_eq!(rig.emulator.control().count(Event::SignedUp), 1);
}

#[tokio::test]
async fn every_shape_a_b2c_tenant_can_have_signs_in_and_refreshes() {
    let shapes = [
        Config { issuer_form: IssuerForm::Tfp, ..Config::demo() },
        Config { numbers: NumberStyle::Strings, ..Config::demo() },
        Config { response_iss: true, ..Config::demo() },
        Config { finish_page: false, ..Config::demo() },
        Config { refresh_mode: RefreshMode::Strict, ..Config::demo() },
        Config { refresh_mode: RefreshMode::ConfirmByUse, ..Config::demo() },
    ];
    for (number, shape) in shapes.into_iter().enumerate() {
        let rig = EmulatorRig::start(shape).await;
        let snapshot = rig.sign_in().await;
        assert_eq!(name(&snapshot), Some("Ana"), "shape {number}: {:?}", snapshot.problem);
        for _ in 0..3 {
            rig.clock.advance(HOUR);
            rig.session.access_token().await.unwrap();
        }
        let control = rig.emulator.control();
        assert_eq!(control.count(Event::Refreshed), 3, "shape {number}");
        assert_eq!(control.count(Event::RefreshReuseDetected), 0, "shape {number}");
    }
}

#[tokio::test]
async fn answers_that_leave_things_out_are_lived_with() {
    let rig = EmulatorRig::start(Config::demo()).await;
    rig.emulator.control().respond(ResponseLie::LowerCaseTokenType, Times::Next(1));
    rig.emulator.control().respond(ResponseLie::NoExpiresIn, Times::Next(1));
    assert_eq!(name(&rig.sign_in().await), Some("Ana"));
    rig.session.access_token().await.unwrap();

    // F8 over the wire: neither a refresh token nor an ID token.
    rig.clock.advance(HOUR);
    rig.emulator.control().respond(ResponseLie::NoRefreshToken, Times::Next(1));
    rig.emulator.control().respond(ResponseLie::NoIdToken, Times::Next(1));
    rig.session.access_token().await.unwrap();
    rig.clock.advance(HOUR);
    rig.session.access_token().await.unwrap();
}

#[tokio::test]
async fn a_provider_that_lies_in_its_id_token_signs_nobody_in() {
    let rig = EmulatorRig::start(Config::demo()).await;
    rig.emulator
        .control()
        .create_user("ana@example.test", "Ana", "correct horse 7 battery")
        .unwrap();
    rig.browser.set_visit(Visit::SignIn);
    let lies = [
        (TokenLie::WrongNonce, "token.nonce_mismatch"),
        (TokenLie::MissingNonce, "token.nonce_mismatch"),
        (TokenLie::WrongIssuer, "token.issuer_untrusted"),
        (TokenLie::OtherTenant, "token.issuer_untrusted"),
        (TokenLie::WrongAudience, "token.audience_mismatch"),
        (TokenLie::WrongPolicy, "token.policy_not_allowed"),
        (TokenLie::WrongKey, "token.signature_invalid"),
        (TokenLie::AlgNone, "token.alg_not_allowed"),
        (TokenLie::AlgHs256, "token.alg_not_allowed"),
        (TokenLie::WrongAtHash, "token.at_hash_mismatch"),
        (TokenLie::Expired, "token.expired"),
    ];
    for (lie, reason) in lies {
        rig.emulator.control().lie(lie, Times::Next(1));
        let snapshot = rig.sign_in().await;
        let problem = snapshot.problem.unwrap();
        assert_eq!(problem.code, ErrorCode::TokenRejected, "{lie:?}: {problem:?}");
        assert_eq!(problem.reason.as_deref(), Some(reason), "{lie:?}");
        assert!(matches!(snapshot.stage, Stage::SignedOut { .. }), "{lie:?}");
        assert!(!rig.store.names().iter().any(|name| name.starts_with("session.")), "{lie:?}");
    }
    assert_eq!(name(&rig.sign_in().await), Some("Ana"));
}

#[tokio::test]
async fn f8_a_refresh_that_answers_for_another_person_changes_nothing() {
    let rig = EmulatorRig::start(Config::demo()).await;
    rig.sign_in().await;
    rig.clock.advance(HOUR);
    rig.emulator.control().lie(TokenLie::OtherSubject, Times::Next(1));
    let error = rig.session.access_token().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::SessionIdentityChanged);
    assert_eq!(name(&rig.snapshot()), Some("Ana"));
    rig.clock.advance(Duration::from_secs(300));
    rig.session.access_token().await.unwrap();
}

#[tokio::test]
async fn r9_cancelling_on_the_page_is_quiet() {
    let rig = EmulatorRig::start(Config::demo()).await;
    rig.browser.set_visit(Visit::Cancel);
    let snapshot = rig.sign_in().await;
    let never = Stage::SignedOut { cause: SignedOutCause::Never, last_account: None };
    assert_eq!((snapshot.stage, snapshot.problem), (never, None));
}

#[tokio::test]
async fn f12_faults_on_the_wire_keep_the_session_and_a_revocation_ends_it() {
    let rig = EmulatorRig::start(Config::demo()).await;
    rig.sign_in().await;
    let faults = [
        (Fault::ServerError, ErrorCode::ProviderBusy),
        (Fault::Unavailable(1), ErrorCode::ProviderBusy),
        (Fault::CaptivePortal, ErrorCode::NetCaptive),
        (Fault::Redirect("http://localhost:1/".to_owned()), ErrorCode::NetCaptive),
        (Fault::Reset, ErrorCode::NetUnreachable),
        (Fault::LoseAnswer, ErrorCode::NetUnreachable),
        (Fault::Huge, ErrorCode::NetUnreachable),
        (Fault::Garbage, ErrorCode::ProviderBusy),
        (Fault::Answer(400, "{}".to_owned()), ErrorCode::ProviderBusy),
    ];
    for (fault, code) in faults {
        rig.clock.advance(HOUR);
        rig.emulator.control().fault(Endpoint::Token, fault.clone(), Times::Next(1));
        let error = rig.session.access_token().await.unwrap_err();
        assert_eq!(error.code, code, "{fault:?}: {error:?}");
        assert_eq!(name(&rig.snapshot()), Some("Ana"), "{fault:?}");
        rig.clock.advance(Duration::from_secs(300));
        rig.session.access_token().await.unwrap();
    }
    rig.emulator.control().revoke_refresh_tokens("ana@example.test").unwrap();
    rig.clock.advance(HOUR);
    let error = rig.session.access_token().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::SessionReauthRequired);
    assert!(error.correlation_id.is_some(), "{error:?}");
    let cause = SignedOutCause::Ended;
    assert!(matches!(rig.snapshot().stage, Stage::SignedOut { cause: c, .. } if c == cause));
}

#[tokio::test]
async fn k3_a_key_rollover_signs_nobody_out() {
    let rig = EmulatorRig::start(Config::demo()).await;
    rig.sign_in().await;
    rig.emulator.control().publish_next_key().unwrap();
    rig.emulator.control().promote_next_key().unwrap();
    rig.clock.advance(HOUR);
    rig.session.access_token().await.unwrap();
    assert_eq!(rig.snapshot().problem, None);
}

#[tokio::test]
async fn f2_two_processes_race_a_hundred_times_and_strict_rotation_sees_no_reuse() {
    let rig =
        EmulatorRig::start(Config { refresh_mode: RefreshMode::Strict, ..Config::demo() }).await;
    rig.sign_in().await;
    let other = rig.another_process();
    other.start().await;
    other.access_token().await.unwrap();
    for round in 0..100 {
        rig.clock.advance(HOUR);
        let (one, two) = tokio::join!(rig.session.access_token(), other.access_token());
        assert!(one.is_ok() && two.is_ok(), "round {round}: {one:?} {two:?}");
    }
    let control = rig.emulator.control();
    assert_eq!(control.count(Event::RefreshReuseDetected), 0);
    assert_eq!(control.live_families("ana@example.test").unwrap(), 1);
}

#[tokio::test]
async fn f5_a_lost_answer_is_asked_for_again_with_the_same_token() {
    let config = Config { refresh_mode: RefreshMode::ConfirmByUse, ..Config::demo() };
    let mut rig = EmulatorRig::start(config).await;
    rig.sign_in().await;
    rig.clock.advance(HOUR);
    rig.emulator.control().fault(Endpoint::Token, Fault::LoseAnswer, Times::Next(1));
    rig.session.access_token().await.unwrap_err();
    rig.restart().await;
    rig.until(is_online).await;
    assert_eq!(rig.emulator.control().count(Event::RefreshReuseDetected), 0);
    assert_eq!(rig.emulator.control().live_families("ana@example.test").unwrap(), 1);
}
