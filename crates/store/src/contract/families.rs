//! Families.

use std::sync::Arc;

use luminous_domain::{AccountId, FamilyId, MemberId, OsEntropy, Role};

use super::Bench;
use super::expect::{count, last_line, line};
use super::people::{Home, Person, all_at_once, hash};
use crate::error::{Failure, Refusal};
use crate::families::NewFamily;
use crate::members::MemberState;

fn founding(id: FamilyId, owner: AccountId, member: MemberId) -> NewFamily {
    NewFamily { id, name: "Adas".to_owned(), owner, member }
}

pub async fn a_family_begins_with_its_owner(bench: &Bench) {
    let ada = bench.person("ada").await;
    let new = founding(bench.family_id().await, ada.account.id, ada.member);
    let place = bench.store.create_family(&new, &ada.act()).await.unwrap();
    let now = bench.time.now().await;
    assert_eq!((place.family.id, place.family.name.as_str()), (new.id, "Adas"));
    assert_eq!(place.family.created_at, now);
    assert_eq!((place.member, place.role), (ada.member, Role::Owner));
    assert_eq!(place.state, MemberState::Active);
    let standing = bench.standing(&ada).await;
    assert_eq!(standing.membership.as_ref(), Some(&place));
    assert_eq!(standing.account.standing_changed_at, Some(now));

    let home = Home { family: new.id, owner: ada };
    let last = last_line(bench, &home, &home.owner.actor()).await;
    assert_eq!(last, line("family.created", None, Some("Adas"), None));
    let member = bench.store.members(new.id).await.unwrap().remove(0);
    assert_eq!((member.name.as_str(), member.role), ("ada", Role::Owner));
    assert_eq!(member.email.as_deref(), Some("ada@example.test"));
}

pub async fn creating_it_again_answers_what_is_there(bench: &Bench) {
    let ada = bench.person("ada").await;
    let new = founding(bench.family_id().await, ada.account.id, ada.member);
    let first = bench.store.create_family(&new, &ada.act()).await.unwrap();
    bench.tick().await;
    let again = NewFamily { name: "Other".into(), member: bench.member_id().await, ..new.clone() };
    assert_eq!(bench.store.create_family(&again, &ada.act()).await.unwrap(), first);
    let home = Home { family: new.id, owner: ada };
    assert_eq!(count(bench, &home).await, 1, "the second time is not written down");
}

pub async fn an_id_that_is_taken_is_nobody_elses(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.person("ben").await;
    let taken = founding(home.family, ben.account.id, ben.member);
    let refused = bench.store.create_family(&taken, &ben.act()).await;
    assert_eq!(refused, Err(Failure::Refused(Refusal::Repeated)));
    let nobody = founding(bench.family_id().await, bench.account_id().await, ben.member);
    let refused = bench.store.create_family(&nobody, &ben.act()).await;
    assert_eq!(refused, Err(Failure::Refused(Refusal::NotFound)));
    assert_eq!(count(bench, &home).await, 1);
}

pub async fn who_is_in_a_family_cannot_found_another(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Adult, "ben").await;
    for state in [MemberState::Active, MemberState::Deactivated] {
        bench.set_state(&home, ben.member, state, &home.owner).await.unwrap();
        let family = bench.family_id().await;
        let new = founding(family, ben.account.id, bench.member_id().await);
        let refused = bench.store.create_family(&new, &ben.act()).await;
        assert_eq!(refused, Err(Failure::Refused(Refusal::AlreadyMember)), "{state:?}");
    }
    // Nor by the id of the family they are in, which they do not own.
    let own = founding(home.family, ben.account.id, ben.member);
    let refused = bench.store.create_family(&own, &ben.act()).await;
    assert_eq!(refused, Err(Failure::Refused(Refusal::AlreadyMember)));
}

pub async fn of_a_hundred_foundings_by_one_person_one_counts(bench: &Bench) {
    let ada = bench.person("ada").await;
    let now = bench.time.now().await;
    let answers = all_at_once(100, |_| {
        let (store, act, owner) = (Arc::clone(&bench.store), ada.act(), ada.account.id);
        let family = FamilyId::new(now, &OsEntropy).unwrap();
        let member = MemberId::new(now, &OsEntropy).unwrap();
        async move { store.create_family(&founding(family, owner, member), &act).await }
    })
    .await;
    let founded: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    assert_eq!(founded.len(), 1);
    assert_eq!(bench.standing(&ada).await.membership.as_ref(), Some(founded[0]));
    let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
    for failure in refused {
        assert_eq!(failure, &Failure::Refused(Refusal::AlreadyMember));
    }
}

