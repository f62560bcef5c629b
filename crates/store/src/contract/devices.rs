//! Wall displays in their families.

use std::sync::Arc;

use luminous_domain::Role;

use super::Bench;
use super::displays::{ABSOLUTE, DAY, IDLE, LIFETIME, WINDOW, refused};
use super::expect::{count, last_line, line, newest, words};
use super::people::{HOUR, MS, all_at_once};
use crate::devices::{Device, DeviceChange, DeviceState};
use crate::error::Refusal;
use crate::links::{LinkState, Redeemed};

pub async fn being_heard_of_shows_in_the_list_and_changes_nothing_else(bench: &Bench) {
    let home = bench.home("ada").await;
    let grant = bench.linked(&home, &home.owner, "wall", "one").await;
    bench.time.advance(HOUR).await;
    bench.store.device_seen(grant.device.id).await.unwrap();
    let seen = Device { last_seen_at: Some(bench.time.now().await), ..grant.device.clone() };
    assert_eq!(bench.store.devices(home.family).await.unwrap(), std::slice::from_ref(&seen));
    assert_eq!(bench.stands(&grant).await.device, seen);
    // Also when it is in the database, and what was read before is still in memory.
    bench.note(&home, &home.owner, "milk", None).await.unwrap();
    assert_eq!(bench.store.devices(home.family).await.unwrap(), std::slice::from_ref(&seen));
    assert_eq!(bench.stands(&grant).await.device, seen);
    assert!(!bench.stands(&grant).await.is_token_used);
}

pub async fn d19_a_revoked_display_is_outside_at_once(bench: &Bench) {
    let home = bench.home("ada").await;
    let ada = &home.owner;
    let grant = bench.linked(&home, ada, "wall", "one").await;
    let other = bench.linked(&home, ada, "hall", "two").await;
    // So that it is in memory when it changes.
    assert!(bench.is_let_in(&grant).await);
    bench.revoke(&home, &grant.device, ada).await.unwrap();
    bench.assert_ended(&home, &grant).await;
    let id = Some(grant.device.id.to_string());
    let revoked = line("device.revoked", id, Some("Kitchen"), None);
    assert_eq!(last_line(bench, &home, &ada.actor()).await, revoked);
    assert_eq!(bench.refresh("wall", "one", "x").await, refused(Refusal::DeviceRevoked));
    assert!(bench.is_let_in(&other).await, "the others stay");
    let lines = count(bench, &home).await;
    assert_eq!(bench.revoke(&home, &grant.device, ada).await, refused(Refusal::NotFound));
    assert_eq!(bench.undo(&home, &grant.device, ada).await, refused(Refusal::NotFound));
    assert_eq!(bench.renew(&home, &grant.device, ada).await, refused(Refusal::NotFound));
    assert_eq!(bench.rename(&home, &grant.device, ada).await, refused(Refusal::NotFound));
    assert_eq!(count(bench, &home).await, lines);
    // A stolen one is told so for as long as it might have lived.
    bench.time.advance(IDLE).await;
    bench.store.sweep().await.unwrap();
    assert_eq!(bench.refresh("wall", "one", "x").await, refused(Refusal::DeviceRevoked));
    bench.assert_ended(&home, &grant).await;
}

pub async fn d19_a_revoked_display_is_outside_also_while_many_ask(bench: &Bench) {
    let home = bench.home("ada").await;
    let ada = home.owner.clone();
    for round in 0..10 {
        let grant = bench.linked(&home, &ada, "wall", &format!("code {round}")).await;
        let answers = all_at_once(20, |n| {
            let (store, grant, ada) = (Arc::clone(&bench.store), grant.clone(), ada.clone());
            async move {
                let (family, id) = (grant.device.family, grant.device.id);
                if n == 5 {
                    store.revoke_device(family, id, ada.member, &ada.act()).await.unwrap();
                }
                let standing = store.device_standing(id, grant.token).await.unwrap().unwrap();
                n != 5 || !standing.is_token_live
            }
        });
        assert!(answers.await.into_iter().all(|outside| outside), "round {round}");
        assert!(!bench.is_let_in(&grant).await, "round {round}");
    }
}

pub async fn d17_a_link_is_taken_back_within_the_window(bench: &Bench) {
    let (home, _, adult, _) = bench.household().await;
    let grant = bench.linked(&home, &home.owner, "wall", "one").await;
    let late = bench.linked(&home, &home.owner, "hall", "two").await;
    let linked_at = grant.device.linked_at;
    // A millisecond went by with each of the two.
    bench.time.advance(WINDOW - 2 * MS).await;
    assert_eq!(bench.time.now().await, linked_at + WINDOW);
    bench.undo(&home, &grant.device, &adult).await.unwrap();
    bench.assert_ended(&home, &grant).await;
    let id = Some(grant.device.id.to_string());
    let undone = line("device.undone", id, Some("Kitchen"), None);
    assert_eq!(last_line(bench, &home, &adult.actor()).await, undone);
    bench.time.advance(2 * MS).await;
    assert_eq!(bench.undo(&home, &late.device, &adult).await, refused(Refusal::NotFound));
    assert!(bench.is_let_in(&late).await);
    // Linking it again opens the window again.
    let again = bench.linked(&home, &home.owner, "hall", "three").await;
    bench.undo(&home, &again.device, &adult).await.unwrap();
    bench.assert_ended(&home, &again).await;
}

