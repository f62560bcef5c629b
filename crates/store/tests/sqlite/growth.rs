//! A file that may not grow (DB2), and a log that only grows.

use std::sync::Arc;

use luminous_domain::OsEntropy;
use luminous_store::contract::Bench;
use luminous_store::contract::people::{HOUR, Person, hash};
use luminous_store::sqlite::SqliteOptions;
use luminous_store::{SqliteStore, StoreError};
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
