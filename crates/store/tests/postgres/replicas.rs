//! Several stores on one database, as replicas are.

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::{Clock as _, Role, SystemClock};
use luminous_store::contract::Bench;
use luminous_store::contract::people::{HOUR, all_at_once, hash, key};
use luminous_store::contract::postgres_server::{PostgresServer, TestDatabase, bench};
use luminous_store::{Failure, Health as _, NewPendingSignIn, Refusal, Store, StoreError};

/// Another replica on the same database.
async fn replica(bench: &Bench) -> Arc<dyn Store> {
    let database: &TestDatabase<'static> = bench.keep.downcast_ref().unwrap();
    Arc::new(database.store().await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_role_by_one_replica_holds_from_the_next_question_to_another() {
    let bench = bench().await;
    let other = replica(&bench).await;
    let home = bench.home("ada").await;
    let ben = bench.join(&home, Role::Teen, "ben").await;
    for role in [Role::Admin, Role::Child, Role::Adult] {
        assert!(other.standing(&key("ben")).await.unwrap().is_some());
        bench.tick().await;
        bench.set_role(&home, ben.member, role, &home.owner).await.unwrap();
        let standing = other.standing(&key("ben")).await.unwrap().unwrap();
        assert_eq!(standing.membership.unwrap().role, role);
        assert_eq!(standing.account.standing_changed_at, Some(bench.time.now().await));
    }
    let act = home.owner.act();
    bench.store.remove_member(home.family, ben.member, home.owner.member, &act).await.unwrap();
    assert_eq!(other.standing(&key("ben")).await.unwrap().unwrap().membership, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_who_accept_at_two_replicas_one_gets_in() {
    let bench = bench().await;
    let stores = [Arc::clone(&bench.store), replica(&bench).await];
    let home = bench.home("ada").await;
    bench.invite(&home, &home.owner, Role::Adult, "code").await.unwrap();
    let mut people = Vec::new();
    for n in 0..100 {
        people.push(bench.person(&format!("person {n}")).await);
    }
    let answers = all_at_once(100, |n| {
        let (store, person) = (Arc::clone(&stores[n % 2]), people[n].clone());
        async move {
            let (account, act) = (person.account.id, person.act());
            store.accept_invite(&hash("code"), account, person.member, &act).await
        }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for failure in answers.into_iter().filter_map(Result::err) {
        assert_eq!(failure, Failure::Refused(Refusal::InviteInvalid));
    }
    assert_eq!(stores[1].members(home.family).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d5_exactly_the_most_tries_are_counted_over_three_replicas() {
    let bench = bench().await;
    let stores = [Arc::clone(&bench.store), replica(&bench).await, replica(&bench).await];
    let counted = all_at_once(100, |n| {
        let store = Arc::clone(&stores[n % 3]);
        async move { store.count_attempt("code", HOUR, 7).await.unwrap() }
    })
    .await;
    assert_eq!(counted.into_iter().filter(|counted| *counted).count(), 7);
    for store in &stores {
        assert_eq!(store.attempts("code", HOUR).await.unwrap(), 7);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_who_leave_at_two_replicas_do_not_both() {
    let bench = bench().await;
    let stores = [Arc::clone(&bench.store), replica(&bench).await];
    for round in 0..10 {
        let home = bench.home(&format!("ada {round}")).await;
        let ben = bench.join(&home, Role::Owner, &format!("ben {round}")).await;
        let owners = [home.owner.clone(), ben];
        let answers = all_at_once(2, |n| {
            let (store, who, family) = (Arc::clone(&stores[n]), owners[n].clone(), home.family);
            async move { store.leave_family(family, who.member, &who.act()).await }
        })
        .await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
        assert!(answers.contains(&Err(Failure::Refused(Refusal::LastOwner))));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db10_what_ends_ends_by_the_databases_clock_whatever_the_replicas_clock_says() {
    let bench = bench().await;
    let stores = [Arc::clone(&bench.store), replica(&bench).await];
    let home = bench.home("ada").await;
    let database: &TestDatabase<'static> = bench.keep.downcast_ref().unwrap();
    // The stores take no clock at all. This one is 90 s behind the database's, and stays there.
    let client = database.client().await;
    let ahead = SystemClock.now().as_millisecond() + 90_000;
    client.execute("UPDATE stopped_time SET now = $1", &[&ahead]).await.unwrap();

    let lifetime = Duration::from_secs(60);
    let pending = |word: &str| NewPendingSignIn {
        state: hash(word),
        browser: hash("browser"),
        nonce: "nonce".to_owned(),
        verifier: "verifier".to_owned(),
        issuer: "issuer".to_owned(),
        return_to: "/".to_owned(),
        lifetime,
    };
    let made = bench.invite(&home, &home.owner, Role::Teen, "code").await.unwrap();
    assert_eq!(made.created_at.as_millisecond(), ahead);
    for word in ["in time", "late"] {
        stores[0].begin_pending(&pending(word)).await.unwrap();
    }
    bench.time.advance(lifetime).await;
    let browser = hash("browser");
    assert!(stores[1].take_pending(&hash("in time"), &browser).await.unwrap().is_some());
    bench.tick().await;
    assert!(stores[1].take_pending(&hash("late"), &browser).await.unwrap().is_none());
    bench.time.advance(HOUR - lifetime - Duration::from_millis(1)).await;
    assert!(stores[1].offer(&hash("code")).await.unwrap().is_some());
    bench.tick().await;
    assert!(stores[1].offer(&hash("code")).await.unwrap().is_none());
}

#[tokio::test]
async fn db10_the_schemas_clock_is_the_databases_own() {
    let database = PostgresServer::shared().create_database().await.migrated().await;
    let off_by: i64 = database
        .client()
        .await
        .query_one(
            "SELECT luminous_now() - (extract(epoch FROM clock_timestamp()) * 1000)::bigint",
            &[],
        )
        .await
        .unwrap()
        .get(0);
    assert!(off_by.abs() <= 1_000, "{off_by} ms");
}

#[tokio::test]
async fn the_log_cannot_be_changed_removed_or_emptied() {
    let bench = bench().await;
    let home = bench.home("ada").await;
    let database: &TestDatabase<'static> = bench.keep.downcast_ref().unwrap();
    let client = database.client().await;
    for sql in [
        "UPDATE audit SET outcome = 'ok'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DELETE FROM audit WHERE false",
    ] {
        let error = client.batch_execute(sql).await.unwrap_err();
        assert_eq!(error.code().unwrap().code(), "42501", "{sql}");
    }
    let lines = bench.store.audit(home.family, &Default::default(), 9).await.unwrap();
    assert_eq!(lines.len(), 1);
}

#[tokio::test]
async fn an_examination_says_what_is_wrong() {
    let bench = bench().await;
    let home = bench.home("ada").await;
    let database: &TestDatabase<'static> = bench.keep.downcast_ref().unwrap();
    let client = database.client().await;
    client.batch_execute("ALTER TABLE audit DISABLE TRIGGER audit_only_grows").await.unwrap();
    client
        .execute("UPDATE members SET role = 'adult' WHERE id = $1", &[&home.owner.member.as_uuid()])
        .await
        .unwrap();
    bench.linked(&home, &home.owner, "wall", "one").await;
    assert_eq!(bench.store.examine().await.unwrap().len(), 2);
    client
        .batch_execute(
            "INSERT INTO device_tokens (id, device_id, refresh, parent, issued_at) \
             SELECT gen_random_uuid(), device_id, sha256(refresh), id, 1 FROM device_tokens; \
             UPDATE event_counters SET latest = 1",
        )
        .await
        .unwrap();
    let wrong = bench.store.examine().await.unwrap();
    assert_eq!(
        wrong,
        [
            "1 families without an owner who can act",
            "1 displays whose tokens live on in two branches",
            "1 families with events beyond the newest number",
            "1 guards of the log that are switched off",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_of_many_rows_is_many_short_transactions() {
    let database = PostgresServer::shared().create_database().await.migrated().await;
    let store = database.store().await;
    let client = database.client().await;
    let sql = "INSERT INTO attempts (bucket, at, forget_at) \
         SELECT 'b', 0, CASE WHEN n <= 2500 THEN 0 ELSE luminous_now() + 60000 END \
         FROM generate_series(1, 2600) AS n";
    client.execute(sql, &[]).await.unwrap();
    assert_eq!(store.sweep().await.unwrap(), 2500);
    let count = async |table: &str| -> i64 {
        client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get(0)
    };
    assert_eq!(count("attempts").await, 100);
    // Each writing transaction leaves its id: one for each of the 13 kinds, and two more for the 2500.
    assert_eq!(count("writes").await, 15);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_that_fails_at_one_thing_sweeps_the_others_and_says_so() {
    let bench = bench().await;
    let home = bench.home("ada").await;
    bench.note(&home, &home.owner, "milk", None).await.unwrap();
    let database: &TestDatabase<'static> = bench.keep.downcast_ref().unwrap();
    let client = database.client().await;
    client
        .batch_execute("UPDATE writes SET at = 0; ALTER TABLE pending_sign_ins RENAME TO gone")
        .await
        .unwrap();
    bench.time.advance(Duration::from_secs(24 * 3600 + 1)).await;
    assert!(matches!(bench.store.sweep().await, Err(StoreError::Driver(_))));
    let count = async |sql: &str| -> i64 { client.query_one(sql, &[]).await.unwrap().get(0) };
    assert_eq!(count("SELECT count(*) FROM writes WHERE at = 0").await, 0);
    assert_eq!(count("SELECT count(*) FROM events").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_events_are_swept_without_a_gap_in_many_short_transactions() {
    let bench = bench().await;
    let (home, other) = (bench.home("ada").await, bench.home("ben").await);
    let database: &TestDatabase<'static> = bench.keep.downcast_ref().unwrap();
    let client = database.client().await;
    // The clock was set back in between: some of what goes bears a later time than what is old.
    let sql = "INSERT INTO events (family_id, seq, kind, at) SELECT $1, n, 'family_changed', \
         CASE WHEN n <= $2 AND n % 3 > 0 OR n = $2 THEN n ELSE luminous_now() END \
         FROM generate_series(1, 3000) AS n";
    let counter = "INSERT INTO event_counters VALUES ($1, 3000)";
    for (home, old) in [(&home, 2900), (&other, 5)] {
        client.execute(sql, &[&home.family.as_uuid(), &old]).await.unwrap();
        client.execute(counter, &[&home.family.as_uuid()]).await.unwrap();
    }
    assert_eq!(bench.store.sweep().await.unwrap(), 2900 + 2000);
    for (home, left) in [(&home, 100), (&other, 1000)] {
        let page = bench.store.events_after(home.family, 3000 - left, 3000).await.unwrap();
        assert_eq!((page.events.len() as u64, page.is_torn), (left, false));
        assert!(bench.store.events_after(home.family, 2999 - left, 9).await.unwrap().is_torn);
    }
}
