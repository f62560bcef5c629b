//! Displays that are linked again, into the place they had or elsewhere.

use super::Bench;
use super::displays::{ABSOLUTE, LIFETIME, display, refused, thumbprint};
use super::expect::{last_line, line};
use super::people::{HOUR, MS, hash};
use crate::audit::Network;
use crate::devices::{Device, DeviceChange, DeviceState};
use crate::error::Refusal;
use crate::links::{LinkState, Redeemed};

pub async fn f11_a_display_links_again_into_its_old_place(bench: &Bench) {
    let home = bench.home("ada").await;
    let (ada, store) = (&home.owner, &bench.store);
    let first = bench.linked(&home, ada, "wall", "one").await;
    let change =
        DeviceChange { name: Some("Hall".to_owned()), room: Some(Some("Downstairs".to_owned())) };
    let id = first.device.id;
    store.change_device(home.family, id, &change, ada.member, &ada.act()).await.unwrap();
    store.revoke_device(home.family, id, ada.member, &ada.act()).await.unwrap();
    assert_eq!(bench.device(&home, id).await, None);

    bench.begin("wall", "two").await;
    let claim = bench.claim(&home, ada, "two").await.unwrap();
    let former = claim.former.clone().expect("its place is remembered");
    assert_eq!((former.device, former.name.as_str()), (id, "Hall"));
    assert_eq!(former.room.as_deref(), Some("Downstairs"));
    let yes = bench.yes(&home, ada, &claim).await;
    let pending = store.confirm_link(&yes, &ada.act()).await.unwrap();
    assert_eq!((pending.id, pending.name.as_str()), (id, "Kitchen"));
    let second = bench.granted("wall", "two", "second").await;
    assert_eq!((second.device.id, second.device.state), (id, DeviceState::Active));
    assert_eq!(store.devices(home.family).await.unwrap(), std::slice::from_ref(&second.device));
    assert!(bench.is_let_in(&second).await);
    assert!(!bench.is_let_in(&first).await);
    assert_eq!(bench.refresh("wall", "one", "x").await, refused(Refusal::TokenUnknown));
}

pub async fn f11_an_expired_display_keeps_its_place_and_is_not_doubled(bench: &Bench) {
    let home = bench.home("ada").await;
    let first = bench.linked(&home, &home.owner, "wall", "one").await;
    bench.time.advance(ABSOLUTE + MS).await;
    assert_eq!(bench.device(&home, first.device.id).await.unwrap().state, DeviceState::Expired);
    let second = bench.linked(&home, &home.owner, "wall", "two").await;
    assert_eq!(second.device.id, first.device.id);
    assert_eq!(bench.store.devices(home.family).await.unwrap().len(), 1);
    assert!(bench.is_let_in(&second).await);
}

pub async fn a_link_that_nobody_redeems_leaves_the_former_place_as_it_was(bench: &Bench) {
    let home = bench.home("ada").await;
    let first = bench.linked(&home, &home.owner, "wall", "one").await;
    let before = bench.device(&home, first.device.id).await.unwrap();
    bench.begin("wall", "two").await;
    let pending = bench.approve(&home, &home.owner, "two").await;
    assert_eq!((pending.id, pending.state), (first.device.id, DeviceState::Pending));
    let listed = bench.store.devices(home.family).await.unwrap();
    assert_eq!(listed.iter().map(|one| one.state).collect::<Vec<_>>(), [DeviceState::Pending]);
    bench.time.advance(LIFETIME + MS).await;
    assert_eq!(bench.device(&home, first.device.id).await, Some(before));
    assert!(bench.is_let_in(&first).await);
    bench.refresh("wall", "one", "next").await.unwrap();
}

pub async fn a_display_that_moves_to_another_family_ends_in_the_first(bench: &Bench) {
    let (one, other) = (bench.home("ada").await, bench.home("ben").await);
    let first = bench.linked(&one, &one.owner, "wall", "one").await;
    bench.begin("wall", "two").await;
    let claim = bench.claim(&other, &other.owner, "two").await.unwrap();
    assert_eq!(claim.former, None, "what it was elsewhere is nobody's business");
    let yes = bench.yes(&other, &other.owner, &claim).await;
    bench.store.confirm_link(&yes, &other.owner.act()).await.unwrap();
    assert!(bench.is_let_in(&first).await, "until the tokens are had");
    bench.tick().await;
    let second = bench.granted("wall", "two", "second").await;
    assert_ne!(second.device.id, first.device.id);
    assert!(bench.is_let_in(&second).await);
    assert_eq!(bench.stands(&first).await.device.state, DeviceState::Revoked);
    assert_eq!(bench.store.devices(one.family).await.unwrap(), []);
    assert_eq!(bench.refresh("wall", "one", "x").await, refused(Refusal::DeviceRevoked));
    let id = Some(first.device.id.to_string());
    let left = line("device.signed_out", id, Some("Kitchen"), Some("linked_elsewhere"));
    assert_eq!(last_line(bench, &one, &display(first.device.id, "Kitchen")).await, left);
    // And back into the old place.
    let third = bench.linked(&one, &one.owner, "wall", "three").await;
    assert_eq!(third.device.id, first.device.id);
    assert!(!bench.is_let_in(&second).await);
}

pub async fn a_display_that_is_linked_again_is_revoked_altogether(bench: &Bench) {
    let home = bench.home("ada").await;
    let first = bench.linked(&home, &home.owner, "wall", "one").await;
    let link = bench.begin("wall", "two").await;
    let pending = bench.approve(&home, &home.owner, "two").await;
    bench.revoke(&home, &pending, &home.owner).await.unwrap();
    assert_eq!(bench.link(&link).await, LinkState::Denied);
    assert_eq!(bench.redeem("wall", "two", "t").await, Redeemed::Denied);
    bench.assert_ended(&home, &first).await;
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
        bench.assert_ended(&home, &grant).await;
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
    let renamed = bench.rename(&home, &former, ada).await.unwrap();
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
    let renewed = bench.renew(&home, &pending, ada).await.unwrap();
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
    let renewed = bench.renew(&home, &pending, ada).await.unwrap();
    assert_eq!(renewed.expires_at, bench.time.now().await + ABSOLUTE);
    bench.rename(&home, &pending, ada).await.unwrap();
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
            bench.revoke(&home, &former.device, &home.owner).await.unwrap();
        }
        let word = format!("again {revoked}");
        bench.begin("wall", &word).await;
        let pending = bench.approve(&home, &adult, &word).await;
        assert_eq!((pending.last_seen_at, pending.linked_by), (seen, Some(adult.member)));
        assert_eq!(bench.device(&home, pending.id).await, Some(pending.clone()));
        let renewed = bench.renew(&home, &pending, &home.owner).await.unwrap();
        assert_eq!(renewed.last_seen_at, seen);
        bench.time.advance(HOUR / 60).await;
    }
    bench.store.leave_family(home.family, adult.member, &adult.act()).await.unwrap();
    let pending = bench.device(&home, former.device.id).await.unwrap();
    assert_eq!((pending.state, pending.linked_by), (DeviceState::Pending, None));
    assert_eq!((pending.linked_by_name.as_str(), pending.last_seen_at), ("cleo", seen));
}
