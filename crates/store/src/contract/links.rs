//! Wishes of displays to be linked, and the codes that they show.

use std::sync::Arc;

use super::Bench;
use super::displays::{
    ABSOLUTE, CLAIM, DAY, IDLE, LIFETIME, device_code, display, number, refused, thumbprint,
};
use super::expect::{last_line, line};
use super::people::{Home, all_at_once};
use crate::devices::{Device, DeviceState};
use crate::error::Refusal;
use crate::links::{Link, LinkState, Redeemed};

pub async fn d7_a_display_is_linked_from_the_code_to_the_tokens(bench: &Bench) {
    let home = bench.home("ada").await;
    let (ada, store) = (&home.owner, &bench.store);
    let begun = bench.time.now().await;
    let link = bench.begin("wall", "one").await;
    assert_eq!(link.expires_at, begun + LIFETIME);
    assert_eq!(store.open_links().await.unwrap(), 1);
    assert_eq!(bench.redeem("wall", "one", "t").await, Redeemed::Pending { number: None });

    let claim = bench.claim(&home, ada, "one").await.unwrap();
    assert_eq!((claim.described.name.as_str(), claim.shown_at), ("wall", begun));
    assert_eq!((claim.expires_at, claim.former.clone()), (begun + CLAIM, None));
    let claimed = line("device.code_claimed", Some(link.id.to_string()), Some("wall"), None);
    assert_eq!(last_line(bench, &home, &ada.actor()).await, claimed);
    let shown = Redeemed::Pending { number: Some(number(42)) };
    assert_eq!(bench.redeem("wall", "one", "t").await, shown);
    assert_eq!(store.open_links().await.unwrap(), 1);

    bench.tick().await;
    let mut yes = bench.yes(&home, ada, &claim).await;
    yes.room = Some("Hall".to_owned());
    let device = store.confirm_link(&yes, &ada.act()).await.unwrap();
    let confirmed = bench.time.now().await;
    assert_eq!((device.id, device.state), (yes.device, DeviceState::Pending));
    assert_eq!((device.linked_at, device.expires_at), (confirmed, confirmed + ABSOLUTE));
    assert_eq!((device.linked_by, device.linked_by_name.as_str()), (Some(ada.member), "ada"));
    let linked = line("device.linked", Some(device.id.to_string()), Some("Kitchen"), Some("Hall"));
    assert_eq!(last_line(bench, &home, &ada.actor()).await, linked);
    assert_eq!(store.devices(home.family).await.unwrap(), std::slice::from_ref(&device));
    assert_eq!(store.open_links().await.unwrap(), 0);
    let found = store.link_of(&device_code("one"), &thumbprint("wall")).await.unwrap();
    assert_eq!(found, Some((link.id, LinkState::Linked, confirmed + LIFETIME)));

    bench.tick().await;
    let grant = bench.granted("wall", "one", "t").await;
    let now = bench.time.now().await;
    assert_eq!((grant.issued_at, grant.refresh_expires_at), (now, now + IDLE));
    assert_eq!((grant.device.id, grant.device.state), (device.id, DeviceState::Active));
    assert_eq!(grant.device.last_seen_at, Some(now));
    let signed_in = line("device.signed_in", Some(device.id.to_string()), Some("Kitchen"), None);
    assert_eq!(last_line(bench, &home, &display(device.id, "Kitchen")).await, signed_in);
    assert_eq!(store.devices(home.family).await.unwrap(), std::slice::from_ref(&grant.device));
    assert_eq!(bench.link(&link).await, LinkState::Redeemed);
    let standing = bench.stands(&grant).await;
    assert_eq!((standing.device, standing.key), (grant.device, thumbprint("wall")));
    assert_eq!((standing.is_token_live, standing.is_token_used), (true, false));
}

pub async fn d10_a_code_ends_to_the_millisecond_and_nothing_prolongs_it(bench: &Bench) {
    let home = bench.home("ada").await;
    let link = bench.begin("wall", "one").await;
    bench.time.advance(LIFETIME / 2).await;
    bench.redeem("wall", "one", "t").await;
    bench.time.advance(LIFETIME / 2).await;
    assert_eq!(bench.link(&link).await, LinkState::Pending);
    let claim = bench.claim(&home, &home.owner, "one").await.unwrap();
    assert_eq!(claim.expires_at, link.expires_at, "a claim never lasts longer than its code");
    assert_eq!(bench.link(&link).await, LinkState::Claimed { number: number(42) });
    bench.tick().await;
    let yes = bench.yes(&home, &home.owner, &claim).await;
    let answer = bench.store.confirm_link(&yes, &home.owner.act()).await;
    assert_eq!(answer, refused(Refusal::LinkInvalid));
    assert_eq!(bench.claim(&home, &home.owner, "one").await, refused(Refusal::LinkInvalid));
    assert_eq!(bench.link(&link).await, LinkState::Expired);
    assert_eq!(bench.redeem("wall", "one", "t").await, Redeemed::Expired);
    assert_eq!(bench.store.open_links().await.unwrap(), 0);
}

