//! Events.

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::{AccountId, LinkId, Role};
use tokio::sync::broadcast;

use super::Bench;
use super::displays::{DAY, refused};
use super::people::{Home, MS, all_at_once};
use crate::error::Refusal;
use crate::events::{EventKind, EventPage, Hint, MOST_KEPT};
use crate::members::MemberChange;
use crate::{DeviceChange, NewNote};

/// The newest number of the family.
async fn latest(bench: &Bench, home: &Home) -> u64 {
    bench.store.events_after(home.family, 0, 0).await.unwrap().latest
}

async fn after(bench: &Bench, home: &Home, seq: u64, limit: u32) -> EventPage {
    bench.store.events_after(home.family, seq, limit).await.unwrap()
}

/// What `work` tells the family.
async fn told<T>(
    bench: &Bench,
    home: &Home,
    work: impl Future<Output = T>,
) -> (T, Vec<(EventKind, Option<String>)>) {
    let (before, from) = (latest(bench, home).await, bench.time.now().await);
    let done = work.await;
    let page = after(bench, home, before, 100).await;
    assert!(!page.is_torn);
    let until = bench.time.now().await;
    let mut seq = before;
    for event in &page.events {
        seq += 1;
        assert_eq!(event.seq, seq);
        assert!((from..=until).contains(&event.at), "{event:?}");
    }
    assert_eq!(page.latest, seq);
    (done, page.events.into_iter().map(|event| (event.kind, event.subject)).collect())
}

pub async fn what_a_family_does_to_itself_is_told(bench: &Bench) {
    let home = bench.home("ada").await;
    let (ada, store) = (&home.owner, &bench.store);
    let act = ada.act();
    assert_eq!(latest(bench, &home).await, 0, "nobody listens when it begins");
    let members = |id: &dyn ToString| vec![(EventKind::MembersChanged, Some(id.to_string()))];
    let (child, events) = told(bench, &home, bench.child(&home, "eve")).await;
    assert_eq!(events, members(&child));
    let (ben, events) = told(bench, &home, bench.join(&home, Role::Adult, "ben")).await;
    assert_eq!(events, members(&ben.member), "an invitation is nothing on the wall");
    let change = MemberChange { name: Some("Eva".to_owned()), ..MemberChange::default() };
    let rename = || store.change_member(home.family, child, &change, ada.member, &act);
    let (renamed, events) = told(bench, &home, rename()).await;
    assert_eq!((renamed.unwrap().name.as_str(), events), ("Eva", members(&child)));
    assert_eq!(told(bench, &home, rename()).await.1, []);
    let demote = bench.set_role(&home, ben.member, Role::Teen, ada);
    assert_eq!(told(bench, &home, demote).await.1, members(&ben.member));
    let mut arrival = bench.arrival("ben").await;
    arrival.name = "Benjamin".to_owned();
    assert_eq!(told(bench, &home, store.arrive(&arrival)).await.1, members(&ben.member));
    assert_eq!(told(bench, &home, store.arrive(&arrival)).await.1, []);
    arrival.email = None;
    assert_eq!(told(bench, &home, store.arrive(&arrival)).await.1, []);
    let leave = store.leave_family(home.family, ben.member, &act);
    assert_eq!(told(bench, &home, leave).await.1, members(&ben.member));
    let remove = store.remove_member(home.family, child, ada.member, &act);
    assert_eq!(told(bench, &home, remove).await.1, members(&child));

    let notes = |id: &dyn ToString| vec![(EventKind::NotesChanged, Some(id.to_string()))];
    let (note, events) = told(bench, &home, bench.note(&home, ada, "milk", None)).await;
    let note = note.unwrap();
    assert_eq!(events, notes(&note.id));
    let remove = || store.remove_note(home.family, note.id, ada.member, &act);
    assert_eq!(told(bench, &home, remove()).await.1, notes(&note.id));
    let (answer, events) = told(bench, &home, remove()).await;
    assert_eq!((answer, events), (refused(Refusal::NotFound), Vec::new()), "and no refusal");

    let family = vec![(EventKind::FamilyChanged, None)];
    let rename = store.rename_family(home.family, "Lovelace", ada.member, &act);
    assert_eq!(told(bench, &home, rename).await.1, family);
    let delete = store.delete_family(home.family, ada.member, &act);
    assert_eq!(told(bench, &home, delete).await.1, family, "also when it is gone");
}

