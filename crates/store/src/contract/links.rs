//! Wishes of displays to be linked.

use std::sync::Arc;

use luminous_domain::Role;

use super::Bench;
use super::displays::{
    ABSOLUTE, CLAIM, DAY, IDLE, INTERVAL, LIFETIME, device_code, display, number, qr, refused,
    thumbprint, user_code,
};
use super::expect::{count, last_line, line, newest, words};
use super::people::{Home, MS, Person, all_at_once};
use crate::audit::{Act, Actor};
use crate::devices::DeviceState;
use crate::error::Refusal;
use crate::links::{Asked, Claim, LinkState, Redeemed};
use crate::members::MemberState;

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

pub async fn d7_a_device_code_is_good_for_its_own_key_alone(bench: &Bench) {
    let home = bench.home("ada").await;
    let link = bench.begin("wall", "one").await;
    bench.approve(&home, &home.owner, "one").await;
    let lines = count(bench, &home).await;
    for (wall, word) in [("thief", "one"), ("wall", "two")] {
        assert_eq!(bench.redeem(wall, word, "t").await, Redeemed::Unknown);
        let (code, key) = (device_code(word), thumbprint(wall));
        assert_eq!(bench.store.link_of(&code, &key).await.unwrap(), None);
    }
    assert_eq!(bench.store.link_state(bench.link_id().await).await.unwrap(), None);
    assert_eq!(bench.link(&link).await, LinkState::Linked, "it is still there to be had");
    assert_eq!(count(bench, &home).await, lines);
    bench.granted("wall", "one", "t").await;
}

