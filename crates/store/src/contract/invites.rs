//! Invitations.

use std::sync::Arc;

use luminous_domain::{Role, Timestamp};

use super::Bench;
use super::expect::{count, last_line, line};
use super::people::{HOUR, Home, MS, Person, all_at_once, hash};
use crate::accounts::Membership;
use crate::error::{Failure, Refusal};
use crate::invites::NewInvite;
use crate::members::MemberState;

/// `person` tries the code `word`.
async fn accept(bench: &Bench, person: &Person, word: &str) -> Result<Membership, Failure> {
    let store = &bench.store;
    store.accept_invite(&hash(word), person.account.id, person.member, &person.act()).await
}

fn refused<T>(refusal: Refusal) -> Result<T, Failure> {
    Err(Failure::Refused(refusal))
}

pub async fn an_invitation_is_offered_and_listed_until_it_is_accepted(bench: &Bench) {
    let home = bench.home("ada").await;
    let made = bench.invite(&home, &home.owner, Role::Teen, "code").await.unwrap();
    let now: Timestamp = bench.time.now().await;
    assert_eq!((made.family, made.role), (home.family, Role::Teen));
    assert_eq!((made.invited_by, made.invited_by_name.as_str()), (home.owner.member, "ada"));
    assert_eq!((made.created_at, made.expires_at), (now, now + HOUR));
    let id = Some(made.id.to_string());
    let last = last_line(bench, &home, &home.owner.actor()).await;
    assert_eq!(last, line("invite.created", id.clone(), None, Some("teen")));

    bench.tick().await;
    let second = bench.invite(&home, &home.owner, Role::Adult, "second").await.unwrap();
    let open = bench.store.open_invites(home.family).await.unwrap();
    assert_eq!(open, [second.clone(), made.clone()], "the newest first");
    let offer = bench.store.offer(&hash("code")).await.unwrap().unwrap();
    assert_eq!((offer.invite, offer.family_name.as_str()), (made, "adas"));

    bench.tick().await;
    let ben = bench.person("ben").await;
    let place = accept(bench, &ben, "code").await.unwrap();
    assert_eq!((place.family.id, place.member, place.role), (home.family, ben.member, Role::Teen));
    assert_eq!(place.state, MemberState::Active);
    let standing = bench.standing(&ben).await;
    assert_eq!(standing.membership, Some(place));
    assert_eq!(standing.account.standing_changed_at, Some(bench.time.now().await));
    let last = last_line(bench, &home, &ben.actor()).await;
    assert_eq!(last, line("invite.accepted", id, None, Some("teen")));
    assert_eq!(bench.store.offer(&hash("code")).await.unwrap(), None);
    assert_eq!(bench.store.open_invites(home.family).await.unwrap(), [second]);
    let member = bench.store.member(home.family, ben.member).await.unwrap().unwrap();
    assert_eq!((member.name.as_str(), member.account), ("ben", Some(ben.account.id)));
}

pub async fn of_a_hundred_who_accept_one_gets_in(bench: &Bench) {
    let home = bench.home("ada").await;
    bench.invite(&home, &home.owner, Role::Adult, "code").await.unwrap();
    let mut people = Vec::new();
    for n in 0..100 {
        people.push(bench.person(&format!("person {n}")).await);
    }
    let answers = race(bench, &people, |_| "code".to_owned()).await;
    let winners: Vec<_> = answers.iter().filter(|(_, answer)| answer.is_ok()).collect();
    assert_eq!(winners.len(), 1);
    for (n, answer) in &answers {
        let place = bench.standing(&people[*n]).await.membership;
        match answer {
            Ok(won) => assert_eq!(place.as_ref(), Some(won)),
            Err(failure) => {
                assert_eq!(failure, &Failure::Refused(Refusal::InviteInvalid));
                assert_eq!(place, None);
            }
        }
    }
    assert_eq!(bench.store.members(home.family).await.unwrap().len(), 2);
    assert_eq!(count(bench, &home).await, 3, "founded, invited, accepted");
}

/// All of `people` accept at once, each the code that `word` says.
async fn race(
    bench: &Bench,
    people: &[Person],
    word: impl Fn(usize) -> String,
) -> Vec<(usize, Result<Membership, Failure>)> {
    all_at_once(people.len(), |n| {
        let (store, person, code) = (Arc::clone(&bench.store), people[n].clone(), hash(&word(n)));
        async move {
            let act = person.act();
            (n, store.accept_invite(&code, person.account.id, person.member, &act).await)
        }
    })
    .await
}

