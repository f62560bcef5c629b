//! Keeping the session fresh.

use std::time::Duration;

use luminous_testkit::SessionRig;
use luminous_testkit::faulty_store::Fault;
use luminous_testkit::scripted::{ACCESS_CANARY, REFRESH_CANARY, Step};
use luminous_wire::{Connection, ErrorCode, SessionSnapshot, SignOutScope, SignedOutCause, Stage};
use serde_json::json;

const LIFETIME: Duration = Duration::from_secs(3600);

async fn signed_in() -> SessionRig {
    let rig = SessionRig::new();
    rig.session.start().await;
    rig.sign_in().await;
    rig
}

fn refreshes(rig: &SessionRig) -> usize {
    let requests = rig.provider.token_requests();
    requests.iter().filter(|request| request.get("grant_type") == Some("refresh_token")).count()
}

fn presented(rig: &SessionRig) -> String {
    let last = rig.provider.token_requests().pop().unwrap();
    last.get("refresh_token").unwrap().to_owned()
}

fn is_signed_in(snapshot: &SessionSnapshot) -> bool {
    matches!(snapshot.stage, Stage::SignedIn { .. })
}

fn is_offline(snapshot: &SessionSnapshot) -> bool {
    matches!(snapshot.stage, Stage::SignedIn { connection: Connection::Offline { .. }, .. })
}

fn is_online(snapshot: &SessionSnapshot) -> bool {
    matches!(snapshot.stage, Stage::SignedIn { connection: Connection::Online, .. })
}

#[tokio::test(start_paused = true)]
async fn f1_all_who_need_a_token_at_once_share_one_request() {
    let rig = signed_in().await;
    rig.clock.advance(LIFETIME);
    rig.provider.hold();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let session = rig.session.clone();
        callers.spawn(async move { session.access_token().await.unwrap().expose().to_owned() });
    }
    rig.provider.until_token_requests(2).await;
    rig.provider.release();
    let tokens = callers.join_all().await;
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert!(tokens[0].starts_with(ACCESS_CANARY));
    assert_eq!(refreshes(&rig), 1);
}

#[tokio::test(start_paused = true)]
async fn f1_a_caller_that_goes_away_does_not_take_the_rotated_token_with_it() {
    let rig = signed_in().await;
    rig.clock.advance(LIFETIME);
    rig.provider.hold();
    let session = rig.session.clone();
    let caller = tokio::spawn(async move { session.access_token().await.map(drop) });
    rig.provider.until_token_requests(2).await;
    caller.abort();
    rig.provider.release();
    rig.session.access_token().await.unwrap();
    assert_eq!(refreshes(&rig), 1);
}

