//! Tokens: stored before they are used, refreshed from the right parent.

use luminous_testkit::DisplayRig;
use luminous_testkit::between::Weather;
use luminous_testkit::faulty_store::Fault;

use super::{HOUR, MINUTE, SECOND, is_code, is_home, is_online, is_wall, linked, polling};

const REFRESH: (&str, Option<&str>) = ("POST /oauth2/token", Some("refresh_token"));
const WALL: (&str, Option<&str>) = ("GET /api/wall", None);

fn count(rig: &DisplayRig, what: (&str, Option<&str>)) -> usize {
    rig.between.count(what.0, what.1)
}

#[tokio::test(start_paused = true)]
async fn f4_a_new_token_is_used_for_nothing_before_it_is_stored() {
    let (mut rig, owner) = polling().await;
    rig.link(&owner, "Kitchen").await;
    rig.settle().await;
    rig.reopen().await;
    // The keyring answers the three reads of the start, and hangs at the write that follows.
    let (sent, writes) = (rig.between.clone(), rig.keyring.clone());
    rig.keyring.hang_at_next_change();
    let walls = count(&rig, WALL);
    rig.display.start();
    while sent.count(REFRESH.0, REFRESH.1) == 0 {
        rig.settle().await;
    }
    rig.settle().await;
    assert_eq!(count(&rig, WALL), walls, "nothing is asked with a token that is nowhere stored");
    writes.set_fault(Fault::None);
    rig.until_in_time(MINUTE, is_online).await;
    rig.settle().await;
    assert_eq!(count(&rig, WALL), walls + 1);
}

#[tokio::test(start_paused = true)]
async fn f5_an_answer_that_was_lost_is_asked_for_again_with_the_same_parent() {
    let (mut rig, owner) = linked().await;
    rig.between.next("POST /oauth2/token", Weather::AnswerLost);
    rig.between.next("POST /oauth2/token", Weather::AnswerLost);
    rig.pass(26 * MINUTE).await;
    rig.until_in_time(10 * MINUTE, is_home).await;
    while count(&rig, REFRESH) < 3 {
        rig.pass(SECOND).await;
    }
    rig.settle().await;
    for _ in 0..60 {
        rig.pass(MINUTE).await;
    }
    rig.is_at_home().await;
    assert_eq!(rig.server.devices(&owner).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn f6_a_display_whose_token_was_used_by_somebody_else_ends_quietly() {
    let (mut rig, owner) = linked().await;
    let kept: Vec<_> = rig
        .keyring
        .names()
        .into_iter()
        .filter(|name| name.starts_with("display.tokens"))
        .map(|name| (name.clone(), rig.keyring.values(&name)))
        .collect();
    // Two refreshes later the first token is a grandparent.
    rig.pass(26 * MINUTE).await;
    rig.until(is_wall).await;
    rig.pass(26 * MINUTE).await;
    rig.settle().await;
    assert!(count(&rig, REFRESH) >= 2);
    rig.reopen().await;
    rig.keyring.lose(|name| name.starts_with("display.tokens"));
    for (name, values) in &kept {
        let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        rig.keyring.plant(name, &values);
    }
    rig.display.start();
    rig.until_in_time(5 * MINUTE, is_code).await;
    assert!(rig.server.devices(&owner).await.is_empty(), "the server ended it");
}

#[tokio::test(start_paused = true)]
async fn db6_a_token_that_the_server_lost_is_replaced_from_the_one_before_it() {
    let (mut rig, owner) = linked().await;
    let device = rig.server.devices(&owner).await[0].id;
    // The primary answers, and dies before the standby heard of it.
    let lost = format!(
        r#"{{"access_token":"a.b.c","token_type":"DPoP","expires_in":1800,"refresh_token":"lost",
        "refresh_token_expires_in":3888000,"scope":"display","device_id":"{device}"}}"#
    );
    let lost: &'static str = Box::leak(lost.into_boxed_str());
    rig.between.next("POST /oauth2/token", Weather::Imposter(200, "application/json", lost));
    rig.pass(26 * MINUTE).await;
    for _ in 0..10 {
        rig.pass(MINUTE).await;
        assert!(is_wall(&rig.shown()), "{:?}", rig.shown());
    }
    rig.until_in_time(MINUTE, is_online).await;
    rig.pass(HOUR).await;
    rig.until_in_time(10 * MINUTE, is_home).await;
    assert_eq!(rig.server.devices(&owner).await[0].id, device);
}