pub async fn a_display_shows_one_code(bench: &Bench) {
    let home = bench.home("ada").await;
    let open = bench.begin("wall", "open").await;
    let claimed = bench.begin("wall", "claimed").await;
    assert_eq!(bench.link(&open).await, LinkState::Expired);
    bench.claim(&home, &home.owner, "claimed").await.unwrap();
    let confirmed = bench.begin("wall", "confirmed").await;
    assert_eq!(bench.link(&claimed).await, LinkState::Expired);
    let device = bench.approve(&home, &home.owner, "confirmed").await;
    let last = bench.begin("wall", "last").await;
    assert_eq!(bench.link(&confirmed).await, LinkState::Expired);
    assert_eq!(bench.device(&home, device.id).await, None);
    assert_eq!(bench.store.open_links().await.unwrap(), 1);
    assert_eq!(bench.link(&last).await, LinkState::Pending);
    assert_eq!(bench.redeem("wall", "confirmed", "t").await, Redeemed::Expired);
    bench.begin("hall", "another display's").await;
    assert_eq!(bench.store.open_links().await.unwrap(), 2);
}

pub async fn who_only_names_a_key_ends_no_wish_of_it(bench: &Bench) {
    let home = bench.home("ada").await;
    let shown = bench.begin("wall", "shown").await;
    let mut named = bench.new_link("wall", "named").await;
    named.is_key_proven = false;
    let named = bench.store.begin_link(&named).await.unwrap();
    assert_eq!(bench.link(&shown).await, LinkState::Pending, "somebody else's");
    let device = bench.approve(&home, &home.owner, "shown").await;
    let mut again = bench.new_link("wall", "named again").await;
    again.is_key_proven = false;
    let again = bench.store.begin_link(&again).await.unwrap();
    assert_eq!(bench.link(&shown).await, LinkState::Linked);
    assert!(bench.device(&home, device.id).await.is_some());
    // Whoever proves it ends them all.
    bench.begin("wall", "last").await;
    for former in [shown, named, again] {
        assert_eq!(bench.link(&former).await, LinkState::Expired);
    }
}

/// Two wishes that name the key of `wall` and do not prove it, confirmed one after the other.
async fn confirmed_twice(bench: &Bench) -> (Home, [Link; 2], Device) {
    let home = bench.home("ada").await;
    let mut links = Vec::new();
    for word in ["one", "two"] {
        let mut new = bench.new_link("wall", word).await;
        new.is_key_proven = false;
        links.push(bench.store.begin_link(&new).await.unwrap());
    }
    let first = bench.approve(&home, &home.owner, "one").await;
    bench.tick().await;
    let claim = bench.claim(&home, &home.owner, "two").await.unwrap();
    let mut yes = bench.yes(&home, &home.owner, &claim).await;
    yes.name = "Hall".to_owned();
    let second = bench.store.confirm_link(&yes, &home.owner.act()).await.unwrap();
    assert_eq!(second.id, first.id, "whoever has the key has one place");
    (home, links.try_into().unwrap(), second)
}

pub async fn two_confirmed_wishes_of_a_named_key_are_one_display(bench: &Bench) {
    let (home, _, device) = confirmed_twice(bench).await;
    let listed = || async { bench.store.devices(home.family).await.unwrap() };
    assert_eq!(listed().await, std::slice::from_ref(&device), "once, as it was called last");
    let first = bench.granted("wall", "one", "first").await;
    let second = bench.granted("wall", "two", "second").await;
    assert_eq!((first.device.id, second.device.id), (device.id, device.id));
    assert_eq!(listed().await, std::slice::from_ref(&second.device));
    assert_eq!((bench.is_let_in(&first).await, bench.is_let_in(&second).await), (false, true));
    // The answer to either may be lost, and what was linked can be taken back.
    for word in ["one", "two"] {
        let again = bench.granted("wall", word, &format!("{word} again")).await;
        assert_eq!(again.device.id, device.id);
        assert!(bench.is_let_in(&again).await);
    }
    bench.undo(&home, &device, &home.owner).await.unwrap();
    bench.assert_ended(&home, &second).await;
}

