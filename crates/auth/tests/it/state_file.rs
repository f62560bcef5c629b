//! The state file: what it keeps, and what becomes of one that cannot be used.

use std::path::Path;

use luminous_auth::state_file::{Account, SavedProvider, StateFile, StateFileError};
use luminous_domain::{ObjectId, PersonKey, TenantId, Timestamp};
use luminous_wire::{AccountView, FamilyStanding, Language, Settings, SignedOutCause, Theme};

fn account(object: &str) -> Account {
    Account {
        person: PersonKey { tenant: TenantId::new("tenant"), object: ObjectId::new(object) },
        view: AccountView {
            id: format!("id-of-{object}"),
            name: "Ana".to_owned(),
            email: Some("ana@example.test".to_owned()),
            identity_provider: None,
            signed_in_at_ms: 1_795_348_800_000,
        },
        generation: Some(7),
        ended: None,
        family: FamilyStanding::Unknown,
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_795_348_800).unwrap()
}

#[test]
fn what_was_kept_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deeper").join("state.sqlite");
    let settings = Settings { language: Language::De, theme: Theme::Dark };
    let provider = SavedProvider {
        address: "https://id.example.test".to_owned(),
        client_id: "client".to_owned(),
        issuer: "https://id.example.test/".to_owned(),
        server: None,
    };
    let file = StateFile::open(&path).unwrap();
    assert_eq!(file.active_account().unwrap(), None);
    assert_eq!(file.settings().unwrap(), Settings::default());
    file.save_account(&account("a")).unwrap();
    file.save_settings(settings).unwrap();
    file.save_provider(&provider).unwrap();
    drop(file);

    let file = StateFile::open(&path).unwrap();
    assert_eq!(file.active_account().unwrap(), Some(account("a")));
    assert_eq!(file.settings().unwrap(), settings);
    assert_eq!(file.provider().unwrap(), Some(provider));
}

#[test]
fn one_account_is_active_and_the_others_are_remembered() {
    let file = StateFile::in_memory().unwrap();
    file.save_account(&account("a")).unwrap();
    file.save_account(&account("b")).unwrap();
    assert_eq!(file.active_account().unwrap(), Some(account("b")));
    file.save_account(&account("a")).unwrap();
    assert_eq!(file.active_account().unwrap(), Some(account("a")));
}

#[test]
fn a_sign_out_is_to_be_erased_until_the_marker_is_gone() {
    let file = StateFile::in_memory().unwrap();
    file.save_account(&account("a")).unwrap();
    assert_eq!(file.to_erase().unwrap(), Vec::<String>::new());
    file.end("id-of-a", SignedOutCause::Ended).unwrap();
    assert_eq!(file.to_erase().unwrap(), ["id-of-a"]);
    assert_eq!(file.active_account().unwrap().unwrap().ended, Some(SignedOutCause::Ended));
    file.mark("id-of-a", None).unwrap();
    assert_eq!(file.to_erase().unwrap(), Vec::<String>::new());
}

fn files_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_damaged_file_is_kept_aside_and_the_app_starts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    std::fs::write(&path, b"this was a database once, long ago, before the disk died").unwrap();
    assert!(matches!(StateFile::open(&path), Err(StateFileError::Corrupt(_))));

    let (file, error) = StateFile::open_or_set_aside(&path, now()).unwrap();
    assert!(matches!(error, Some(StateFileError::Corrupt(_))));
    assert_eq!(file.active_account().unwrap(), None);
    file.save_account(&account("a")).unwrap();
    let aside = folder.path().join("state.sqlite.aside-1795348800000");
    assert!(std::fs::read(aside).unwrap().starts_with(b"this was a database once"));
}

#[test]
fn a_damaged_page_is_found_when_the_file_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    let file = StateFile::open(&path).unwrap();
    for number in 0..200 {
        file.save_account(&account(&number.to_string())).unwrap();
    }
    drop(file);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xA5);
    std::fs::write(&path, bytes).unwrap();
    let (_, error) = StateFile::open_or_set_aside(&path, now()).unwrap();
    assert!(matches!(error, Some(StateFileError::Corrupt(_))), "{error:?}");
}

#[test]
fn a_file_of_a_newer_version_is_kept_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    drop(StateFile::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    assert!(matches!(StateFile::open(&path), Err(StateFileError::Newer { found: 99 })));
    let (_, error) = StateFile::open_or_set_aside(&path, now()).unwrap();
    assert!(matches!(error, Some(StateFileError::Newer { found: 99 })));
    assert!(files_in(folder.path()).contains(&"state.sqlite.aside-1795348800000".to_owned()));
}
