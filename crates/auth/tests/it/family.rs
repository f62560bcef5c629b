//! The family server's answers: what they do to the window, the token and the sign-in.

use std::time::Duration;

use luminous_testkit::SessionRig;
use luminous_testkit::scripted::{ACCESS_CANARY, Step};
use luminous_testkit::scripted_api::{FAMILY, Say, member_of, outside};
use luminous_wire::api::{
    AcceptInvite, AddChild, CreateFamily, CreateInvite, DeleteFamily, Me, PostNote, RenameFamily,
};
use luminous_wire::{AppError, ErrorCode, FamilyStanding, SessionSnapshot, SignedOutCause, Stage};
use serde_json::json;
use tokio::task::JoinHandle;

fn standing(snapshot: &SessionSnapshot) -> Option<&FamilyStanding> {
    match &snapshot.stage {
        Stage::SignedIn { family, .. } => Some(family),
        _ => None,
    }
}

fn family_name(snapshot: &SessionSnapshot) -> Option<&str> {
    match standing(snapshot)? {
        FamilyStanding::Member { membership } => Some(&membership.family.name),
        _ => None,
    }
}

/// Somebody is signed in, and the family server has said where they belong.
async fn at_home() -> SessionRig {
    let rig = SessionRig::served();
    rig.session.start().await;
    rig.sign_in().await;
    rig.until(|snapshot| family_name(snapshot).is_some()).await;
    rig
}

fn path(rest: &str) -> String {
    format!("/api/families/{FAMILY}{rest}")
}

#[tokio::test(start_paused = true)]
async fn the_place_in_the_family_follows_a_sign_in_and_is_known_offline_at_the_next_start() {
    let mut rig = at_home().await;
    assert_eq!(family_name(&rig.snapshot()), Some("The Lights"));
    let asked = rig.api.requests_to("/api/me").pop().unwrap();
    assert!(asked.token.starts_with(ACCESS_CANARY));

    rig.provider.set_down(true);
    rig.api.script("/api/me", [Say::Unreachable]);
    rig.restart().await;
    assert_eq!(family_name(&rig.snapshot()), Some("The Lights"), "in the first frame");
}

