//! What a display gets for its device code.

use std::sync::Arc;

use luminous_domain::Role;

use super::Bench;
use super::displays::{INTERVAL, LIFETIME, device_code, display, refused, thumbprint};
use super::expect::{count, line, newest, words};
use super::people::{Home, MS, Person, all_at_once};
use crate::devices::DeviceState;
use crate::error::Refusal;
use crate::links::{LinkState, Redeemed};
use crate::members::MemberState;

pub async fn d7_a_device_code_is_good_for_its_own_key_alone(bench: &Bench) {
    let home = bench.home("ada").await;
    let link = bench.begin("wall", "one").await;
    bench.approve(&home, &home.owner, "one").await;
    let lines = count(bench, &home).await;
    for (wall, word) in [("thief", "one"), ("wall", "two")] {
        assert_eq!(bench.redeem(wall, word, "t").await, Redeemed::Unknown);
        let (code, key) = (device_code(word), thumbprint(wall));
        assert_eq!(bench.store.link_of(&code, &key).await.unwrap(), None);
    }
    assert_eq!(bench.store.link_state(bench.link_id().await).await.unwrap(), None);
    assert_eq!(bench.link(&link).await, LinkState::Linked, "it is still there to be had");
    assert_eq!(count(bench, &home).await, lines);
    bench.granted("wall", "one", "t").await;
}

pub async fn d7_polls_that_come_too_soon_are_slowed_down_by_five_seconds_each(bench: &Bench) {
    let home = bench.home("ada").await;
    bench.begin("wall", "one").await;
    bench.begin("other", "two").await;
    let mut poll = bench.redemption("wall", "one", "t").await;
    poll.is_poll = true;
    let after = async |time| {
        bench.time.advance(time).await;
        bench.store.redeem_link(&poll).await.unwrap()
    };
    let pending = Redeemed::Pending { number: None };
    assert_eq!(after(MS).await, pending, "the first");
    assert_eq!(after(INTERVAL).await, pending);
    let too_fast = |times| Redeemed::TooFast { interval: times * INTERVAL };
    assert_eq!(after(INTERVAL - MS).await, too_fast(2));
    assert_eq!(after(INTERVAL).await, too_fast(3), "it was ten seconds");
    assert_eq!(after(3 * INTERVAL).await, pending, "fifteen now");
    assert_eq!(after(3 * INTERVAL - MS).await, too_fast(4));
    // What follows a push is no poll, and the other display has its own time.
    assert_eq!(bench.redeem("wall", "one", "t").await, pending);
    assert_eq!(bench.redeem("other", "two", "t").await, pending);
    // Where there is something to tell it is told at once.
    bench.approve(&home, &home.owner, "one").await;
    assert!(matches!(after(MS).await, Redeemed::Done(_)));
}

pub async fn d9_of_a_hundred_redemptions_one_token_family_is_left(bench: &Bench) {
    let home = bench.home("ada").await;
    bench.begin("wall", "one").await;
    let device = bench.approve(&home, &home.owner, "one").await;
    let mut redemptions = Vec::new();
    for n in 0..100 {
        let mut redemption = bench.redemption("wall", "one", &format!("t{n}")).await;
        redemption.is_poll = n % 2 == 0;
        redemptions.push(redemption);
    }
    let redemptions = Arc::new(redemptions);
    let told = all_at_once(100, |n| {
        let (store, redemptions) = (Arc::clone(&bench.store), Arc::clone(&redemptions));
        async move { (n, store.redeem_link(&redemptions[n]).await.unwrap()) }
    });
    let mut live = Vec::new();
    for (n, told) in told.await {
        let Redeemed::Done(grant) = told else { panic!("the same display: {told:?}") };
        assert_eq!(grant.device.id, device.id);
        if bench.is_let_in(&grant).await {
            live.push(n);
        }
    }
    assert_eq!(live.len(), 1);
    for n in 0..100 {
        let answer = bench.refresh("wall", &format!("t{n}"), &format!("next {n}")).await;
        assert_eq!(answer.is_ok(), live == [n], "{n}: {answer:?}");
    }
    let lines = newest(bench, &home, 1000).await;
    assert_eq!(lines.iter().filter(|row| row.action == "device.signed_in").count(), 1);
    assert_eq!(bench.store.devices(home.family).await.unwrap().len(), 1);
}

pub async fn d9_d23_a_lost_answer_is_given_again_to_the_same_key_until_the_wish_ends(
    bench: &Bench,
) {
    let home = bench.home("ada").await;
    bench.begin("wall", "one").await;
    bench.approve(&home, &home.owner, "one").await;
    let lost = bench.granted("wall", "one", "lost").await;
    let lines = count(bench, &home).await;
    bench.time.advance(LIFETIME).await;
    assert_eq!(bench.redeem("thief", "one", "theft").await, Redeemed::Unknown);
    assert!(bench.is_let_in(&lost).await);
    let found = bench.granted("wall", "one", "found").await;
    assert_eq!(count(bench, &home).await, lines, "one sign-in, one line");
    assert!(!bench.is_let_in(&lost).await);
    assert_eq!(bench.refresh("wall", "lost", "x").await, refused(Refusal::TokenUnknown));
    assert!(bench.is_let_in(&found).await);
    bench.tick().await;
    assert_eq!(bench.redeem("wall", "one", "late").await, Redeemed::Expired);
    assert!(bench.is_let_in(&found).await);
}

