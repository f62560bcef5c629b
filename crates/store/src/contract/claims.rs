//! Who types a code: the claim, the question that is put, and its answer.

use std::sync::Arc;

use luminous_domain::Role;

use super::Bench;
use super::displays::{CLAIM, number, qr, refused, user_code};
use super::expect::{count, last_line, line, newest, words};
use super::people::all_at_once;
use crate::audit::{Act, Actor};
use crate::error::Refusal;
use crate::links::{Asked, Claim, LinkState, Redeemed};

pub async fn the_same_person_claiming_again_gets_the_same_challenge_by_code_or_qr(bench: &Bench) {
    let home = bench.home("ada").await;
    let ada = &home.owner;
    let link = bench.begin("wall", "one").await;
    let claim = bench.claim(&home, ada, "one").await.unwrap();
    let lines = count(bench, &home).await;
    bench.tick().await;
    let mut new = bench.new_claim(&home, ada).await;
    new.number = number(7);
    assert_eq!(bench.store.claim_link(&user_code("one"), &new, &ada.act()).await.unwrap(), claim);
    assert_eq!(bench.store.claim_link(&qr("one"), &new, &ada.act()).await.unwrap(), claim);
    assert_eq!(bench.link(&link).await, LinkState::Claimed { number: number(42) });
    assert_eq!(count(bench, &home).await, lines);
    let wrong = bench.store.claim_link(&qr("two"), &new, &ada.act()).await;
    assert_eq!(wrong, refused(Refusal::LinkInvalid));
}

pub async fn d8_of_a_hundred_claims_by_two_families_one_wins(bench: &Bench) {
    let (one, other) = (bench.home("ada").await, bench.home("ben").await);
    bench.begin("wall", "one").await;
    let mut claims = Vec::new();
    for n in 0..100 {
        let home = if n % 2 == 0 { &one } else { &other };
        claims.push((bench.new_claim(home, &home.owner).await, home.owner.act()));
    }
    let claims = Arc::new(claims);
    let answers = all_at_once(100, |n| {
        let (store, claims) = (Arc::clone(&bench.store), Arc::clone(&claims));
        async move {
            let (new, act) = &claims[n];
            (n % 2, store.claim_link(&user_code("one"), new, act).await)
        }
    });
    let answers = answers.await;
    let won: Vec<_> = answers.iter().filter(|(_, answer)| answer.is_ok()).collect();
    let family = won.first().expect("one family").0;
    assert!(won.iter().all(|(n, claim)| *n == family && *claim == won[0].1), "one challenge");
    assert_eq!(won.len(), 50, "the same person asks fifty times");
    let lost = answers.iter().filter(|(n, _)| *n != family);
    assert!(lost.clone().all(|(_, answer)| *answer == refused(Refusal::LinkInvalid)));
    let mut claimed = 0;
    for home in [&one, &other] {
        let lines = newest(bench, home, 1000).await;
        claimed += lines.iter().filter(|row| row.action == "device.code_claimed").count();
    }
    assert_eq!(claimed, 1);
}

pub async fn d8_of_a_hundred_confirmations_by_two_families_one_makes_the_device(bench: &Bench) {
    let (one, other) = (bench.home("ada").await, bench.home("ben").await);
    bench.begin("wall", "one").await;
    let claim = bench.claim(&one, &one.owner, "one").await.unwrap();
    let mut answers = Vec::new();
    for n in 0..100 {
        let home = if n % 2 == 0 { &one } else { &other };
        answers.push((bench.yes(home, &home.owner, &claim).await, home.owner.act()));
    }
    let answers = Arc::new(answers);
    let confirmed = all_at_once(100, |n| {
        let (store, answers) = (Arc::clone(&bench.store), Arc::clone(&answers));
        async move {
            let (yes, act) = &answers[n];
            (n % 2, store.confirm_link(yes, act).await)
        }
    });
    let confirmed = confirmed.await;
    let won: Vec<_> = confirmed.iter().filter(|(_, answer)| answer.is_ok()).collect();
    assert_eq!(won.len(), 1);
    assert_eq!(won[0].0, 0, "whose claim it is");
    let lost = confirmed.iter().filter_map(|(_, answer)| answer.clone().err());
    assert!(lost.clone().all(|error| error == Refusal::LinkInvalid.into()));
    assert_eq!(bench.store.devices(one.family).await.unwrap().len(), 1);
    assert_eq!(bench.store.devices(other.family).await.unwrap(), []);
    let lines = newest(bench, &one, 1000).await;
    assert_eq!(lines.iter().filter(|row| row.action == "device.linked").count(), 1);
}