#[tokio::test(start_paused = true)]
async fn the_place_in_the_family_is_asked_for_again_after_a_refresh() {
    let rig = at_home().await;
    rig.api.set_me(member_of("The Larks", "adult"));
    rig.advance(Duration::from_secs(3600)).await;
    rig.session.access_token().await.unwrap();
    rig.until(|snapshot| family_name(snapshot) == Some("The Larks")).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_signs_out_leaves_no_family_behind() {
    let mut rig = at_home().await;
    rig.session.sign_out(luminous_wire::SignOutScope::Here).await.unwrap();
    rig.api.script("/api/me", [Say::Unreachable]);
    rig.sign_in().await;
    assert_eq!(standing(&rig.snapshot()), Some(&FamilyStanding::Unknown));
    rig.restart().await;
}

#[tokio::test(start_paused = true)]
async fn a_family_is_created_joined_left_and_deleted() {
    let rig = at_home().await;
    rig.api.set_me(outside());
    rig.session.load_family().await.unwrap();
    assert_eq!(standing(&rig.snapshot()), Some(&FamilyStanding::Outside));

    rig.api.script("/api/families", [Say::Json(member_of("New", "owner"))]);
    rig.session.create_family(&CreateFamily { name: "New".to_owned() }).await.unwrap();
    assert_eq!(family_name(&rig.snapshot()), Some("New"));
    rig.session.leave_family().await.unwrap();
    assert_eq!(standing(&rig.snapshot()), Some(&FamilyStanding::Outside));

    rig.api.script("/api/invites/accept", [Say::Json(member_of("Theirs", "teen"))]);
    rig.session.accept_invite(&AcceptInvite { code: "K7M3QXW92H".to_owned() }).await.unwrap();
    assert_eq!(family_name(&rig.snapshot()), Some("Theirs"));
    rig.session.delete_family(&DeleteFamily { name: "Theirs".to_owned() }).await.unwrap();
    assert_eq!(standing(&rig.snapshot()), Some(&FamilyStanding::Outside));
    let deleted = rig.api.requests_to(&path("")).pop().unwrap();
    assert_eq!((deleted.method.as_str(), deleted.body), ("DELETE", json!({ "name": "Theirs" })));
}

#[tokio::test(start_paused = true)]
async fn a_new_name_of_the_family_is_shown_at_once() {
    let rig = at_home().await;
    rig.api.set_me(member_of("The Larks", "owner"));
    rig.session.rename_family(&RenameFamily { name: "The Larks".to_owned() }).await.unwrap();
    assert_eq!(family_name(&rig.snapshot()), Some("The Larks"));
    let renamed = rig.api.requests_to(&path("")).pop().unwrap();
    assert_eq!(renamed.method, "PATCH");
}

#[tokio::test(start_paused = true)]
async fn a_stale_token_is_refreshed_once_and_the_act_done() {
    let rig = at_home().await;
    let notes = path("/notes");
    rig.api.script(&notes, [Say::Problem(401, "token.stale"), Say::Nothing]);
    rig.session.post_note(&PostNote { text: "Hello".to_owned(), hours: None }).await.unwrap();
    let tries = rig.api.requests_to(&notes);
    assert_eq!(tries.len(), 2);
    assert_ne!(tries[0].token, tries[1].token);
    assert!(tries[0].key.is_some(), "creating something has a key");
    assert_eq!(tries[0].key, tries[1].key, "and the same one when it is tried again");

    rig.session.post_note(&PostNote { text: "Again".to_owned(), hours: None }).await.unwrap();
    assert_ne!(rig.api.requests_to(&notes)[2].key, tries[0].key, "another wish has another");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_stays_refused_costs_one_refresh_and_no_sign_in() {
    let rig = at_home().await;
    let before = rig.provider.token_requests().len();
    let refused = || Say::Problem(401, "token.invalid");
    rig.api.script("/api/me", [refused(), refused(), refused(), refused(), refused()]);
    let error = rig.session.load_family().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::ServerRefused);
    rig.advance(Duration::from_secs(30)).await;
    assert_eq!(rig.provider.token_requests().len(), before + 1, "a refresh asks for no other");
    assert!(matches!(rig.snapshot().stage, Stage::SignedIn { .. }));
}

#[tokio::test(start_paused = true)]
async fn s3_a_refusal_to_say_who_we_are_is_no_reason_to_ask_again() {
    let rig = at_home().await;
    let refused = || Say::Problem(403, "authz.family_mismatch");
    let before = rig.api.requests_to("/api/me").len();
    rig.api.script("/api/me", [refused(), refused(), refused(), refused(), refused()]);
    let error = rig.session.load_family().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::AuthzFamilyMismatch);
    rig.advance(Duration::from_secs(30)).await;
    assert_eq!(rig.api.requests_to("/api/me").len(), before + 1);

    rig.advance(Duration::from_secs(3600)).await;
    rig.session.access_token().await.unwrap();
    rig.advance(Duration::from_secs(30)).await;
    assert_eq!(rig.api.requests_to("/api/me").len(), before + 2, "nor behind a refresh");
}

#[tokio::test(start_paused = true)]
async fn s4_a_token_that_is_spent_when_it_comes_is_not_refreshed_at_once() {
    let rig = at_home().await;
    let before = rig.provider.token_requests().len();
    let spent = || Step::Tokens(json!({ "expires_in": 0 }));
    rig.provider.script([spent(), spent(), spent(), spent(), spent()]);
    rig.advance(Duration::from_secs(3400)).await;
    rig.provider.until_token_requests(before + 1).await;
    rig.advance(Duration::from_secs(30)).await;
    assert_eq!(rig.provider.token_requests().len(), before + 1);
}

fn asks_anew(link: &url::Url) -> bool {
    link.query_pairs().any(|(name, value)| name == "prompt" && value == "login")
}

#[tokio::test(start_paused = true)]
async fn s1_after_a_sign_in_was_ended_everywhere_the_next_one_is_proved_anew() {
    let mut rig = at_home().await;
    rig.api.script("/api/me", [Say::Problem(401, "token.revoked")]);
    rig.session.load_family().await.unwrap_err();
    assert!(asks_anew(&rig.begin().await));
    rig.restart().await;
    rig.session.start().await;
    assert!(asks_anew(&rig.begin().await), "also after a restart");
    rig.sign_in().await;

    rig.session.sign_out(luminous_wire::SignOutScope::Here).await.unwrap();
    assert!(!asks_anew(&rig.begin().await), "it was proved");
    rig.sign_in().await;
    rig.until(|snapshot| family_name(snapshot).is_some()).await;
    rig.session.sign_out_everywhere().await.unwrap();
    assert!(asks_anew(&rig.begin().await), "the same where it was this app that did it");
}