pub async fn what_happens_to_displays_is_told(bench: &Bench) {
    let (home, other) = (bench.home("ada").await, bench.home("ben").await);
    let (ada, store) = (&home.owner, &bench.store);
    bench.begin("wall", "one").await;
    let (device, events) = told(bench, &home, bench.approve(&home, ada, "one")).await;
    let id = Some(device.id.to_string());
    assert_eq!(events, [(EventKind::DeviceLinked, id.clone())]);
    let changed = vec![(EventKind::DevicesChanged, id.clone())];
    assert_eq!(told(bench, &home, bench.redeem("wall", "one", "t")).await.1, changed);
    assert_eq!(told(bench, &home, bench.redeem("wall", "one", "again")).await.1, []);
    assert_eq!(told(bench, &home, bench.refresh("wall", "again", "next")).await.1, []);

    let change = DeviceChange { name: Some("Hall".to_owned()), room: Some(Some("Up".to_owned())) };
    let act = ada.act();
    let rename = || store.change_device(home.family, device.id, &change, ada.member, &act);
    assert_eq!(told(bench, &home, rename()).await.1, changed, "one for both");
    assert_eq!(told(bench, &home, rename()).await.1, []);
    let renew = store.renew_device(home.family, device.id, DAY, ada.member, &act);
    assert_eq!(told(bench, &home, renew).await.1, changed);

    // Linked elsewhere, and back.
    bench.begin("wall", "two").await;
    bench.approve(&other, &other.owner, "two").await;
    let ended = vec![(EventKind::DeviceRevoked, id)];
    assert_eq!(told(bench, &home, bench.redeem("wall", "two", "two")).await.1, ended);
    let again = bench.linked(&home, ada, "wall", "three").await;
    bench.use_token(&again).await;
    let revoke = store.revoke_device(home.family, device.id, ada.member, &act);
    assert_eq!(told(bench, &home, revoke).await.1, ended);
    let again = bench.linked(&home, ada, "wall", "four").await;
    let undo = store.undo_link(home.family, again.device.id, DAY, ada.member, &act);
    assert_eq!(told(bench, &home, undo).await.1, ended);
    bench.linked(&home, ada, "wall", "five").await;
    bench.refresh("wall", "five", "six").await.unwrap();
    bench.refresh("wall", "six", "seven").await.unwrap();
    assert_eq!(told(bench, &home, bench.refresh("wall", "five", "x")).await.1, ended);
    bench.linked(&home, ada, "wall", "eight").await;
    let hash = super::people::hash("eight");
    let key = super::displays::thumbprint("wall");
    let give_back = store.give_back_token(&hash, &key, crate::Network::Public);
    assert_eq!(told(bench, &home, give_back).await.1, ended);

    // A confirmed wish that another replaces, and one that is denied at last.
    bench.begin("hall", "nine").await;
    let gone = bench.approve(&home, ada, "nine").await;
    let changed = [(EventKind::DevicesChanged, Some(gone.id.to_string()))];
    assert_eq!(told(bench, &home, bench.begin("hall", "ten")).await.1, changed);
    let cleo = bench.join(&home, Role::Adult, "cleo").await;
    let denied = bench.approve(&home, &cleo, "ten").await;
    store.leave_family(home.family, cleo.member, &cleo.act()).await.unwrap();
    let changed = [(EventKind::DevicesChanged, Some(denied.id.to_string()))];
    assert_eq!(told(bench, &home, bench.redeem("hall", "ten", "ten")).await.1, changed);
}

pub async fn under_concurrent_writers_the_numbers_have_no_gap(bench: &Bench) {
    let (home, other) = (bench.home("ada").await, bench.home("ben").await);
    let mut notes = Vec::new();
    for n in 0..80 {
        let home = if n % 2 == 0 { &home } else { &other };
        let new = NewNote {
            id: bench.note_id().await,
            family: home.family,
            text: n.to_string(),
            author: home.owner.member,
            lifetime: None,
        };
        notes.push((new, home.owner.act()));
    }
    let notes = Arc::new(notes);
    let posted = all_at_once(80, |n| {
        let (store, notes) = (Arc::clone(&bench.store), Arc::clone(&notes));
        async move { store.post_note(&notes[n].0, &notes[n].1).await.unwrap().id.to_string() }
    });
    let mut posted = posted.await;
    posted.sort_unstable();
    let mut subjects = Vec::new();
    for home in [&home, &other] {
        let page = after(bench, home, 0, 100).await;
        assert_eq!(page.latest, 40);
        let seqs: Vec<u64> = page.events.iter().map(|event| event.seq).collect();
        assert_eq!(seqs, (1..=40).collect::<Vec<_>>());
        subjects.extend(page.events.into_iter().filter_map(|event| event.subject));
    }
    subjects.sort_unstable();
    assert_eq!(subjects, posted, "each is told once, to its own family");
}

