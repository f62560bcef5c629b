//! Wall displays.

use std::sync::Arc;

use luminous_domain::Role;

use super::Bench;
use super::displays::{ABSOLUTE, DAY, IDLE, LIFETIME, display, refused, thumbprint};
use super::expect::{count, last_line, line, newest, words};
use super::people::{HOUR, Home, MS, Person, all_at_once, hash};
use crate::audit::Network;
use crate::devices::{Device, DeviceChange, DeviceGrant, DeviceState};
use crate::error::{Failure, Refusal};
use crate::links::{LinkState, Redeemed};

/// How long a link may be taken back.
const WINDOW: std::time::Duration = DAY;

pub(super) async fn revoke(
    bench: &Bench,
    home: &Home,
    device: &Device,
    by: &Person,
) -> Result<(), Failure> {
    bench.store.revoke_device(home.family, device.id, by.member, &by.act()).await
}

async fn undo(bench: &Bench, home: &Home, device: &Device, by: &Person) -> Result<(), Failure> {
    bench.store.undo_link(home.family, device.id, WINDOW, by.member, &by.act()).await
}

async fn renew(
    bench: &Bench,
    home: &Home,
    device: &Device,
    by: &Person,
) -> Result<Device, Failure> {
    bench.store.renew_device(home.family, device.id, ABSOLUTE, by.member, &by.act()).await
}

async fn rename(
    bench: &Bench,
    home: &Home,
    device: &Device,
    by: &Person,
) -> Result<Device, Failure> {
    let change = DeviceChange { name: Some("Hall".to_owned()), room: None };
    bench.store.change_device(home.family, device.id, &change, by.member, &by.act()).await
}

/// Asserts that the display has ended for good, and that this is the newest line.
pub(super) async fn assert_ended(bench: &Bench, home: &Home, grant: &DeviceGrant) {
    assert_eq!(bench.device(home, grant.device.id).await, None);
    let standing = bench.stands(grant).await;
    assert_eq!((standing.device.state, standing.is_token_live), (DeviceState::Revoked, false));
}

pub async fn a_display_ends_without_renewal_to_the_millisecond(bench: &Bench) {
    let home = bench.home("ada").await;
    let mut grant = bench.linked(&home, &home.owner, "wall", "0").await;
    let end = grant.device.expires_at;
    // Heard of once in a month, so that it is never silent for too long.
    for n in 0..2 {
        bench.time.advance(30 * DAY).await;
        grant = bench.refresh("wall", &n.to_string(), &(n + 1).to_string()).await.unwrap();
        bench.use_token(&grant).await;
    }
    assert_eq!((grant.device.expires_at, grant.refresh_expires_at), (end, end));
    bench.time.advance(30 * DAY - MS).await;
    assert_eq!(bench.time.now().await, end);
    assert!(bench.is_let_in(&grant).await);
    assert!(bench.store.refresh_record(&hash("2")).await.unwrap().is_some());
    bench.tick().await;
    let standing = bench.stands(&grant).await;
    assert_eq!((standing.device.state, standing.is_token_live), (DeviceState::Expired, false));
    assert_eq!(bench.refresh("wall", "2", "x").await, refused(Refusal::DeviceExpired));
    assert_eq!(bench.store.refresh_record(&hash("2")).await.unwrap(), None);
    let listed = bench.device(&home, grant.device.id).await.unwrap();
    assert_eq!(listed.state, DeviceState::Expired);
    // Reuse is told also then.
    assert_eq!(bench.refresh("wall", "1", "x").await, refused(Refusal::TokenReused));
}

