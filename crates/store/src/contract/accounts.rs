//! People and where they stand.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use luminous_domain::{ObjectId, OsEntropy, PersonKey, Role, TenantId};

use super::expect::{last_line, line, newest, words};
use super::people::{HOUR, all_at_once, hash, key};
use super::{Bench, people::Person};
use crate::audit::Actor;
use crate::members::{MemberChange, MemberState};

pub async fn the_first_arrival_makes_the_account_and_the_next_finds_it(bench: &Bench) {
    let arrival = bench.arrival("ada").await;
    let first = bench.store.arrive(&arrival).await.unwrap();
    assert_eq!(first.account.id, arrival.id);
    assert_eq!(first.account.person, key("ada"));
    assert_eq!(first.account.name, "ada");
    assert_eq!(first.account.email.as_deref(), Some("ada@example.test"));
    assert_eq!(first.account.created_at, bench.time.now().await);
    assert_eq!(first.account.not_before, None);
    assert_eq!(first.membership, None);

    bench.tick().await;
    let again = bench.store.arrive(&bench.arrival("ada").await).await.unwrap();
    assert_eq!(again, first);

    let export = bench.store.export(arrival.id).await.unwrap().unwrap();
    let lines: Vec<_> = export.audit.into_iter().map(words).collect();
    assert_eq!(lines, [line("account.created", None, None, None)]);
}

pub async fn an_arrival_brings_name_and_email_up_to_date(bench: &Bench) {
    let first = bench.person("ada").await.account;
    let mut arrival = bench.arrival("ada").await;
    arrival.name = "Ada Byron".to_owned();
    arrival.email = None;
    let now = bench.store.arrive(&arrival).await.unwrap().account;
    assert_eq!((now.name.as_str(), now.email.as_deref()), ("Ada Byron", None));
    assert_eq!(now.id, first.id);
    let standing = bench.store.standing(&key("ada")).await.unwrap().unwrap();
    assert_eq!(standing.account, now);
}

pub async fn a_members_name_follows_until_the_family_gives_another(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Adult, "ben").await;
    let called = async |name: &str| {
        let arrival = crate::Arrival { name: name.to_owned(), ..bench.arrival("ben").await };
        bench.store.arrive(&arrival).await.unwrap();
        let member = bench.store.member(home.family, ben.member).await.unwrap().unwrap();
        assert_eq!(bench.standing(&ben).await.account.name, name);
        member.name
    };
    assert_eq!(called("Ben Sol").await, "Ben Sol");
    let change = MemberChange { name: Some("Benny".to_owned()), ..MemberChange::default() };
    let (owner, member) = (&home.owner, ben.member);
    let act = owner.act();
    let changed = bench.store.change_member(home.family, member, &change, owner.member, &act);
    changed.await.unwrap();
    assert_eq!(called("Benjamin").await, "Benny");
    let ada = bench.store.member(home.family, owner.member).await.unwrap().unwrap();
    assert_eq!(ada.name, "ada", "nobody else's");
}

pub async fn people_of_two_directories_with_one_object_id_are_two(bench: &Bench) {
    let here = bench.person("ada").await.account;
    let mut arrival = bench.arrival("ada").await;
    arrival.person = PersonKey { tenant: TenantId::new("elsewhere"), object: ObjectId::new("ada") };
    let there = bench.store.arrive(&arrival).await.unwrap().account;
    assert_ne!(here.id, there.id);
    assert_eq!(bench.store.standing(&here.person).await.unwrap().unwrap().account, here);
    assert_eq!(bench.store.standing(&there.person).await.unwrap().unwrap().account, there);
}

pub async fn of_a_hundred_first_arrivals_one_makes_the_account(bench: &Bench) {
    let now = bench.time.now().await;
    let template = bench.arrival("ada").await;
    let answers = all_at_once(100, |_| {
        let store = Arc::clone(&bench.store);
        let mut arrival = template.clone();
        arrival.id = luminous_domain::AccountId::new(now, &OsEntropy).unwrap();
        async move { store.arrive(&arrival).await.unwrap().account.id }
    })
    .await;
    let ids: HashSet<_> = answers.into_iter().collect();
    assert_eq!(ids.len(), 1);
    let id = ids.into_iter().next().unwrap();
    let created = bench.store.export(id).await.unwrap().unwrap().audit;
    assert_eq!(created.len(), 1, "one line for one account");
}

pub async fn nobody_stands_anywhere_before_arriving(bench: &Bench) {
    assert_eq!(bench.store.standing(&key("nobody")).await.unwrap(), None);
    let here = bench.person("nobody").await;
    assert_eq!(bench.standing(&here).await.account, here.account);
}

