//! Who belongs to a family.

use std::sync::Arc;

use luminous_domain::{MemberId, Permission, Role};

use super::Bench;
use super::expect::{count, last_line, line, newest, words};
use super::people::{Home, Person, all_at_once};
use crate::error::{Failure, Refusal};
use crate::members::{Member, MemberChange, MemberState, NewChild};

const PEOPLE: [Role; 6] =
    [Role::Owner, Role::Admin, Role::Adult, Role::Teen, Role::Child, Role::Caregiver];

fn refused<T>(refusal: Refusal) -> Result<T, Failure> {
    Err(Failure::Refused(refusal))
}

async fn change(
    bench: &Bench,
    home: &Home,
    id: MemberId,
    change: &MemberChange,
    by: &Person,
) -> Result<Member, Failure> {
    bench.store.change_member(home.family, id, change, by.member, &by.act()).await
}

async fn remove(bench: &Bench, home: &Home, id: MemberId, by: &Person) -> Result<(), Failure> {
    bench.store.remove_member(home.family, id, by.member, &by.act()).await
}

fn called(name: &str) -> MemberChange {
    MemberChange { name: Some(name.to_owned()), ..MemberChange::default() }
}

pub async fn they_are_listed_by_the_time_they_came(bench: &Bench) {
    let home = bench.home("zoe").await;
    bench.join(&home, Role::Adult, "mia").await;
    bench.child(&home, "ada").await;
    let members = bench.store.members(home.family).await.unwrap();
    let names: Vec<_> = members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["zoe", "mia", "ada"]);
    for member in members {
        assert_eq!(bench.store.member(home.family, member.id).await.unwrap(), Some(member));
    }
}

pub async fn those_of_another_family_are_not_found(bench: &Bench) {
    let (here, there) = (bench.home("ada").await, bench.home("eve").await);
    let ben = bench.join(&here, Role::Adult, "ben").await.member;
    let eve = &there.owner;
    assert_eq!(bench.store.member(there.family, ben).await.unwrap(), None);
    let off = MemberChange { state: Some(MemberState::Deactivated), ..MemberChange::default() };
    for changes in [called("x"), off] {
        assert_eq!(change(bench, &there, ben, &changes, eve).await, refused(Refusal::NotFound));
        let foreign = change(bench, &here, ben, &changes, eve).await;
        assert_eq!(foreign, refused(Refusal::RoleMissing));
    }
    assert_eq!(remove(bench, &there, ben, eve).await, refused(Refusal::NotFound));
    assert_eq!(remove(bench, &here, ben, eve).await, refused(Refusal::RoleMissing));
    let left = bench.store.leave_family(there.family, ben, &eve.act()).await;
    assert_eq!(left, refused(Refusal::NotFound));
    assert_eq!(bench.store.member(here.family, ben).await.unwrap().unwrap().name, "ben");
}

pub async fn a_child_without_an_account_joins(bench: &Bench) {
    let home = bench.home("ada").await;
    let id = bench.member_id().await;
    let new = NewChild { id, family: home.family, name: "kim".to_owned() };
    let kim = bench.store.add_child(&new, home.owner.member, &home.owner.act()).await.unwrap();
    let same = (kim.id, kim.account, kim.role, kim.state);
    assert_eq!(same, (id, None, Role::Child, MemberState::Active));
    assert_eq!((kim.email.as_deref(), kim.last_seen_at), (None, None));
    assert_eq!(kim.joined_at, bench.time.now().await);
    assert_eq!(bench.store.member(home.family, id).await.unwrap(), Some(kim));
    let last = last_line(bench, &home, &home.owner.actor()).await;
    assert_eq!(last, line("member.child_added", Some(id.to_string()), Some("kim"), None));

    let nowhere = NewChild { family: bench.family_id().await, id: bench.member_id().await, ..new };
    let answer = bench.store.add_child(&nowhere, home.owner.member, &home.owner.act()).await;
    assert_eq!(answer, refused(Refusal::NotFound));
}