pub async fn d9_tokens_that_were_used_are_not_replaced(bench: &Bench) {
    let home = bench.home("ada").await;
    let grant = bench.linked(&home, &home.owner, "wall", "one").await;
    bench.use_token(&grant).await;
    assert_eq!(bench.redeem("wall", "one", "again").await, Redeemed::Expired);
    assert!(bench.is_let_in(&grant).await);
    let other = bench.linked(&home, &home.owner, "hall", "two").await;
    bench.refresh("hall", "two", "child").await.unwrap();
    assert_eq!(bench.redeem("hall", "two", "again").await, Redeemed::Expired);
    assert!(bench.is_let_in(&other).await);
}

pub async fn d9_a_display_that_was_ended_gets_no_others(bench: &Bench) {
    let home = bench.home("ada").await;
    let (ada, store) = (&home.owner, &bench.store);
    let grant = bench.linked(&home, ada, "wall", "one").await;
    store.revoke_device(home.family, grant.device.id, ada.member, &ada.act()).await.unwrap();
    bench.use_token(&grant).await;
    assert_eq!(bench.redeem("wall", "one", "again").await, Redeemed::Denied);
    bench.time.advance(LIFETIME + MS).await;
    assert_eq!(bench.redeem("wall", "one", "again").await, Redeemed::Denied);
}

/// Approved by the adult, then `change` happens, then the display asks.
async fn d13(bench: &Bench, home: &Home, adult: &Person, word: &str, change: impl AsyncFnOnce()) {
    let link = bench.begin(word, word).await;
    let device = bench.approve(home, adult, word).await;
    change().await;
    bench.tick().await;
    assert_eq!(bench.redeem(word, word, word).await, Redeemed::Denied);
    assert_eq!(bench.link(&link).await, LinkState::Denied);
    assert_eq!(bench.device(home, device.id).await, None);
    let lines = newest(bench, home, 1).await;
    assert_eq!(lines[0].outcome, "access_denied");
    assert_eq!(lines[0].act.actor, display(device.id, "Kitchen"));
    let signed_in = line("device.signed_in", Some(device.id.to_string()), Some("Kitchen"), None);
    assert_eq!(words(lines[0].clone()), signed_in);
    assert_eq!(bench.redeem(word, word, word).await, Redeemed::Denied);
    assert_eq!(newest(bench, home, 2).await[0], lines[0], "told once");
    let token = bench.token_id().await;
    assert_eq!(bench.store.device_standing(device.id, token).await.unwrap(), None);
}

pub async fn d13_whoever_confirmed_must_still_be_allowed_to_when_tokens_are_had(bench: &Bench) {
    let home = bench.home("ada").await;
    let ada = &home.owner;
    let adult = bench.join(&home, Role::Adult, "ben").await;
    let demote = async || bench.set_role(&home, adult.member, Role::Teen, ada).await.unwrap();
    d13(bench, &home, &adult, "demoted", demote).await;
    bench.set_role(&home, adult.member, Role::Adult, ada).await.unwrap();
    let switch_off = async || {
        bench.set_state(&home, adult.member, MemberState::Deactivated, ada).await.unwrap();
    };
    d13(bench, &home, &adult, "switched off", switch_off).await;
    bench.set_state(&home, adult.member, MemberState::Active, ada).await.unwrap();
    let remove = async || {
        let (member, act) = (adult.member, ada.act());
        bench.store.remove_member(home.family, member, ada.member, &act).await.unwrap();
    };
    d13(bench, &home, &adult, "removed", remove).await;
    let delete = async || {
        bench.store.delete_family(home.family, ada.member, &ada.act()).await.unwrap();
    };
    d13(bench, &home, ada, "family deleted", delete).await;
}

pub async fn d13_whoever_confirmed_must_still_be_allowed_to_when_tokens_are_had_again(
    bench: &Bench,
) {
    let home = bench.home("ada").await;
    let adult = bench.join(&home, Role::Adult, "ben").await;
    for (wall, is_used) in [("wall", false), ("hall", true)] {
        bench.set_role(&home, adult.member, Role::Adult, &home.owner).await.unwrap();
        let lost = bench.linked(&home, &adult, wall, wall).await;
        if is_used {
            bench.use_token(&lost).await;
        }
        bench.set_role(&home, adult.member, Role::Teen, &home.owner).await.unwrap();
        let lines = count(bench, &home).await;
        let told = if is_used { Redeemed::Expired } else { Redeemed::Denied };
        assert_eq!(bench.redeem(wall, wall, "again").await, told);
        assert_eq!(count(bench, &home).await, lines);
        assert!(bench.is_let_in(&lost).await, "what it may have is as it was");
        bench.time.advance(LIFETIME + MS).await;
        assert_eq!(bench.redeem(wall, wall, "again").await, Redeemed::Expired);
    }
}

pub async fn d23_tokens_can_be_had_for_another_lifetime_after_the_confirmation(bench: &Bench) {
    let home = bench.home("ada").await;
    let link = bench.begin("wall", "one").await;
    bench.begin("hall", "two").await;
    bench.time.advance(LIFETIME).await;
    let device = bench.approve(&home, &home.owner, "one").await;
    bench.approve(&home, &home.owner, "two").await;
    bench.time.advance(LIFETIME).await;
    bench.granted("hall", "two", "t").await;
    assert_eq!(bench.link(&link).await, LinkState::Linked);
    let pending = bench.device(&home, device.id).await.unwrap();
    assert_eq!(pending.state, DeviceState::Pending);
    bench.tick().await;
    assert_eq!(bench.device(&home, device.id).await, None, "no ghost stays");
    assert_eq!(bench.link(&link).await, LinkState::Expired);
    assert_eq!(bench.redeem("wall", "one", "t").await, Redeemed::Expired);
    assert_eq!(bench.store.devices(home.family).await.unwrap().len(), 1);
    bench.store.sweep().await.unwrap();
    assert_eq!(bench.device(&home, device.id).await, None);
}
