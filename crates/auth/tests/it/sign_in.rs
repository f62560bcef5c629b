//! Signing in over a scripted provider.

use std::collections::HashSet;
use std::time::Duration;

use luminous_auth::sign_in::{self, Ask, Request};
use luminous_domain::OsEntropy;
use luminous_oidc::{ProviderConfig, ProviderMetadata, Transport};
use luminous_testkit::SessionRig;
use luminous_testkit::scripted::Step;
use luminous_wire::{
    BrowserPurpose, BrowserState, Connection, ErrorCode, FamilyStanding, Language, RedirectChannel,
    SignInIntent, SignedOutCause, Stage, StorageView,
};
use serde_json::json;
use url::Url;

fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// `redirect` with the last character of its state changed.
fn with_other_state(redirect: &str) -> String {
    let mut url = Url::parse(redirect).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    url.query_pairs_mut().clear().extend_pairs(pairs.into_iter().map(|(name, mut value)| {
        if name == "state" {
            let last = value.pop().unwrap();
            value.push(if last == 'A' { 'B' } else { 'A' });
        }
        (name, value)
    }));
    url.into()
}

fn is_waiting(stage: &Stage) -> bool {
    matches!(stage, Stage::WaitingForBrowser { .. })
}

#[tokio::test(start_paused = true)]
async fn a_person_signs_in_and_is_still_signed_in_after_a_restart() {
    let mut rig = SessionRig::new();
    rig.session.start().await;
    assert_eq!(
        rig.snapshot().stage,
        Stage::SignedOut { cause: SignedOutCause::Never, last_account: None }
    );

    rig.sign_in().await;
    let Stage::SignedIn { account, connection, family } = rig.snapshot().stage else {
        panic!("somebody is signed in")
    };
    assert_eq!(family, FamilyStanding::Unserved, "there is only a provider");
    assert_eq!(account.name, "Name of person-1");
    assert_eq!(account.email.as_deref(), Some("person-1@example.test"));
    assert_eq!(connection, Connection::Online);
    assert_eq!(rig.snapshot().storage, StorageView::Keyring);
    assert_eq!(rig.snapshot().problem, None);

    rig.restart().await;
    let connection = Connection::Checking;
    let known = Stage::SignedIn { account: account.clone(), connection, family };
    assert_eq!(rig.snapshot().stage, known, "before the keyring was asked");
    rig.session.start().await;
    let online =
        |stage: &Stage| matches!(stage, Stage::SignedIn { connection: Connection::Online, .. });
    let snapshot = rig.until(|snapshot| online(&snapshot.stage)).await;
    assert_eq!(snapshot.problem, None);
    let refresh = rig.provider.token_requests().pop().unwrap();
    assert_eq!(refresh.get("grant_type"), Some("refresh_token"));
}

#[tokio::test(start_paused = true)]
async fn the_link_asks_for_a_code_with_pkce_state_and_nonce() {
    let rig = SessionRig::new();
    let link = rig.begin().await;
    assert_eq!(rig.browser.opened(), std::slice::from_ref(&link));
    assert_eq!(
        query(&link, "redirect_uri").as_deref(),
        Some("family.luminous.app://auth/callback")
    );
    assert_eq!(query(&link, "scope").as_deref(), Some("openid offline_access profile email"));
    assert_eq!(query(&link, "prompt"), None);
    let waiting = rig.snapshot().stage;
    let expected = Stage::WaitingForBrowser {
        purpose: BrowserPurpose::SignIn,
        channel: RedirectChannel::DeepLink,
        browser: BrowserState::Opened,
        expires_at_ms: 1_795_348_800_000 + 600_000,
    };
    assert_eq!(waiting, expected);

    rig.session.begin_sign_in(SignInIntent::SwitchAccount, None).await.unwrap();
    let link = Url::parse(&rig.session.sign_in_link().unwrap()).unwrap();
    assert_eq!(query(&link, "prompt").as_deref(), Some("login"));
}