pub async fn renaming_shows_at_once(bench: &Bench) {
    let home = bench.home("ada").await;
    let before = bench.standing(&home.owner).await;
    let (by, act) = (home.owner.member, home.owner.act());
    let family = bench.store.rename_family(home.family, "Lovelaces", by, &act).await.unwrap();
    assert_eq!((family.id, family.name.as_str()), (home.family, "Lovelaces"));
    let after = bench.standing(&home.owner).await;
    assert_eq!(after.membership.unwrap().family, family);
    assert_eq!(after.account, before.account, "a name is no change of standing");
    let last = last_line(bench, &home, &home.owner.actor()).await;
    assert_eq!(last, line("family.renamed", None, Some("adas"), Some("Lovelaces")));
}

pub async fn renaming_what_is_not_there_is_refused(bench: &Bench) {
    let ada = bench.person("ada").await;
    let refused =
        bench.store.rename_family(bench.family_id().await, "X", ada.member, &ada.act()).await;
    assert_eq!(refused, Err(Failure::Refused(Refusal::NotFound)));
}

pub async fn deleting_takes_everything_but_the_log(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Adult, "ben").await;
    bench.child(&home, "kim").await;
    bench.note(&home, &ben, "hello", None).await.unwrap();
    bench.invite(&home, &home.owner, Role::Teen, "open").await.unwrap();
    bench.tick().await;
    let owner = &home.owner;
    bench.store.delete_family(home.family, owner.member, &owner.act()).await.unwrap();

    for person in [owner, &ben] {
        let standing = bench.standing(person).await;
        assert_eq!(standing.membership, None);
        assert_eq!(standing.account.standing_changed_at, Some(bench.time.now().await));
    }
    let store = &bench.store;
    assert_eq!(store.members(home.family).await.unwrap(), []);
    assert_eq!(store.member(home.family, ben.member).await.unwrap(), None);
    assert_eq!(store.notes(home.family).await.unwrap(), []);
    assert_eq!(store.open_invites(home.family).await.unwrap(), []);
    assert_eq!(store.devices(home.family).await.unwrap(), []);
    assert_eq!(store.offer(&hash("open")).await.unwrap(), None);
    let last = last_line(bench, &home, &owner.actor()).await;
    assert_eq!(last, line("family.deleted", None, Some("adas"), None));

    let again = store.delete_family(home.family, owner.member, &owner.act()).await;
    assert_eq!(again, Err(Failure::Refused(Refusal::NotFound)));
}

pub async fn only_an_active_owner_of_this_family_deletes_it(bench: &Bench) {
    let home = bench.home("ada").await;
    let other = bench.home("eve").await;
    let second = bench.join(&home, Role::Owner, "second").await;
    bench.set_state(&home, second.member, MemberState::Deactivated, &home.owner).await.unwrap();
    let mut outsiders: Vec<Person> = vec![other.owner.clone(), second];
    for role in [Role::Admin, Role::Adult, Role::Teen, Role::Child, Role::Caregiver] {
        outsiders.push(bench.join(&home, role, role.as_str()).await);
    }
    let lines = count(bench, &home).await;
    for who in outsiders {
        let refused = bench.store.delete_family(home.family, who.member, &who.act()).await;
        let name = &who.account.name;
        assert_eq!(refused, Err(Failure::Refused(Refusal::RoleMissing)), "{name}");
    }
    assert_eq!(count(bench, &home).await, lines);
    assert!(bench.standing(&home.owner).await.membership.is_some());
}

pub async fn who_was_in_it_may_found_another(bench: &Bench) {
    let home = bench.home("ada").await;
    let owner = &home.owner;
    bench.store.delete_family(home.family, owner.member, &owner.act()).await.unwrap();
    let back = founding(home.family, owner.account.id, bench.member_id().await);
    let refused = bench.store.create_family(&back, &owner.act()).await;
    assert_eq!(refused, Err(Failure::Refused(Refusal::Repeated)), "what is deleted stays so");
    let new = founding(bench.family_id().await, owner.account.id, bench.member_id().await);
    let place = bench.store.create_family(&new, &owner.act()).await.unwrap();
    assert_eq!(bench.standing(owner).await.membership, Some(place));
}

pub async fn only_who_may_now_renames_it(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Admin, "ben").await;
    bench.store.rename_family(home.family, "Bens", ben.member, &ben.act()).await.unwrap();
    bench.set_role(&home, ben.member, Role::Adult, &home.owner).await.unwrap();
    let lines = count(bench, &home).await;
    let refused = bench.store.rename_family(home.family, "Mine", ben.member, &ben.act()).await;
    assert_eq!(refused, Err(Failure::Refused(Refusal::RoleMissing)));
    assert_eq!(bench.standing(&ben).await.membership.unwrap().family.name, "Bens");
    assert_eq!(count(bench, &home).await, lines);
}
