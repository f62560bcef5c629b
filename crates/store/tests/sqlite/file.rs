//! What can be wrong with the file (DB5) and with the version of its schema (DB9).

use std::path::Path;
use std::sync::Arc;

use luminous_domain::OsEntropy;
use luminous_store::contract::people::HOUR;
use luminous_store::sqlite::OpenError;
use luminous_store::{SqliteStore, StoreError};
use luminous_testkit::FrozenClock;

fn refused(path: &Path) -> OpenError {
    let opened = SqliteStore::open(path, Arc::new(FrozenClock::new()), Arc::new(OsEntropy));
    let refused = opened.expect_err("it must not open");
    assert!(refused.to_string().contains(path.to_str().unwrap()), "{refused}");
    assert_eq!(SqliteStore::migrate(path), Err(refused.clone()));
    refused
}

#[test]
fn db5_a_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    assert_eq!(refused(&path), OpenError::IsFolder { path });
}

#[test]
fn db5_a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("family.db");
    assert!(matches!(refused(&path), OpenError::Failed { path: named, .. } if named == path));
}

#[test]
fn db5_a_file_that_is_no_database_is_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    let text = "a shopping list, and not a short one: ".repeat(100);
    std::fs::write(&path, &text).unwrap();
    assert!(matches!(refused(&path), OpenError::NotADatabase { path: named, .. } if named == path));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn db5_a_file_deleted_or_replaced_while_it_runs_is_written_no_more() {
    for replaced in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("family.db");
        let bench = crate::bench(&path, ());
        let home = bench.home("ada").await;
        std::fs::remove_file(&path).unwrap();
        if replaced {
            std::fs::write(&path, "").unwrap();
        }
        let store = &bench.store;
        let errors = [
            store.ping().await,
            store.examine().await.map(drop),
            store.count_attempt("code", HOUR, 1).await.map(drop),
            store.end_sign_ins(home.owner.account.id, &home.owner.act()).await,
        ];
        for error in errors {
            let Err(StoreError::Unavailable(said)) = &error else { panic!("{error:?}") };
            assert!(said.contains(path.to_str().unwrap()), "{said}");
        }
        store.close().await;
        assert_eq!(path.exists(), replaced, "no empty one is made in its place");
    }
}

#[tokio::test]
async fn db5_a_closed_store_gives_its_file_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    let bench = crate::bench(&path, ());
    bench.home("ada").await;
    assert_eq!(refused(&path), OpenError::InUse { path: path.clone() });
    bench.store.close().await;
    let again = crate::bench(&path, ());
    assert!(again.person("ada").await.account.standing_changed_at.is_some(), "it kept everything");
    again.store.close().await;
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    SqliteStore::migrate(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn db9_migrating_says_what_it_applied_and_is_done_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    let applied = SqliteStore::migrate(&path).unwrap();
    assert_eq!((applied[0].version, applied[0].name.as_str()), (1, "family"));
    assert_eq!(SqliteStore::migrate(&path), Ok(Vec::new()));
}

#[test]
fn db9_a_newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    SqliteStore::migrate(&path).unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let newer = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
                 VALUES (99, 'future', '2030-01-01T00:00:00Z', '1')";
    connection.execute(newer, []).unwrap();
    drop(connection);
    let OpenError::Newer { path: named, found, .. } = refused(&path) else { panic!("not newer") };
    assert_eq!((named, found), (path, 99));
}