pub async fn a_display_that_waits_is_undone_and_gets_no_tokens(bench: &Bench) {
    let (home, _, adult, _) = bench.household().await;
    let link = bench.begin("wall", "one").await;
    let device = bench.approve(&home, &adult, "one").await;
    bench.tick().await;
    bench.undo(&home, &device, &adult).await.unwrap();
    let undone = line("device.undone", Some(device.id.to_string()), Some("Kitchen"), None);
    assert_eq!(last_line(bench, &home, &adult.actor()).await, undone);
    assert_eq!(bench.link(&link).await, LinkState::Denied);
    assert_eq!(bench.redeem("wall", "one", "t").await, Redeemed::Denied);
    assert_eq!(bench.store.devices(home.family).await.unwrap(), []);
    assert_eq!(bench.undo(&home, &device, &adult).await, refused(Refusal::NotFound));
}

pub async fn a_display_that_waits_is_changed_and_renewed(bench: &Bench) {
    let home = bench.home("ada").await;
    bench.begin("wall", "one").await;
    let device = bench.approve(&home, &home.owner, "one").await;
    let renamed = bench.rename(&home, &device, &home.owner).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.state), ("Hall", DeviceState::Pending));
    bench.time.advance(LIFETIME).await;
    let renewed = bench.renew(&home, &device, &home.owner).await.unwrap();
    assert_eq!(renewed.expires_at, bench.time.now().await + ABSOLUTE);
    assert_eq!(bench.device(&home, device.id).await, Some(renewed.clone()));
    let grant = bench.granted("wall", "one", "t").await;
    assert_eq!((&grant.device.name, grant.device.expires_at), (&renewed.name, renewed.expires_at));
}

pub async fn each_thing_that_changes_of_a_display_is_a_line_of_its_own(bench: &Bench) {
    let home = bench.home("ada").await;
    let (ada, store) = (&home.owner, &bench.store);
    let grant = bench.linked(&home, ada, "wall", "one").await;
    let id = grant.device.id;
    assert!(bench.is_let_in(&grant).await);
    let change = async |name: Option<&str>, room: Option<Option<&str>>| {
        let change = DeviceChange {
            name: name.map(str::to_owned),
            room: room.map(|room| room.map(str::to_owned)),
        };
        store.change_device(home.family, id, &change, ada.member, &ada.act()).await.unwrap()
    };
    let about = |action, name, detail| line(action, Some(id.to_string()), Some(name), detail);
    let lines =
        async |limit| newest(bench, &home, limit).await.into_iter().map(words).collect::<Vec<_>>();
    let changed = change(Some("Hall"), Some(Some("Downstairs"))).await;
    assert_eq!((changed.name.as_str(), changed.room.as_deref()), ("Hall", Some("Downstairs")));
    assert_eq!(bench.stands(&grant).await.device, changed);
    let expected = [
        about("device.moved", "Kitchen", Some("Downstairs")),
        about("device.renamed", "Kitchen", Some("Hall")),
    ];
    assert_eq!(lines(2).await, expected);
    let before = count(bench, &home).await;
    assert_eq!(change(Some("Hall"), None).await, changed);
    assert_eq!(change(None, Some(Some("Downstairs"))).await, changed);
    assert_eq!(change(None, None).await, changed);
    assert_eq!(count(bench, &home).await, before, "nothing changed");
    assert_eq!(change(None, Some(None)).await.room, None);
    assert_eq!(lines(1).await, [about("device.moved", "Hall", None)]);
}

pub async fn a_display_stays_longer_when_it_is_renewed(bench: &Bench) {
    let home = bench.home("ada").await;
    let ada = &home.owner;
    bench.linked(&home, ada, "wall", "one").await;
    bench.time.advance(IDLE - DAY).await;
    let grant = bench.refresh("wall", "one", "two").await.unwrap();
    assert!(bench.is_let_in(&grant).await);
    bench.time.advance(IDLE - DAY).await;
    let renewed = bench.renew(&home, &grant.device, ada).await.unwrap();
    assert_eq!(renewed.expires_at, bench.time.now().await + ABSOLUTE);
    let id = Some(grant.device.id.to_string());
    let said = line("device.renewed", id, Some("Kitchen"), None);
    assert_eq!(last_line(bench, &home, &ada.actor()).await, said);
    let last = bench.refresh("wall", "two", "three").await.unwrap();
    assert_eq!(last.device.expires_at, renewed.expires_at);
    bench.time.advance(IDLE).await;
    assert!(bench.is_let_in(&last).await);
    bench.tick().await;
    assert_eq!(bench.renew(&home, &last.device, ada).await, refused(Refusal::NotFound));
    assert_eq!(bench.stands(&last).await.device.state, DeviceState::Expired, "it must link again");
    bench.revoke(&home, &last.device, ada).await.unwrap();
}