pub async fn a_display_that_waits_in_two_wishes_is_ended_in_both(bench: &Bench) {
    let (home, links, device) = confirmed_twice(bench).await;
    bench.revoke(&home, &device, &home.owner).await.unwrap();
    for (link, word) in links.iter().zip(["one", "two"]) {
        assert_eq!(bench.link(link).await, LinkState::Denied, "{word}");
        assert_eq!(bench.redeem("wall", word, word).await, Redeemed::Denied, "{word}");
    }
    assert_eq!(bench.store.devices(home.family).await.unwrap(), []);
}

pub async fn no_code_comes_back_within_a_day(bench: &Bench) {
    bench.begin("wall", "one").await;
    let mut again = bench.new_link("hall", "two").await;
    again.user_code = bench.new_link("wall", "one").await.user_code;
    bench.time.advance(LIFETIME + DAY).await;
    bench.store.sweep().await.unwrap();
    assert_eq!(bench.store.begin_link(&again).await, refused(Refusal::Repeated));
    bench.tick().await;
    bench.store.begin_link(&again).await.unwrap();
}

pub async fn of_a_hundred_displays_with_one_code_one_shows_it(bench: &Bench) {
    let mut links = Vec::new();
    for n in 0..100 {
        let mut link = bench.new_link(&format!("wall {n}"), &format!("one {n}")).await;
        link.user_code = bench.new_link("wall", "one").await.user_code;
        links.push(link);
    }
    let links = Arc::new(links);
    let begun = all_at_once(100, |n| {
        let (store, links) = (Arc::clone(&bench.store), Arc::clone(&links));
        async move { store.begin_link(&links[n]).await }
    });
    let begun = begun.await;
    assert_eq!(begun.iter().filter(|link| link.is_ok()).count(), 1);
    let repeated = begun.into_iter().filter_map(Result::err);
    assert!(repeated.into_iter().all(|error| error == Refusal::Repeated.into()));
}

pub async fn as_many_are_open_as_may_be(bench: &Bench) {
    let home = bench.home("ada").await;
    for n in 0..3 {
        bench.begin(&format!("wall {n}"), &format!("code {n}")).await;
    }
    let mut fourth = bench.new_link("wall", "one").await;
    fourth.most = 3;
    assert_eq!(bench.store.begin_link(&fourth).await, refused(Refusal::TooMany));
    // A display that changes its code takes no more room.
    let mut again = bench.new_link("wall 0", "again").await;
    again.most = 3;
    bench.store.begin_link(&again).await.unwrap();
    bench.approve(&home, &home.owner, "code 1").await;
    bench.store.begin_link(&fourth).await.unwrap();
}

pub async fn a_family_has_fifty_displays_at_most(bench: &Bench) {
    let home = bench.home("ada").await;
    let (ada, store) = (&home.owner, &bench.store);
    let first = bench.linked(&home, ada, "wall 0", "code 0").await;
    for n in 1..50 {
        bench.begin(&format!("wall {n}"), &format!("code {n}")).await;
        bench.approve(&home, ada, &format!("code {n}")).await;
    }
    let link = bench.begin("wall 50", "code 50").await;
    let claim = bench.claim(&home, ada, "code 50").await.unwrap();
    let yes = bench.yes(&home, ada, &claim).await;
    assert_eq!(store.confirm_link(&yes, &ada.act()).await, refused(Refusal::TooMany));
    assert_eq!(bench.link(&link).await, LinkState::Claimed { number: number(42) });
    // One that has its place already takes no more room.
    bench.begin("wall 0", "again").await;
    assert_eq!(bench.approve(&home, ada, "again").await.id, first.device.id);
    // And one that was revoked has given its room.
    let id = store.devices(home.family).await.unwrap().last().unwrap().id;
    store.revoke_device(home.family, id, ada.member, &ada.act()).await.unwrap();
    store.confirm_link(&yes, &ada.act()).await.unwrap();
    assert_eq!(store.devices(home.family).await.unwrap().len(), 50);
}

pub async fn wishes_are_forgotten_a_day_after_their_end(bench: &Bench) {
    let link = bench.begin("wall", "one").await;
    bench.time.advance(LIFETIME + DAY).await;
    assert_eq!(bench.store.sweep().await.unwrap(), 0);
    assert_eq!(bench.link(&link).await, LinkState::Expired);
    bench.tick().await;
    assert_eq!(bench.store.sweep().await.unwrap(), 1);
    assert_eq!(bench.store.link_state(link.id).await.unwrap(), None);
}