pub async fn a_change_of_place_holds_from_the_next_question_on(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Adult, "ben").await;
    let place = bench.standing(&ben).await.membership.unwrap();
    assert_eq!((place.role, place.member, place.family.id), (Role::Adult, ben.member, home.family));

    for (n, role) in [Role::Teen, Role::Admin, Role::Owner, Role::Caregiver].into_iter().enumerate()
    {
        bench.tick().await;
        bench.set_role(&home, ben.member, role, &home.owner).await.unwrap();
        let standing = bench.standing(&ben).await;
        assert_eq!(standing.membership.unwrap().role, role, "change {n}");
        assert_eq!(standing.account.standing_changed_at, Some(bench.time.now().await));
    }
    bench.tick().await;
    bench.set_state(&home, ben.member, MemberState::Deactivated, &home.owner).await.unwrap();
    let standing = bench.standing(&ben).await;
    assert_eq!(standing.membership.unwrap().state, MemberState::Deactivated);
    assert_eq!(standing.account.standing_changed_at, Some(bench.time.now().await));

    bench.tick().await;
    let by = &home.owner;
    bench.store.remove_member(home.family, ben.member, by.member, &by.act()).await.unwrap();
    let standing = bench.standing(&ben).await;
    assert_eq!(standing.membership, None);
    assert_eq!(standing.account.standing_changed_at, Some(bench.time.now().await));
}

pub async fn a_change_of_place_holds_also_while_many_ask(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Adult, "ben").await;
    let changing = Arc::new(AtomicBool::new(true));
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (store, changing, key) =
            (Arc::clone(&bench.store), Arc::clone(&changing), ben.key().clone());
        asking.spawn(async move {
            while changing.load(Ordering::Relaxed) {
                store.standing(&key).await.unwrap();
                // A store that answers from memory never waits by itself.
                tokio::task::yield_now().await;
            }
        });
    }
    for n in 0..100 {
        let role = if n % 2 == 0 { Role::Teen } else { Role::Adult };
        bench.set_role(&home, ben.member, role, &home.owner).await.unwrap();
        assert_eq!(bench.standing(&ben).await.membership.unwrap().role, role, "change {n}");
    }
    changing.store(false, Ordering::Relaxed);
    asking.join_all().await;
}

pub async fn being_seen_shows_in_the_family_and_changes_nothing_else(bench: &Bench) {
    let home = bench.home("ada").await;
    let before = bench.standing(&home.owner).await;
    let lines = newest(bench, &home, 100).await;
    let unseen = bench.store.member(home.family, home.owner.member).await.unwrap().unwrap();
    assert_eq!(unseen.last_seen_at, None);

    bench.time.advance(HOUR).await;
    bench.store.seen(home.owner.account.id).await.unwrap();
    let seen = bench.store.member(home.family, home.owner.member).await.unwrap().unwrap();
    assert_eq!(seen.last_seen_at, Some(bench.time.now().await));
    let listed = bench.store.members(home.family).await.unwrap();
    assert_eq!(listed[0].last_seen_at, seen.last_seen_at);
    assert_eq!(bench.standing(&home.owner).await, before);
    assert_eq!(newest(bench, &home, 100).await, lines);
}

pub async fn signing_out_everywhere_ends_sessions_and_dates_tokens(bench: &Bench) {
    let home = bench.home("ada").await;
    let ada = &home.owner;
    bench.session(ada, "first").await;
    bench.session(ada, "second").await;
    bench.tick().await;
    bench.store.end_sign_ins(ada.account.id, &ada.act()).await.unwrap();

    assert_eq!(bench.standing(ada).await.account.not_before, Some(bench.time.now().await));
    for word in ["first", "second"] {
        assert_eq!(bench.store.resume_session(&hash(word)).await.unwrap(), None);
    }
    assert_eq!(bench.store.sessions(ada.account.id).await.unwrap(), []);
    let last = last_line(bench, &home, &ada.actor()).await;
    assert_eq!(last, line("account.signed_out_everywhere", None, None, None));
}

pub async fn signing_out_everywhere_leaves_others_alone(bench: &Bench) {
    let (ada, ben) = (bench.person("ada").await, bench.person("ben").await);
    bench.session(&ben, "ben's").await;
    bench.store.end_sign_ins(ada.account.id, &ada.act()).await.unwrap();
    assert!(bench.store.resume_session(&hash("ben's")).await.unwrap().is_some());
    assert_eq!(bench.standing(&ben).await.account.not_before, None);
}

pub async fn an_export_holds_everything_of_one_person_and_nothing_of_others(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Adult, "ben").await;
    let mine = bench.note(&home, &ben, "mine", None).await.unwrap();
    bench.note(&home, &home.owner, "hers", None).await.unwrap();
    let session = bench.session(&ben, "ben's").await;
    bench.session(&home.owner, "ada's").await;

    let export = bench.store.export(ben.account.id).await.unwrap().unwrap();
    assert_eq!(export.standing, bench.standing(&ben).await);
    assert_eq!(export.exported_at, bench.time.now().await);
    assert_eq!(export.notes, [mine]);
    assert_eq!(export.sessions, [session]);
    let actions: HashSet<_> = export.audit.iter().map(|row| row.action.as_str()).collect();
    let did = ["account.created", "invite.accepted", "note.posted", "session.opened"];
    assert_eq!(actions, HashSet::from(did));
    assert!(export.audit.iter().all(|row| did_it(&ben, &row.act.actor)), "{:?}", export.audit);
}

fn did_it(person: &Person, actor: &Actor) -> bool {
    matches!(actor, Actor::Account { id, .. } if *id == person.account.id)
}

pub async fn an_export_of_nobody_is_none(bench: &Bench) {
    assert_eq!(bench.store.export(bench.account_id().await).await.unwrap(), None);
}