#[tokio::test(start_paused = true)]
async fn r1_a_rejected_code_stores_nothing_and_leaves_the_signed_in_person_alone() {
    let rig = SessionRig::new();
    rig.sign_in().await;
    let before = rig.snapshot();
    let stored = rig.stored_sign_in();

    // Somebody else's code in our redirect: its PKCE challenge was made from another verifier.
    let victim = rig.begin().await;
    let attacker = SessionRig::new();
    let code =
        query(&Url::parse(&rig.provider.authorize(&attacker.begin().await)).unwrap(), "code");
    let state = query(&victim, "state").unwrap();
    let forged =
        format!("family.luminous.app://auth/callback?code={}&state={state}", code.unwrap());
    let error = rig.session.redirect(forged.as_bytes()).await.unwrap_err();

    assert_eq!(error.code, ErrorCode::RedirectExchangeRejected);
    let after = rig.snapshot();
    assert_eq!(after.stage, before.stage);
    assert_eq!(
        after.problem.map(|problem| problem.code),
        Some(ErrorCode::RedirectExchangeRejected)
    );
    assert_eq!(rig.stored_sign_in(), stored);
}

#[tokio::test(start_paused = true)]
async fn r2_a_redirect_nobody_asked_for_makes_no_request() {
    let rig = SessionRig::new();
    rig.session.start().await;
    let before = rig.snapshot();
    let stray = b"family.luminous.app://auth/callback?code=evil&state=evil";
    let error = rig.session.redirect(stray).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::RedirectNoPending);
    assert_eq!(rig.provider.requests(), 0);
    assert_eq!(rig.snapshot(), before);
}

#[tokio::test(start_paused = true)]
async fn r3_a_state_that_differs_is_refused_and_the_sign_in_stays_pending() {
    let rig = SessionRig::new();
    let link = rig.begin().await;
    let good = rig.provider.authorize(&link);
    let state = query(&link, "state").unwrap();
    let bad = [
        with_other_state(&good),
        good.replace(&format!("&state={state}"), ""),
        format!("{good}&state={state}"),
    ];
    for redirect in bad {
        let error = rig.session.redirect(redirect.as_bytes()).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::RedirectStateMismatch, "{redirect}");
        assert!(is_waiting(&rig.snapshot().stage));
    }
    assert!(rig.provider.token_requests().is_empty());
    rig.session.redirect(good.as_bytes()).await.unwrap();
    assert!(matches!(rig.snapshot().stage, Stage::SignedIn { .. }));
}

