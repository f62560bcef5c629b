//! The tokens that displays live on: confirm-by-use rotation.

use std::sync::Arc;

use super::Bench;
use super::displays::{DAY, display, refused, thumbprint};
use super::expect::{count, line, newest, words};
use super::people::{Home, MS, all_at_once, hash};
use crate::audit::Network;
use crate::devices::{DeviceState, Refresh};
use crate::error::Refusal;
use crate::events::{EventKind, EventReason};

pub async fn f5_a_lost_answer_is_given_again_and_one_branch_lives(bench: &Bench) {
    let home = bench.home("ada").await;
    let parent = bench.linked(&home, &home.owner, "wall", "parent").await;
    let lines = count(bench, &home).await;
    let lost = bench.refresh("wall", "parent", "lost").await.unwrap();
    assert!(bench.is_let_in(&lost).await && bench.is_let_in(&parent).await);
    bench.tick().await;
    let child = bench.refresh("wall", "parent", "child").await.unwrap();
    assert_eq!((child.issued_at, child.token != lost.token), (bench.time.now().await, true));
    assert!(!bench.is_let_in(&lost).await, "nobody has it");
    assert!(bench.is_let_in(&child).await && bench.is_let_in(&parent).await);
    // Whoever has the lost one all the same is nobody, and nobody's thief.
    assert_eq!(bench.refresh("wall", "lost", "x").await, refused(Refusal::TokenUnknown));
    bench.use_token(&lost).await;
    assert!(bench.is_let_in(&parent).await);
    bench.use_token(&child).await;
    assert!(bench.is_let_in(&child).await);
    assert!(!bench.is_let_in(&parent).await, "the child has come");
    assert_eq!(count(bench, &home).await, lines, "nothing happened that is worth a line");
}

pub async fn f6_a_parent_whose_child_was_seen_at_the_door_ends_the_display(bench: &Bench) {
    let home = bench.home("ada").await;
    let parent = bench.linked(&home, &home.owner, "wall", "parent").await;
    let child = bench.refresh("wall", "parent", "child").await.unwrap();
    bench.use_token(&child).await;
    let lines = count(bench, &home).await;
    bench.tick().await;
    assert_eq!(bench.refresh("wall", "parent", "x").await, refused(Refusal::TokenReused));
    bench.assert_ended(&home, &child).await;
    assert_eq!(count(bench, &home).await, lines + 1);
    let row = newest(bench, &home, 1).await.remove(0);
    let id = child.device.id;
    assert_eq!((&row.act.actor, row.act.network), (&display(id, "Kitchen"), Network::Public));
    assert_eq!(row.outcome, "device.token_reused");
    let reused = line("device.token_reused", Some(id.to_string()), Some("Kitchen"), None);
    assert_eq!(words(row), reused);
    for word in ["parent", "child"] {
        let answer = bench.refresh("wall", word, "x").await;
        assert_eq!(answer, refused(Refusal::TokenReused), "whoever it is of hears why: {word}");
    }
    assert!(!bench.is_let_in(&parent).await);
    assert_eq!(count(bench, &home).await, lines + 1, "told once");
}

pub async fn f6_the_family_is_told_of_the_reuse_for_as_long_as_it_asks_back(bench: &Bench) {
    let (home, other) = (bench.home("ada").await, bench.home("ben").await);
    let reuse = async |wall: &str, word: &str| {
        let child = bench.refresh(wall, word, &format!("{word} child")).await.unwrap();
        bench.use_token(&child).await;
        assert_eq!(bench.refresh(wall, word, "x").await, refused(Refusal::TokenReused));
        let at = bench.time.now().await;
        bench.tick().await;
        at
    };
    let reused = async |home: &Home| {
        let devices = bench.store.reused_devices(home.family, DAY).await.unwrap();
        devices.into_iter().map(|one| (one.id, one.state, one.reused_at)).collect::<Vec<_>>()
    };
    let first = bench.linked(&home, &home.owner, "first", "first").await.device.id;
    let second = bench.linked(&home, &home.owner, "second", "second").await.device;
    bench.linked(&other, &other.owner, "other", "other").await;
    assert_eq!(reused(&home).await, []);
    let before = bench.store.events_after(home.family, 0, 0).await.unwrap().latest;
    let at = [reuse("first", "first").await, reuse("second", "second").await];
    let told = bench.store.events_after(home.family, before, 9).await.unwrap().events;
    let told: Vec<_> = told.into_iter().map(|one| (one.kind, one.reason)).collect();
    assert_eq!(told, [(EventKind::DeviceRevoked, Some(EventReason::Reuse)); 2]);
    let [one, two] =
        [(first, at[0]), (second.id, at[1])].map(|(id, at)| (id, DeviceState::Revoked, Some(at)));
    assert_eq!(reused(&home).await, [two, one], "the newest first");
    assert_eq!(reused(&other).await, []);

    // One that was linked again is none of them, and later it may end for another reason.
    let again = bench.linked(&home, &home.owner, "second", "again").await.device;
    assert_eq!((again.id, again.reused_at), (second.id, None));
    assert_eq!(reused(&home).await, [one]);
    bench.revoke(&home, &again, &home.owner).await.unwrap();
    assert_eq!(bench.refresh("second", "again", "x").await, refused(Refusal::DeviceRevoked));
    let last = bench.store.events_after(home.family, 0, 99).await.unwrap().events.pop().unwrap();
    assert_eq!((last.kind, last.reason), (EventKind::DeviceRevoked, None));
    bench.time.advance(DAY).await;
    assert_eq!(reused(&home).await, [], "not for ever");
}