#[tokio::test(start_paused = true)]
async fn u6_a_wish_whose_answer_was_lost_is_the_same_wish_when_it_is_made_again() {
    let rig = at_home().await;
    let notes = path("/notes");
    rig.api.script(&notes, [Say::Unreachable, Say::Raw(502, "text/html", ""), Say::Nothing]);
    let soup = PostNote { text: "Soup".to_owned(), hours: None };
    rig.session.post_note(&soup).await.unwrap_err();
    rig.session.post_note(&soup).await.unwrap_err();
    rig.session.post_note(&soup).await.unwrap();
    rig.session.post_note(&soup).await.unwrap();
    rig.session.post_note(&PostNote { text: "Tea".to_owned(), hours: None }).await.unwrap();
    let keys: Vec<_> = rig.api.requests_to(&notes).into_iter().map(|one| one.key).collect();
    assert_eq!((&keys[0], &keys[0]), (&keys[1], &keys[2]));
    assert_ne!(keys[2], keys[3], "it had its verdict");
    assert_ne!(keys[3], keys[4]);
}

#[tokio::test(start_paused = true)]
async fn u11_too_many_is_said_so() {
    let rig = at_home().await;
    rig.api.script(&path("/notes"), [Say::Problem(409, "limit.reached")]);
    let note = PostNote { text: "One more".to_owned(), hours: None };
    let error = rig.session.post_note(&note).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::LimitReached);
}

#[tokio::test(start_paused = true)]
async fn v21_a_sign_in_that_was_ended_elsewhere_ends_here() {
    let rig = at_home().await;
    rig.api.script("/api/me", [Say::Problem(401, "token.revoked")]);
    let error = rig.session.load_family().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::SessionReauthRequired);
    assert_eq!(error.reason.as_deref(), Some("token.revoked"));
    let ended =
        |stage: &Stage| matches!(stage, Stage::SignedOut { cause: SignedOutCause::Ended, .. });
    assert!(ended(&rig.snapshot().stage));
    assert!(rig.stored_sign_in().is_empty());
}

