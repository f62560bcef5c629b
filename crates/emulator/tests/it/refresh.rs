//! Refresh tokens in the three modes, and how they end.

use std::time::Duration;

use luminous_emulator::{
    DEMO_APP_CLIENT_ID, DEMO_SCOPE, DEMO_TENANT, Event, OTHER_POLICY, RefreshMode,
};
use reqwest::StatusCode;
use serde_json::Value;

use crate::client::{EMAIL, NOON, World, claims, redacted, text};

const DAY: u64 = 86_400;

async fn world(mode: RefreshMode) -> World {
    World::with_ana(|config| config.refresh_mode = mode).await
}

/// Refreshes and answers the successor.
async fn next(world: &World, token: &str) -> String {
    let (status, body) = world.refresh(token).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    text(&body, "refresh_token").to_owned()
}

/// Refreshes in vain and answers the message.
async fn refused(world: &World, token: &str) -> String {
    message(world.refresh(token).await)
}

fn message((status, body): (StatusCode, Value)) -> String {
    assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    assert_eq!(body["error"], "invalid_grant");
    let description = redacted(text(&body, "error_description"));
    description.split_once("\r\n").unwrap().0.to_owned()
}

const REVOKED: &str =
    "AADB2C90129: The provided grant has been revoked. Please reauthenticate and try again.";

#[tokio::test]
async fn a_refresh_brings_new_tokens_for_the_same_person() {
    let world = world(RefreshMode::KeepOld).await;
    let first = world.tokens().await;
    world.clock.advance(Duration::from_secs(3000));
    let (status, second) = world.refresh(text(&first, "refresh_token")).await;
    assert_eq!(status, StatusCode::OK);
    let (old, new) = (claims(text(&first, "id_token")), claims(text(&second, "id_token")));
    assert_eq!(new["sub"], old["sub"]);
    assert_eq!(new["iss"], old["iss"]);
    assert_eq!(new["auth_time"], NOON);
    assert_eq!(new["exp"], NOON + 3000 + 3600);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_eq!(world.emulator.control().count(Event::Refreshed), 1);
}

#[tokio::test]
async fn keep_old_lets_the_old_token_work_again() {
    let world = world(RefreshMode::KeepOld).await;
    let tokens = world.tokens().await;
    let first = text(&tokens, "refresh_token");
    let second = next(&world, first).await;
    next(&world, first).await;
    next(&world, &second).await;
    assert_eq!(world.emulator.control().count(Event::RefreshReuseDetected), 0);
}

#[tokio::test]
async fn strict_rotation_revokes_the_family_when_a_spent_token_returns() {
    let world = world(RefreshMode::Strict).await;
    let tokens = world.tokens().await;
    let first = text(&tokens, "refresh_token");
    let second = next(&world, first).await;
    let third = next(&world, &second).await;
    assert_eq!(refused(&world, first).await, REVOKED);
    assert_eq!(refused(&world, &third).await, REVOKED);
    let control = world.emulator.control();
    assert_eq!(control.count(Event::RefreshReuseDetected), 1, "one event, not one per answer");
    assert_eq!(control.live_families(EMAIL).unwrap(), 0);
    let again = world.tokens().await;
    next(&world, text(&again, "refresh_token")).await;
}

#[tokio::test]
async fn f5_confirm_by_use_answers_a_lost_response_with_a_fresh_successor() {
    let world = world(RefreshMode::ConfirmByUse).await;
    let tokens = world.tokens().await;
    let parent = text(&tokens, "refresh_token");
    let lost = next(&world, parent).await;
    let arrived = next(&world, parent).await;
    assert_eq!(refused(&world, &lost).await, REVOKED, "the unused successor is gone");
    next(&world, &arrived).await;
    let control = world.emulator.control();
    assert_eq!(control.count(Event::RefreshReuseDetected), 0);
    assert_eq!(control.live_families(EMAIL).unwrap(), 1);
}

#[tokio::test]
async fn f6_confirm_by_use_revokes_the_family_once_the_successor_was_used() {
    let world = world(RefreshMode::ConfirmByUse).await;
    let tokens = world.tokens().await;
    let parent = text(&tokens, "refresh_token");
    let child = next(&world, parent).await;
    let grandchild = next(&world, &child).await;
    assert_eq!(refused(&world, parent).await, REVOKED);
    assert_eq!(refused(&world, &grandchild).await, REVOKED);
    assert_eq!(world.emulator.control().count(Event::RefreshReuseDetected), 1);
}