pub async fn a_display_that_is_silent_ends_to_the_millisecond(bench: &Bench) {
    let home = bench.home("ada").await;
    let silent = bench.linked(&home, &home.owner, "silent", "silent").await;
    let since = silent.issued_at;
    assert_eq!(silent.refresh_expires_at, since + IDLE);
    bench.time.advance(IDLE - MS).await;
    assert_eq!(bench.time.now().await, since + IDLE);
    assert!(bench.is_let_in(&silent).await);
    let heard = bench.refresh("silent", "silent", "lost").await.unwrap();
    assert_eq!(heard.refresh_expires_at, silent.device.expires_at.min(since + 2 * IDLE));
    // The answer was lost: the old one is good for as long as the new one.
    bench.time.advance(IDLE - MS).await;
    let heard = bench.refresh("silent", "silent", "last").await.unwrap();
    assert!(bench.is_let_in(&heard).await);

    let other = bench.linked(&home, &home.owner, "other", "other").await;
    bench.time.advance(IDLE).await;
    assert_eq!(bench.stands(&other).await.device.state, DeviceState::Expired);
    assert!(!bench.is_let_in(&other).await);
    assert_eq!(bench.refresh("other", "other", "x").await, refused(Refusal::DeviceExpired));
}

pub async fn a_token_is_used_once_and_using_it_again_changes_nothing(bench: &Bench) {
    let home = bench.home("ada").await;
    let first = bench.linked(&home, &home.owner, "wall", "one").await;
    assert!(!bench.stands(&first).await.is_token_used);
    bench.time.advance(HOUR).await;
    bench.use_token(&first).await;
    let standing = bench.stands(&first).await;
    assert!(standing.is_token_used && standing.is_token_live);
    assert_eq!(standing.device.last_seen_at, Some(bench.time.now().await));
    bench.use_token(&first).await;
    assert_eq!(bench.stands(&first).await, standing);
    bench.time.advance(HOUR).await;
    bench.use_token(&first).await;
    let last_seen_at = Some(bench.time.now().await);
    assert_eq!(bench.stands(&first).await.device, Device { last_seen_at, ..standing.device });
    // Another display's token, and one that never was.
    let other = bench.linked(&home, &home.owner, "hall", "two").await;
    let child = bench.refresh("hall", "two", "child").await.unwrap();
    for token in [child.token, bench.token_id().await] {
        bench.store.confirm_token(first.device.id, token).await.unwrap();
    }
    assert!(!bench.stands(&child).await.is_token_used);
    assert!(bench.is_let_in(&other).await && bench.is_let_in(&first).await);
    let nobody = bench.device_id().await;
    bench.store.confirm_token(nobody, child.token).await.unwrap();
    bench.store.device_seen(nobody).await.unwrap();
    assert_eq!(bench.store.device_standing(nobody, child.token).await.unwrap(), None);
    let never = bench.store.device_standing(first.device.id, bench.token_id().await).await;
    assert!(!never.unwrap().unwrap().is_token_live);
}

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

pub async fn introspection_knows_live_tokens_alone(bench: &Bench) {
    let home = bench.home("ada").await;
    let parent = bench.linked(&home, &home.owner, "wall", "parent").await;
    let record = bench.store.refresh_record(&hash("parent")).await.unwrap().unwrap();
    assert_eq!((record.device, record.token), (parent.device.clone(), parent.token));
    assert_eq!((record.key, record.issued_at), (thumbprint("wall"), parent.issued_at));
    assert_eq!(record.expires_at, parent.refresh_expires_at);
    let child = bench.refresh("wall", "parent", "child").await.unwrap();
    assert!(bench.store.refresh_record(&hash("parent")).await.unwrap().is_some());
    bench.use_token(&child).await;
    assert_eq!(bench.store.refresh_record(&hash("parent")).await.unwrap(), None);
    assert_eq!(bench.store.refresh_record(&hash("never given")).await.unwrap(), None);
    assert!(bench.store.refresh_record(&hash("child")).await.unwrap().is_some());
    revoke(bench, &home, &child.device, &home.owner).await.unwrap();
    assert_eq!(bench.store.refresh_record(&hash("child")).await.unwrap(), None);
}