pub async fn one_person_accepting_a_hundred_times_gets_in_once(bench: &Bench) {
    let home = bench.home("ada").await;
    bench.invite(&home, &home.owner, Role::Adult, "code").await.unwrap();
    let ben = bench.person("ben").await;
    let answers = race(bench, &vec![ben.clone(); 100], |_| "code".to_owned()).await;
    assert_eq!(answers.iter().filter(|(_, answer)| answer.is_ok()).count(), 1);
    assert_eq!(bench.store.members(home.family).await.unwrap().len(), 2);
}

pub async fn it_ends_to_the_millisecond(bench: &Bench) {
    let home = bench.home("ada").await;
    let (ben, kim) = (bench.person("ben").await, bench.person("kim").await);
    bench.invite(&home, &home.owner, Role::Adult, "in time").await.unwrap();
    let late = bench.invite(&home, &home.owner, Role::Adult, "late").await.unwrap();
    bench.time.advance(HOUR).await;
    assert!(bench.store.offer(&hash("late")).await.unwrap().is_some());
    accept(bench, &ben, "in time").await.unwrap();
    bench.time.advance(MS).await;
    assert_eq!(bench.store.offer(&hash("late")).await.unwrap(), None);
    assert_eq!(bench.store.open_invites(home.family).await.unwrap(), []);
    assert_eq!(accept(bench, &kim, "late").await, refused(Refusal::InviteInvalid));
    let withdrawn = bench
        .store
        .withdraw_invite(home.family, late.id, home.owner.member, &home.owner.act())
        .await;
    assert_eq!(withdrawn, refused(Refusal::NotFound));
}

pub async fn a_withdrawn_one_is_as_unknown_as_any(bench: &Bench) {
    let home = bench.home("ada").await;
    let invite = bench.invite(&home, &home.owner, Role::Adult, "code").await.unwrap();
    let act = home.owner.act();
    bench.tick().await;
    bench.store.withdraw_invite(home.family, invite.id, home.owner.member, &act).await.unwrap();
    let last = last_line(bench, &home, &home.owner.actor()).await;
    let id = Some(invite.id.to_string());
    assert_eq!(last, line("invite.withdrawn", id, None, Some("adult")));
    let lines = count(bench, &home).await;

    let ben = bench.person("ben").await;
    for word in ["code", "unknown"] {
        assert_eq!(bench.store.offer(&hash(word)).await.unwrap(), None);
        assert_eq!(accept(bench, &ben, word).await, refused(Refusal::InviteInvalid));
    }
    let again = bench.store.withdraw_invite(home.family, invite.id, home.owner.member, &act).await;
    assert_eq!(again, refused(Refusal::NotFound));
    let used = bench.invite(&home, &home.owner, Role::Adult, "used").await.unwrap();
    accept(bench, &ben, "used").await.unwrap();
    let used = bench.store.withdraw_invite(home.family, used.id, home.owner.member, &act).await;
    assert_eq!(used, refused(Refusal::NotFound));
    assert_eq!(count(bench, &home).await, lines + 2, "made and accepted");
}

pub async fn withdrawing_is_scoped_to_the_family(bench: &Bench) {
    let (here, there) = (bench.home("ada").await, bench.home("eve").await);
    let invite = bench.invite(&here, &here.owner, Role::Adult, "code").await.unwrap();
    let answer = bench
        .store
        .withdraw_invite(there.family, invite.id, there.owner.member, &there.owner.act())
        .await;
    assert_eq!(answer, refused(Refusal::NotFound));
    assert!(bench.store.offer(&hash("code")).await.unwrap().is_some());
    assert_eq!(bench.store.open_invites(there.family).await.unwrap(), []);
}

pub async fn only_owners_invite_owners_and_only_managers_invite(bench: &Bench) {
    let home = bench.home("ada").await;
    for maker in Role::ALL.iter().copied().filter(|role| role.is_for_people()) {
        let by = bench.join(&home, maker, maker.as_str()).await;
        for given in Role::ALL.iter().copied() {
            let word = format!("{maker} {given}");
            let answer = bench.invite(&home, &by, given, &word).await;
            if maker.may_grant(given) {
                let made = answer.unwrap();
                bench
                    .store
                    .withdraw_invite(home.family, made.id, by.member, &by.act())
                    .await
                    .unwrap();
            } else {
                assert_eq!(answer, refused(Refusal::RoleMissing), "{word}");
            }
        }
    }
    // Whoever manages another family manages nothing here.
    let eve = bench.home("eve").await.owner;
    let answer = bench.invite(&home, &eve, Role::Child, "eve").await;
    assert_eq!(answer, refused(Refusal::RoleMissing));
}