pub async fn a_family_has_fifty_members_at_most(bench: &Bench) {
    let home = bench.home("ada").await;
    for n in 1..50 {
        bench.child(&home, &format!("child {n}")).await;
    }
    let lines = count(bench, &home).await;
    let more = NewChild { id: bench.member_id().await, family: home.family, name: "51".into() };
    let answer = bench.store.add_child(&more, home.owner.member, &home.owner.act()).await;
    assert_eq!(answer, refused(Refusal::TooMany));
    assert_eq!(count(bench, &home).await, lines);
    assert_eq!(bench.store.members(home.family).await.unwrap().len(), 50);
}

pub async fn a_name_is_changed_by_oneself_or_by_who_manages_children(bench: &Bench) {
    let home = bench.home("ada").await;
    let kid = bench.child(&home, "kim").await;
    for role in PEOPLE {
        let who = bench.join(&home, role, role.as_str()).await;
        let before = bench.standing(&who).await;
        change(bench, &home, who.member, &called("me"), &who).await.unwrap();
        let last = last_line(bench, &home, &who.actor()).await;
        let id = Some(who.member.to_string());
        assert_eq!(last, line("member.renamed", id, Some(role.as_str()), Some("me")));
        assert_eq!(bench.standing(&who).await, before, "a name is no change of standing");

        let child = change(bench, &home, kid, &called(role.as_str()), &who).await;
        if role.may(Permission::ChildrenManage) || role.may_grant(Role::Child) {
            assert_eq!(child.unwrap().name, role.as_str());
        } else {
            assert_eq!(child, refused(Refusal::RoleMissing), "{role}");
        }
        bench.tick().await;
    }
}

pub async fn every_pair_of_roles_may_do_what_the_table_says(bench: &Bench) {
    let home = bench.home("ada").await;
    let mut by = Vec::new();
    for role in PEOPLE {
        by.push((role, bench.join(&home, role, &format!("by {role}")).await));
    }
    let target = bench.join(&home, Role::Teen, "target").await.member;
    for (ruling, who) in &by {
        for from in PEOPLE {
            for to in Role::ALL.iter().copied() {
                if from != to {
                    bench.set_role(&home, target, from, &home.owner).await.unwrap();
                }
                let answer = bench.set_role(&home, target, to, who).await;
                let allowed = ruling.may_grant(from) && ruling.may_grant(to);
                let expected = if allowed { Ok(()) } else { refused(Refusal::RoleMissing) };
                assert_eq!(answer, expected, "{ruling}: {from} -> {to}");
            }
            bench.set_role(&home, target, from, &home.owner).await.unwrap();
            let off = bench.set_state(&home, target, MemberState::Deactivated, who).await;
            let on = bench.set_state(&home, target, MemberState::Active, who).await;
            let allowed = ruling.may_grant(from);
            let expected = if allowed { Ok(()) } else { refused(Refusal::RoleMissing) };
            assert_eq!((off, on), (expected.clone(), expected), "{ruling}: {from} off and on");
        }
    }
}

pub async fn each_thing_that_changes_is_a_line_of_its_own(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Adult, "ben").await.member;
    let lines = count(bench, &home).await;
    let everything = MemberChange {
        name: Some("Benjamin".into()),
        role: Some(Role::Caregiver),
        state: Some(MemberState::Deactivated),
    };
    let changed = change(bench, &home, ben, &everything, &home.owner).await.unwrap();
    assert_eq!(changed.name, "Benjamin");
    assert_eq!((changed.role, changed.state), (Role::Caregiver, MemberState::Deactivated));
    let id = Some(ben.to_string());
    let mut written: Vec<_> = newest(bench, &home, 3).await.into_iter().map(words).collect();
    written.sort();
    let expected = [
        line("member.deactivated", id.clone(), Some("ben"), None),
        line("member.renamed", id.clone(), Some("ben"), Some("Benjamin")),
        line("member.role_changed", id.clone(), Some("ben"), Some("caregiver")),
    ];
    assert_eq!(written, expected);
    assert_eq!(count(bench, &home).await, lines + 3);

    // What is as it was already is no change, nor is an empty one.
    bench.tick().await;
    change(bench, &home, ben, &everything, &home.owner).await.unwrap();
    change(bench, &home, ben, &MemberChange::default(), &home.owner).await.unwrap();
    assert_eq!(count(bench, &home).await, lines + 3);
    bench.set_state(&home, ben, MemberState::Active, &home.owner).await.unwrap();
    let last = last_line(bench, &home, &home.owner.actor()).await;
    assert_eq!(last, line("member.reactivated", id, Some("Benjamin"), None));
}

