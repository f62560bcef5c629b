//! A file that may not grow (DB2), a log that only grows, and jobs that share a commit.

use std::sync::Arc;

use luminous_domain::{Clock as _, OsEntropy};
use luminous_store::contract::Bench;
use luminous_store::contract::people::{HOUR, Person, all_at_once, hash};
use luminous_store::sqlite::SqliteOptions;
use luminous_store::{Audit as _, AuditFilter, Health as _, SqliteStore, StoreError};
use luminous_testkit::FrozenClock;

use crate::Hand;

async fn open_with(options: SqliteOptions) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    let clock = Arc::new(FrozenClock::new());
    let store =
        SqliteStore::open_with(&path, &options, clock.clone(), Arc::new(OsEntropy)).unwrap();
    Bench { store: Arc::new(store), time: Box::new(Hand(clock)), keep: Box::new(folder) }
}

async fn try_session(bench: &Bench, person: &Person, word: &str) -> Result<(), StoreError> {
    let new = bench.new_session(person, word).await;
    bench.store.open_session(&new, None, &person.act()).await.map(drop)
}

#[tokio::test]
async fn db2_a_full_file_is_read_refuses_writes_whole_and_recovers_without_restart() {
    let options = SqliteOptions { most_pages: Some(64), ..SqliteOptions::default() };
    let bench = open_with(options).await;
    let home = bench.home("ada").await;
    let ada = &home.owner;
    let mut opened = 0;
    let refused = loop {
        match try_session(&bench, ada, &format!("cookie {opened}")).await {
            Ok(()) => opened += 1,
            Err(error) => break error,
        }
    };
    assert!(opened > 10, "{opened}");
    assert_eq!(refused, StoreError::Full);

    let store = &bench.store;
    let refused = store.resume_session(&hash(&format!("cookie {opened}"))).await.unwrap();
    assert_eq!(refused, None, "what could not be written is not there");
    assert_eq!(store.sessions(ada.account.id).await.unwrap().len(), opened);
    assert!(store.resume_session(&hash("cookie 0")).await.unwrap().is_some());
    assert_eq!(bench.standing(ada).await.account.id, ada.account.id);
    store.ping().await.unwrap();

    bench.time.advance(13 * HOUR).await;
    assert_eq!(store.sweep().await.unwrap(), u64::try_from(opened).unwrap());
    try_session(&bench, ada, "after room was made").await.unwrap();
    assert_eq!(store.examine().await.unwrap(), Vec::<String>::new());
    store.close().await;
}

#[tokio::test]
async fn the_schema_refuses_to_change_or_forget_a_line_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    let bench = crate::bench(&path, folder);
    bench.home("ada").await;
    let connection = rusqlite::Connection::open(&path).unwrap();
    let lines = || -> i64 {
        connection.query_row("SELECT count(*) FROM audit", [], |row| row.get(0)).unwrap()
    };
    let before = lines();
    assert!(before > 0);
    for sql in [
        "UPDATE audit SET outcome = 'ok'",
        "UPDATE audit SET at = at + 1 WHERE action = 'family.created'",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE action = 'family.created'",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit",
        "REPLACE INTO audit (id, at, actor_kind, network, action, outcome) \
         SELECT id, at, 'system', 'public', 'other', 'ok' FROM audit",
    ] {
        let refused = connection.execute(sql, []).expect_err(sql);
        assert!(refused.to_string().contains("the audit log only grows"), "{sql}: {refused}");
    }
    assert_eq!(lines(), before);
    bench.store.close().await;
}

#[tokio::test]
async fn lines_sort_by_age_also_when_the_clock_is_set_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    let clock = Arc::new(FrozenClock::new());
    let mut home = None;
    // Each time an hour earlier, and the last time after a restart.
    for restart in [false, true] {
        let store = SqliteStore::open(&path, clock.clone(), Arc::new(OsEntropy)).unwrap();
        let hand = Box::new(Hand(clock.clone()));
        let bench = Bench { store: Arc::new(store), time: hand, keep: Box::new(()) };
        if home.is_none() {
            home = Some(bench.home("ada").await);
        }
        let home = home.as_ref().unwrap();
        for n in 0..3 {
            clock.set_wall(clock.now() - HOUR);
            let action = format!("{restart} {n}");
            let (family, act) = (Some(home.family), home.owner.act());
            bench.store.record_refusal(family, &act, &action, None, "no").await.unwrap();
        }
        bench.store.close().await;
    }
    let store = SqliteStore::open(&path, clock.clone(), Arc::new(OsEntropy)).unwrap();
    let lines = store.audit(home.unwrap().family, &AuditFilter::default(), 6).await.unwrap();
    let actions: Vec<_> = lines.iter().map(|line| line.action.as_str()).collect();
    assert_eq!(actions, ["true 2", "true 1", "true 0", "false 2", "false 1", "false 0"]);
    store.close().await;
}

#[tokio::test]
async fn a_job_that_fails_takes_none_of_those_along_that_share_its_commit() {
    let bench = open_with(SqliteOptions::default()).await;
    let ada = bench.person("ada").await;
    bench.session(&ada, "taken").await;
    bench.session(&ada, "replaced").await;
    let mut jobs = Vec::new();
    for n in 0..30 {
        // Every third brings a cookie that is there already, which the schema refuses after the
        // session it replaces was ended.
        let word = if n % 3 == 0 { "taken".to_owned() } else { format!("cookie {n}") };
        jobs.push((bench.new_session(&ada, &word).await, ada.act()));
    }
    let answers = all_at_once(30, |n| {
        let (store, (new, act)) = (Arc::clone(&bench.store), jobs[n].clone());
        let replaces = (n % 3 == 0).then(|| hash("replaced"));
        async move { (n, store.open_session(&new, replaces.as_ref(), &act).await) }
    })
    .await;
    for (n, answer) in answers {
        match answer {
            Ok(_) => assert_ne!(n % 3, 0),
            Err(error) => {
                assert_eq!(n % 3, 0, "{error:?}");
                assert!(matches!(error, StoreError::Driver(_)), "{error:?}");
            }
        }
    }
    assert!(bench.store.resume_session(&hash("replaced")).await.unwrap().is_some());
    assert_eq!(bench.store.sessions(ada.account.id).await.unwrap().len(), 22);
    let lines = bench.store.export(ada.account.id).await.unwrap().unwrap().audit;
    assert_eq!(lines.len(), 1 + 22, "the account, and a line for each session");
    bench.store.close().await;
}