pub async fn only_who_may_now_changes_displays(bench: &Bench) {
    let (home, admin, adult, teen) = bench.household().await;
    let grant = bench.linked(&home, &home.owner, "wall", "one").await;
    let device = &grant.device;
    let lines = count(bench, &home).await;
    for person in [&adult, &teen] {
        assert_eq!(bench.rename(&home, device, person).await, refused(Refusal::RoleMissing));
        assert_eq!(bench.renew(&home, device, person).await, refused(Refusal::RoleMissing));
        assert_eq!(bench.revoke(&home, device, person).await, refused(Refusal::RoleMissing));
    }
    assert_eq!(bench.undo(&home, device, &teen).await, refused(Refusal::RoleMissing));
    assert_eq!(count(bench, &home).await, lines);
    assert!(bench.is_let_in(&grant).await);
    bench.set_role(&home, admin.member, Role::Adult, &home.owner).await.unwrap();
    assert_eq!(bench.revoke(&home, device, &admin).await, refused(Refusal::RoleMissing));
    bench.set_role(&home, admin.member, Role::Admin, &home.owner).await.unwrap();
    bench.rename(&home, device, &admin).await.unwrap();
    bench.renew(&home, device, &admin).await.unwrap();
    bench.revoke(&home, device, &admin).await.unwrap();
}

pub async fn displays_are_scoped_to_the_family(bench: &Bench) {
    let (home, stranger) = (bench.home("ada").await, bench.home("ben").await);
    let grant = bench.linked(&home, &home.owner, "wall", "one").await;
    bench.begin("hall", "two").await;
    let pending = bench.approve(&home, &home.owner, "two").await;
    assert_eq!(bench.store.devices(stranger.family).await.unwrap(), []);
    for device in [&grant.device, &pending] {
        let ben = &stranger.owner;
        assert_eq!(bench.rename(&stranger, device, ben).await, refused(Refusal::NotFound));
        assert_eq!(bench.renew(&stranger, device, ben).await, refused(Refusal::NotFound));
        assert_eq!(bench.revoke(&stranger, device, ben).await, refused(Refusal::NotFound));
        assert_eq!(bench.undo(&stranger, device, ben).await, refused(Refusal::NotFound));
        // And as somebody who is nobody in that family.
        assert_eq!(bench.rename(&home, device, ben).await, refused(Refusal::RoleMissing));
        assert_eq!(bench.renew(&home, device, ben).await, refused(Refusal::RoleMissing));
        assert_eq!(bench.revoke(&home, device, ben).await, refused(Refusal::RoleMissing));
        assert_eq!(bench.undo(&home, device, ben).await, refused(Refusal::RoleMissing));
    }
    assert!(bench.is_let_in(&grant).await);
    assert_eq!(bench.store.devices(home.family).await.unwrap().len(), 2);
}

pub async fn displays_are_listed_by_name(bench: &Bench) {
    let home = bench.home("ada").await;
    let (ada, store) = (&home.owner, &bench.store);
    for (wall, name) in [("one", "b"), ("two", "a"), ("three", "B"), ("four", "\u{e4}")] {
        let device = bench.linked(&home, ada, wall, wall).await.device;
        let change = DeviceChange { name: Some(name.to_owned()), room: None };
        store.change_device(home.family, device.id, &change, ada.member, &ada.act()).await.unwrap();
    }
    bench.begin("five", "five").await;
    bench.approve(&home, ada, "five").await;
    let names: Vec<String> =
        store.devices(home.family).await.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["B", "Kitchen", "a", "b", "\u{e4}"]);
}

pub async fn a_display_outlives_who_linked_it_and_goes_with_its_family(bench: &Bench) {
    let (home, _, adult, _) = bench.household().await;
    let (ada, store) = (&home.owner, &bench.store);
    let grant = bench.linked(&home, &adult, "wall", "one").await;
    assert_eq!(bench.stands(&grant).await.device.linked_by, Some(adult.member));
    let revoked = bench.linked(&home, &adult, "hall", "two").await;
    bench.revoke(&home, &revoked.device, ada).await.unwrap();
    assert_eq!(bench.stands(&revoked).await.device.linked_by, Some(adult.member));
    store.leave_family(home.family, adult.member, &adult.act()).await.unwrap();
    let device = bench.stands(&grant).await.device;
    assert_eq!((device.linked_by, device.linked_by_name.as_str()), (None, "cleo"));
    assert!(bench.is_let_in(&grant).await);
    let device = bench.stands(&revoked).await.device;
    assert_eq!((device.state, device.linked_by), (DeviceState::Revoked, None));
    bench.tick().await;
    store.delete_family(home.family, ada.member, &ada.act()).await.unwrap();
    for grant in [grant, revoked] {
        assert_eq!(store.device_standing(grant.device.id, grant.token).await.unwrap(), None);
    }
    assert_eq!(bench.refresh("wall", "one", "x").await, refused(Refusal::TokenUnknown));
}
