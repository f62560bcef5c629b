//! From the code to the wall.

use luminous_testkit::DisplayRig;
use luminous_testkit::between::{Sent, Weather};
use luminous_wire::{Connection, ErrorCode, KioskSnapshot, KioskStage};

use super::{MINUTE, SECOND, is_code, polling};

#[tokio::test(start_paused = true)]
async fn a_display_shows_a_code_a_number_a_welcome_and_the_wall() {
    let mut rig = DisplayRig::start().await;
    let owner = rig.server.owner("ana").await;
    let shown = rig.until(is_code).await;
    let KioskStage::Code { user_code, qr, shown_at_ms, expires_at_ms, former_name, .. } =
        shown.stage
    else {
        panic!()
    };
    assert_eq!(user_code.len(), 7, "three, a space, three: {user_code}");
    assert!(qr.size > 20);
    assert_eq!(expires_at_ms - shown_at_ms, 600_000);
    assert_eq!(former_name, None);
    assert_eq!(shown.connection, Connection::Online);
    assert_eq!(shown.clock_offset_ms, 0);

    let (challenge, number) = rig.claim(&owner).await;
    assert_eq!(challenge["device_name"], "kitchen-pi");
    rig.confirm(&owner, &challenge, &number, "Kitchen").await;
    let is_welcome = |shown: &KioskSnapshot| matches!(shown.stage, KioskStage::Welcome { .. });
    let shown = rig.until_in_time(MINUTE, is_welcome).await;
    let welcome = KioskStage::Welcome {
        family_name: "The family of ana".to_owned(),
        device_name: "Kitchen".to_owned(),
    };
    assert_eq!(shown.stage, welcome);
    let KioskStage::Wall { wall, .. } = rig.until_wall().await.stage else { panic!() };
    assert_eq!(wall.family_name, "The family of ana");
    assert_eq!(wall.members.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn p2_with_the_hub_blocked_polling_brings_the_number_and_the_tokens() {
    let (mut rig, owner) = polling().await;
    rig.link(&owner, "Kitchen").await;
}

fn says_no(shown: &KioskSnapshot) -> bool {
    shown.problem.as_ref().is_some_and(|problem| problem.code == ErrorCode::DeviceConfirmMismatch)
}

/// Every snapshot from now on.
fn follow(rig: &DisplayRig) -> tokio::sync::mpsc::UnboundedReceiver<KioskSnapshot> {
    let mut snapshots = rig.display.snapshots();
    let (collect, collected) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while collect.send(snapshots.borrow_and_update().clone()).is_ok()
            && snapshots.changed().await.is_ok()
        {}
    });
    collected
}

fn dark(seen: &mut tokio::sync::mpsc::UnboundedReceiver<KioskSnapshot>) -> bool {
    std::iter::from_fn(|| seen.try_recv().ok()).any(|shown| shown.stage == KioskStage::Starting)
}

#[tokio::test(start_paused = true)]
async fn d15_a_wrong_number_and_a_no_both_lead_to_a_new_code() {
    let mut rig = DisplayRig::start().await;
    let owner = rig.server.owner("ana").await;
    let first = rig.code().await;
    let mut seen = follow(&rig);
    let (challenge, number) = rig.claim(&owner).await;
    let wrong = if number == "07" { "08" } else { "07" };
    let (status, _) = rig.server.confirm(&owner, &challenge, wrong, "Kitchen").await;
    assert_eq!(status, 409);
    let second = rig.until_in_time(MINUTE, is_code).await;
    assert!(says_no(&second), "{:?}", second.problem);
    let KioskStage::Code { user_code: second, .. } = second.stage else { panic!() };
    assert_ne!(first, second);

    let (challenge, _) = rig.claim(&owner).await;
    assert_eq!(rig.shown().problem, None, "somebody tries again");
    rig.server.decline(&owner, &challenge).await;
    let third = rig.until_in_time(MINUTE, is_code).await;
    let KioskStage::Code { user_code: third, .. } = third.stage else { panic!() };
    assert_ne!(second, third);
    assert!(says_no(&rig.shown()));
    assert!(!dark(&mut seen), "between one code and the next the picture does not go dark");
    rig.link(&owner, "Kitchen").await;
}

