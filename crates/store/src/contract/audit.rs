//! The log.

use luminous_domain::{DeviceId, OsEntropy, Role};

use super::Bench;
use super::expect::newest;
use super::people::{Home, MS, Person};
use crate::audit::{Act, Actor, AuditFilter, AuditRow, Network};

/// Refusals of `actions` in this order, a millisecond apart, by `who`.
async fn refuse(bench: &Bench, home: &Home, who: &Person, actions: &[&str]) {
    for action in actions {
        bench.tick().await;
        let family = Some(home.family);
        bench.store.record_refusal(family, &who.act(), action, None, "role.missing").await.unwrap();
    }
}

async fn filtered(bench: &Bench, home: &Home, filter: AuditFilter) -> Vec<AuditRow> {
    bench.store.audit(home.family, &filter, 100).await.unwrap()
}

fn actions(rows: &[AuditRow]) -> Vec<&str> {
    rows.iter().map(|row| row.action.as_str()).collect()
}

pub async fn a_refusal_is_written_down_as_one(bench: &Bench) {
    let home = bench.home("ada").await;
    let act = home.owner.act();
    let family = Some(home.family);
    let subject = Some("some id");
    bench
        .store
        .record_refusal(family, &act, "member.removed", subject, "member.last_owner")
        .await
        .unwrap();
    let row = newest(bench, &home, 1).await.remove(0);
    assert_eq!(row.at, bench.time.now().await);
    assert_eq!(row.family, family);
    assert_eq!(row.act, act);
    assert_eq!(row.action, "member.removed");
    assert_eq!(row.subject.as_deref(), subject);
    assert_eq!(row.outcome, "member.last_owner");
    assert_eq!((row.subject_name, row.detail), (None, None));
}

pub async fn the_log_comes_in_pages_the_newest_first(bench: &Bench) {
    let home = bench.home("ada").await;
    refuse(bench, &home, &home.owner, &["one", "two", "three", "four"]).await;
    let all = newest(bench, &home, 100).await;
    assert_eq!(actions(&all), ["four", "three", "two", "one", "family.created"]);
    assert!(all.is_sorted_by(|newer, older| newer.id > older.id), "ids sort by age");

    let mut paged = Vec::new();
    let mut filter = AuditFilter::default();
    loop {
        let page = bench.store.audit(home.family, &filter, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        // What is written meanwhile does not shift the pages.
        refuse(bench, &home, &home.owner, &["meanwhile"]).await;
        paged.extend(page);
    }
    assert_eq!(paged, all);
}

pub async fn each_filter_keeps_what_it_names(bench: &Bench) {
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Adult, "ben").await;
    let start = bench.time.now().await;
    refuse(bench, &home, &ben, &["one", "two", "three"]).await;
    let none = AuditFilter::default;

    let refused = filtered(bench, &home, AuditFilter { refused: Some(true), ..none() }).await;
    assert_eq!(actions(&refused), ["three", "two", "one"]);
    let done = filtered(bench, &home, AuditFilter { refused: Some(false), ..none() }).await;
    assert_eq!(actions(&done), ["invite.accepted", "invite.created", "family.created"]);
    let account = Some(ben.account.id);
    let bens = filtered(bench, &home, AuditFilter { account, ..none() }).await;
    assert_eq!(actions(&bens), ["three", "two", "one", "invite.accepted"]);

    let (one, three) = (start + MS, start + 3 * MS);
    let from = filtered(bench, &home, AuditFilter { from: Some(three), ..none() }).await;
    assert_eq!(actions(&from), ["three"], "from that time on");
    let until = AuditFilter { from: Some(one), until: Some(three), ..none() };
    assert_eq!(actions(&filtered(bench, &home, until).await), ["two", "one"], "before that time");
}

pub async fn a_filter_for_an_action_takes_whole_words(bench: &Bench) {
    let home = bench.home("ada").await;
    let tried =
        ["member", "member.removed", "members.read", "member_x", "memberX.y", "note.member"];
    refuse(bench, &home, &home.owner, &tried).await;
    let by = |action: &str| AuditFilter { action: Some(action.to_owned()), ..Default::default() };
    let found = filtered(bench, &home, by("member")).await;
    assert_eq!(actions(&found), ["member.removed", "member"]);
    let found = filtered(bench, &home, by("member.removed")).await;
    assert_eq!(actions(&found), ["member.removed"]);
    for wild in ["%", "member%", "member_x%", "_ember", "mem"] {
        assert_eq!(filtered(bench, &home, by(wild)).await, [], "{wild}");
    }
}

pub async fn every_kind_of_actor_and_network_comes_back(bench: &Bench) {
    let home = bench.home("ada").await;
    let id = DeviceId::new(bench.time.now().await, &OsEntropy).unwrap();
    let acts = [
        Act { actor: home.owner.actor(), network: Network::Loopback },
        Act { actor: Actor::Display { id, name: "Kitchen".into() }, network: Network::Private },
        Act { actor: Actor::Connector, network: Network::Public },
        Act { actor: Actor::System, network: Network::Loopback },
    ];
    for act in &acts {
        bench.tick().await;
        bench.store.record_refusal(Some(home.family), act, "tried", None, "no").await.unwrap();
    }
    let found: Vec<_> =
        newest(bench, &home, 4).await.into_iter().map(|row| row.act).rev().collect();
    assert_eq!(found, acts);
}

pub async fn one_family_does_not_see_the_log_of_another(bench: &Bench) {
    let (here, there) = (bench.home("ada").await, bench.home("ben").await);
    bench.store.record_refusal(None, &here.owner.act(), "tried", None, "no").await.unwrap();
    refuse(bench, &here, &here.owner, &["tried"]).await;
    assert_eq!(actions(&newest(bench, &there, 100).await), ["family.created"]);
    assert_eq!(actions(&newest(bench, &here, 100).await), ["tried", "family.created"]);
}

pub async fn the_log_outlives_the_family(bench: &Bench) {
    let home = bench.home("ada").await;
    let owner = &home.owner;
    bench.store.delete_family(home.family, owner.member, &owner.act()).await.unwrap();
    bench.tick().await;
    assert_eq!(actions(&newest(bench, &home, 9).await), ["family.deleted", "family.created"]);
}
