//! How a link ends, and how the display finds its place again.

use luminous_testkit::DisplayRig;
use luminous_testkit::between::Weather;
use luminous_wire::Connection;

use super::{DAY, HOUR, MINUTE, SECOND, former_name, is_code, is_online, is_wall, linked};

/// Nothing of the family is left on this display, but its key and its former name.
async fn assert_wiped(rig: &DisplayRig) {
    rig.settle().await;
    assert!(!rig.folder().join("wall.json").exists());
    let state = std::fs::read_to_string(rig.folder().join("display.json")).unwrap();
    assert!(!state.contains("device"), "{state}");
    let names = rig.keyring.names();
    assert!(!names.iter().any(|name| name.starts_with("display.tokens")), "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("display.key")), "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn d19_a_revoked_display_wipes_everything_shows_a_code_and_finds_its_old_place() {
    let (mut rig, owner) = linked().await;
    let device = rig.server.devices(&owner).await[0].id;
    rig.server.revoke(&owner, device).await;
    let shown = rig.until_in_time(5 * SECOND, is_code).await;
    assert_eq!(former_name(&shown).as_deref(), Some("Kitchen"));
    assert_wiped(&rig).await;

    rig.link(&owner, "Kitchen").await;
    let devices = rig.server.devices(&owner).await;
    assert_eq!(devices.iter().map(|device| device.id).collect::<Vec<_>>(), [device]);
}

#[tokio::test(start_paused = true)]
async fn d19_a_display_that_was_away_wipes_at_the_next_contact() {
    let (mut rig, owner) = linked().await;
    rig.between.set(Weather::Down);
    rig.reopen().await;
    let device = rig.server.devices(&owner).await[0].id;
    rig.server.revoke(&owner, device).await;
    rig.display.start();
    for _ in 0..30 {
        rig.pass(MINUTE).await;
        assert!(is_wall(&rig.shown()), "it cannot know");
    }
    rig.between.set(Weather::Fair);
    let shown = rig.until_in_time(10 * MINUTE, is_code).await;
    assert_eq!(former_name(&shown).as_deref(), Some("Kitchen"));
    assert_wiped(&rig).await;
}

#[tokio::test(start_paused = true)]
async fn f11_after_thirty_days_away_it_goes_on_and_after_91_it_finds_its_old_place() {
    let (mut rig, owner) = linked().await;
    let device = rig.server.devices(&owner).await[0].id;
    rig.reopen().await;
    rig.pass(30 * DAY).await;
    rig.display.start();
    rig.until_in_time(10 * MINUTE, is_online).await;
    assert!(is_wall(&rig.shown()));

    rig.reopen().await;
    rig.pass(61 * DAY).await;
    rig.display.start();
    let shown = rig.until_in_time(10 * MINUTE, is_code).await;
    assert_eq!(former_name(&shown).as_deref(), Some("Kitchen"));
    assert_wiped(&rig).await;
    rig.link(&owner, "Kitchen").await;
    assert_eq!(rig.server.devices(&owner).await[0].id, device);
}

#[tokio::test(start_paused = true)]
async fn t22_without_a_server_it_wipes_when_its_time_is_over_and_not_before() {
    let (mut rig, _) = linked().await;
    rig.between.set(Weather::Down);
    for day in 0..44 {
        rig.pass(DAY).await;
        assert!(is_wall(&rig.shown()), "day {day}");
    }
    // A clock that somebody set is no evidence; a restart does not begin the time anew.
    rig.clock.set_wall(luminous_domain::Timestamp::UNIX_EPOCH);
    rig.restart().await;
    rig.pass(HOUR).await;
    assert!(is_wall(&rig.shown()));
    rig.pass(DAY).await;
    rig.pass(HOUR).await;
    rig.until(|shown| !is_wall(shown)).await;
    assert!(matches!(rig.shown().connection, Connection::Offline { .. }));
    assert_wiped(&rig).await;
}

#[tokio::test(start_paused = true)]
async fn t22_a_clock_that_nobody_checked_takes_no_wall_down() {
    let (mut rig, _) = linked().await;
    rig.between.set(Weather::Down);
    rig.reopen().await;
    rig.clock.set_wall("2099-01-01T00:00:00Z".parse().unwrap());
    rig.display.start();
    rig.pass(HOUR).await;
    assert!(is_wall(&rig.shown()));
    rig.between.set(Weather::Fair);
    rig.until_in_time(10 * MINUTE, is_online).await;
    assert!(is_wall(&rig.shown()));
}
