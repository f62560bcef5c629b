//! What a SQLite file keeps.

use std::path::PathBuf;

use luminous_emulator::{Emulator, StartError, Storage, StoreError};
use reqwest::StatusCode;

use crate::client::{EMAIL, NAME, PASSWORD, World, authorize_url, config, http, parameter, text};

/// A folder of this test, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("luminous-emulator-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("emulator.sqlite")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn restart(folder: &Folder, world: Option<World>) -> World {
    if let Some(world) = world {
        world.emulator.shutdown().await;
    }
    let (mut config, clock) = config();
    config.storage = Storage::File(folder.file());
    World { emulator: Emulator::start(config).await.unwrap(), clock, http: http() }
}

#[tokio::test]
async fn accounts_sessions_grants_and_keys_outlive_the_process() {
    let folder = Folder::new();
    let world = restart(&folder, None).await;
    world.emulator.control().create_user(EMAIL, NAME, PASSWORD).unwrap();
    let kid = world.emulator.control().current_kid();
    let tokens = world.tokens().await;
    let mut browser = world.browser();
    let waiting = parameter(&browser.sign_in(&authorize_url(&world, &[])).await, "code").unwrap();

    let world = restart(&folder, Some(world)).await;
    assert_eq!(world.emulator.control().current_kid(), kid);
    assert_eq!(world.refresh(text(&tokens, "refresh_token")).await.0, StatusCode::OK);
    assert_eq!(world.redeem(&waiting).await.0, StatusCode::OK, "a code waits too");
    let silent = browser.get(&authorize_url(&world, &[])).await.location();
    assert!(parameter(&silent, "code").is_some(), "the browser is still signed in");
    world.verified(text(&tokens, "id_token")).await;

    world.emulator.control().publish_next_key().unwrap();
    world.emulator.control().promote_next_key().unwrap();
    let rolled = world.emulator.control().jwks();
    let world = restart(&folder, Some(world)).await;
    assert_eq!(world.emulator.control().jwks(), rolled, "a rollover is kept");
}

#[tokio::test]
async fn s9_the_file_holds_no_password_no_code_and_no_refresh_token() {
    let folder = Folder::new();
    let world = restart(&folder, None).await;
    world.emulator.control().create_user(EMAIL, NAME, PASSWORD).unwrap();
    let tokens = world.tokens().await;
    let code = world.code().await;
    world.emulator.shutdown().await;
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(&folder.0).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let written = String::from_utf8_lossy(&bytes);
    assert!(written.contains(EMAIL), "the right files were read");
    for secret in [PASSWORD, code.as_str(), text(&tokens, "refresh_token")] {
        assert!(!written.contains(&secret[..secret.len().min(64)]));
    }
}

#[tokio::test]
async fn a_file_that_is_none_of_ours_or_of_the_future_is_refused() {
    let folder = Folder::new();
    std::fs::write(folder.file(), "this is not a database, whatever its name says").unwrap();
    let start = || async {
        let (mut config, _) = config();
        config.storage = Storage::File(folder.file());
        Emulator::start(config).await.err()
    };
    assert!(matches!(start().await, Some(StartError::Store(StoreError::Driver(_)))));

    std::fs::remove_file(folder.file()).unwrap();
    let connection = rusqlite::Connection::open(folder.file()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let refused = start().await;
    assert!(
        matches!(
            refused,
            Some(StartError::Store(StoreError::FromTheFuture { found: 99, known: 2 }))
        ),
        "{refused:?}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let world = restart(&folder, None).await;
    world.emulator.control().create_user(EMAIL, NAME, PASSWORD).unwrap();
    for entry in std::fs::read_dir(&folder.0).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
    }
}