pub async fn p4_events_come_in_pages_and_a_number_from_the_future_is_torn(bench: &Bench) {
    let home = bench.home("ada").await;
    for n in 0..5 {
        bench.note(&home, &home.owner, &n.to_string(), None).await.unwrap();
    }
    let mut seen = 0;
    for expected in [&[1, 2][..], &[3, 4], &[5], &[]] {
        let page = after(bench, &home, seen, 2).await;
        let seqs: Vec<u64> = page.events.iter().map(|event| event.seq).collect();
        assert_eq!((seqs.as_slice(), page.latest, page.is_torn), (expected, 5, false));
        seen = seqs.last().copied().unwrap_or(seen);
    }
    for future in [6, u64::MAX] {
        let torn = EventPage { events: Vec::new(), latest: 5, is_torn: true };
        assert_eq!(after(bench, &home, future, 2).await, torn);
    }
    let nobody = bench.family_id().await;
    let page = |is_torn| EventPage { events: Vec::new(), latest: 0, is_torn };
    assert_eq!(bench.store.events_after(nobody, 0, 9).await.unwrap(), page(false));
    assert_eq!(bench.store.events_after(nobody, 1, 9).await.unwrap(), page(true));
}

pub async fn p4_events_are_forgotten_after_a_day_to_the_millisecond(bench: &Bench) {
    let home = bench.home("ada").await;
    bench.note(&home, &home.owner, "older", None).await.unwrap();
    bench.tick().await;
    bench.note(&home, &home.owner, "old", None).await.unwrap();
    bench.time.advance(DAY).await;
    bench.note(&home, &home.owner, "new", None).await.unwrap();
    // The first is of the millisecond before.
    assert!(after(bench, &home, 0, 9).await.is_torn);
    let whole = after(bench, &home, 1, 9).await;
    assert_eq!((whole.events.len(), whole.is_torn), (2, false));
    bench.tick().await;
    for swept in [false, true] {
        let torn = after(bench, &home, 1, 9).await;
        assert_eq!((torn.events.len(), torn.latest, torn.is_torn), (0, 3, true));
        let whole = after(bench, &home, 2, 9).await;
        assert_eq!((whole.events.len(), whole.is_torn), (1, false));
        assert_eq!(bench.store.sweep().await.unwrap(), if swept { 0 } else { 2 });
    }
    bench.time.advance(DAY).await;
    assert_eq!(bench.store.sweep().await.unwrap(), 1);
    assert!(after(bench, &home, 2, 9).await.is_torn);
    let nothing_new = after(bench, &home, 3, 9).await;
    assert_eq!((nothing_new.latest, nothing_new.is_torn), (3, false));
    bench.note(&home, &home.owner, "newest", None).await.unwrap();
    assert_eq!(after(bench, &home, 3, 9).await.events[0].seq, 4, "the numbers go on");
}

pub async fn p4_a_family_keeps_its_newest_thousand(bench: &Bench) {
    let home = bench.home("ada").await;
    let (family, owner) = (home.family, home.owner.clone());
    bench.note(&home, &home.owner, "one more", None).await.unwrap();
    let renames = all_at_once(8, |_| {
        let (store, owner) = (Arc::clone(&bench.store), owner.clone());
        async move {
            for _ in 0..125 {
                store.rename_family(family, "x", owner.member, &owner.act()).await.unwrap();
            }
        }
    });
    renames.await;
    let most = u64::from(MOST_KEPT);
    for swept in [0, 1] {
        assert_eq!(latest(bench, &home).await, most + 1);
        assert!(after(bench, &home, 0, 9).await.is_torn);
        let page = after(bench, &home, 1, 2000).await;
        assert_eq!((page.events.len(), page.is_torn), (MOST_KEPT as usize, false));
        assert_eq!(bench.store.sweep().await.unwrap(), 1 - swept);
    }
}

pub async fn p4_the_numbers_of_a_family_that_is_gone_are_forgotten_with_its_last_event(
    bench: &Bench,
) {
    let (home, other) = (bench.home("ada").await, bench.home("ben").await);
    bench.note(&other, &other.owner, "milk", None).await.unwrap();
    let ada = &home.owner;
    bench.store.delete_family(home.family, ada.member, &ada.act()).await.unwrap();
    bench.time.advance(DAY).await;
    assert_eq!(bench.store.sweep().await.unwrap(), 0);
    assert_eq!(latest(bench, &home).await, 1, "a display may still ask what happened");
    bench.tick().await;
    assert_eq!(bench.store.sweep().await.unwrap(), 3, "an event of each, and one number");
    assert_eq!((latest(bench, &home).await, latest(bench, &other).await), (0, 1));
    assert_eq!(bench.store.sweep().await.unwrap(), 0);
}