pub async fn d10_a_claim_ends_to_the_millisecond_and_the_code_is_open_again(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Adult, "ben").await;
    let link = bench.begin("wall", "one").await;
    let claim = bench.claim(&home, &home.owner, "one").await.unwrap();
    bench.time.advance(CLAIM).await;
    assert_eq!(bench.claim(&home, &ben, "one").await, refused(Refusal::LinkInvalid));
    bench.tick().await;
    assert_eq!(bench.link(&link).await, LinkState::Pending);
    let yes = bench.yes(&home, &home.owner, &claim).await;
    let late = bench.store.confirm_link(&yes, &home.owner.act()).await;
    assert_eq!(late, refused(Refusal::LinkInvalid));
    let other = bench.claim(&home, &ben, "one").await.unwrap();
    assert_ne!(other.challenge, claim.challenge);
    let gone = bench.store.confirm_link(&yes, &home.owner.act()).await;
    assert_eq!(gone, refused(Refusal::LinkInvalid), "it is another's now");
    let yes = bench.yes(&home, &ben, &other).await;
    bench.store.confirm_link(&yes, &ben.act()).await.unwrap();
}

pub async fn d12_who_may_not_link_leaves_the_code_as_it_was(bench: &Bench) {
    let (home, admin, adult, teen) = bench.household().await;
    let child = bench.join(&home, Role::Child, "eve").await;
    let care = bench.join(&home, Role::Caregiver, "fay").await;
    let elsewhere = bench.home("gus").await;
    let link = bench.begin("wall", "one").await;
    for person in [&teen, &child, &care, &elsewhere.owner] {
        for word in ["one", "no such code"] {
            let answer = bench.claim(&home, person, word).await;
            assert_eq!(answer, refused(Refusal::RoleMissing), "{}", person.account.name);
        }
    }
    assert_eq!(bench.link(&link).await, LinkState::Pending);
    for (n, person) in [&home.owner, &admin, &adult].into_iter().enumerate() {
        let word = format!("again {n}");
        bench.begin(&word, &word).await;
        let claim = bench.claim(&home, person, &word).await.unwrap();
        // Between typing the code and the number.
        if n == 2 {
            bench.set_role(&home, adult.member, Role::Teen, &home.owner).await.unwrap();
            let yes = bench.yes(&home, person, &claim).await;
            let answer = bench.store.confirm_link(&yes, &person.act()).await;
            assert_eq!(answer, refused(Refusal::RoleMissing));
            bench.set_role(&home, adult.member, Role::Adult, &home.owner).await.unwrap();
        }
        let yes = bench.yes(&home, person, &claim).await;
        bench.store.confirm_link(&yes, &person.act()).await.unwrap();
    }
}

pub async fn d15_a_wrong_number_burns_the_code(bench: &Bench) {
    let home = bench.home("ada").await;
    let ada = &home.owner;
    let link = bench.begin("wall", "one").await;
    let claim = bench.claim(&home, ada, "one").await.unwrap();
    let mut yes = bench.yes(&home, ada, &claim).await;
    yes.number = number(24);
    bench.tick().await;
    let answer = bench.store.confirm_link(&yes, &ada.act()).await;
    assert_eq!(answer, refused(Refusal::ConfirmMismatch));
    let row = newest(bench, &home, 1).await.remove(0);
    assert_eq!((&row.act.actor, row.outcome.as_str()), (&ada.actor(), "device.confirm_mismatch"));
    let burned = line("device.confirm_mismatch", Some(link.id.to_string()), Some("wall"), None);
    assert_eq!(words(row), burned);
    yes.number = number(42);
    let answer = bench.store.confirm_link(&yes, &ada.act()).await;
    assert_eq!(answer, refused(Refusal::LinkInvalid), "there is one try");
    assert_eq!(bench.claim(&home, ada, "one").await, refused(Refusal::LinkInvalid));
    assert_eq!(bench.link(&link).await, LinkState::Denied);
    assert_eq!(bench.redeem("wall", "one", "t").await, Redeemed::Denied);
    assert_eq!(bench.store.devices(home.family).await.unwrap(), []);
}

pub async fn d18_a_code_that_three_families_typed_is_burned(bench: &Bench) {
    let homes = [bench.home("ada").await, bench.home("ben").await, bench.home("cleo").await];
    let link = bench.begin("wall", "one").await;
    let claim = bench.claim(&homes[0], &homes[0].owner, "one").await.unwrap();
    for _ in 0..3 {
        let answer = bench.claim(&homes[1], &homes[1].owner, "one").await;
        assert_eq!(answer, refused(Refusal::LinkInvalid), "a family counts once");
    }
    assert_eq!(bench.link(&link).await, LinkState::Claimed { number: number(42) });
    bench.tick().await;
    let answer = bench.claim(&homes[2], &homes[2].owner, "one").await;
    assert_eq!(answer, refused(Refusal::LinkSprayed));
    assert_eq!(bench.link(&link).await, LinkState::Denied);
    let yes = bench.yes(&homes[0], &homes[0].owner, &claim).await;
    let answer = bench.store.confirm_link(&yes, &homes[0].owner.act()).await;
    assert_eq!(answer, refused(Refusal::LinkInvalid));
    let row = newest(bench, &homes[0], 1).await.remove(0);
    assert_eq!(row.outcome, "device.code_sprayed");
    assert_eq!(row.act, Act { actor: Actor::System, ..homes[2].owner.act() }, "no stranger's name");
    let sprayed = line("device.code_sprayed", Some(link.id.to_string()), Some("wall"), None);
    assert_eq!(words(row), sprayed);
    for home in &homes[1..] {
        let lines = newest(bench, home, 1000).await;
        assert!(lines.iter().all(|row| !row.action.starts_with("device.")), "{lines:?}");
    }
}