pub async fn d7_polls_that_come_too_soon_are_slowed_down_by_five_seconds_each(bench: &Bench) {
    let home = bench.home("ada").await;
    bench.begin("wall", "one").await;
    bench.begin("other", "two").await;
    let mut poll = bench.redemption("wall", "one", "t").await;
    poll.is_poll = true;
    let after = async |time| {
        bench.time.advance(time).await;
        bench.store.redeem_link(&poll).await.unwrap()
    };
    let pending = Redeemed::Pending { number: None };
    assert_eq!(after(MS).await, pending, "the first");
    assert_eq!(after(INTERVAL).await, pending);
    let too_fast = |times| Redeemed::TooFast { interval: times * INTERVAL };
    assert_eq!(after(INTERVAL - MS).await, too_fast(2));
    assert_eq!(after(INTERVAL).await, too_fast(3), "it was ten seconds");
    assert_eq!(after(3 * INTERVAL).await, pending, "fifteen now");
    assert_eq!(after(3 * INTERVAL - MS).await, too_fast(4));
    // What follows a push is no poll, and the other display has its own time.
    assert_eq!(bench.redeem("wall", "one", "t").await, pending);
    assert_eq!(bench.redeem("other", "two", "t").await, pending);
    // Where there is something to tell it is told at once.
    bench.approve(&home, &home.owner, "one").await;
    assert!(matches!(after(MS).await, Redeemed::Done(_)));
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

pub async fn d9_of_a_hundred_redemptions_one_token_family_is_left(bench: &Bench) {
    let home = bench.home("ada").await;
    bench.begin("wall", "one").await;
    let device = bench.approve(&home, &home.owner, "one").await;
    let mut redemptions = Vec::new();
    for n in 0..100 {
        let mut redemption = bench.redemption("wall", "one", &format!("t{n}")).await;
        redemption.is_poll = n % 2 == 0;
        redemptions.push(redemption);
    }
    let redemptions = Arc::new(redemptions);
    let told = all_at_once(100, |n| {
        let (store, redemptions) = (Arc::clone(&bench.store), Arc::clone(&redemptions));
        async move { (n, store.redeem_link(&redemptions[n]).await.unwrap()) }
    });
    let mut live = Vec::new();
    for (n, told) in told.await {
        let Redeemed::Done(grant) = told else { panic!("the same display: {told:?}") };
        assert_eq!(grant.device.id, device.id);
        if bench.is_let_in(&grant).await {
            live.push(n);
        }
    }
    assert_eq!(live.len(), 1);
    for n in 0..100 {
        let answer = bench.refresh("wall", &format!("t{n}"), &format!("next {n}")).await;
        assert_eq!(answer.is_ok(), live == [n], "{n}: {answer:?}");
    }
    let lines = newest(bench, &home, 1000).await;
    assert_eq!(lines.iter().filter(|row| row.action == "device.signed_in").count(), 1);
    assert_eq!(bench.store.devices(home.family).await.unwrap().len(), 1);
}

pub async fn d9_d23_a_lost_answer_is_given_again_to_the_same_key_until_the_wish_ends(
    bench: &Bench,
) {
    let home = bench.home("ada").await;
    bench.begin("wall", "one").await;
    bench.approve(&home, &home.owner, "one").await;
    let lost = bench.granted("wall", "one", "lost").await;
    let lines = count(bench, &home).await;
    bench.time.advance(LIFETIME).await;
    assert_eq!(bench.redeem("thief", "one", "theft").await, Redeemed::Unknown);
    assert!(bench.is_let_in(&lost).await);
    let found = bench.granted("wall", "one", "found").await;
    assert_eq!(count(bench, &home).await, lines, "one sign-in, one line");
    assert!(!bench.is_let_in(&lost).await);
    assert_eq!(bench.refresh("wall", "lost", "x").await, refused(Refusal::TokenUnknown));
    assert!(bench.is_let_in(&found).await);
    bench.tick().await;
    assert_eq!(bench.redeem("wall", "one", "late").await, Redeemed::Expired);
    assert!(bench.is_let_in(&found).await);
}

pub async fn d9_tokens_that_were_used_are_not_replaced(bench: &Bench) {
    let home = bench.home("ada").await;
    let grant = bench.linked(&home, &home.owner, "wall", "one").await;
    bench.use_token(&grant).await;
    assert_eq!(bench.redeem("wall", "one", "again").await, Redeemed::Expired);
    assert!(bench.is_let_in(&grant).await);
    let other = bench.linked(&home, &home.owner, "hall", "two").await;
    bench.refresh("hall", "two", "child").await.unwrap();
    assert_eq!(bench.redeem("hall", "two", "again").await, Redeemed::Expired);
    assert!(bench.is_let_in(&other).await);
}

pub async fn d9_a_display_that_was_ended_gets_no_others(bench: &Bench) {
    let home = bench.home("ada").await;
    let (ada, store) = (&home.owner, &bench.store);
    let grant = bench.linked(&home, ada, "wall", "one").await;
    store.revoke_device(home.family, grant.device.id, ada.member, &ada.act()).await.unwrap();
    bench.use_token(&grant).await;
    assert_eq!(bench.redeem("wall", "one", "again").await, Redeemed::Denied);
    bench.time.advance(LIFETIME + MS).await;
    assert_eq!(bench.redeem("wall", "one", "again").await, Redeemed::Denied);
}

pub async fn d13_whoever_confirmed_must_still_be_allowed_to_when_tokens_are_had_again(
    bench: &Bench,
) {
    let home = bench.home("ada").await;
    let adult = bench.join(&home, Role::Adult, "ben").await;
    for (wall, is_used) in [("wall", false), ("hall", true)] {
        bench.set_role(&home, adult.member, Role::Adult, &home.owner).await.unwrap();
        let lost = bench.linked(&home, &adult, wall, wall).await;
        if is_used {
            bench.use_token(&lost).await;
        }
        bench.set_role(&home, adult.member, Role::Teen, &home.owner).await.unwrap();
        let lines = count(bench, &home).await;
        let told = if is_used { Redeemed::Expired } else { Redeemed::Denied };
        assert_eq!(bench.redeem(wall, wall, "again").await, told);
        assert_eq!(count(bench, &home).await, lines);
        assert!(bench.is_let_in(&lost).await, "what it may have is as it was");
        bench.time.advance(LIFETIME + MS).await;
        assert_eq!(bench.redeem(wall, wall, "again").await, Redeemed::Expired);
    }
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

/// Approved by the adult, then `change` happens, then the display asks.
async fn d13(bench: &Bench, home: &Home, adult: &Person, word: &str, change: impl AsyncFnOnce()) {
    let link = bench.begin(word, word).await;
    let device = bench.approve(home, adult, word).await;
    change().await;
    bench.tick().await;
    assert_eq!(bench.redeem(word, word, word).await, Redeemed::Denied);
    assert_eq!(bench.link(&link).await, LinkState::Denied);
    assert_eq!(bench.device(home, device.id).await, None);
    let lines = newest(bench, home, 1).await;
    assert_eq!(lines[0].outcome, "access_denied");
    assert_eq!(lines[0].act.actor, display(device.id, "Kitchen"));
    let signed_in = line("device.signed_in", Some(device.id.to_string()), Some("Kitchen"), None);
    assert_eq!(words(lines[0].clone()), signed_in);
    assert_eq!(bench.redeem(word, word, word).await, Redeemed::Denied);
    assert_eq!(newest(bench, home, 2).await[0], lines[0], "told once");
    let token = bench.token_id().await;
    assert_eq!(bench.store.device_standing(device.id, token).await.unwrap(), None);
}

pub async fn d13_whoever_confirmed_must_still_be_allowed_to_when_tokens_are_had(bench: &Bench) {
    let home = bench.home("ada").await;
    let ada = &home.owner;
    let adult = bench.join(&home, Role::Adult, "ben").await;
    let demote = async || bench.set_role(&home, adult.member, Role::Teen, ada).await.unwrap();
    d13(bench, &home, &adult, "demoted", demote).await;
    bench.set_role(&home, adult.member, Role::Adult, ada).await.unwrap();
    let switch_off = async || {
        bench.set_state(&home, adult.member, MemberState::Deactivated, ada).await.unwrap();
    };
    d13(bench, &home, &adult, "switched off", switch_off).await;
    bench.set_state(&home, adult.member, MemberState::Active, ada).await.unwrap();
    let remove = async || {
        let (member, act) = (adult.member, ada.act());
        bench.store.remove_member(home.family, member, ada.member, &act).await.unwrap();
    };
    d13(bench, &home, &adult, "removed", remove).await;
    let delete = async || {
        bench.store.delete_family(home.family, ada.member, &ada.act()).await.unwrap();
    };
    d13(bench, &home, ada, "family deleted", delete).await;
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

pub async fn d23_tokens_can_be_had_for_another_lifetime_after_the_confirmation(bench: &Bench) {
    let home = bench.home("ada").await;
    let link = bench.begin("wall", "one").await;
    bench.begin("hall", "two").await;
    bench.time.advance(LIFETIME).await;
    let device = bench.approve(&home, &home.owner, "one").await;
    bench.approve(&home, &home.owner, "two").await;
    bench.time.advance(LIFETIME).await;
    bench.granted("hall", "two", "t").await;
    assert_eq!(bench.link(&link).await, LinkState::Linked);
    let pending = bench.device(&home, device.id).await.unwrap();
    assert_eq!(pending.state, DeviceState::Pending);
    bench.tick().await;
    assert_eq!(bench.device(&home, device.id).await, None, "no ghost stays");
    assert_eq!(bench.link(&link).await, LinkState::Expired);
    assert_eq!(bench.redeem("wall", "one", "t").await, Redeemed::Expired);
    assert_eq!(bench.store.devices(home.family).await.unwrap().len(), 1);
    bench.store.sweep().await.unwrap();
    assert_eq!(bench.device(&home, device.id).await, None);
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

pub async fn f11_a_display_links_again_into_its_old_place(bench: &Bench) {
    let home = bench.home("ada").await;
    let (ada, store) = (&home.owner, &bench.store);
    let first = bench.linked(&home, ada, "wall", "one").await;
    let change = crate::DeviceChange {
        name: Some("Hall".to_owned()),
        room: Some(Some("Downstairs".to_owned())),
    };
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

pub async fn wishes_are_forgotten_a_day_after_their_end(bench: &Bench) {
    let link = bench.begin("wall", "one").await;
    bench.time.advance(LIFETIME + DAY).await;
    assert_eq!(bench.store.sweep().await.unwrap(), 0);
    assert_eq!(bench.link(&link).await, LinkState::Expired);
    bench.tick().await;
    assert_eq!(bench.store.sweep().await.unwrap(), 1);
    assert_eq!(bench.store.link_state(link.id).await.unwrap(), None);
}