pub async fn a_wall_is_read_whole_and_as_of_its_number(bench: &Bench) {
    let home = bench.home("ada").await;
    let store = &bench.store;
    bench.join(&home, Role::Adult, "ben").await;
    bench.note(&home, &home.owner, "milk", None).await.unwrap();
    bench.tick().await;
    bench.note(&home, &home.owner, "short", Some(MS)).await.unwrap();
    bench.home("gus").await;
    store.seen(home.owner.account.id).await.unwrap();
    let wall = store.wall(home.family).await.unwrap().unwrap();
    assert_eq!((wall.family.id, wall.family.name.as_str()), (home.family, "adas"));
    assert_eq!(wall.members, store.members(home.family).await.unwrap());
    assert_eq!(wall.members.len(), 2);
    assert_eq!(wall.notes, store.notes(home.family).await.unwrap());
    assert_eq!(wall.seq, latest(bench, &home).await);
    bench.time.advance(2 * MS).await;
    assert_eq!(store.wall(home.family).await.unwrap().unwrap().notes.len(), 1);
    assert_eq!(store.wall(bench.family_id().await).await.unwrap(), None);
}

pub async fn p4_a_wall_shows_exactly_what_its_number_says(bench: &Bench) {
    let home = bench.home("ada").await;
    let mut notes = Vec::new();
    for n in 0..40 {
        notes.push(NewNote {
            id: bench.note_id().await,
            family: home.family,
            text: n.to_string(),
            author: home.owner.member,
            lifetime: None,
        });
    }
    let (notes, act) = (Arc::new(notes), home.owner.act());
    let read = all_at_once(80, |n| {
        let (store, notes, act) = (Arc::clone(&bench.store), Arc::clone(&notes), act.clone());
        let family = home.family;
        async move {
            if n < 40 {
                store.post_note(&notes[n], &act).await.unwrap();
            }
            store.wall(family).await.unwrap().unwrap()
        }
    });
    for wall in read.await {
        assert_eq!(wall.notes.len() as u64, wall.seq);
    }
}

/// Waits until `hints` tell what `wanted` says; hints may come late, more than once, and others may
/// come before.
async fn heard(hints: &mut broadcast::Receiver<Hint>, wanted: impl Fn(Hint) -> bool) {
    let listen = async {
        loop {
            match hints.recv().await {
                Ok(hint) if wanted(hint) => return,
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), listen).await.expect("a hint");
}

pub async fn whoever_listens_is_told_of_every_family(bench: &Bench) {
    let (home, other) = (bench.home("ada").await, bench.home("ben").await);
    let mut hints = bench.store.hints();
    for home in [&home, &other, &home] {
        bench.note(home, &home.owner, "milk", None).await.unwrap();
        let latest = latest(bench, home).await;
        let told = |hint| matches!(hint, Hint::Family { family, seq } if family == home.family && seq >= latest);
        heard(&mut hints, told).await;
    }
}

pub async fn whoever_listens_is_told_of_every_wish_that_changes(bench: &Bench) {
    let home = bench.home("ada").await;
    let ada = &home.owner;
    let mut hints = bench.store.hints();
    let about = |id: LinkId| move |hint| hint == Hint::Link { link: id };
    let link = bench.begin("wall", "one").await;
    let claim = bench.claim(&home, ada, "one").await.unwrap();
    heard(&mut hints, about(link.id)).await;
    let yes = bench.yes(&home, ada, &claim).await;
    bench.store.confirm_link(&yes, &ada.act()).await.unwrap();
    heard(&mut hints, about(link.id)).await;
    bench.granted("wall", "one", "t").await;
    heard(&mut hints, about(link.id)).await;

    let link = bench.begin("wall", "two").await;
    let claim = bench.claim(&home, ada, "two").await.unwrap();
    heard(&mut hints, about(link.id)).await;
    let (challenge, account) = (claim.challenge, ada.account.id);
    bench.store.decline_link(challenge, account, home.family, &ada.act()).await.unwrap();
    heard(&mut hints, about(link.id)).await;

    let link = bench.begin("wall", "three").await;
    bench.begin("wall", "four").await;
    heard(&mut hints, about(link.id)).await;
}

pub async fn whoever_listens_is_told_of_sign_ins_that_ended(bench: &Bench) {
    let home = bench.home("ada").await;
    let mut hints = bench.store.hints();
    let id: AccountId = home.owner.account.id;
    bench.store.end_sign_ins(id, &home.owner.act()).await.unwrap();
    heard(&mut hints, |hint| hint == Hint::Account { account: id }).await;
}