pub async fn nobody_is_invited_as_a_display(bench: &Bench) {
    let home = bench.home("ada").await;
    let answer = bench.invite(&home, &home.owner, Role::Display, "code").await;
    assert_eq!(answer, refused(Refusal::RoleMissing));
    assert_eq!(bench.store.offer(&hash("code")).await.unwrap(), None);
}

pub async fn it_counts_only_while_its_maker_may_give_the_role(bench: &Bench) {
    let home = bench.home("ada").await;
    let admin = bench.join(&home, Role::Admin, "ben").await;
    let kim = bench.person("kim").await;
    let invite = bench.invite(&home, &admin, Role::Adult, "code").await.unwrap();

    bench.set_role(&home, admin.member, Role::Adult, &home.owner).await.unwrap();
    assert_eq!(bench.store.offer(&hash("code")).await.unwrap(), None);
    assert_eq!(accept(bench, &kim, "code").await, refused(Refusal::InviteInvalid));
    assert_eq!(bench.store.open_invites(home.family).await.unwrap(), [invite]);
    bench.set_role(&home, admin.member, Role::Admin, &home.owner).await.unwrap();
    bench.set_state(&home, admin.member, MemberState::Deactivated, &home.owner).await.unwrap();
    assert_eq!(accept(bench, &kim, "code").await, refused(Refusal::InviteInvalid));
    bench.set_state(&home, admin.member, MemberState::Active, &home.owner).await.unwrap();
    accept(bench, &kim, "code").await.unwrap();
}

pub async fn it_goes_with_its_maker(bench: &Bench) {
    let home = bench.home("ada").await;
    let admin = bench.join(&home, Role::Admin, "ben").await;
    bench.invite(&home, &admin, Role::Adult, "code").await.unwrap();
    bench.store.leave_family(home.family, admin.member, &admin.act()).await.unwrap();
    assert_eq!(bench.store.open_invites(home.family).await.unwrap(), []);
    let kim = bench.person("kim").await;
    assert_eq!(accept(bench, &kim, "code").await, refused(Refusal::InviteInvalid));
}

pub async fn who_is_in_a_family_cannot_accept_and_it_stays_open(bench: &Bench) {
    let (here, there) = (bench.home("ada").await, bench.home("eve").await);
    bench.invite(&here, &here.owner, Role::Adult, "code").await.unwrap();
    let mut eve = there.owner.clone();
    eve.member = bench.member_id().await;
    assert_eq!(accept(bench, &eve, "code").await, refused(Refusal::AlreadyMember));
    let ben = bench.person("ben").await;
    accept(bench, &ben, "code").await.unwrap();
}

pub async fn twenty_stand_open_at_most(bench: &Bench) {
    let (home, other) = (bench.home("ada").await, bench.home("eve").await);
    for n in 0..20 {
        bench.invite(&home, &home.owner, Role::Adult, &format!("code {n}")).await.unwrap();
    }
    let full = bench.invite(&home, &home.owner, Role::Adult, "more").await;
    assert_eq!(full, refused(Refusal::TooMany));
    bench.invite(&other, &other.owner, Role::Adult, "elsewhere").await.unwrap();
    bench.time.advance(HOUR + MS).await;
    bench.invite(&home, &home.owner, Role::Adult, "after they ended").await.unwrap();
}

/// A family of `count` members.
async fn grown(bench: &Bench, count: usize) -> Home {
    let home = bench.home("ada").await;
    for n in 1..count {
        bench.child(&home, &format!("child {n}")).await;
    }
    home
}

pub async fn a_full_family_takes_nobody_in(bench: &Bench) {
    let home = grown(bench, 50).await;
    bench.invite(&home, &home.owner, Role::Adult, "code").await.unwrap();
    let ben = bench.person("ben").await;
    assert_eq!(accept(bench, &ben, "code").await, refused(Refusal::TooMany));
    let kid = bench.store.members(home.family).await.unwrap().pop().unwrap().id;
    let owner = &home.owner;
    bench.store.remove_member(home.family, kid, owner.member, &owner.act()).await.unwrap();
    accept(bench, &ben, "code").await.unwrap();
}