#[tokio::test(start_paused = true)]
async fn f12_nothing_but_the_servers_own_words_signs_anybody_out() {
    let rig = at_home().await;
    let (stored, before) = (rig.stored_sign_in(), rig.snapshot());
    let answers = [
        (Say::Raw(200, "text/html", "<h1>Hotel</h1>"), ErrorCode::NetCaptive),
        (Say::Raw(401, "text/html", "token.revoked"), ErrorCode::NetCaptive),
        (Say::Raw(401, "application/json", r#"{"code":"token.revoked"}"#), ErrorCode::NetCaptive),
        (Say::Raw(302, "text/html", ""), ErrorCode::NetCaptive),
        (Say::Raw(200, "application/json", "[1, 2"), ErrorCode::ServerBusy),
        (Say::Raw(503, "text/html", "<h1>nginx</h1>"), ErrorCode::ServerBusy),
        (Say::Problem(503, "store.locked"), ErrorCode::ServerBusy),
        (Say::Problem(429, "limit.rate"), ErrorCode::ServerBusy),
        (Say::Unreachable, ErrorCode::ServerUnreachable),
    ];
    for (answer, code) in answers {
        rig.api.script("/api/me", [answer.clone()]);
        let error = rig.session.load_family().await.unwrap_err();
        assert_eq!(error.code, code, "{answer:?}");
        assert_eq!(rig.snapshot(), before, "{answer:?}");
        assert_eq!(rig.stored_sign_in(), stored, "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn v20_a_place_that_changed_is_seen_after_the_first_refusal() {
    let rig = at_home().await;
    rig.api.set_me(outside());
    rig.api.script(&path("/members"), [Say::Problem(403, "authz.family_mismatch")]);
    let error = rig.session.list_members().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::AuthzFamilyMismatch);
    rig.until(|snapshot| standing(snapshot) == Some(&FamilyStanding::Outside)).await;
    let error = rig.session.list_members().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::AuthzFamilyMismatch, "and asked no more");
    assert_eq!(rig.api.requests_to(&path("/members")).len(), 1);
}

/// Asks who we are; the answer is on its way and does not arrive.
async fn asked_and_held(rig: &SessionRig) -> JoinHandle<Result<Me, AppError>> {
    let asked = rig.api.requests_to("/api/me").len();
    rig.api.hold();
    let session = rig.session.clone();
    let slow = tokio::spawn(async move { session.load_family().await });
    rig.api.until_requests_to("/api/me", asked + 1).await;
    slow
}

#[tokio::test(start_paused = true)]
async fn an_older_answer_that_comes_late_is_none() {
    let rig = at_home().await;
    let slow = asked_and_held(&rig).await;
    rig.api.script("/api/families", [Say::Json(member_of("New", "owner"))]);
    rig.session.create_family(&CreateFamily { name: "New".to_owned() }).await.unwrap();
    rig.api.release();
    slow.await.unwrap().unwrap();
    assert_eq!(family_name(&rig.snapshot()), Some("New"));
}

#[tokio::test(start_paused = true)]
async fn f14_what_was_asked_for_one_person_is_not_shown_to_the_next() {
    let rig = at_home().await;
    let slow = asked_and_held(&rig).await;
    rig.session.sign_out(luminous_wire::SignOutScope::Here).await.unwrap();
    rig.provider.set_person("person-2");
    rig.sign_in().await;
    rig.api.script("/api/me", [Say::Unreachable]);
    rig.api.release();
    let error = slow.await.unwrap().unwrap_err();
    assert_eq!(error.code, ErrorCode::SessionStaleGeneration);
}

#[tokio::test(start_paused = true)]
async fn without_a_family_server_there_is_nothing_to_ask() {
    let rig = SessionRig::new();
    rig.sign_in().await;
    let error = rig.session.load_family().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::ServerAbsent);
    let child = AddChild { name: "Bo".to_owned() };
    assert_eq!(rig.session.add_child(&child).await.unwrap_err().code, ErrorCode::ServerAbsent);
    assert!(rig.api.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn u3_everything_a_person_exports_comes_as_it_is_and_without_a_token() {
    let rig = at_home().await;
    let said = json!({ "exported_at_ms": 1, "something": { "new": true } });
    rig.api.script("/api/me/export", [Say::Json(said)]);
    let text = rig.session.export_my_data().await.unwrap();
    assert!(text.contains("\"new\": true"), "{text}");
    assert!(!text.contains(ACCESS_CANARY));
}

#[tokio::test(start_paused = true)]
async fn signing_out_everywhere_ends_the_sign_in_here_too_but_only_when_the_server_did() {
    let rig = at_home().await;
    let everywhere = "/api/me/sign-out-everywhere";
    rig.api.script(everywhere, [Say::Unreachable, Say::Nothing]);
    let error = rig.session.sign_out_everywhere().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::ServerUnreachable);
    assert!(matches!(rig.snapshot().stage, Stage::SignedIn { .. }));

    rig.session.sign_out_everywhere().await.unwrap();
    assert!(matches!(rig.snapshot().stage, Stage::SignedOut { .. }));
    assert!(rig.stored_sign_in().is_empty());
    let page = rig.browser.opened().pop().unwrap();
    assert_eq!(page.path(), "/logout", "and at the provider");
}

#[tokio::test(start_paused = true)]
async fn s9_no_error_of_the_family_server_quotes_a_token() {
    let rig = at_home().await;
    let token = rig.session.access_token().await.unwrap();
    let invite = CreateInvite { role: luminous_domain::Role::Teen, hours: None };
    for answer in [
        Say::Raw(400, "application/problem+json", r#"{"code":"Bearer canary-access-1"}"#),
        Say::Raw(200, "application/json", r#""canary-access-1""#),
        Say::Problem(400, "canary-access-1 canary-refresh-1"),
        Say::Unreachable,
    ] {
        rig.api.script(&path("/invites"), [answer.clone()]);
        let error = rig.session.create_invite(&invite).await.unwrap_err();
        let shown = format!("{error:?}");
        assert!(!shown.contains(token.expose()), "{answer:?}: {shown}");
        assert!(!shown.contains("canary"), "{answer:?}: {shown}");
    }
    rig.provider.script([Step::Unreachable]);
}
