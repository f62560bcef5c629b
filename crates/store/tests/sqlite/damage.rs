//! A damaged file (DB3) is said to be one, is never deleted, and loses no more than its tail.

use std::fs::OpenOptions;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use luminous_domain::{OsEntropy, Role};
use luminous_store::contract::Bench;
use luminous_store::contract::people::hash;
use luminous_store::sqlite::OpenError;
use luminous_store::{SqliteStore, StoreError};
use luminous_testkit::FrozenClock;

/// The size of a page.
const PAGE: u64 = 4096;

fn try_open(path: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(path, Arc::new(FrozenClock::new()), Arc::new(OsEntropy))
}

/// Writes `bytes` into the file, as a failing disk would.
fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

/// A file with a family in it, closed, so that there is no log beside it.
async fn written(folder: &Path) -> PathBuf {
    let path = folder.join("family.db");
    let bench = crate::bench(&path, ());
    let home = bench.home("ada").await;
    bench.join(&home, Role::Adult, "ben").await;
    bench.store.close().await;
    assert!(!path.with_extension("db-wal").exists(), "closing leaves one file");
    path
}

#[tokio::test]
async fn db3_an_overwritten_header_is_named_at_the_start_and_nothing_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path()).await;
    overwrite(&path, 0, &[0xAA; 100]);
    let before = std::fs::read(&path).unwrap();
    let refused = try_open(&path).expect_err("no database");
    assert!(matches!(&refused, OpenError::NotADatabase { path: named, .. } if *named == path));
    assert!(refused.to_string().contains(path.to_str().unwrap()), "{refused}");
    assert!(SqliteStore::migrate(&path).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn db3_a_header_overwritten_while_it_runs_is_corrupt_to_ping_and_examine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    let bench = crate::bench(&path, ());
    bench.home("ada").await;
    bench.store.ping().await.unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    overwrite(&path, 0, &[0xAA; 100]);
    let size = std::fs::metadata(&path).unwrap().len();
    let pinged = bench.store.ping().await;
    assert!(matches!(pinged, Err(StoreError::Corrupt(_))), "{pinged:?}");
    let examined = bench.store.examine().await;
    assert!(matches!(examined, Err(StoreError::Corrupt(_))), "{examined:?}");
    let again = bench.store.ping().await;
    assert!(matches!(again, Err(StoreError::Corrupt(_))), "it stays so: {again:?}");
    bench.store.close().await;
    assert_eq!(std::fs::metadata(&path).unwrap().len(), size);
}

/// Where the table's root page begins.
fn root_of(path: &Path, table: &str) -> u64 {
    let connection = rusqlite::Connection::open(path).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let page: i64 = connection.query_row(sql, [table], |row| row.get(0)).unwrap();
    (u64::try_from(page).unwrap() - 1) * PAGE
}

#[tokio::test]
async fn db3_a_flipped_page_is_corrupt_where_it_is_met_and_the_rest_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path()).await;
    overwrite(&path, root_of(&path, "members"), &[0xFF; 64]);
    let size = std::fs::metadata(&path).unwrap().len();

    let bench = crate::bench(&path, ());
    let store = &bench.store;
    store.ping().await.unwrap();
    assert!(store.count_attempt("code", std::time::Duration::from_secs(1), 1).await.unwrap());
    let standing = store.standing(&luminous_store::contract::people::key("ada")).await;
    assert!(matches!(standing, Err(StoreError::Corrupt(_))), "{standing:?}");
    let pinged = store.ping().await;
    assert!(
        matches!(pinged, Err(StoreError::Corrupt(_))),
        "met once, said from then on: {pinged:?}"
    );
    match store.examine().await {
        Ok(faults) => assert!(!faults.is_empty()),
        Err(error) => assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}"),
    }
    store.close().await;
    assert!(std::fs::metadata(&path).unwrap().len() >= size, "nothing was cut off");
}

/// How many of the sessions are there; they must be the first ones, without a hole.
async fn prefix_left(bench: &Bench, acknowledged: usize) -> usize {
    let mut there = Vec::new();
    for n in 0..acknowledged {
        let found = bench.store.resume_session(&hash(&format!("cookie {n}"))).await.unwrap();
        there.push(found.is_some());
    }
    assert!(there.is_sorted_by(|earlier, later| earlier >= later), "a hole: {there:?}");
    there.into_iter().filter(|there| *there).count()
}

#[tokio::test]
async fn db3_a_log_cut_anywhere_loses_only_the_last_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    let bench = crate::bench(&path, ());
    let ada = bench.person("ada").await;
    let sessions = 10;
    for n in 0..sessions {
        bench.session(&ada, &format!("cookie {n}")).await;
    }
    let log = std::fs::read(path.with_extension("db-wal")).unwrap();
    let database = std::fs::read(&path).unwrap();
    let mut before = sessions;
    for eighths in (0..=8).rev() {
        let copy = tempfile::tempdir().unwrap();
        let path = copy.path().join("family.db");
        std::fs::write(&path, &database).unwrap();
        let kept = log.len() * eighths / 8;
        std::fs::write(path.with_extension("db-wal"), &log[..kept]).unwrap();
        let cut = crate::bench(&path, ());
        assert_eq!(cut.store.examine().await.unwrap(), Vec::<String>::new());
        let left = prefix_left(&cut, sessions).await;
        assert!(left <= before, "a shorter log holds no more");
        assert!(eighths < 8 || left == sessions, "an uncut log holds everything");
        before = left;
        cut.store.close().await;
    }
    assert_eq!(before, 0, "without the log there is only what was in the file");
    bench.store.close().await;
}