pub async fn f6_a_parent_whose_child_was_refreshed_ends_the_display(bench: &Bench) {
    let home = bench.home("ada").await;
    bench.linked(&home, &home.owner, "wall", "one").await;
    bench.refresh("wall", "one", "two").await.unwrap();
    let last = bench.refresh("wall", "two", "three").await.unwrap();
    assert!(bench.is_let_in(&last).await);
    assert_eq!(bench.refresh("wall", "one", "x").await, refused(Refusal::TokenReused));
    bench.assert_ended(&home, &last).await;
    assert_eq!(bench.refresh("wall", "three", "x").await, refused(Refusal::TokenReused));
}

pub async fn f6_a_spent_token_is_recognised_for_a_week(bench: &Bench) {
    let home = bench.home("ada").await;
    for (wall, after, answer) in
        [("first", 7 * DAY, Refusal::TokenReused), ("second", 7 * DAY + MS, Refusal::TokenUnknown)]
    {
        bench.linked(&home, &home.owner, wall, wall).await;
        let child = bench.refresh(wall, wall, &format!("{wall} child")).await.unwrap();
        bench.use_token(&child).await;
        bench.time.advance(after).await;
        bench.store.sweep().await.unwrap();
        assert!(bench.is_let_in(&child).await);
        assert_eq!(bench.refresh(wall, wall, "x").await, refused(answer), "{wall}");
        assert_eq!(bench.is_let_in(&child).await, answer == Refusal::TokenUnknown);
    }
}

pub async fn f7_fifty_parallel_refreshes_leave_one_live_branch(bench: &Bench) {
    let home = bench.home("ada").await;
    let parent = bench.linked(&home, &home.owner, "wall", "parent").await;
    let mut refreshes = Vec::new();
    for n in 0..50 {
        refreshes.push(Refresh {
            presented: hash("parent"),
            key: thumbprint("wall"),
            next: bench.tokens(&format!("child {n}")).await,
            network: Network::Private,
        });
    }
    let refreshes = Arc::new(refreshes);
    let answers = all_at_once(50, |n| {
        let (store, refreshes) = (Arc::clone(&bench.store), Arc::clone(&refreshes));
        async move { (n, store.refresh_tokens(&refreshes[n]).await) }
    });
    let mut live = Vec::new();
    for (n, answer) in answers.await {
        if bench.is_let_in(&answer.expect("no error and no reuse")).await {
            live.push(n);
        }
    }
    assert_eq!(live.len(), 1);
    assert!(bench.is_let_in(&parent).await, "until the child is used");
    for n in 0..50 {
        let answer = bench.refresh("wall", &format!("child {n}"), &format!("next {n}")).await;
        match live == [n] {
            true => drop(answer.unwrap()),
            false => assert_eq!(answer, refused(Refusal::TokenUnknown), "{n}"),
        }
    }
    assert!(!bench.is_let_in(&parent).await);
    assert_eq!(bench.device(&home, parent.device.id).await.unwrap().state, DeviceState::Active);
}

pub async fn a_token_is_good_for_its_own_key_alone(bench: &Bench) {
    let home = bench.home("ada").await;
    let grant = bench.linked(&home, &home.owner, "wall", "one").await;
    let child = bench.refresh("wall", "one", "two").await.unwrap();
    bench.use_token(&child).await;
    let lines = count(bench, &home).await;
    for word in ["one", "two", "never given"] {
        let answer = bench.refresh("thief", word, "x").await;
        assert_eq!(answer, refused(Refusal::TokenUnknown), "{word}");
        let key = thumbprint("thief");
        bench.store.give_back_token(&hash(word), &key, Network::Public).await.unwrap();
    }
    assert_eq!(count(bench, &home).await, lines);
    assert!(bench.is_let_in(&child).await && !bench.is_let_in(&grant).await);
}