#[tokio::test(start_paused = true)]
async fn d22_after_four_codes_nobody_came_for_it_waits_for_a_touch() {
    let mut rig = DisplayRig::start().await;
    rig.code().await;
    let is_idle = |shown: &KioskSnapshot| shown.stage == KioskStage::Idle;
    for _ in 0..50 {
        rig.pass(MINUTE).await;
        if is_idle(&rig.shown()) {
            break;
        }
    }
    rig.until(is_idle).await;
    let asked = |rig: &DisplayRig| {
        let sent = rig.between.sent();
        // A connection that was closed meanwhile costs a request, and no code.
        let given =
            |sent: &&Sent| sent.what.ends_with("/device_authorization") && sent.status.is_some();
        sent.iter().filter(given).count()
    };
    assert_eq!(asked(&rig), 4);
    for _ in 0..30 {
        rig.pass(MINUTE).await;
    }
    assert_eq!(asked(&rig), 4, "nothing is asked for while nobody comes");
    rig.display.show_code();
    rig.code().await;
    assert_eq!(asked(&rig), 5);
}

#[tokio::test(start_paused = true)]
async fn d23_a_power_cut_after_the_approval_does_not_lose_the_link() {
    let (mut rig, owner) = polling().await;
    let (challenge, number) = rig.claim(&owner).await;
    rig.between.always("POST /oauth2/token", Weather::Down);
    rig.confirm(&owner, &challenge, &number, "Kitchen").await;
    rig.pass(10 * SECOND).await;
    rig.reopen().await;
    rig.between.clear();
    rig.display.start();
    rig.until_wall().await;
    assert_eq!(rig.server.devices(&owner).await.len(), 1);
    assert_eq!(rig.between.count("POST /oauth2/device_authorization", None), 1);
}

#[tokio::test(start_paused = true)]
async fn d10_a_server_that_fails_at_the_codes_end_costs_no_approved_link() {
    let (mut rig, owner) = polling().await;
    rig.code().await;
    rig.pass(9 * MINUTE).await;
    let (challenge, number) = rig.claim(&owner).await;
    let busy = r#"{"error":"temporarily_unavailable","request_id":"r-1"}"#;
    rig.between.always("POST /oauth2/token", Weather::Imposter(503, "application/json", busy));
    rig.confirm(&owner, &challenge, &number, "Kitchen").await;
    for _ in 0..3 {
        rig.pass(MINUTE).await;
    }
    assert_eq!(rig.stage(), KioskStage::WaitingForServer, "nobody types a code that is over");
    rig.between.clear();
    rig.between.block_hubs();
    rig.until_wall().await;
    assert_eq!(rig.between.count("POST /oauth2/device_authorization", None), 1);
    assert_eq!(rig.server.devices(&owner).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_only_says_slow_down_is_asked_seldom() {
    let (mut rig, _) = polling().await;
    rig.code().await;
    let slow = r#"{"error":"slow_down","request_id":"r-1"}"#;
    rig.between.always("POST /oauth2/token", Weather::Imposter(400, "application/json", slow));
    rig.pass(11 * MINUTE).await;
    let before = rig.between.count("POST /oauth2/token", None);
    rig.pass(MINUTE).await;
    rig.pass(MINUTE).await;
    let asked = rig.between.count("POST /oauth2/token", None) - before;
    assert!(asked <= 4, "{asked}");
}

#[tokio::test(start_paused = true)]
async fn d9_tokens_that_were_lost_on_their_way_are_fetched_again() {
    let (mut rig, owner) = polling().await;
    let (challenge, number) = rig.claim(&owner).await;
    rig.between.next("POST /oauth2/token", Weather::AnswerLost);
    rig.confirm(&owner, &challenge, &number, "Kitchen").await;
    rig.until_wall().await;
    assert_eq!(rig.between.count("POST /oauth2/device_authorization", None), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_server_it_says_so_and_asks_again() {
    let mut rig = DisplayRig::before_start().await;
    rig.between.set(Weather::Down);
    rig.display.start();
    let waits = |shown: &KioskSnapshot| shown.stage == KioskStage::WaitingForServer;
    let shown = rig.until(waits).await;
    assert_eq!(shown.problem.unwrap().code, ErrorCode::ServerUnreachable);
    assert_eq!(shown.connection, Connection::Offline { since_ms: None });
    rig.between.set(Weather::Fair);
    rig.until_in_time(5 * MINUTE, is_code).await;
}