pub async fn a_childs_profile_stays_a_child(bench: &Bench) {
    let home = bench.home("ada").await;
    let kid = bench.child(&home, "kim").await;
    for role in PEOPLE.into_iter().filter(|role| *role != Role::Child) {
        let answer = bench.set_role(&home, kid, role, &home.owner).await;
        assert_eq!(answer, refused(Refusal::RoleMissing), "{role}");
    }
    let both = MemberChange { role: Some(Role::Teen), ..called("renamed too") };
    assert_eq!(change(bench, &home, kid, &both, &home.owner).await, refused(Refusal::RoleMissing));
    let kid = bench.store.member(home.family, kid).await.unwrap().unwrap();
    assert_eq!((kid.role, kid.name.as_str()), (Role::Child, "kim"), "half a change is none");
}

pub async fn a_deactivated_manager_manages_nothing(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Owner, "ben").await;
    let kid = bench.child(&home, "kim").await;
    bench.set_state(&home, ben.member, MemberState::Deactivated, &home.owner).await.unwrap();
    let lines = count(bench, &home).await;
    let answer = bench.set_state(&home, ben.member, MemberState::Active, &ben).await;
    assert_eq!(answer, refused(Refusal::RoleMissing));
    for id in [kid, ben.member] {
        let answer = change(bench, &home, id, &called("x"), &ben).await;
        assert_eq!(answer, refused(Refusal::RoleMissing));
        assert_eq!(remove(bench, &home, id, &ben).await, refused(Refusal::RoleMissing));
    }
    assert_eq!(count(bench, &home).await, lines);
}

pub async fn the_last_owner_stays(bench: &Bench) {
    let home = bench.home("ada").await;
    let admin = bench.join(&home, Role::Admin, "ben").await;
    let (ada, lines) = (&home.owner, count(bench, &home).await);
    let before = bench.standing(ada).await;
    let left = bench.store.leave_family(home.family, ada.member, &ada.act()).await;
    assert_eq!(left, refused(Refusal::LastOwner));
    assert_eq!(remove(bench, &home, ada.member, ada).await, refused(Refusal::LastOwner));
    for role in PEOPLE.into_iter().filter(|role| *role != Role::Owner) {
        let answer = bench.set_role(&home, ada.member, role, ada).await;
        assert_eq!(answer, refused(Refusal::LastOwner), "{role}");
    }
    let off = bench.set_state(&home, ada.member, MemberState::Deactivated, ada).await;
    assert_eq!(off, refused(Refusal::LastOwner));
    assert_eq!(remove(bench, &home, ada.member, &admin).await, refused(Refusal::RoleMissing));
    assert_eq!((bench.standing(ada).await, count(bench, &home).await), (before, lines));

    bench.set_role(&home, admin.member, Role::Owner, ada).await.unwrap();
    bench.store.leave_family(home.family, ada.member, &ada.act()).await.unwrap();
    assert_eq!(bench.standing(ada).await.membership, None);
}

pub async fn an_owner_without_account_or_activity_does_not_count(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Owner, "ben").await;
    bench.set_state(&home, ben.member, MemberState::Deactivated, &home.owner).await.unwrap();
    let ada = &home.owner;
    let left = bench.store.leave_family(home.family, ada.member, &ada.act()).await;
    assert_eq!(left, refused(Refusal::LastOwner));
    // Who does not count may go.
    bench.store.leave_family(home.family, ben.member, &ben.act()).await.unwrap();
    assert_eq!(bench.standing(&ben).await.membership, None);
}

pub async fn under_concurrent_leaving_and_demoting_one_owner_stays(bench: &Bench) {
    let home = bench.home("owner 0").await;
    let mut owners = vec![home.owner.clone()];
    for n in 1..10 {
        owners.push(bench.join(&home, Role::Owner, &format!("owner {n}")).await);
    }
    let family = home.family;
    all_at_once(100, |n| {
        let (store, by) = (Arc::clone(&bench.store), owners[n % 10].clone());
        let other = owners[(n + 1 + n / 10) % 10].member;
        async move {
            let act = by.act();
            let change = match n % 4 {
                0 => return store.leave_family(family, by.member, &act).await,
                1 => return store.remove_member(family, other, by.member, &act).await,
                2 => MemberChange { role: Some(Role::Adult), ..MemberChange::default() },
                _ => MemberChange {
                    state: Some(MemberState::Deactivated),
                    ..MemberChange::default()
                },
            };
            store.change_member(family, other, &change, by.member, &act).await.map(drop)
        }
    })
    .await;
    let counts = |member: &&Member| {
        member.role == Role::Owner
            && member.state == MemberState::Active
            && member.account.is_some()
    };
    let members = bench.store.members(family).await.unwrap();
    assert_eq!(members.iter().filter(counts).count(), 1, "{members:?}");
}

