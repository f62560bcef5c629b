//! The signing keys: made, rolled over, followed, and never shown.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use luminous_domain::Clock as _;
use luminous_server::Config;
use luminous_server::oauth::{Rotation, SigningKeys};
use reqwest::Method;
use serde_json::Value;

use crate::display::{Display, part};
use crate::rig::{Answer, Rig};

fn file(rig: &Rig) -> PathBuf {
    rig.folder.path().join("signing-keys.json")
}

fn config(rig: &Rig) -> &Config {
    rig.server.state().config()
}

fn rotate(rig: &Rig) -> Rotation {
    SigningKeys::rotate(config(rig), rig.clock.now()).unwrap()
}

/// What the upkeep of the server does each minute.
fn reload(rig: &Rig) -> bool {
    rig.server.state().displays().reload_keys().unwrap()
}

async fn published(rig: &Rig) -> Vec<Value> {
    let answer = Answer::of(rig.request(Method::GET, "/.well-known/jwks.json")).await;
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    answer.json()["keys"].as_array().unwrap().clone()
}

async fn kids(rig: &Rig) -> Vec<String> {
    let keys = published(rig).await;
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn kid(display: &Display) -> String {
    part(display.token("access_token"), 0)["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_first_start_makes_a_key_for_its_owner_only_and_shows_its_public_half() {
    let rig = Rig::start().await;
    let keys = published(&rig).await;
    assert_eq!(keys.len(), 1);
    let mut members: Vec<_> = keys[0].as_object().unwrap().keys().cloned().collect();
    members.sort();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"], "nothing private");
    assert_eq!((&keys[0]["alg"], &keys[0]["use"]), (&"ES256".into(), &"sig".into()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(file(&rig)).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[tokio::test]
async fn the_next_key_is_published_before_it_signs_and_the_old_one_until_its_last_token_is_dead() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let mut display = Display::linked(&rig, &ana).await;
    let path = format!("/api/families/{}", ana.family());
    let old = kid(&display);
    rig.pass(Duration::from_secs(3600));
    let Rotation::Made { kid: next, signs_from } = rotate(&rig) else { panic!("none made") };
    assert_eq!(signs_from, rig.clock.now() + Duration::from_secs(600));
    assert_eq!(kids(&rig).await, [&*old], "until the file is read again");
    assert!(reload(&rig) && !reload(&rig));
    assert_eq!(kids(&rig).await, [old.clone(), next.clone()]);
    let waiting = Rotation::Waiting { kid: next.clone(), signs_from };
    assert_eq!(rotate(&rig), waiting, "one next key at a time");

    rig.pass(Duration::from_millis(599_999));
    display.refresh(&rig).await;
    assert_eq!(kid(&display), old, "announced, not signing");
    let last_of_old = display.tokens.clone();
    rig.pass(Duration::from_millis(1));
    let mut other = Display::linked(&rig, &ana).await;
    assert_eq!(kid(&other), next);

    rig.pass(Duration::from_secs(1800));
    let token = last_of_old["access_token"].as_str().unwrap();
    let asked = Answer::of(display.ask_with(&rig, Method::GET, &path, token)).await;
    assert_eq!(asked.outcome(), "200", "the last token of the old key");
    assert_eq!(kids(&rig).await, [old.clone(), next.clone()]);
    rig.pass(Duration::from_secs(121));
    assert_eq!(kids(&rig).await, [&*next], "all tokens of the old key are dead");
    other.refresh(&rig).await;
    assert_eq!(other.get(&rig, &path).await.outcome(), "200");

    assert!(std::fs::read_to_string(file(&rig)).unwrap().contains(&old));
    assert!(matches!(rotate(&rig), Rotation::Made { .. }));
    assert!(!std::fs::read_to_string(file(&rig)).unwrap().contains(&old), "private half gone");
}

#[tokio::test]
async fn a_damaged_file_changes_nothing_while_the_server_runs_and_keeps_it_from_starting() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let mut display = Display::linked(&rig, &ana).await;
    let whole = std::fs::read_to_string(file(&rig)).unwrap();
    let before = kids(&rig).await;
    for damaged in ["", "{}", &whole[..whole.len() / 2], &whole.replacen("\"M", "\"N", 1)] {
        std::fs::write(file(&rig), damaged).unwrap();
        let error = rig.server.state().displays().reload_keys().unwrap_err();
        assert_eq!(error.setting, "displays.signing_keys_file");
        assert_eq!(kids(&rig).await, before);
        assert_eq!(display.refresh(&rig).await.oauth(), "200");
        assert!(SigningKeys::read(config(&rig)).is_err());
        assert!(SigningKeys::rotate(config(&rig), rig.clock.now()).is_err(), "nothing is lost");
    }
    std::fs::remove_file(file(&rig)).unwrap();
    let error = SigningKeys::read(config(&rig)).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("luminous-server keys rotate"), "{error}");
}

#[test]
fn keys_are_made_and_listed_by_the_program_without_anything_private() {
    let folder = tempfile::tempdir().unwrap();
    let (config, keys) = (folder.path().join("server.toml"), folder.path().join("keys.json"));
    let text = format!("[displays]\nsigning_keys_file = {keys:?}\n");
    std::fs::write(&config, text).unwrap();
    let run = |what: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_luminous-server"));
        let output = command.env_clear().args(["keys", what, "--config"]).arg(&config).output();
        let output = output.unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(run("list").0, Some(78), "there are none");
    let (status, made) = run("rotate");
    assert_eq!(status, Some(0), "{made}");
    let kid = made.split(' ').next().unwrap().to_owned();
    assert!(run("rotate").1.contains("signs from"));
    assert!(run("rotate").1.contains("is waiting already"));
    let (status, list) = run("list");
    assert_eq!((status, list.lines().count()), (Some(0), 2), "{list}");
    assert!(list.contains(&kid));
    let kept: Value = serde_json::from_slice(&std::fs::read(&keys).unwrap()).unwrap();
    for key in kept["keys"].as_array().unwrap() {
        assert!(!list.contains(key["pkcs8"].as_str().unwrap()));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_rotation_keeps_owner_and_mode_and_a_link_to_the_file() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt, chown, symlink};
    let rig = Rig::start().await;
    let real = rig.folder.path().join("elsewhere.json");
    std::fs::rename(file(&rig), &real).unwrap();
    symlink(&real, file(&rig)).unwrap();
    std::fs::set_permissions(&real, PermissionsExt::from_mode(0o640)).unwrap();
    // Only root may give files away; anybody else rotates their own.
    let given = chown(&real, Some(4711), Some(4712)).is_ok();
    let before = std::fs::metadata(&real).unwrap();
    rotate(&rig);
    let after = std::fs::metadata(&real).unwrap();
    assert_ne!(after.ino(), before.ino(), "it was replaced as a whole");
    assert_eq!(after.mode() & 0o777, 0o640);
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()), "given: {given}");
    assert!(file(&rig).symlink_metadata().unwrap().is_symlink());
    assert!(reload(&rig), "the server follows the link");
}

#[tokio::test]
async fn of_many_rotations_at_once_one_makes_a_key() {
    let rig = Rig::start().await;
    let made = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| rotate(&rig))).collect();
        let all = all.into_iter().map(|one| one.join().unwrap());
        all.filter(|one| matches!(one, Rotation::Made { .. })).count()
    });
    assert_eq!(made, 1);
    reload(&rig);
    assert_eq!(kids(&rig).await.len(), 2);
}

#[tokio::test]
async fn of_many_first_starts_at_once_one_makes_the_file() {
    let rig = Rig::start().await;
    std::fs::remove_file(file(&rig)).unwrap();
    let made = std::thread::scope(|scope| {
        let make = || SigningKeys::make(config(&rig), rig.clock.now()).unwrap();
        let all: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
        all.into_iter().map(|one| one.join().unwrap()).filter(|made| *made).count()
    });
    assert_eq!(made, 1);
    assert_eq!(SigningKeys::list(config(&rig)).unwrap().len(), 1);
}