pub async fn d19_a_revoked_display_is_outside_at_once(bench: &Bench) {
    let home = bench.home("ada").await;
    let ada = &home.owner;
    let grant = bench.linked(&home, ada, "wall", "one").await;
    let other = bench.linked(&home, ada, "hall", "two").await;
    // So that it is in memory when it changes.
    assert!(bench.is_let_in(&grant).await);
    revoke(bench, &home, &grant.device, ada).await.unwrap();
    assert_ended(bench, &home, &grant).await;
    let id = Some(grant.device.id.to_string());
    let revoked = line("device.revoked", id, Some("Kitchen"), None);
    assert_eq!(last_line(bench, &home, &ada.actor()).await, revoked);
    assert_eq!(bench.refresh("wall", "one", "x").await, refused(Refusal::DeviceRevoked));
    assert!(bench.is_let_in(&other).await, "the others stay");
    let lines = count(bench, &home).await;
    assert_eq!(revoke(bench, &home, &grant.device, ada).await, refused(Refusal::NotFound));
    assert_eq!(undo(bench, &home, &grant.device, ada).await, refused(Refusal::NotFound));
    assert_eq!(renew(bench, &home, &grant.device, ada).await, refused(Refusal::NotFound));
    assert_eq!(rename(bench, &home, &grant.device, ada).await, refused(Refusal::NotFound));
    assert_eq!(count(bench, &home).await, lines);
    // A stolen one is told so for as long as it might have lived.
    bench.time.advance(IDLE).await;
    bench.store.sweep().await.unwrap();
    assert_eq!(bench.refresh("wall", "one", "x").await, refused(Refusal::DeviceRevoked));
    assert_ended(bench, &home, &grant).await;
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

pub async fn t22_a_display_that_gives_its_tokens_back_is_revoked(bench: &Bench) {
    let home = bench.home("ada").await;
    bench.linked(&home, &home.owner, "wall", "parent").await;
    let child = bench.refresh("wall", "parent", "child").await.unwrap();
    bench.use_token(&child).await;
    bench.tick().await;
    let key = thumbprint("wall");
    // Any that was not forgotten, also a spent one.
    let give_back =
        async |word| bench.store.give_back_token(&hash(word), &key, Network::Private).await;
    give_back("parent").await.unwrap();
    assert_ended(bench, &home, &child).await;
    let id = child.device.id;
    let signed_out = line("device.signed_out", Some(id.to_string()), Some("Kitchen"), None);
    assert_eq!(last_line(bench, &home, &display(id, "Kitchen")).await, signed_out);
    let lines = count(bench, &home).await;
    for word in ["parent", "child", "never given"] {
        give_back(word).await.unwrap();
    }
    assert_eq!(count(bench, &home).await, lines);
}

pub async fn d17_a_link_is_taken_back_within_the_window(bench: &Bench) {
    let (home, _, adult, _) = bench.household().await;
    let grant = bench.linked(&home, &home.owner, "wall", "one").await;
    let late = bench.linked(&home, &home.owner, "hall", "two").await;
    let linked_at = grant.device.linked_at;
    // A millisecond went by with each of the two.
    bench.time.advance(WINDOW - 2 * MS).await;
    assert_eq!(bench.time.now().await, linked_at + WINDOW);
    undo(bench, &home, &grant.device, &adult).await.unwrap();
    assert_ended(bench, &home, &grant).await;
    let id = Some(grant.device.id.to_string());
    let undone = line("device.undone", id, Some("Kitchen"), None);
    assert_eq!(last_line(bench, &home, &adult.actor()).await, undone);
    bench.time.advance(2 * MS).await;
    assert_eq!(undo(bench, &home, &late.device, &adult).await, refused(Refusal::NotFound));
    assert!(bench.is_let_in(&late).await);
    // Linking it again opens the window again.
    let again = bench.linked(&home, &home.owner, "hall", "three").await;
    undo(bench, &home, &again.device, &adult).await.unwrap();
    assert_ended(bench, &home, &again).await;
}

pub async fn a_display_that_waits_is_undone_and_gets_no_tokens(bench: &Bench) {
    let (home, _, adult, _) = bench.household().await;
    let link = bench.begin("wall", "one").await;
    let device = bench.approve(&home, &adult, "one").await;
    bench.tick().await;
    undo(bench, &home, &device, &adult).await.unwrap();
    let undone = line("device.undone", Some(device.id.to_string()), Some("Kitchen"), None);
    assert_eq!(last_line(bench, &home, &adult.actor()).await, undone);
    assert_eq!(bench.link(&link).await, LinkState::Denied);
    assert_eq!(bench.redeem("wall", "one", "t").await, Redeemed::Denied);
    assert_eq!(bench.store.devices(home.family).await.unwrap(), []);
    assert_eq!(undo(bench, &home, &device, &adult).await, refused(Refusal::NotFound));
}

pub async fn a_display_that_is_linked_again_is_revoked_altogether(bench: &Bench) {
    let home = bench.home("ada").await;
    let first = bench.linked(&home, &home.owner, "wall", "one").await;
    let link = bench.begin("wall", "two").await;
    let pending = bench.approve(&home, &home.owner, "two").await;
    revoke(bench, &home, &pending, &home.owner).await.unwrap();
    assert_eq!(bench.link(&link).await, LinkState::Denied);
    assert_eq!(bench.redeem("wall", "two", "t").await, Redeemed::Denied);
    assert_ended(bench, &home, &first).await;
}

pub async fn a_display_that_ends_while_it_is_linked_again_gets_no_tokens(bench: &Bench) {
    let home = bench.home("ada").await;
    let key = thumbprint("wall");
    for way in ["reuse", "give back"] {
        let (one, two, child) = (format!("{way} 1"), format!("{way} 2"), format!("{way} child"));
        bench.linked(&home, &home.owner, "wall", &one).await;
        let grant = bench.refresh("wall", &one, &child).await.unwrap();
        bench.use_token(&grant).await;
        let link = bench.begin("wall", &two).await;
        bench.approve(&home, &home.owner, &two).await;
        if way == "reuse" {
            assert_eq!(bench.refresh("wall", &one, "x").await, refused(Refusal::TokenReused));
        } else {
            bench.store.give_back_token(&hash(&child), &key, Network::Private).await.unwrap();
        }
        assert_ended(bench, &home, &grant).await;
        assert_eq!(bench.link(&link).await, LinkState::Denied, "{way}");
        assert_eq!(bench.redeem("wall", &two, "t").await, Redeemed::Denied, "{way}");
    }
}

pub async fn what_is_done_to_a_display_that_is_linked_again_is_done_to_its_former_place(
    bench: &Bench,
) {
    let home = bench.home("ada").await;
    let (ada, store) = (&home.owner, &bench.store);
    let former = bench.linked(&home, ada, "wall", "one").await.device;
    let renamed = rename(bench, &home, &former, ada).await.unwrap();
    bench.time.advance(HOUR).await;
    bench.begin("wall", "two").await;
    let pending = bench.approve(&home, ada, "two").await;
    // Nothing was asked for, so nothing changes, here or there.
    let nothing = DeviceChange::default();
    let same = store.change_device(home.family, former.id, &nothing, ada.member, &ada.act()).await;
    assert_eq!(same.unwrap(), pending);
    let change = DeviceChange { room: Some(Some("Upstairs".to_owned())), ..nothing };
    let moved = store.change_device(home.family, former.id, &change, ada.member, &ada.act()).await;
    let moved = moved.unwrap();
    assert_eq!((moved.name.as_str(), moved.room.as_deref()), ("Kitchen", Some("Upstairs")));
    bench.time.advance(HOUR / 60).await;
    let renewed = renew(bench, &home, &pending, ada).await.unwrap();
    let expires_at = bench.time.now().await + ABSOLUTE;
    assert_eq!(renewed, Device { expires_at, ..moved.clone() });
    assert_eq!(bench.device(&home, former.id).await, Some(renewed));
    // Nobody fetches the tokens.
    bench.time.advance(LIFETIME).await;
    let left = bench.device(&home, former.id).await.unwrap();
    assert_eq!(left, Device { room: moved.room, expires_at, ..renamed });
    assert_eq!(left.name, "Hall", "that was not asked for");
}

pub async fn renewing_a_display_that_is_linked_again_does_not_bring_back_its_former_place(
    bench: &Bench,
) {
    let home = bench.home("ada").await;
    let ada = &home.owner;
    let former = bench.linked(&home, ada, "wall", "one").await;
    bench.time.advance(ABSOLUTE + MS).await;
    let before = bench.device(&home, former.device.id).await.unwrap();
    bench.begin("wall", "two").await;
    let pending = bench.approve(&home, ada, "two").await;
    bench.time.advance(HOUR / 60).await;
    let renewed = renew(bench, &home, &pending, ada).await.unwrap();
    assert_eq!(renewed.expires_at, bench.time.now().await + ABSOLUTE);
    rename(bench, &home, &pending, ada).await.unwrap();
    bench.time.advance(LIFETIME).await;
    let left = bench.device(&home, former.device.id).await.unwrap();
    assert_eq!(left, Device { name: "Hall".to_owned(), ..before });
    assert_eq!(left.state, DeviceState::Expired);
    assert!(!bench.is_let_in(&former).await);
}

pub async fn a_display_that_is_linked_again_was_heard_of_before(bench: &Bench) {
    let (home, _, adult, _) = bench.household().await;
    let former = bench.linked(&home, &adult, "wall", "one").await;
    bench.time.advance(HOUR).await;
    bench.store.device_seen(former.device.id).await.unwrap();
    let seen = Some(bench.time.now().await);
    for revoked in [false, true] {
        if revoked {
            revoke(bench, &home, &former.device, &home.owner).await.unwrap();
        }
        let word = format!("again {revoked}");
        bench.begin("wall", &word).await;
        let pending = bench.approve(&home, &adult, &word).await;
        assert_eq!((pending.last_seen_at, pending.linked_by), (seen, Some(adult.member)));
        assert_eq!(bench.device(&home, pending.id).await, Some(pending.clone()));
        let renewed = renew(bench, &home, &pending, &home.owner).await.unwrap();
        assert_eq!(renewed.last_seen_at, seen);
        bench.time.advance(HOUR / 60).await;
    }
    bench.store.leave_family(home.family, adult.member, &adult.act()).await.unwrap();
    let pending = bench.device(&home, former.device.id).await.unwrap();
    assert_eq!((pending.state, pending.linked_by), (DeviceState::Pending, None));
    assert_eq!((pending.linked_by_name.as_str(), pending.last_seen_at), ("cleo", seen));
}

pub async fn tokens_are_forgotten_a_week_after_their_displays_time_was_over(bench: &Bench) {
    let home = bench.home("ada").await;
    let silent = bench.linked(&home, &home.owner, "silent", "silent").await;
    let revoked = bench.linked(&home, &home.owner, "revoked", "revoked").await;
    revoke(bench, &home, &revoked.device, &home.owner).await.unwrap();
    // The second came a millisecond later, and one more went by.
    bench.time.advance(IDLE + 7 * DAY - 2 * MS).await;
    // Wishes and events.
    bench.store.sweep().await.unwrap();
    for (ended, answers) in [
        (0, [Refusal::DeviceExpired, Refusal::DeviceRevoked]),
        (1, [Refusal::TokenUnknown, Refusal::DeviceRevoked]),
        (1, [Refusal::TokenUnknown, Refusal::TokenUnknown]),
    ] {
        assert_eq!(bench.store.sweep().await.unwrap() > 0, ended == 1);
        let [first, second] = answers;
        assert_eq!(bench.refresh("silent", "silent", "x").await, refused(first));
        assert_eq!(bench.refresh("revoked", "revoked", "x").await, refused(second));
        bench.tick().await;
    }
    assert_eq!(bench.stands(&silent).await.device.state, DeviceState::Expired);
    assert_eq!(bench.stands(&revoked).await.device.state, DeviceState::Revoked);
    let again = bench.linked(&home, &home.owner, "revoked", "again").await;
    assert_eq!(again.device.id, revoked.device.id, "the place stays");
}

pub async fn a_display_that_waits_is_changed_and_renewed(bench: &Bench) {
    let home = bench.home("ada").await;
    bench.begin("wall", "one").await;
    let device = bench.approve(&home, &home.owner, "one").await;
    let renamed = rename(bench, &home, &device, &home.owner).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.state), ("Hall", DeviceState::Pending));
    bench.time.advance(LIFETIME).await;
    let renewed = renew(bench, &home, &device, &home.owner).await.unwrap();
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
    let renewed = renew(bench, &home, &grant.device, ada).await.unwrap();
    assert_eq!(renewed.expires_at, bench.time.now().await + ABSOLUTE);
    let id = Some(grant.device.id.to_string());
    let said = line("device.renewed", id, Some("Kitchen"), None);
    assert_eq!(last_line(bench, &home, &ada.actor()).await, said);
    let last = bench.refresh("wall", "two", "three").await.unwrap();
    assert_eq!(last.device.expires_at, renewed.expires_at);
    bench.time.advance(IDLE).await;
    assert!(bench.is_let_in(&last).await);
    bench.tick().await;
    assert_eq!(renew(bench, &home, &last.device, ada).await, refused(Refusal::NotFound));
    assert_eq!(bench.stands(&last).await.device.state, DeviceState::Expired, "it must link again");
    revoke(bench, &home, &last.device, ada).await.unwrap();
}