pub async fn a_removed_member_is_outside_at_once_and_their_notes_stay(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Adult, "ben").await;
    bench.note(&home, &ben, "hello", None).await.unwrap();
    bench.tick().await;
    remove(bench, &home, ben.member, &home.owner).await.unwrap();
    let last = last_line(bench, &home, &home.owner.actor()).await;
    let id = Some(ben.member.to_string());
    assert_eq!(last, line("member.removed", id, Some("ben"), Some("adult")));
    let standing = bench.standing(&ben).await;
    assert_eq!(standing.membership, None);
    assert_eq!(standing.account.standing_changed_at, Some(bench.time.now().await));
    let note = bench.store.notes(home.family).await.unwrap().remove(0);
    assert_eq!((note.author, note.author_name.as_str()), (None, "ben"));
    let again = remove(bench, &home, ben.member, &home.owner).await;
    assert_eq!(again, refused(Refusal::NotFound));
}

pub async fn leaving_is_ones_own(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Teen, "ben").await;
    bench.store.leave_family(home.family, ben.member, &ben.act()).await.unwrap();
    let last = last_line(bench, &home, &ben.actor()).await;
    let id = Some(ben.member.to_string());
    assert_eq!(last, line("member.left", id, Some("ben"), Some("teen")));
    let standing = bench.standing(&ben).await;
    assert_eq!(standing.membership, None);
    assert_eq!(standing.account.standing_changed_at, Some(bench.time.now().await));
    let again = bench.store.leave_family(home.family, ben.member, &ben.act()).await;
    assert_eq!(again, refused(Refusal::NotFound));
}

pub async fn removal_follows_the_table(bench: &Bench) {
    let home = bench.home("ada").await;
    for ruling in PEOPLE {
        let who = bench.join(&home, ruling, &format!("by {ruling}")).await;
        for role in PEOPLE {
            let target = bench.join(&home, role, &format!("{ruling} {role}")).await.member;
            let answer = remove(bench, &home, target, &who).await;
            if ruling.may_grant(role) {
                answer.unwrap();
            } else {
                assert_eq!(answer, refused(Refusal::RoleMissing), "{ruling} removes {role}");
                remove(bench, &home, target, &home.owner).await.unwrap();
            }
        }
        let kid = bench.child(&home, "kim").await;
        let answer = remove(bench, &home, kid, &who).await;
        if ruling.may(Permission::ChildrenManage) {
            answer.unwrap();
        } else {
            assert_eq!(answer, refused(Refusal::RoleMissing), "{ruling} removes a profile");
            remove(bench, &home, kid, &home.owner).await.unwrap();
        }
    }
}

pub async fn only_who_may_now_adds_a_child_and_a_removed_one_stays_away(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Admin, "ben").await;
    let id = bench.member_id().await;
    let new = NewChild { id, family: home.family, name: "kim".to_owned() };
    bench.store.add_child(&new, ben.member, &ben.act()).await.unwrap();
    let again = bench.store.add_child(&new, ben.member, &ben.act()).await;
    assert_eq!(again, refused(Refusal::Repeated));
    remove(bench, &home, id, &ben).await.unwrap();
    let again = bench.store.add_child(&new, ben.member, &ben.act()).await;
    assert_eq!(again, refused(Refusal::Repeated));

    bench.set_role(&home, ben.member, Role::Teen, &home.owner).await.unwrap();
    let other = NewChild { id: bench.member_id().await, ..new };
    let demoted = bench.store.add_child(&other, ben.member, &ben.act()).await;
    assert_eq!(demoted, refused(Refusal::RoleMissing));
    assert_eq!(bench.store.members(home.family).await.unwrap().len(), 2);
}
