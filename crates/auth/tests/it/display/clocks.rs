//! Clocks that are wrong, and what is asked of the server because of them: nothing more.

use luminous_domain::{Clock as _, Timestamp};
use luminous_testkit::DisplayRig;
use luminous_testkit::between::{Sent, Weather};

use super::{HOUR, MINUTE, SECOND, is_code, is_online, is_wall, linked, notes};

#[tokio::test(start_paused = true)]
async fn f9_a_clock_two_hours_off_costs_no_refresh_and_no_link() {
    for hours in [-2, 2] {
        let mut rig = DisplayRig::before_start().await;
        let now = rig.clock.now();
        rig.clock.set_wall(now + jiff::SignedDuration::from_hours(hours));
        rig.display.start();
        let owner = rig.server.owner("ana").await;
        rig.link(&owner, "Kitchen").await;
        // A connection that was closed meanwhile costs a request, and no refresh.
        let refreshes = |rig: &DisplayRig| {
            let sent = rig.between.sent();
            let made = |one: &&Sent| {
                one.grant.as_deref() == Some("refresh_token") && one.status == Some(200)
            };
            sent.iter().filter(made).count()
        };
        assert_eq!(refreshes(&rig), 0);
        for _ in 0..60 {
            rig.pass(MINUTE).await;
        }
        // An access token lives half an hour and is refreshed five minutes before its end.
        assert_eq!(refreshes(&rig), 2, "{hours}");
        rig.is_at_home().await;
        let offset = rig.shown().clock_offset_ms;
        assert!((offset + hours * 3_600_000).abs() < 5_000, "{hours}: {offset}");
        // Somebody sets it right, and wrong again.
        for wall in [rig.server.clock.now(), Timestamp::UNIX_EPOCH] {
            rig.clock.set_wall(wall);
            for _ in 0..30 {
                rig.pass(MINUTE).await;
            }
        }
        assert!(refreshes(&rig) <= 5, "{hours}: {}", refreshes(&rig));
        rig.is_at_home().await;
    }
}

#[tokio::test(start_paused = true)]
async fn f10_a_display_that_wakes_in_1970_shows_its_wall_and_goes_on() {
    let (mut rig, _) = linked().await;
    rig.reopen().await;
    rig.clock.set_wall(Timestamp::UNIX_EPOCH);
    assert!(is_wall(&rig.shown()));
    rig.display.start();
    let shown = rig.until_in_time(MINUTE, is_online).await;
    assert!(is_wall(&shown));
    assert!(shown.clock_offset_ms > 50 * 365 * 86_400_000);
    // The network sets the clock.
    rig.clock.set_wall(rig.server.clock.now());
    rig.pass(HOUR).await;
    rig.until_in_time(10 * MINUTE, |shown| shown.clock_offset_ms == 0).await;
    rig.is_at_home().await;
}

#[tokio::test(start_paused = true)]
async fn f10_a_first_start_in_1970_links() {
    let mut rig = DisplayRig::before_start().await;
    rig.clock.set_wall(Timestamp::UNIX_EPOCH);
    rig.display.start();
    rig.until(is_code).await;
    let owner = rig.server.owner("ana").await;
    rig.link(&owner, "Kitchen").await;
}

#[tokio::test(start_paused = true)]
async fn p7_after_a_sleep_it_asks_at_once_and_shows_what_happened() {
    let (mut rig, owner) = linked().await;
    // Monotonic time stands still, the server's and the wall's clocks go on; nothing comes by the hub.
    rig.between.block_hubs();
    let asleep = HOUR;
    rig.server.clock.advance(asleep);
    let now = rig.clock.now();
    rig.clock.set_wall(now + asleep);
    rig.server.note(&owner, "Milk").await;
    rig.until_in_time(20 * SECOND, |shown| notes(shown) == ["Milk"]).await;
}

#[tokio::test(start_paused = true)]
async fn p7_after_a_sleep_one_that_started_without_network_does_not_wait_out_its_pause() {
    let (mut rig, _) = linked().await;
    rig.reopen().await;
    rig.between.set(Weather::Down);
    rig.display.start();
    for _ in 0..40 {
        rig.pass(MINUTE).await;
    }
    assert!(!is_online(&rig.shown()));
    rig.between.clear();
    // The clock jumps, as it does after a sleep or when the network has told the time.
    let now = rig.clock.now();
    rig.server.clock.advance(HOUR);
    rig.clock.set_wall(now + HOUR);
    rig.until_in_time(20 * SECOND, |shown| is_wall(shown) && is_online(shown)).await;
}