pub async fn only_who_may_now_changes_displays(bench: &Bench) {
    let (home, admin, adult, teen) = bench.household().await;
    let grant = bench.linked(&home, &home.owner, "wall", "one").await;
    let device = &grant.device;
    let lines = count(bench, &home).await;
    for person in [&adult, &teen] {
        assert_eq!(rename(bench, &home, device, person).await, refused(Refusal::RoleMissing));
        assert_eq!(renew(bench, &home, device, person).await, refused(Refusal::RoleMissing));
        assert_eq!(revoke(bench, &home, device, person).await, refused(Refusal::RoleMissing));
    }
    assert_eq!(undo(bench, &home, device, &teen).await, refused(Refusal::RoleMissing));
    assert_eq!(count(bench, &home).await, lines);
    assert!(bench.is_let_in(&grant).await);
    bench.set_role(&home, admin.member, Role::Adult, &home.owner).await.unwrap();
    assert_eq!(revoke(bench, &home, device, &admin).await, refused(Refusal::RoleMissing));
    bench.set_role(&home, admin.member, Role::Admin, &home.owner).await.unwrap();
    rename(bench, &home, device, &admin).await.unwrap();
    renew(bench, &home, device, &admin).await.unwrap();
    revoke(bench, &home, device, &admin).await.unwrap();
}