pub async fn d18_a_confirmed_code_cannot_be_burned_any_more(bench: &Bench) {
    let homes = [bench.home("ada").await, bench.home("ben").await, bench.home("cleo").await];
    bench.begin("wall", "one").await;
    bench.approve(&homes[0], &homes[0].owner, "one").await;
    for home in &homes {
        let answer = bench.claim(home, &home.owner, "one").await;
        assert_eq!(answer, refused(Refusal::LinkInvalid));
    }
    bench.granted("wall", "one", "t").await;
}

pub async fn what_became_of_a_question_is_told_to_whoever_was_asked(bench: &Bench) {
    let (home, admin, ..) = bench.household().await;
    let elsewhere = bench.home("gus").await;
    let ada = &home.owner;
    let asked = async |claim: &Claim| {
        let (store, id) = (&bench.store, claim.challenge);
        let of = async |account, family| store.asked_link(id, account, family).await.unwrap();
        for (account, family) in [
            (admin.account.id, home.family),
            (ada.account.id, elsewhere.family),
            (elsewhere.owner.account.id, elsewhere.family),
        ] {
            assert_eq!(of(account, family).await, None);
        }
        of(ada.account.id, home.family).await
    };
    bench.begin("wall", "one").await;
    let late = bench.claim(&home, ada, "one").await.unwrap();
    bench.time.advance(CLAIM).await;
    assert_eq!(asked(&late).await, Some(Asked::Open(late.clone())));
    bench.tick().await;
    assert_eq!(asked(&late).await, None, "its time is over");

    let claim = bench.claim(&home, ada, "one").await.unwrap();
    let yes = bench.yes(&home, ada, &claim).await;
    let device = bench.store.confirm_link(&yes, &ada.act()).await.unwrap().id;
    assert_eq!(asked(&claim).await, Some(Asked::Linked(device)));
    bench.granted("wall", "one", "t").await;
    assert_eq!(asked(&claim).await, Some(Asked::Linked(device)));

    bench.begin("wall", "two").await;
    let again = bench.claim(&home, ada, "two").await.unwrap();
    assert!(again.former.is_some());
    assert_eq!(asked(&again).await, Some(Asked::Open(again.clone())));
    let store = &bench.store;
    store.decline_link(again.challenge, ada.account.id, home.family, &ada.act()).await.unwrap();
    assert_eq!(asked(&again).await, None);
}

pub async fn whoever_typed_the_code_declines_it_and_nobody_else(bench: &Bench) {
    let (home, admin, ..) = bench.household().await;
    let elsewhere = bench.home("gus").await;
    let (ada, store) = (&home.owner, &bench.store);
    let link = bench.begin("wall", "one").await;
    let claim = bench.claim(&home, ada, "one").await.unwrap();
    for (account, family) in [
        (admin.account.id, home.family),
        (elsewhere.owner.account.id, elsewhere.family),
        (ada.account.id, elsewhere.family),
    ] {
        let answer = store.decline_link(claim.challenge, account, family, &admin.act()).await;
        assert_eq!(answer, refused(Refusal::LinkInvalid));
        let mut yes = bench.yes(&home, &admin, &claim).await;
        (yes.account, yes.family) = (account, family);
        let answer = store.confirm_link(&yes, &admin.act()).await;
        assert_eq!(answer, refused(Refusal::LinkInvalid));
    }
    bench.tick().await;
    let act = ada.act();
    let decline = || store.decline_link(claim.challenge, ada.account.id, home.family, &act);
    decline().await.unwrap();
    let declined = line("device.declined", Some(link.id.to_string()), Some("wall"), None);
    assert_eq!(last_line(bench, &home, &ada.actor()).await, declined);
    assert_eq!(bench.link(&link).await, LinkState::Denied);
    assert_eq!(bench.redeem("wall", "one", "t").await, Redeemed::Denied);
    assert_eq!(decline().await, refused(Refusal::LinkInvalid));
    assert_eq!(bench.claim(&home, ada, "one").await, refused(Refusal::LinkInvalid));
}
