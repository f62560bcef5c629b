//! A disk that is full, and one that may only be read: file systems in memory that the child mounts
//! in a namespace of its own, where nobody else sees them.

use std::path::Path;
use std::sync::Arc;

use luminous_domain::{OsEntropy, SystemClock};
use luminous_store::sqlite::OpenError;
use luminous_store::{Health as _, SqliteStore, StoreError};

use super::child::{after_script, bench, open, runtime, say, sign_in, somebody};

/// Runs the child with a file system of 2 MiB at `place`.
fn on_a_small_disk(part: &str) {
    let folder = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=2m tmpfs \"$LUMINOUS_STORE_PLACE\"; exec \"$0\"";
    let launch = ["unshare", "--map-root-user", "--mount"];
    let output = after_script(&launch, script, part, folder.path())
        .stderr(std::process::Stdio::piped())
        .output()
        .expect("needs `unshare` (util-linux)");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said == "done\n", "{said}{failed}");
}

pub fn full() {
    on_a_small_disk("full");
}

pub fn read_only() {
    on_a_small_disk("read-only");
}

/// The child of [`full`].
pub async fn fill(place: &Path) {
    let ballast = place.join("ballast");
    std::fs::write(&ballast, vec![0; 1 << 20]).unwrap();
    let bench = bench(&place.join("family.db"));
    let home = bench.home("ben").await;
    bench.linked(&home, &home.owner, "wall", "token 0").await;
    let store = &bench.store;
    let ada = somebody(&**store).await;
    let mut acknowledged = 0;
    let refused = loop {
        match sign_in(&**store, &ada).await {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, StoreError::Full);
    assert_eq!(sign_in(&**store, &ada).await, Err(StoreError::Full));
    // A refresh writes less than a sign-in and may still find room, but not for long.
    let mut given = 0;
    let refused = loop {
        let (last, next) = (format!("token {given}"), format!("token {}", given + 1));
        match bench.refresh("wall", &last, &next).await {
            Ok(_) => given += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, StoreError::Full.into(), "no token that is not written down");
    assert_eq!(store.sessions(ada.id).await.unwrap().len(), acknowledged, "reading goes on");
    assert!(store.standing(&ada.person).await.unwrap().is_some());
    store.ping().await.unwrap();

    std::fs::remove_file(&ballast).unwrap();
    sign_in(&**store, &ada).await.unwrap();
    bench.refresh("wall", &format!("token {given}"), "last").await.unwrap();
    assert_eq!(store.sessions(ada.id).await.unwrap().len(), acknowledged + 1);
    assert_eq!(store.examine().await.unwrap(), Vec::<String>::new());
    store.close().await;
    say("done");
}

/// The child of [`read_only`].
pub fn open_read_only(place: &Path) {
    let path = place.join("family.db");
    let again = || SqliteStore::open(&path, Arc::new(SystemClock), Arc::new(OsEntropy));
    runtime().block_on(open(&path).close());
    let remount =
        std::process::Command::new("mount").args(["-o", "remount,ro"]).arg(place).status().unwrap();
    assert!(remount.success());
    let refused = again().expect_err("a file system that may only be read");
    assert_eq!(refused, OpenError::ReadOnly { path: path.clone() });
    assert!(refused.to_string().contains(path.to_str().unwrap()), "{refused}");
    say("done");
}