#[tokio::test(start_paused = true)]
async fn f2_two_processes_refresh_one_after_the_other_with_the_newest_token() {
    let rig = signed_in().await;
    let other = rig.another_process();
    other.start().await;
    other.access_token().await.unwrap();
    let rotated_by_other = refreshes(&rig);
    assert_eq!(rotated_by_other, 1);

    // Ours still holds the token that the other process has rotated away.
    rig.clock.advance(LIFETIME);
    rig.session.access_token().await.unwrap();
    let requests = rig.provider.token_requests();
    let mut presented: Vec<&str> =
        requests.iter().filter_map(|request| request.get("refresh_token")).collect();
    let all = presented.len();
    presented.dedup();
    assert_eq!((all, presented.len()), (2, 2), "no token was presented twice");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_refreshed_five_minutes_before_its_end_and_not_earlier() {
    let rig = signed_in().await;
    rig.session.access_token().await.unwrap();
    rig.advance(Duration::from_secs(3299)).await;
    assert_eq!(refreshes(&rig), 0);
    let before = rig.snapshot().revision;
    rig.advance(Duration::from_secs(61)).await;
    rig.session.access_token().await.unwrap();
    rig.until(|snapshot| snapshot.revision >= before && is_online(snapshot)).await;
    rig.session.shutdown().await;
    assert_eq!(refreshes(&rig), 1);
}

#[tokio::test(start_paused = true)]
async fn f9_a_computer_that_slept_refreshes_once_and_a_jumping_clock_makes_no_loop() {
    let rig = signed_in().await;
    // Eight hours asleep: the wall clock went on, the monotonic one did not.
    rig.clock.set_wall(rig_now(&rig, 8 * 3600));
    rig.session.access_token().await.unwrap();
    rig.session.access_token().await.unwrap();
    assert_eq!(refreshes(&rig), 1);
    // Somebody sets the clock back two hours, then far ahead, each for ten minutes.
    for hours in [6, 300] {
        rig.clock.set_wall(rig_now(&rig, hours * 3600));
        for _ in 0..10 {
            rig.advance(Duration::from_secs(60)).await;
            rig.session.access_token().await.unwrap();
        }
    }
    assert!(refreshes(&rig) <= 3, "{} refreshes", refreshes(&rig));
}

fn rig_now(_: &SessionRig, seconds: i64) -> luminous_domain::Timestamp {
    luminous_domain::Timestamp::from_second(1_795_348_800 + seconds).unwrap()
}

#[tokio::test(start_paused = true)]
async fn f4_the_new_refresh_token_is_durable_before_the_new_access_token_is_given_out() {
    let mut rig = signed_in().await;
    rig.clock.advance(LIFETIME);
    let access = rig.session.access_token().await.unwrap();
    assert!(access.expose().starts_with(ACCESS_CANARY));
    // The power fails at the very moment the caller has the token.
    rig.store.die_before_change(1);
    rig.restart().await;
    rig.store.revive();
    rig.session.start().await;
    rig.until(is_online).await;
    let requests = rig.provider.token_requests();
    let (first, second) = (&requests[1], &requests[2]);
    assert_ne!(first.get("refresh_token"), second.get("refresh_token"));
}

#[tokio::test(start_paused = true)]
async fn f4_a_token_the_keyring_does_not_take_stays_in_memory_and_is_written_later() {
    let rig = signed_in().await;
    let stored = rig.stored_sign_in();
    rig.store.set_fault(Fault::ReadOnly);
    rig.clock.advance(LIFETIME);
    rig.session.access_token().await.unwrap();
    let snapshot = rig.snapshot();
    assert!(is_online(&snapshot));
    assert!(matches!(
        snapshot.storage,
        luminous_wire::StorageView::Unusable { problem } if problem.code == ErrorCode::StoreWriteFailed
    ));
    assert_eq!(rig.stored_sign_in(), stored, "the old value is intact");

    rig.store.set_fault(Fault::None);
    rig.advance(Duration::from_secs(30)).await;
    rig.until(|snapshot| snapshot.storage == luminous_wire::StorageView::Keyring).await;
    assert_ne!(rig.stored_sign_in(), stored);
}

#[tokio::test(start_paused = true)]
async fn f8_an_answer_without_a_refresh_token_keeps_the_old_one() {
    let rig = signed_in().await;
    let stored = rig.stored_sign_in();
    rig.provider.script([Step::Tokens(json!({"refresh_token": null, "id_token": null}))]);
    for _ in 0..2 {
        rig.clock.advance(LIFETIME);
        rig.session.access_token().await.unwrap();
    }
    let requests = rig.provider.token_requests();
    assert_eq!(requests[1].get("refresh_token"), requests[2].get("refresh_token"));
    assert_ne!(rig.stored_sign_in(), stored, "the second answer did rotate");
}

#[tokio::test(start_paused = true)]
async fn f4_the_parent_is_kept_until_its_child_was_used() {
    let rig = signed_in().await;
    rig.clock.advance(LIFETIME);
    rig.session.access_token().await.unwrap();
    let slots = |rig: &SessionRig| {
        let names = rig.stored_sign_in();
        names.keys().filter(|name| !name.ends_with(".head")).count()
    };
    assert_eq!(slots(&rig), 2, "parent and child");
    rig.provider.script([Step::Tokens(json!({"refresh_token": null}))]);
    rig.clock.advance(LIFETIME);
    rig.session.access_token().await.unwrap();
    assert_eq!(slots(&rig), 1, "the child was used");
    rig.clock.advance(LIFETIME);
    rig.session.access_token().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_new_name_arrives_with_the_next_refresh_and_stays() {
    let mut rig = signed_in().await;
    rig.provider.script([Step::IdToken(json!({"name": "Ana Luisa"}))]);
    rig.clock.advance(LIFETIME);
    rig.session.access_token().await.unwrap();
    let name = |snapshot: SessionSnapshot| match snapshot.stage {
        Stage::SignedIn { account, .. } => account.name,
        other => panic!("signed in, not {other:?}"),
    };
    assert_eq!(name(rig.snapshot()), "Ana Luisa");
    rig.restart().await;
    assert_eq!(name(rig.snapshot()), "Ana Luisa");
}

#[tokio::test(start_paused = true)]
async fn f8_another_person_in_the_answer_changes_nothing() {
    for change in [json!({"sub": "person-2"}), json!({"iss": "https://evil.example"})] {
        let rig = signed_in().await;
        let (stored, before) = (rig.stored_sign_in(), rig.snapshot());
        rig.clock.advance(LIFETIME);
        rig.provider.script([Step::IdToken(change.clone())]);
        let error = rig.session.access_token().await.unwrap_err();
        let expected = match change.get("sub") {
            Some(_) => ErrorCode::SessionIdentityChanged,
            None => ErrorCode::TokenRejected,
        };
        assert_eq!(error.code, expected);
        assert_eq!(rig.stored_sign_in(), stored);
        assert_eq!(rig.snapshot().stage, before.stage);
        assert_eq!(rig.snapshot().problem, Some(error));
    }
}

#[tokio::test(start_paused = true)]
async fn f12_a_dead_grant_ends_the_session_and_says_why() {
    let rig = signed_in().await;
    let Stage::SignedIn { account, .. } = rig.snapshot().stage else { panic!("signed in") };
    rig.clock.advance(LIFETIME);
    let description = "AADB2C90080: The provided grant has expired.\r\n\
                       Correlation ID: f4d2a2a5-8b5f-4f53-a2f5-7d5a2b0f7b3e\r\n";
    rig.provider.script([Step::Error("invalid_grant", description)]);
    let error = rig.session.access_token().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::SessionReauthRequired);
    assert_eq!(error.reason.as_deref(), Some("AADB2C90080"));
    assert_eq!(error.correlation_id.as_deref(), Some("f4d2a2a5-8b5f-4f53-a2f5-7d5a2b0f7b3e"));
    let snapshot = rig.snapshot();
    assert_eq!(
        snapshot.stage,
        Stage::SignedOut { cause: SignedOutCause::Ended, last_account: Some(account) }
    );
    assert_eq!(snapshot.problem, Some(error));
    assert!(rig.stored_sign_in().is_empty());
    assert_eq!(
        rig.session.access_token().await.unwrap_err().code,
        ErrorCode::SessionReauthRequired
    );
    assert_eq!(refreshes(&rig), 1, "an ended session asks nothing more");
}

#[tokio::test(start_paused = true)]
async fn f12_everything_else_keeps_the_session_and_its_token() {
    let html = "<html>Welcome to the hotel</html>".to_owned();
    let cases = [
        (Step::Raw(200, "text/html", html), ErrorCode::NetCaptive),
        (Step::Raw(302, "text/html", String::new()), ErrorCode::NetCaptive),
        (Step::Raw(503, "text/html", String::new()), ErrorCode::ProviderBusy),
        (Step::Raw(400, "application/json", String::new()), ErrorCode::ProviderBusy),
        (Step::Later(1), ErrorCode::ProviderBusy),
        (Step::Unreachable, ErrorCode::NetUnreachable),
        (Step::TimesOut, ErrorCode::NetUnreachable),
        (Step::Error("invalid_client", "AADB2C90079: secret"), ErrorCode::ProviderConfig),
    ];
    for (step, code) in cases {
        let rig = signed_in().await;
        let stored = rig.stored_sign_in();
        rig.clock.advance(LIFETIME);
        rig.provider.script([step.clone()]);
        let error = rig.session.access_token().await.unwrap_err();
        assert_eq!(error.code, code, "{step:?}");
        assert!(is_signed_in(&rig.snapshot()), "{step:?}");
        assert_eq!(rig.stored_sign_in(), stored, "{step:?}");
        let shown = rig.snapshot().problem.map(|problem| problem.code);
        let said = matches!(code, ErrorCode::NetCaptive | ErrorCode::ProviderConfig);
        assert_eq!(shown, said.then_some(code), "{step:?}");
        // Until the next try is due, callers hear the same and nothing is sent.
        let sent = rig.provider.requests();
        assert_eq!(rig.session.access_token().await.unwrap_err(), error);
        assert_eq!(rig.provider.requests(), sent);

        rig.clock.advance(Duration::from_secs(2));
        rig.session.access_token().await.unwrap();
        assert!(is_online(&rig.snapshot()), "{step:?}");
        assert_eq!(rig.snapshot().problem, None, "{step:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn f12_offline_backs_off_and_recovers_by_itself() {
    let rig = signed_in().await;
    rig.provider.set_down(true);
    rig.advance(LIFETIME).await;
    let snapshot = rig.until(is_offline).await;
    let Stage::SignedIn { connection: Connection::Offline { since_ms }, .. } = snapshot.stage
    else {
        panic!("offline")
    };
    assert!(since_ms.is_some());
    let before = rig.provider.requests();
    for _ in 0..60 {
        rig.advance(Duration::from_secs(60)).await;
    }
    let tries = rig.provider.requests() - before;
    assert!((5..=60).contains(&tries), "{tries} tries in an hour");
    rig.provider.set_down(false);
    rig.advance(Duration::from_secs(300)).await;
    rig.until(is_online).await;
    assert_eq!(rig.snapshot().problem, None);
}

#[tokio::test(start_paused = true)]
async fn f12_retry_after_is_honoured() {
    let rig = signed_in().await;
    rig.provider.script([Step::Later(900)]);
    rig.clock.advance(LIFETIME);
    rig.session.access_token().await.unwrap_err();
    let sent = rig.provider.requests();
    rig.clock.advance(Duration::from_secs(899));
    rig.session.access_token().await.unwrap_err();
    assert_eq!(rig.provider.requests(), sent);
    rig.clock.advance(Duration::from_secs(1));
    rig.session.access_token().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn f14_a_sign_out_while_a_refresh_is_on_its_way_leaves_no_token_anywhere() {
    let rig = signed_in().await;
    rig.clock.advance(LIFETIME);
    rig.provider.hold();
    let session = rig.session.clone();
    let late = tokio::spawn(async move { session.access_token().await.map(drop) });
    rig.provider.until_token_requests(2).await;
    rig.session.sign_out(SignOutScope::Here).await.unwrap();
    let after = rig.snapshot();
    rig.provider.release();
    assert_eq!(late.await.unwrap().unwrap_err().code, ErrorCode::SessionStaleGeneration);
    assert_eq!(rig.snapshot(), after);
    assert!(rig.stored_sign_in().is_empty());
    rig.session.access_token().await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn f14_a_sign_out_while_the_new_token_is_being_stored_erases_that_too() {
    let rig = signed_in().await;
    rig.clock.advance(LIFETIME);
    rig.provider.hold();
    let session = rig.session.clone();
    let late = tokio::spawn(async move { session.access_token().await.map(drop) });
    rig.provider.until_token_requests(2).await;
    let calls = rig.store.log().len();
    rig.store.set_fault(Fault::Hanging);
    rig.provider.release();
    rig.store.until_called(calls + 1).await;

    let session = rig.session.clone();
    let sign_out = tokio::spawn(async move { session.sign_out(SignOutScope::Here).await });
    rig.until(|snapshot| matches!(snapshot.stage, Stage::SignedOut { .. })).await;
    rig.store.set_fault(Fault::None);
    sign_out.await.unwrap().unwrap();
    assert_eq!(late.await.unwrap().unwrap_err().code, ErrorCode::SessionStaleGeneration);
    assert!(rig.stored_sign_in().is_empty());
    assert!(matches!(rig.snapshot().stage, Stage::SignedOut { .. }));
}

#[tokio::test(start_paused = true)]
async fn f15_a_late_answer_for_the_one_who_left_does_not_reach_the_next() {
    let rig = signed_in().await;
    rig.clock.advance(LIFETIME);
    rig.provider.hold();
    let session = rig.session.clone();
    let late = tokio::spawn(async move { session.access_token().await.map(drop) });
    rig.provider.until_token_requests(2).await;
    rig.session.sign_out(SignOutScope::Here).await.unwrap();
    rig.provider.set_person("person-2");
    let redirect = rig.provider.authorize(&rig.begin().await);
    rig.provider.release();
    rig.session.redirect(redirect.as_bytes()).await.unwrap();
    late.await.unwrap().unwrap_err();
    let Stage::SignedIn { account, .. } = rig.snapshot().stage else { panic!("signed in") };
    assert_eq!(account.name, "Name of person-2");
    rig.clock.advance(LIFETIME);
    rig.session.access_token().await.unwrap();
    assert!(presented(&rig).starts_with(REFRESH_CANARY));
    assert!(is_signed_in(&rig.snapshot()));
}

#[tokio::test(start_paused = true)]
async fn f11_a_month_offline_is_one_prompt_and_keeps_who_it_was() {
    let mut rig = signed_in().await;
    rig.advance(Duration::from_secs(30 * 86_400)).await;
    rig.restart().await;
    rig.provider.script([Step::Error("invalid_grant", "AADB2C90080: expired")]);
    rig.session.start().await;
    let snapshot = rig.until(|snapshot| matches!(snapshot.stage, Stage::SignedOut { .. })).await;
    let Stage::SignedOut { cause, last_account } = snapshot.stage else { panic!("signed out") };
    assert_eq!(cause, SignedOutCause::Ended);
    assert_eq!(last_account.unwrap().name, "Name of person-1");
    assert_eq!(snapshot.problem.unwrap().code, ErrorCode::SessionReauthRequired);
}
