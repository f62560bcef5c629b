//! T26, S9: what opens something is neither in the database nor in a log line, at any level.

use std::path::Path;

use reqwest::Method;
use serde_json::Value;

use crate::display::Display;
use crate::door::secrets::{Log, contains};
use crate::rig::{Answer, Rig};

#[tokio::test]
async fn t26_s9_no_code_token_or_key_is_in_the_database_or_in_any_log_line() {
    let log = Log::default();
    let lines = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    lines.with_writer(log.clone()).init();
    let rig = Rig::with(|config, _| {
        let token = config.key_file.with_file_name("introspection-token");
        std::fs::write(&token, "canary-introspection-token").unwrap();
        config.displays.introspection_token_file = Some(token);
    })
    .await;
    let ana = rig.owner("ana").await;
    let mut display = Display::showing(&rig).await;
    let mut secrets = Vec::new();
    for name in ["device_code", "user_code", "verification_uri_complete"] {
        secrets.push((name, display.code(name).to_owned()));
    }
    let qr = display.code("verification_uri_complete").split("qr=").nth(1).unwrap();
    secrets.push(("the QR's secret", qr.to_owned()));
    secrets.push(("the typed code", display.code("user_code").replace(' ', "")));
    display.redeem(&rig).await;
    display.approve(&rig, &ana).await;
    rig.pass(std::time::Duration::from_secs(5));
    assert_eq!(display.redeem(&rig).await.oauth(), "200");
    let path = format!("/api/families/{}", ana.family());
    for _ in 0..2 {
        secrets.push(("a refresh token", display.token("refresh_token").to_owned()));
        secrets.push(("an access token", display.token("access_token").to_owned()));
        let signature = display.token("access_token").rsplit('.').next().unwrap().to_owned();
        secrets.push(("its signature", signature));
        assert_eq!(display.get(&rig, &path).await.outcome(), "200");
        display.refresh(&rig).await;
    }
    // What is refused is not written down either.
    let old = secrets.iter().find(|(what, _)| *what == "a refresh token").unwrap().1.clone();
    display.get(&rig, &path).await;
    display.refresh_with(&rig, "canary-refused-refresh-token").await;
    secrets.push(("a refused refresh token", "canary-refused-refresh-token".to_owned()));
    let proof = display.proof(&rig, &Method::POST, "/oauth2/token", None);
    let form = [("grant_type", "canary-grant"), ("client_id", "canary-client")];
    let request = rig.request(Method::POST, "/oauth2/token").form(&form).header("dpop", &proof);
    Answer::of(request).await;
    secrets.push(("a proof", proof));
    let asked = rig.request(Method::POST, "/oauth2/introspect");
    let asked = asked.bearer_auth("canary-introspection-token");
    Answer::of(asked.form(&[("token", display.token("access_token"))])).await;
    secrets.push(("a service's token", "canary-introspection-token".to_owned()));
    display.refresh_with(&rig, &old).await;
    let keys = std::fs::read(rig.folder.path().join("signing-keys.json")).unwrap();
    let keys: Value = serde_json::from_slice(&keys).unwrap();
    secrets.push(("the signing key", keys["keys"][0]["pkcs8"].as_str().unwrap().to_owned()));
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
