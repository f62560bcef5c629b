//! Displays, and several replicas that each believe to be the only one.

use std::sync::Arc;

use luminous_domain::TokenId;
use luminous_store::contract::Bench;
use luminous_store::contract::displays::{LIFETIME, thumbprint};
use luminous_store::contract::people::{HOUR, MS, all_at_once, hash};
use luminous_store::contract::postgres_server::{TestDatabase, benches};
use luminous_store::{
    AuditFilter, DeviceGrant, DeviceState, Failure, KeyThumbprint, Network, Redeemed, Redemption,
    Refusal,
};

/// The first column of the first row, asked past the store.
async fn count(bench: &Bench, sql: &str) -> i64 {
    let database: &TestDatabase<'static> = bench.keep.downcast_ref().unwrap();
    database.client().await.query_one(sql, &[]).await.unwrap().get(0)
}

/// How many tokens a display could live on: none of them was spent.
const LIVE: &str = "SELECT count(*) FROM device_tokens WHERE spent_at IS NULL";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d8_of_a_hundred_who_link_one_code_for_two_families_at_three_replicas_one_does() {
    let replicas = benches(3).await;
    let homes = [replicas[0].home("ada").await, replicas[0].home("ben").await];
    replicas[0].begin("wall", "one").await;
    let answers = all_at_once(100, |n| {
        let (bench, home) = (Arc::clone(&replicas[n % 3]), homes[n % 2].clone());
        async move {
            let claim = bench.claim(&home, &home.owner, "one").await?;
            let yes = bench.yes(&home, &home.owner, &claim).await;
            bench.store.confirm_link(&yes, &home.owner.act()).await
        }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for failure in answers.into_iter().filter_map(Result::err) {
        assert_eq!(failure, Failure::Refused(Refusal::LinkInvalid));
    }
    let (mut devices, mut lines) = (0, 0);
    for home in &homes {
        devices += replicas[1].store.devices(home.family).await.unwrap().len();
        let linked = AuditFilter { action: Some("device.linked".to_owned()), ..Default::default() };
        lines += replicas[2].store.audit(home.family, &linked, 9).await.unwrap().len();
    }
    assert_eq!((devices, lines), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d9_a_hundred_redemptions_at_three_replicas_make_one_family_of_tokens() {
    let replicas = benches(3).await;
    let home = replicas[0].home("ada").await;
    replicas[0].begin("wall", "one").await;
    replicas[0].approve(&home, &home.owner, "one").await;
    let answers = all_at_once(100, |n| {
        let bench = Arc::clone(&replicas[n % 3]);
        async move { bench.redeem("wall", "one", &format!("token {n}")).await }
    })
    .await;
    let mut live = Vec::new();
    for answer in answers {
        let Redeemed::Done(grant) = answer else { panic!("{answer:?}") };
        if replicas[1].is_let_in(&grant).await {
            live.push(grant);
        }
    }
    assert_eq!((live.len(), count(&replicas[0], LIVE).await), (1, 1));
    assert_eq!(replicas[2].store.devices(home.family).await.unwrap().len(), 1);
    let signed_in =
        AuditFilter { action: Some("device.signed_in".to_owned()), ..Default::default() };
    assert_eq!(replicas[0].store.audit(home.family, &signed_in, 9).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d9_a_lost_answer_is_asked_for_again_at_another_replica_by_the_same_key() {
    let replicas = benches(2).await;
    let home = replicas[0].home("ada").await;
    let first = replicas[0].linked(&home, &home.owner, "wall", "one").await;
    let thief = Redemption {
        key: thumbprint("thief"),
        ..replicas[1].redemption("wall", "one", "stolen").await
    };
    let told = replicas[1].store.redeem_link(&thief).await.unwrap();
    assert_eq!(told, Redeemed::Unknown);
    replicas[0].time.advance(LIFETIME - MS).await;
    let again = replicas[1].redeem("wall", "one", "again").await;
    let Redeemed::Done(again) = again else { panic!("{again:?}") };
    assert!(!replicas[0].is_let_in(&first).await);
    assert!(replicas[0].is_let_in(&again).await);
    replicas[0].tick().await;
    assert_eq!(replicas[1].redeem("wall", "one", "late").await, Redeemed::Expired);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f7_fifty_refreshes_of_one_parent_at_three_replicas_leave_one_live_branch() {
    let replicas = benches(3).await;
    let home = replicas[0].home("ada").await;
    let parent = replicas[0].linked(&home, &home.owner, "wall", "parent").await;
    replicas[0].use_token(&parent).await;
    let answers = all_at_once(50, |n| {
        let bench = Arc::clone(&replicas[n % 3]);
        let word = format!("child {n}");
        async move { (n, bench.refresh("wall", "parent", &word).await.unwrap()) }
    })
    .await;
    let (mut live, mut dead) = (Vec::new(), Vec::new());
    for (n, grant) in answers {
        let is_live = replicas[n % 3].is_let_in(&grant).await;
        if is_live { &mut live } else { &mut dead }.push((n, grant));
    }
    // The parent, until its child is used, and that child.
    assert_eq!((live.len(), count(&replicas[0], LIVE).await), (1, 2));
    for (n, _) in &dead {
        let refused = replicas[n % 3].refresh("wall", &format!("child {n}"), "none").await;
        assert_eq!(refused, Err(Failure::Refused(Refusal::TokenUnknown)));
    }
    let (n, child) = live.remove(0);
    replicas[1].use_token(&child).await;
    assert!(replicas[2].stands(&child).await.is_token_used);
    replicas[2].refresh("wall", &format!("child {n}"), "grandchild").await.unwrap();
}

/// The child is used at one replica in the moment in which its parent is refreshed at another: either
/// it was quick enough, and the second is a theft, or it is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f7_a_use_and_a_refresh_in_one_moment_never_leave_two_branches() {
    let replicas = benches(2).await;
    let home = replicas[0].home("ada").await;
    for round in 0..30 {
        let (wall, parent) = (format!("wall {round}"), format!("parent {round}"));
        replicas[0].linked(&home, &home.owner, &wall, &parent).await;
        let child = replicas[0].refresh(&wall, &parent, &format!("child {round}")).await.unwrap();
        let next = format!("other {round}");
        let (used, other) = tokio::join!(
            replicas[round % 2].store.confirm_token(child.device.id, child.token),
            replicas[1 - round % 2].refresh(&wall, &parent, &next),
        );
        used.unwrap();
        let standing = replicas[0].stands(&child).await;
        match other {
            Ok(other) => {
                assert!(!standing.is_token_live);
                assert!(replicas[1].is_let_in(&other).await);
            }
            Err(failure) => {
                assert_eq!(failure, Failure::Refused(Refusal::TokenReused));
                assert_eq!(standing.device.state, DeviceState::Revoked);
            }
        }
        let sql = "SELECT count(*) FROM (SELECT parent FROM device_tokens \
             WHERE parent IS NOT NULL GROUP BY parent HAVING count(*) > 1) AS forked";
        assert_eq!(count(&replicas[0], sql).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f6_reuse_at_one_replica_kills_the_child_at_all_from_the_next_question_on() {
    let replicas = benches(3).await;
    let home = replicas[0].home("ada").await;
    replicas[0].linked(&home, &home.owner, "wall", "parent").await;
    let child = replicas[1].refresh("wall", "parent", "child").await.unwrap();
    replicas[1].use_token(&child).await;
    let stolen = all_at_once(20, |n| {
        let bench = Arc::clone(&replicas[n % 3]);
        async move { bench.refresh("wall", "parent", &format!("stolen {n}")).await.unwrap_err() }
    })
    .await;
    let reused = Failure::Refused(Refusal::TokenReused);
    assert!(stolen.iter().all(|failure| *failure == reused), "{stolen:?}");
    for bench in &replicas {
        let standing = bench.stands(&child).await;
        assert_eq!((standing.device.state, standing.is_token_live), (DeviceState::Revoked, false));
        assert_eq!(bench.refresh("wall", "child", "next").await, Err(reused.clone()));
    }
    let alarm =
        AuditFilter { action: Some("device.token_reused".to_owned()), ..Default::default() };
    assert_eq!(replicas[0].store.audit(home.family, &alarm, 9).await.unwrap().len(), 1);
}

/// Whoever has a stolen token may present it for a week: that must not hold up the family.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f6_a_display_that_was_ended_for_reuse_takes_no_lock_of_its_family_any_more() {
    let replicas = benches(1).await;
    let bench = &replicas[0];
    let home = bench.home("ada").await;
    bench.linked(&home, &home.owner, "wall", "parent").await;
    let child = bench.refresh("wall", "parent", "child").await.unwrap();
    bench.use_token(&child).await;
    let reused = Err(Failure::Refused(Refusal::TokenReused));
    assert_eq!(bench.refresh("wall", "parent", "stolen").await, reused);
    let database: &TestDatabase<'static> = bench.keep.downcast_ref().unwrap();
    let busy = database.client().await;
    busy.batch_execute("BEGIN; SELECT FROM families FOR UPDATE").await.unwrap();
    for word in ["parent", "child"] {
        assert_eq!(bench.refresh("wall", word, "next").await, reused, "{word}");
    }
    let (token, key) = (hash("child"), thumbprint("wall"));
    bench.store.give_back_token(&token, &key, Network::Private).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p8_of_a_hundred_who_use_one_ticket_at_three_replicas_one_gets_in() {
    let replicas = benches(3).await;
    for _ in 0..2 {
        let answers = all_at_once(100, |n| {
            let bench = Arc::clone(&replicas[n % 3]);
            async move { bench.store.use_once(&hash("ticket"), HOUR).await.unwrap() }
        })
        .await;
        assert_eq!(answers.into_iter().filter(|used| *used).count(), 1);
        // Forgotten to the millisecond, swept or not; then it is as new.
        replicas[0].time.advance(HOUR).await;
        assert!(!replicas[1].store.use_once(&hash("ticket"), HOUR).await.unwrap());
        replicas[0].tick().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_display_that_goes_to_another_family_ends_in_the_first_at_once() {
    let replicas = benches(2).await;
    let homes = [replicas[0].home("ada").await, replicas[0].home("ben").await];
    // Back and forth, also at the same time: nobody waits in a circle, and one place lives.
    let mut last: Option<DeviceGrant> = None;
    for round in 0..4 {
        let home = &homes[round % 2];
        let word = format!("round {round}");
        let grant = replicas[round % 2].linked(home, &home.owner, "wall", &word).await;
        if let Some(last) = last.replace(grant) {
            assert!(!replicas[0].is_let_in(&last).await);
            assert_eq!(replicas[1].stands(&last).await.device.state, DeviceState::Revoked);
        }
    }
    let key: KeyThumbprint = thumbprint("wall");
    assert!(replicas[0].store.refresh_record(&hash("round 3")).await.unwrap().unwrap().key == key);
    let active = "SELECT count(*) FROM displays WHERE state = 'active'";
    assert_eq!(count(&replicas[0], active).await, 1);
    let places = "SELECT count(*) FROM displays";
    assert_eq!(count(&replicas[0], places).await, 2, "each family keeps its place");
    let unknown = TokenId::from_uuid(homes[0].family.as_uuid());
    let standing = last.map(|grant| replicas[0].store.device_standing(grant.device.id, unknown));
    assert!(!standing.unwrap().await.unwrap().unwrap().is_token_live);
}
