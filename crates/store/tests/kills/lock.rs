//! Locked by another process. How long that is waited for is SQLite's own time, so these take it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin};
use std::time::Duration;

use luminous_store::{Health as _, StoreError, WebSessions as _};

use super::child::{command, open, runtime, sign_in, somebody};

/// Another process that has the lock until its standard input is closed.
fn holder(path: &Path) -> (Child, ChildStdin) {
    let mut child = command("hold", path).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    said.read_line(&mut String::new()).unwrap();
    let stdin = child.stdin.take().unwrap();
    (child, stdin)
}

pub fn of_four_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    runtime().block_on(async {
        let store = open(&path);
        let ada = somebody(&store).await;
        let (mut child, stdin) = holder(&path);
        let release = async {
            tokio::time::sleep(Duration::from_secs(4)).await;
            drop(stdin);
        };
        let (signed_in, ()) = tokio::join!(sign_in(&store, &ada), release);
        let id = signed_in.unwrap();
        assert_eq!(store.sessions(ada.id).await.unwrap()[0].id, id);
        child.wait().unwrap();
        store.close().await;
    });
}

pub fn of_ten_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("family.db");
    runtime().block_on(async {
        let store = open(&path);
        let ada = somebody(&store).await;
        let (mut child, stdin) = holder(&path);
        // Several, so that some of them are queued behind the first.
        let three = async {
            tokio::join!(sign_in(&store, &ada), sign_in(&store, &ada), sign_in(&store, &ada))
        };
        let bounded = tokio::time::timeout(Duration::from_secs(10), three);
        let answers = bounded.await.expect("an answer while the lock is still held");
        assert_eq!(answers, (Err(StoreError::Busy), Err(StoreError::Busy), Err(StoreError::Busy)));
        assert_eq!(store.sessions(ada.id).await.unwrap(), [], "reading goes on");
        drop(stdin);
        child.wait().unwrap();
        assert_eq!(store.sessions(ada.id).await.unwrap(), [], "nothing was half done");
        sign_in(&store, &ada).await.unwrap();
        store.close().await;
    });
}