pub async fn of_many_at_once_a_family_takes_no_more_than_fifty(bench: &Bench) {
    let home = grown(bench, 45).await;
    let mut people = Vec::new();
    for n in 0..20 {
        bench.invite(&home, &home.owner, Role::Adult, &format!("code {n}")).await.unwrap();
        people.push(bench.person(&format!("person {n}")).await);
    }
    let answers = race(bench, &people, |n| format!("code {n}")).await;
    assert_eq!(answers.iter().filter(|(_, answer)| answer.is_ok()).count(), 5);
    assert_eq!(bench.store.members(home.family).await.unwrap().len(), 50);
}

pub async fn one_person_with_two_invitations_joins_one_family(bench: &Bench) {
    let (here, there) = (bench.home("ada").await, bench.home("eve").await);
    bench.invite(&here, &here.owner, Role::Adult, "code 0").await.unwrap();
    bench.invite(&there, &there.owner, Role::Adult, "code 1").await.unwrap();
    let ben = bench.person("ben").await;
    let mut twice = [ben.clone(), ben.clone()];
    twice[1].member = bench.member_id().await;
    let answers = race(bench, &twice, |n| format!("code {n}")).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(_, answer)| answer.is_ok());
    assert_eq!((won.len(), lost.len()), (1, 1));
    assert_eq!(lost[0].1, refused(Refusal::AlreadyMember));
    assert_eq!(bench.standing(&ben).await.membership, won[0].1.clone().ok());
}

pub async fn an_id_is_given_to_one_invitation_whatever_became_of_it(bench: &Bench) {
    let home = bench.home("ada").await;
    let (owner, act) = (home.owner.member, home.owner.act());
    let mut new = NewInvite {
        id: bench.invite_id().await,
        family: home.family,
        role: Role::Adult,
        code: hash("code"),
        invited_by: owner,
        lifetime: HOUR,
    };
    // Open, withdrawn, accepted, over, over and swept.
    bench.store.create_invite(&new, &act).await.unwrap();
    assert_eq!(bench.store.create_invite(&new, &act).await, refused(Refusal::Repeated));
    bench.store.withdraw_invite(home.family, new.id, owner, &act).await.unwrap();
    assert_eq!(bench.store.create_invite(&new, &act).await, refused(Refusal::Repeated));
    new.id = bench.invite_id().await;
    bench.store.create_invite(&new, &act).await.unwrap();
    let ben = bench.person("ben").await;
    accept(bench, &ben, "code").await.unwrap();
    assert_eq!(bench.store.create_invite(&new, &act).await, refused(Refusal::Repeated));
    new.id = bench.invite_id().await;
    bench.store.create_invite(&new, &act).await.unwrap();
    bench.time.advance(HOUR + MS).await;
    assert_eq!(bench.store.create_invite(&new, &act).await, refused(Refusal::Repeated));
    bench.store.sweep().await.unwrap();
    assert_eq!(bench.store.create_invite(&new, &act).await, refused(Refusal::Repeated));
    assert_eq!(bench.store.open_invites(home.family).await.unwrap(), []);
}

pub async fn who_may_no_longer_invite_withdraws_nothing_either(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Admin, "ben").await;
    let open = bench.invite(&home, &home.owner, Role::Adult, "code").await.unwrap();
    bench.set_role(&home, ben.member, Role::Adult, &home.owner).await.unwrap();
    let answer = bench.store.withdraw_invite(home.family, open.id, ben.member, &ben.act()).await;
    assert_eq!(answer, refused(Refusal::RoleMissing));
    assert_eq!(bench.store.open_invites(home.family).await.unwrap(), [open]);
}

pub async fn nobody_invites_into_a_family_that_is_gone(bench: &Bench) {
    let home = bench.home("ada").await;
    let owner = &home.owner;
    bench.store.delete_family(home.family, owner.member, &owner.act()).await.unwrap();
    let made = bench.invite(&home, owner, Role::Adult, "code").await;
    assert_eq!(made, refused(Refusal::NotFound));
    let id = bench.invite_id().await;
    let gone = bench.store.withdraw_invite(home.family, id, owner.member, &owner.act()).await;
    assert_eq!(gone, refused(Refusal::NotFound));
}