#[tokio::test(start_paused = true)]
async fn r3_the_tenth_bad_answer_ends_the_sign_in() {
    let rig = SessionRig::new();
    let good = rig.provider.authorize(&rig.begin().await);
    let bad = with_other_state(&good);
    for _ in 0..9 {
        rig.session.redirect(bad.as_bytes()).await.unwrap_err();
        assert!(is_waiting(&rig.snapshot().stage));
    }
    rig.session.redirect(bad.as_bytes()).await.unwrap_err();
    let snapshot = rig.snapshot();
    assert!(!is_waiting(&snapshot.stage));
    assert_eq!(snapshot.problem.map(|p| p.code), Some(ErrorCode::RedirectStateMismatch));
    let late = rig.session.redirect(good.as_bytes()).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::RedirectNoPending);
    assert!(rig.provider.token_requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn r4_the_same_answer_twice_makes_one_token_request() {
    let rig = SessionRig::new();
    let redirect = rig.provider.authorize(&rig.begin().await);
    rig.session.redirect(redirect.as_bytes()).await.unwrap();
    let again = rig.session.redirect(redirect.as_bytes()).await.unwrap_err();
    assert_eq!(again.code, ErrorCode::RedirectAlreadyUsed);
    assert_eq!(rig.provider.token_requests().len(), 1);
    assert!(matches!(rig.snapshot().stage, Stage::SignedIn { .. }));
    assert_eq!(rig.snapshot().problem, None);
}

#[tokio::test(start_paused = true)]
async fn r5_an_answer_after_ten_minutes_is_too_late() {
    let rig = SessionRig::new();
    let redirect = rig.provider.authorize(&rig.begin().await);
    rig.clock.advance(Duration::from_secs(601));
    let error = rig.session.redirect(redirect.as_bytes()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::RedirectExpired);
    assert!(rig.provider.token_requests().is_empty());
    let snapshot = rig.snapshot();
    assert!(!is_waiting(&snapshot.stage));
    assert_eq!(snapshot.problem.map(|p| p.code), Some(ErrorCode::RedirectExpired));
}

#[tokio::test(start_paused = true)]
async fn r5_the_waiting_screen_ends_by_itself() {
    let rig = SessionRig::new();
    let redirect = rig.provider.authorize(&rig.begin().await);
    rig.advance(Duration::from_secs(599)).await;
    assert!(is_waiting(&rig.snapshot().stage));
    rig.advance(Duration::from_secs(1)).await;
    let snapshot = rig.until(|snapshot| !is_waiting(&snapshot.stage)).await;
    assert_eq!(snapshot.problem.map(|p| p.code), Some(ErrorCode::RedirectExpired));
    let late = rig.session.redirect(redirect.as_bytes()).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::RedirectExpired);
}

#[tokio::test(start_paused = true)]
async fn r6_answers_that_cross_find_their_own_sign_in() {
    let rig = SessionRig::new();
    let first = rig.provider.authorize(&rig.begin().await);
    let second = rig.provider.authorize(&rig.begin().await);
    // The scripted provider puts each code's own nonce into its ID token, and the session compares
    // it with the nonce of the sign-in it matched: mixing them up could not succeed.
    rig.session.redirect(second.as_bytes()).await.unwrap();
    rig.session.redirect(first.as_bytes()).await.unwrap();
    let requests = rig.provider.token_requests();
    assert_eq!(requests.len(), 2);
    assert_ne!(requests[0].get("code_verifier"), requests[1].get("code_verifier"));
    assert!(matches!(rig.snapshot().stage, Stage::SignedIn { .. }));
}

#[tokio::test(start_paused = true)]
async fn r6_an_id_token_with_another_nonce_is_refused() {
    let rig = SessionRig::new();
    rig.provider.script([Step::IdToken(json!({"nonce": "of-another-sign-in"}))]);
    let error = rig.try_sign_in().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::TokenRejected);
    assert_eq!(error.reason.as_deref(), Some("token.nonce_mismatch"));
    assert!(matches!(rig.snapshot().stage, Stage::SignedOut { .. }));
    assert!(rig.stored_sign_in().is_empty());
}

#[tokio::test(start_paused = true)]
async fn r7_an_answer_without_or_with_another_issuer_sends_the_code_nowhere() {
    let rig = SessionRig::new();
    rig.provider.set_response_iss(true);
    for change in ["", "&iss=https%3A%2F%2Fevil.example"] {
        let redirect = rig.provider.authorize(&rig.begin().await);
        let redirect = redirect.replace("&iss=https%3A%2F%2Fid.example.test", change);
        let error = rig.session.redirect(redirect.as_bytes()).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::RedirectIssuerMismatch);
    }
    assert!(rig.provider.token_requests().is_empty());
    rig.sign_in().await;
}