#[tokio::test(start_paused = true)]
async fn the_token_before_the_one_in_use_is_forgotten_a_minute_after_the_first_use() {
    let (mut rig, _) = linked().await;
    rig.pass(26 * MINUTE).await;
    rig.is_at_home().await;
    rig.settle().await;
    let slots = |rig: &DisplayRig| {
        let names = rig.keyring.names();
        names.iter().filter(|name| name.ends_with(".0") && name.contains("tokens")).count()
    };
    assert_eq!(slots(&rig), 2);
    for _ in 0..62 {
        rig.pass(SECOND).await;
    }
    assert_eq!(slots(&rig), 1);
}

#[tokio::test(start_paused = true)]
async fn f4_a_keyring_that_refuses_for_hours_and_a_restart_cost_no_link_and_raise_no_alarm() {
    let (mut rig, owner) = linked().await;
    let device = rig.server.devices(&owner).await[0].id;
    rig.keyring.set_fault(Fault::ReadOnly);
    let reads_until_refresh = {
        rig.pass(26 * MINUTE).await;
        rig.settle().await;
        count(&rig, WALL)
    };
    assert_eq!(count(&rig, REFRESH), 1);
    for _ in 0..120 {
        rig.pass(MINUTE).await;
        assert!(is_wall(&rig.shown()), "{:?}", rig.shown());
    }
    // The access token before it lived for four more minutes; the new one was never used.
    assert!(count(&rig, WALL) <= reads_until_refresh + 5, "{}", count(&rig, WALL));
    assert!(matches!(rig.shown().connection, luminous_wire::Connection::Offline { .. }));
    rig.reopen().await;
    rig.keyring.set_fault(Fault::None);
    rig.display.start();
    rig.is_at_home().await;
    for _ in 0..60 {
        rig.pass(MINUTE).await;
    }
    rig.is_at_home().await;
    assert_eq!(rig.server.devices(&owner).await[0].id, device);
}

#[tokio::test(start_paused = true)]
async fn f4_first_tokens_that_the_keyring_does_not_take_are_fetched_again_with_the_code() {
    let (mut rig, owner) = polling().await;
    let (challenge, number) = rig.claim(&owner).await;
    rig.settle().await;
    rig.keyring.set_fault(Fault::ReadOnly);
    rig.confirm(&owner, &challenge, &number, "Kitchen").await;
    let is_linking = |shown: &luminous_wire::KioskSnapshot| {
        shown.stage == luminous_wire::KioskStage::Linking && shown.problem.is_some()
    };
    rig.until_in_time(MINUTE, is_linking).await;
    rig.pass(SECOND).await;
    assert_eq!(count(&rig, WALL), 0, "nothing is asked with a token that is nowhere stored");
    rig.reopen().await;
    rig.keyring.set_fault(Fault::None);
    rig.display.start();
    rig.until_wall().await;
    assert_eq!(rig.between.count("POST /oauth2/device_authorization", None), 1);
    assert_eq!(rig.server.devices(&owner).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn f4_first_tokens_are_used_as_soon_as_the_keyring_takes_them() {
    let (mut rig, owner) = polling().await;
    let (challenge, number) = rig.claim(&owner).await;
    rig.settle().await;
    rig.keyring.set_fault(Fault::ReadOnly);
    rig.confirm(&owner, &challenge, &number, "Kitchen").await;
    rig.until_in_time(MINUTE, |shown| shown.problem.is_some()).await;
    rig.keyring.set_fault(Fault::None);
    let shown = rig.until_wall().await;
    assert_eq!(shown.problem, None);
}
