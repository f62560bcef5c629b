//! T26, S9: what opens something is neither in the database nor in a log line, at any level.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use luminous_emulator::Config as EmulatorConfig;
use luminous_server::Config;
use luminous_store::Store;
use luminous_store::contract::postgres_server::{PostgresServer, TestDatabase};
use reqwest::Method;
use serde_json::Value;

use crate::display::Display;
use crate::door::secrets::{Log, contains};
use crate::rig::{Answer, Rig};

/// What must be nowhere, by what it is.
type Secrets = Vec<(&'static str, String)>;

fn with_introspection(config: &mut Config, _: &mut EmulatorConfig) {
    let token = config.key_file.with_file_name("introspection-token");
    std::fs::write(&token, "canary-introspection-token").unwrap();
    config.displays.introspection_token_file = Some(token);
}

/// A display is linked, lives for a while, and is refused a few things.
async fn a_life(rig: &Rig) -> Secrets {
    let ana = rig.owner("ana").await;
    // On PostgreSQL time goes on by itself: what is issued from here on is younger than her place.
    rig.pass(Duration::from_secs(10));
    let mut display = Display::showing(rig).await;
    let mut secrets = Vec::new();
    for name in ["device_code", "user_code", "verification_uri_complete"] {
        secrets.push((name, display.code(name).to_owned()));
    }
    let qr = display.code("verification_uri_complete").split("qr=").nth(1).unwrap();
    secrets.push(("the QR's secret", qr.to_owned()));
    secrets.push(("the typed code", display.code("user_code").replace(' ', "")));
    display.redeem(rig).await;
    display.approve(rig, &ana).await;
    rig.pass(Duration::from_secs(5));
    assert_eq!(display.redeem(rig).await.oauth(), "200");
    let path = format!("/api/families/{}", ana.family());
    for _ in 0..2 {
        secrets.push(("a refresh token", display.token("refresh_token").to_owned()));
        secrets.push(("an access token", display.token("access_token").to_owned()));
        let signature = display.token("access_token").rsplit('.').next().unwrap().to_owned();
        secrets.push(("its signature", signature));
        assert_eq!(display.get(rig, &path).await.outcome(), "200");
        display.refresh(rig).await;
    }
    // What is refused is not written down either.
    let old = secrets.iter().find(|(what, _)| *what == "a refresh token").unwrap().1.clone();
    display.get(rig, &path).await;
    display.refresh_with(rig, "canary-refused-refresh-token").await;
    secrets.push(("a refused refresh token", "canary-refused-refresh-token".to_owned()));
    let proof = display.proof(rig, &Method::POST, "/oauth2/token", None);
    let form = [("grant_type", "canary-grant"), ("client_id", "canary-client")];
    let request = rig.request(Method::POST, "/oauth2/token").form(&form).header("dpop", &proof);
    Answer::of(request).await;
    secrets.push(("a proof", proof));
    let asked = rig.request(Method::POST, "/oauth2/introspect");
    let asked = asked.bearer_auth("canary-introspection-token");
    Answer::of(asked.form(&[("token", display.token("access_token"))])).await;
    secrets.push(("a service's token", "canary-introspection-token".to_owned()));
    display.refresh_with(rig, &old).await;
    let keys = std::fs::read(rig.folder.path().join("signing-keys.json")).unwrap();
    let keys: Value = serde_json::from_slice(&keys).unwrap();
    secrets.push(("the signing key", keys["keys"][0]["pkcs8"].as_str().unwrap().to_owned()));
    secrets
}

#[tokio::test]
async fn t26_s9_no_code_token_or_key_is_in_the_database_or_in_any_log_line() {
    let log = Log::default();
    let lines = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    lines.with_writer(log.clone()).init();
    let rig = Rig::with(with_introspection).await;
    let secrets = a_life(&rig).await;
    rig.server.shutdown().await;

    let log = log.0.lock().unwrap().clone();
    assert!(contains(&log, "invalid_grant"), "refusals are in the log");
    let files = database(rig.folder.path());
    assert!(!files.is_empty());
    for (what, secret) in &secrets {
        assert!(secret.len() >= 6);
        assert!(!contains(&log, secret), "in the log: {what}");
        for (name, bytes) in &files {
            assert!(!contains(bytes, secret), "in {name}: {what}");
        }
    }
}

fn database(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.to_string_lossy().contains("luminous.sqlite"))
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .collect()
}

/// All rows of all tables, as text; bytes are in it as hexadecimal digits.
async fn dump(database: &TestDatabase<'_>) -> String {
    let client = database.client().await;
    let tables = "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables \
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
    let mut dump = String::new();
    for table in client.query(tables, &[]).await.unwrap() {
        let rows = format!("SELECT t::text FROM {} AS t", table.get::<_, String>(0));
        for row in client.query(&rows, &[]).await.unwrap() {
            dump.push_str(row.get(0));
            dump.push('\n');
        }
    }
    dump
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t26_no_code_token_or_key_is_in_a_dump_of_postgresql() {
    let database = PostgresServer::shared().create_database().await.migrated().await;
    let store: Arc<dyn Store> = Arc::new(database.store().await);
    let rig = Rig::on(Some(store), with_introspection, |_| {}).await;
    let secrets = a_life(&rig).await;
    let dump = dump(&database).await;
    let (_, device_code) = secrets.iter().find(|(what, _)| *what == "device_code").unwrap();
    let sql = "SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')";
    let kept = database.client().await.query_one(sql, &[device_code]).await.unwrap();
    let kept: String = kept.get(0);
    for text in ["kitchen-pi", kept.as_str()] {
        assert!(dump.contains(text), "this is how what is there looks: {text}");
    }
    for (what, secret) in &secrets {
        assert!(!dump.contains(secret.as_str()), "as text: {what}");
        assert!(!dump.contains(&hex(secret.as_bytes())), "as the bytes of the text: {what}");
        if let Ok(bytes) = URL_SAFE_NO_PAD.decode(secret) {
            assert!(bytes.len() < 8 || !dump.contains(&hex(&bytes)), "as bytes: {what}");
        }
    }
    rig.server.shutdown().await;
}