#[tokio::test]
async fn f7_parallel_refreshes_of_one_parent_leave_one_live_branch() {
    let world = world(RefreshMode::ConfirmByUse).await;
    let tokens = world.tokens().await;
    let parent = text(&tokens, "refresh_token");
    let (a, b, c, d) = tokio::join!(
        world.refresh(parent),
        world.refresh(parent),
        world.refresh(parent),
        world.refresh(parent)
    );
    let mut live = 0;
    for (status, body) in [a, b, c, d] {
        assert_eq!(status, StatusCode::OK);
        if world.refresh(text(&body, "refresh_token")).await.0 == StatusCode::OK {
            live += 1;
        }
    }
    assert_eq!(live, 1);
}

#[tokio::test]
async fn a_refresh_token_lives_a_fortnight_and_each_successor_anew() {
    let world = world(RefreshMode::KeepOld).await;
    let tokens = world.tokens().await;
    let first = text(&tokens, "refresh_token").to_owned();
    world.clock.advance(Duration::from_secs(14 * DAY - 1));
    let second = next(&world, &first).await;
    world.clock.advance(Duration::from_secs(1));
    let now = NOON + 14 * DAY.cast_signed();
    assert_eq!(
        refused(&world, &first).await,
        format!(
            "AADB2C90080: The provided grant has expired. Please re-authenticate and try again. \
             Current time: {now}, Grant issued time: {NOON}, \
             Grant sliding window expiration time: {now}."
        )
    );
    next(&world, &second).await;
}

#[tokio::test]
async fn the_sliding_window_ends_every_successor() {
    let world = world(RefreshMode::KeepOld).await;
    let tokens = world.tokens().await;
    let mut token = text(&tokens, "refresh_token").to_owned();
    for _ in 0..6 {
        world.clock.advance(Duration::from_secs(13 * DAY));
        token = next(&world, &token).await;
    }
    world.clock.advance(Duration::from_secs(12 * DAY));
    assert!(refused(&world, &token).await.starts_with("AADB2C90080: "), "90 days are over");
}

#[tokio::test]
async fn a_refresh_token_of_one_policy_is_refused_at_another_with_both_names() {
    let world = world(RefreshMode::KeepOld).await;
    let tokens = world.tokens().await;
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", DEMO_APP_CLIENT_ID),
        ("refresh_token", text(&tokens, "refresh_token")),
    ];
    let path = format!("{DEMO_TENANT}/{OTHER_POLICY}/oauth2/v2.0/token");
    assert_eq!(
        message(world.token_at(&path, &form).await),
        "AADB2C90088: The provided grant has not been issued for this endpoint. \
         Actual Value : B2C_1_signupsignin1 and Expected Value : B2C_1_signupsignin2"
    );
    let plain = message_of(world.token_at("oidc/token", &form).await);
    assert!(plain.starts_with("The provided grant has not been issued"), "{plain}");
    next(&world, text(&tokens, "refresh_token")).await;
}

fn message_of((status, body): (StatusCode, Value)) -> String {
    assert_eq!(status, StatusCode::BAD_REQUEST);
    text(&body, "error_description").to_owned()
}

#[tokio::test]
async fn a_revoked_grant_and_a_deleted_account_are_told_apart() {
    let world = world(RefreshMode::KeepOld).await;
    let control = world.emulator.control();
    let tokens = world.tokens().await;
    assert_eq!(control.revoke_refresh_tokens(EMAIL).unwrap(), 1);
    assert_eq!(refused(&world, text(&tokens, "refresh_token")).await, REVOKED);
    let tokens = world.tokens().await;
    control.delete_user(EMAIL).unwrap();
    assert_eq!(
        refused(&world, text(&tokens, "refresh_token")).await,
        "AADB2C90128: The account associated with this grant no longer exists. \
         Please reauthenticate and try again."
    );
}

#[tokio::test]
async fn an_unknown_refresh_token_is_refused_like_a_revoked_one() {
    let world = world(RefreshMode::KeepOld).await;
    assert_eq!(refused(&world, "eyJ.not.one.of.ours").await, REVOKED);
}

#[tokio::test]
async fn a_refresh_may_name_its_scope_again_and_not_a_new_one() {
    let world = world(RefreshMode::KeepOld).await;
    let tokens = world.tokens().await;
    let mut form = vec![
        ("grant_type", "refresh_token"),
        ("client_id", DEMO_APP_CLIENT_ID),
        ("refresh_token", text(&tokens, "refresh_token")),
        ("scope", DEMO_SCOPE),
    ];
    let (status, body) = world.token(&form).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(claims(text(&body, "access_token"))["scp"], "user_impersonation");
    form[3].1 = "https://luminousdemo.onmicrosoft.com/api/admin";
    let (status, body) = world.token(&form).await;
    assert_eq!((status, &body["error"]), (StatusCode::BAD_REQUEST, &"invalid_scope".into()));
}
