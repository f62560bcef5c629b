//! `luminous-server` as a program: exit codes, signals, what it prints.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;

use crate::rig::Rig;

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_luminous-server"));
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Writes a configuration file for development with this issuer address.
fn file(folder: &Path, address: &str) -> String {
    let secret = folder.join("secret");
    std::fs::write(&secret, "s").unwrap();
    let text = format!(
        "profile = \"dev\"\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://localhost:1\"\n\
         key_file = {key:?}\n[store]\nsqlite = {sqlite:?}\n\
         [displays]\nsigning_keys_file = {signing:?}\n[[issuers]]\naddress = {address:?}\n\
         audiences = [\"api\"]\napp_client_id = \"app\"\n",
        key = folder.join("server.key"),
        sqlite = folder.join("luminous.sqlite"),
        signing = folder.join("signing-keys.json"),
    );
    let file = folder.join("server.toml");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

const LOOPBACK: &str = "http://localhost:1/luminousdemo.onmicrosoft.com/B2C_1_signupsignin1";

#[test]
fn t29_the_prod_profile_does_not_start_with_the_emulator() {
    let folder = tempfile::tempdir().unwrap();
    let config = file(folder.path(), LOOPBACK);
    let public = ["--public-url", "https://family.example.org", "--profile", "prod"];
    let output = run(&[&["serve", "--config", &config][..], &public].concat());
    assert_eq!(output.status.code(), Some(78));
    let complaint = text(&output.stderr);
    assert!(complaint.contains("setting `issuers[0].address`"), "{complaint}");
    let output = run(&["serve", "--config", &config, "--profile", "prod"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(text(&output.stderr).contains("setting `public_url`"));
}

#[test]
fn db5_a_store_that_cannot_be_opened_is_named_and_ends_with_74() {
    let folder = tempfile::tempdir().unwrap();
    let config = file(folder.path(), LOOPBACK);
    for command in ["serve", "migrate", "doctor"] {
        let here = folder.path().to_str().unwrap();
        let output = run(&[command, "--config", &config, "--sqlite", here]);
        assert_eq!(output.status.code(), Some(74), "{command}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(here), "{}", text(&output.stderr));
    }
}

#[test]
fn the_environment_overrides_the_file_and_flags_override_both() {
    let folder = tempfile::tempdir().unwrap();
    let config = file(folder.path(), LOOPBACK);
    let output = program()
        .args(["serve", "--config", &config])
        .env("LUMINOUS_SERVER__LIMITS__BODY_BYTES", "many")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(text(&output.stderr).contains("limits.body_bytes"), "{}", text(&output.stderr));

    let check = |flags: &[&str]| {
        let all = [&["config", "--config", &config][..], flags].concat();
        let mut command = program();
        command.args(all).env("LUMINOUS_SERVER__PROFILE", "prod");
        command.output().unwrap().status.code()
    };
    assert_eq!(check(&[]), Some(78), "from the environment");
    assert_eq!(check(&["--profile", "dev"]), Some(0), "the flag wins");
}

#[test]
fn it_prints_an_example_and_the_document() {
    let example = run(&["config", "--example"]);
    assert!(example.status.success());
    assert!(text(&example.stdout).contains("[[issuers]]"));
    let document = run(&["openapi"]);
    assert!(document.status.success());
    let document: serde_json::Value = serde_json::from_slice(&document.stdout).unwrap();
    assert!(document["paths"]["/api/me"].is_object());
}

#[test]
fn migrate_says_what_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let config = file(folder.path(), LOOPBACK);
    let first = run(&["migrate", "--config", &config]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    assert!(!first.stdout.is_empty());
    assert!(folder.path().join("luminous.sqlite").exists());
    assert!(run(&["migrate", "--config", &config]).status.success(), "and again");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_a_line_for_each_thing_and_fails_when_one_is_wrong() {
    let rig = Rig::start().await;
    let folder = tempfile::tempdir().unwrap();
    let place = format!("luminousdemo.onmicrosoft.com/{}", luminous_emulator::DEMO_POLICY);
    let config = file(folder.path(), &format!("{}{place}", rig.emulator.base_url()));
    let well = run(&["doctor", "--config", &config]);
    let lines = text(&well.stdout);
    assert!(well.status.success(), "{lines}{}", text(&well.stderr));
    for about in ["ok    configuration", "ok    store", "ok    provider", "ok    clock"] {
        assert!(lines.contains(about), "{lines}");
    }
    let names = |folder: &Path| {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        entries.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(names(folder.path()).len(), 2, "it makes nothing: {:?}", names(folder.path()));

    // What a server has left, and while one is running.
    assert!(run(&["migrate", "--config", &config]).status.success());
    let sqlite = folder.path().join("luminous.sqlite");
    let (before, bytes) = (names(folder.path()), std::fs::read(&sqlite).unwrap());
    let well = run(&["doctor", "--config", &config]);
    assert!(text(&well.stdout).contains("ok    store: sound"), "{}", text(&well.stdout));
    assert_eq!(names(folder.path()), before);
    assert_eq!(std::fs::read(&sqlite).unwrap(), bytes);
    let running = rig.folder.path().join("luminous.sqlite");
    let well = run(&["doctor", "--config", &config, "--sqlite", running.to_str().unwrap()]);
    assert!(text(&well.stdout).contains("ok    store: sound"), "{}", text(&well.stdout));

    std::fs::write(&sqlite, [&[0x55; 100][..], &bytes[100..]].concat()).unwrap();
    let damaged = run(&["doctor", "--config", &config]);
    assert_eq!(damaged.status.code(), Some(1));
    assert!(
        text(&damaged.stdout).contains("WRONG store: store.corrupt"),
        "{}",
        text(&damaged.stdout)
    );
    std::fs::write(&sqlite, bytes).unwrap();

    Arc::into_inner(rig.emulator).unwrap().shutdown().await;
    let ill = run(&["doctor", "--config", &config]);
    assert_eq!(ill.status.code(), Some(1));
    assert!(text(&ill.stdout).contains("WRONG provider"), "{}", text(&ill.stdout));
}

#[test]
fn with_postgresql_the_key_is_made_by_no_replica_but_by_the_command_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = file(folder.path(), LOOPBACK);
    let (key, url) = (folder.path().join("server.key"), folder.path().join("url"));
    std::fs::write(&url, "postgres://nobody@127.0.0.1:1/none?sslmode=disable").unwrap();
    let with_postgres = |command: &str| {
        let mut program = program();
        program.args(command.split(' ')).args(["--config", &config]);
        program.env("LUMINOUS_SERVER__STORE__POSTGRES_URL_FILE", &url).output().unwrap()
    };
    let refused = with_postgres("serve");
    assert_eq!(refused.status.code(), Some(78), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("setting `key_file`"), "{}", text(&refused.stderr));
    assert!(!key.exists());

    assert!(with_postgres("key").status.success());
    let made = std::fs::read_to_string(&key).unwrap();
    assert_eq!(made.trim().len(), 64);
    assert!(with_postgres("key").status.success(), "and again");
    assert_eq!(std::fs::read_to_string(&key).unwrap(), made, "never over one that is there");
    let refused = with_postgres("serve");
    assert_eq!(refused.status.code(), Some(78), "{}", text(&refused.stderr));
    let complaint = text(&refused.stderr);
    assert!(complaint.contains("setting `displays.signing_keys_file`"), "{complaint}");
    assert!(with_postgres("keys rotate").status.success());
    assert_eq!(with_postgres("serve").status.code(), Some(74), "now it is the database");
}

#[cfg(unix)]
#[test]
fn sigterm_ends_it_in_good_order() {
    let folder = tempfile::tempdir().unwrap();
    let config = file(folder.path(), LOOPBACK);
    let mut child = program().args(["serve", "--config", &config]).spawn().unwrap();
    let address = listening(&mut child);
    assert!(address.starts_with("http://127.0.0.1:"), "{address}");
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{log}");
    assert!(log.contains("stopping"), "{log}");
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with("-wal"))
        .collect();
    assert!(left.is_empty(), "the store was closed: {left:?}");
}

/// Waits until it says where it listens.
#[cfg(unix)]
fn listening(child: &mut Child) -> String {
    let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let line = lines.next().expect("a line").unwrap();
    line.strip_prefix("listening on ").expect("where it listens").to_owned()
}
