//! The kiosk's keyring: late, locked, hanging, emptied, damaged, full. Nothing is deleted because
//! something cannot be read.

use luminous_testkit::DisplayRig;
use luminous_testkit::faulty_store::Fault;
use luminous_wire::{ErrorCode, KioskSnapshot, KioskStage};

use super::{MINUTE, SECOND, former_name, is_code, is_home, is_wall, linked, notes};

fn has_problem(code: ErrorCode) -> impl Fn(&KioskSnapshot) -> bool {
    move |shown| shown.problem.as_ref().is_some_and(|problem| problem.code == code)
}

#[tokio::test(start_paused = true)]
async fn s1_a_keyring_that_comes_after_the_start_is_found_without_a_restart() {
    let mut rig = DisplayRig::before_start().await;
    rig.keyring.set_fault(Fault::Unavailable);
    rig.display.start();
    let shown = rig.until(has_problem(ErrorCode::StoreUnavailable)).await;
    assert_eq!(shown.stage, KioskStage::StorageBlocked);
    rig.keyring.set_fault(Fault::None);
    let shown = rig.until_in_time(31 * SECOND, is_code).await;
    assert_eq!(shown.problem, None);
}

#[tokio::test(start_paused = true)]
async fn s2_a_keyring_that_is_locked_at_autologin_keeps_the_wall_up_until_it_is_unlocked() {
    let (mut rig, owner) = linked().await;
    rig.reopen().await;
    let names = rig.keyring.names();
    rig.keyring.set_fault(Fault::Locked);
    rig.display.start();
    let shown = rig.until(has_problem(ErrorCode::StoreLocked)).await;
    assert!(is_wall(&shown), "{shown:?}");
    for _ in 0..5 {
        rig.pass(MINUTE).await;
        assert!(is_wall(&rig.shown()));
    }
    assert_eq!(rig.keyring.names(), names, "nothing was deleted");
    rig.keyring.set_fault(Fault::None);
    let shown = rig.until_in_time(31 * SECOND, is_home).await;
    assert_eq!(shown.problem, None);
    assert_eq!(rig.server.devices(&owner).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn s2_a_touch_on_try_again_does_not_wait_for_the_next_try() {
    let (mut rig, _) = linked().await;
    rig.reopen().await;
    rig.keyring.set_fault(Fault::Locked);
    rig.display.start();
    rig.until(has_problem(ErrorCode::StoreLocked)).await;
    rig.keyring.set_fault(Fault::None);
    rig.display.retry_storage();
    rig.until(is_home).await;
}

#[tokio::test(start_paused = true)]
async fn s4_a_keyring_that_hangs_is_given_five_seconds_and_counts_when_it_comes_back() {
    let (mut rig, _) = linked().await;
    rig.reopen().await;
    rig.keyring.set_fault(Fault::Hanging);
    rig.display.start();
    let shown = rig.until_in_time(7 * SECOND, has_problem(ErrorCode::StoreTimeout)).await;
    assert!(is_wall(&shown));
    rig.keyring.set_fault(Fault::None);
    // The call comes back by itself: no time passes.
    rig.until(is_home).await;
}

#[tokio::test(start_paused = true)]
async fn s5_tokens_that_are_gone_lead_to_a_code_and_the_old_place() {
    let (mut rig, owner) = linked().await;
    let device = rig.server.devices(&owner).await[0].id;
    rig.reopen().await;
    rig.keyring.lose(|name| name.starts_with("display.tokens"));
    rig.display.start();
    let shown = rig.until(is_code).await;
    assert_eq!(former_name(&shown).as_deref(), Some("Kitchen"));
    assert!(has_problem(ErrorCode::StoreLost)(&shown), "{:?}", shown.problem);
    assert!(!rig.folder().join("wall.json").exists(), "a display without a link shows no family");
    let shown = rig.link(&owner, "Kitchen").await;
    assert_eq!(shown.problem, None);
    assert_eq!(rig.server.devices(&owner).await[0].id, device);
}

#[tokio::test(start_paused = true)]
async fn s5_an_emptied_keyring_means_another_key_and_still_no_dead_end() {
    let (mut rig, owner) = linked().await;
    rig.reopen().await;
    rig.keyring.lose(|_| true);
    rig.display.start();
    let shown = rig.until(is_code).await;
    assert!(has_problem(ErrorCode::StoreLost)(&shown), "{:?}", shown.problem);
    rig.link(&owner, "Kitchen").await;
}

#[tokio::test(start_paused = true)]
async fn s6_damaged_tokens_are_put_aside_and_lead_to_a_code() {
    let (mut rig, owner) = linked().await;
    rig.reopen().await;
    rig.keyring.corrupt(|name| name.starts_with("display.tokens"));
    rig.display.start();
    let shown = rig.until(is_code).await;
    assert!(has_problem(ErrorCode::StoreCorrupt)(&shown), "{:?}", shown.problem);
    assert!(rig.keyring.names().iter().any(|name| name.starts_with("display.tokens.aside")));
    rig.link(&owner, "Kitchen").await;
}

#[tokio::test(start_paused = true)]
async fn s12_tokens_that_the_keyring_does_not_take_go_on_in_memory_and_are_written_later() {
    let (mut rig, owner) = linked().await;
    rig.keyring.set_fault(Fault::ReadOnly);
    rig.pass(26 * MINUTE).await;
    let shown = rig.until_in_time(MINUTE, has_problem(ErrorCode::StoreWriteFailed)).await;
    assert!(is_wall(&shown));
    rig.server.note(&owner, "Milk").await;
    rig.until_in_time(2 * MINUTE, |shown| notes(shown) == ["Milk"]).await;
    rig.keyring.set_fault(Fault::None);
    rig.until_in_time(31 * SECOND, |shown| shown.problem.is_none()).await;
    rig.restart().await;
    rig.is_at_home().await;
}