#[tokio::test(start_paused = true)]
async fn r9_cancelling_in_the_browser_is_quiet_and_a_forgotten_password_is_not() {
    let rig = SessionRig::new();
    let cases = [
        ("AADB2C90091%3a+cancelled", ErrorCode::RedirectCancelled, None),
        (
            "AADB2C90118%3a+forgotten%0d%0aCorrelation+ID%3a+f4d2a2a5-8b5f-4f53-a2f5-7d5a2b0f7b3e",
            ErrorCode::RedirectPasswordReset,
            Some("f4d2a2a5-8b5f-4f53-a2f5-7d5a2b0f7b3e"),
        ),
    ];
    for (description, code, correlation_id) in cases {
        let state = query(&rig.begin().await, "state").unwrap();
        let redirect = format!(
            "family.luminous.app://auth/callback?error=access_denied\
             &error_description={description}&state={state}"
        );
        let error = rig.session.redirect(redirect.as_bytes()).await.unwrap_err();
        assert_eq!(error.code, code);
        assert_eq!(error.correlation_id.as_deref(), correlation_id);
        let snapshot = rig.snapshot();
        assert!(matches!(snapshot.stage, Stage::SignedOut { .. }));
        let shown = snapshot.problem.map(|problem| problem.code);
        assert_eq!(shown, (code != ErrorCode::RedirectCancelled).then_some(code));
    }
    assert!(rig.provider.token_requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn r17_without_a_browser_the_link_can_be_copied_and_works() {
    let rig = SessionRig::new();
    rig.browser.break_down(true);
    let link = rig.begin().await;
    let snapshot = rig.snapshot();
    let Stage::WaitingForBrowser { browser, .. } = snapshot.stage else { panic!("it waits") };
    assert_eq!(browser, BrowserState::Failed);
    assert_eq!(snapshot.problem.map(|p| p.code), Some(ErrorCode::RedirectNoBrowser));

    rig.browser.break_down(false);
    rig.session.open_again().await.unwrap();
    assert_eq!(rig.browser.opened(), std::slice::from_ref(&link));
    assert_eq!(rig.snapshot().problem, None);
    rig.session.redirect(rig.provider.authorize(&link).as_bytes()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_sign_in_is_over() {
    let rig = SessionRig::new();
    let redirect = rig.provider.authorize(&rig.begin().await);
    rig.session.cancel_sign_in().await.unwrap();
    assert!(matches!(rig.snapshot().stage, Stage::SignedOut { .. }));
    assert_eq!(rig.session.sign_in_link().unwrap_err().code, ErrorCode::RedirectNoPending);
    let late = rig.session.redirect(redirect.as_bytes()).await.unwrap_err();
    assert_eq!(late.code, ErrorCode::RedirectNoPending);
    assert!(rig.provider.token_requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_pending_sign_in_survives_a_restart_and_a_cold_start_finishes_it() {
    let mut rig = SessionRig::new();
    let redirect = rig.provider.authorize(&rig.begin().await);
    rig.restart().await;
    // The operating system starts the program with the link, before anything else happens.
    rig.session.redirect_received(redirect.as_bytes());
    rig.session.start().await;
    rig.until(|snapshot| matches!(snapshot.stage, Stage::SignedIn { .. })).await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_does_not_make_a_sign_in_live_longer() {
    let mut rig = SessionRig::new();
    let redirect = rig.provider.authorize(&rig.begin().await);
    rig.clock.advance(Duration::from_secs(601));
    rig.restart().await;
    rig.session.start().await;
    let error = rig.session.redirect(redirect.as_bytes()).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::RedirectExpired);
}

#[tokio::test(start_paused = true)]
async fn without_a_network_a_sign_in_says_so_and_nothing_waits() {
    let rig = SessionRig::new();
    rig.provider.set_down(true);
    let error = rig.session.begin_sign_in(SignInIntent::SignIn, None).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::NetUnreachable);
    let snapshot = rig.snapshot();
    assert_eq!(snapshot.problem, Some(error));
    assert!(matches!(snapshot.stage, Stage::SignedOut { .. }));
    assert!(rig.browser.opened().is_empty());
}

#[tokio::test(start_paused = true)]
async fn f9_a_wrong_clock_is_named_and_measured_instead_of_the_sign_in_blamed() {
    let rig = SessionRig::new();
    // The provider's clock is two hours ahead: its tokens are not valid yet by ours.
    rig.provider.set_date_offset(7200);
    let ahead = 1_795_348_800 + 7200;
    let claims = json!({"iat": ahead, "nbf": ahead, "exp": ahead + 3600});
    rig.provider.script([Step::IdToken(claims)]);
    let error = rig.try_sign_in().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::ClockSkew);
    assert!(error.message.contains("-7200 s"), "{}", error.message);
}

#[tokio::test(start_paused = true)]
async fn another_person_who_signs_in_replaces_the_first() {
    let rig = SessionRig::new();
    rig.sign_in().await;
    rig.provider.set_person("person-2");
    rig.sign_in().await;
    let Stage::SignedIn { account, .. } = rig.snapshot().stage else { panic!("signed in") };
    assert_eq!(account.name, "Name of person-2");
    let stored = rig.stored_sign_in();
    assert!(stored.keys().all(|name| name.contains(&account.id)), "{:?}", stored.keys());
    assert!(!stored.is_empty());
}

fn b2c_metadata() -> (ProviderConfig, ProviderMetadata) {
    let address = "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_susi";
    let config = ProviderConfig::from_address(address, "client", Transport::HttpsOnly).unwrap();
    let url = |text: &str| Url::parse(text).unwrap();
    let root = "https://contoso.b2clogin.com/contoso.onmicrosoft.com";
    let metadata = ProviderMetadata {
        issuer: "https://contoso.b2clogin.com/775527ff-9a37-4307-8b3d-cc311f58d925/v2.0/"
            .to_owned(),
        authorization_endpoint: url(&format!("{root}/oauth2/v2.0/authorize?p=b2c_1_susi")),
        token_endpoint: url(&format!("{root}/oauth2/v2.0/token?p=b2c_1_susi")),
        end_session_endpoint: None,
        jwks_uri: url(&format!("{root}/discovery/v2.0/keys?p=b2c_1_susi")),
        authorization_response_iss_parameter_supported: false,
        warnings: Vec::new(),
    };
    (config, metadata)
}

#[test]
fn an_endpoint_keeps_the_query_it_came_with() {
    let (config, metadata) = b2c_metadata();
    let request = Request {
        config: &config,
        metadata: &metadata,
        redirect_uri: "family.luminous.app://auth/callback",
        ask: &Ask::default(),
        language: Language::De,
        now: luminous_domain::Timestamp::UNIX_EPOCH,
    };
    let (link, _) = sign_in::begin(request, &OsEntropy).unwrap();
    assert_eq!(query(&link, "p").as_deref(), Some("b2c_1_susi"));
    assert_eq!(query(&link, "scope").as_deref(), Some("openid offline_access client"));
    assert_eq!(query(&link, "ui_locales").as_deref(), Some("de"));
}

#[test]
fn r18_state_nonce_and_verifier_are_256_bit_unreserved_and_never_repeat() {
    const GENERATIONS: usize = 100_000;
    let (config, metadata) = b2c_metadata();
    let request = Request {
        config: &config,
        metadata: &metadata,
        redirect_uri: "family.luminous.app://auth/callback",
        ask: &Ask::default(),
        language: Language::System,
        now: luminous_domain::Timestamp::UNIX_EPOCH,
    };
    let mut seen = HashSet::with_capacity(3 * GENERATIONS);
    for _ in 0..GENERATIONS {
        let (link, _) = sign_in::begin(request, &OsEntropy).unwrap();
        assert_eq!(query(&link, "code_challenge_method").as_deref(), Some("S256"));
        for name in ["state", "nonce", "code_challenge"] {
            let value = query(&link, name).unwrap();
            // 43 characters of base64url are 256 bits (RFC 7636 section 4.1 allows 43 to 128).
            assert_eq!(value.len(), 43);
            assert!(value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            assert!(seen.insert(value), "{name} repeats");
        }
    }
}