pub async fn displays_are_scoped_to_the_family(bench: &Bench) {
    let (home, stranger) = (bench.home("ada").await, bench.home("ben").await);
    let grant = bench.linked(&home, &home.owner, "wall", "one").await;
    bench.begin("hall", "two").await;
    let pending = bench.approve(&home, &home.owner, "two").await;
    assert_eq!(bench.store.devices(stranger.family).await.unwrap(), []);
    for device in [&grant.device, &pending] {
        let ben = &stranger.owner;
        assert_eq!(rename(bench, &stranger, device, ben).await, refused(Refusal::NotFound));
        assert_eq!(renew(bench, &stranger, device, ben).await, refused(Refusal::NotFound));
        assert_eq!(revoke(bench, &stranger, device, ben).await, refused(Refusal::NotFound));
        assert_eq!(undo(bench, &stranger, device, ben).await, refused(Refusal::NotFound));
        // And as somebody who is nobody in that family.
        assert_eq!(rename(bench, &home, device, ben).await, refused(Refusal::RoleMissing));
        assert_eq!(renew(bench, &home, device, ben).await, refused(Refusal::RoleMissing));
        assert_eq!(revoke(bench, &home, device, ben).await, refused(Refusal::RoleMissing));
        assert_eq!(undo(bench, &home, device, ben).await, refused(Refusal::RoleMissing));
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
    revoke(bench, &home, &revoked.device, ada).await.unwrap();
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
