//! S9: whatever was presented is neither in a log, at any level, nor in the database.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use luminous_domain::Role;
use luminous_emulator::{DEMO_WEB_CLIENT_SECRET, Signing};
use reqwest::Method;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::browser::{Browser, parameter};
use crate::rig::{Answer, Rig, Someone};

/// Every log line of this process.
#[derive(Clone, Default)]
pub struct Log(pub Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Whether the bytes hold the text.
pub fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .collect()
}

const CONNECTOR_PASSWORD: &str = "canary-connector-password-0123456789";

/// Uses everything that opens something and is no token: a browser's sign-in with its state, code and
/// cookies, invitations, the connector. Answers each, as it was presented.
async fn visit(rig: &Rig, owner: &Someone) -> Vec<(&'static str, String)> {
    let mut browser = Browser::new(rig);
    let back = browser.answer_for("/login", &owner.user.email).await;
    let (state, code) = (parameter(&back, "state").unwrap(), parameter(&back, "code").unwrap());
    let (_, begun) = browser.cookies.iter().find(|(name, _)| name.contains("browser")).unwrap();
    let begun = begun.clone();
    browser.open(&back).await;
    browser.open(&back).await;
    let session = browser.session().expect("a session").to_owned();
    browser.go("/").await;

    let invites = format!("/api/families/{}/invites", owner.family());
    let token = rig.token(owner);
    let made = rig.send(Method::POST, &invites, &token, &json!({ "role": "teen" })).await.json();
    let invite = made["code"].as_str().unwrap().replace(' ', "");
    let guess = "0K3456789Z".to_owned();
    for typed in [&invite, &guess] {
        for path in ["/api/invites/preview", "/api/invites/accept"] {
            rig.send(Method::POST, path, &token, &json!({ "code": typed })).await;
        }
    }
    for password in [CONNECTOR_PASSWORD, "canary-wrong-password-0123456789"] {
        let asked = rig.request(Method::POST, "/connectors/b2c/claims");
        let asked = asked.basic_auth("b2c", Some(password)).json(&json!({ "objectId": "x" }));
        Answer::of(asked).await;
    }
    vec![
        ("the state", state),
        ("the authorization code", code),
        ("the browser's cookie", begun),
        ("the session's cookie", session),
        ("an invitation's code", invite),
        ("a guess", guess),
        ("the connector's password", CONNECTOR_PASSWORD.to_owned()),
        ("a wrong password", "canary-wrong-password-0123456789".to_owned()),
        ("the web client's secret", DEMO_WEB_CLIENT_SECRET.to_owned()),
    ]
}

#[tokio::test]
async fn s9_no_token_is_in_any_log_line_or_in_any_byte_of_the_database() {
    let log = Log::default();
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).init();
    let rig = Rig::with(|config, _| {
        let password = config.key_file.with_file_name("connector-password");
        std::fs::write(&password, CONNECTOR_PASSWORD).unwrap();
        config.connectors.b2c_username = Some("b2c".to_owned());
        config.connectors.b2c_password_file = Some(password);
    })
    .await;
    let ana = rig.owner("ana").await;
    let ben = rig.member(&ana, "ben", Role::Adult).await;
    let good = rig.token(&ana);
    let fresh = rig.fresh_token(&ana);
    let refused = rig.mint(&rig.spec(&ben).with("aud", "nobody"));
    let forged = rig.mint(&rig.spec(&ben).signed(Signing::OtherKeySameKid));
    let unusable = rig.mint(&rig.spec(&ben).with("extension_role", json!(["owner"])));
    let opaque = "canary-opaque-credential-0123456789".to_owned();
    let tokens = [good, fresh, refused, forged, unusable, opaque];
    let members = format!("/api/families/{}/members", ana.family());
    let one = format!("{members}/{}", ben.place().member);
    for token in &tokens {
        for _ in 0..2 {
            rig.get("/api/me", token).await;
        }
        rig.get(&members, token).await;
        rig.send(Method::PATCH, &one, token, &json!({ "role": "teen" })).await;
        rig.send(Method::POST, "/api/families", token, &json!({ "name": token })).await;
        let query = format!("/api/me?access_token={token}");
        Answer::of(rig.request(Method::GET, &query)).await;
        let basic = rig.request(Method::GET, "/api/me").basic_auth("ana", Some(token));
        Answer::of(basic).await;
    }
    let secrets = visit(&rig, &ana).await;
    rig.pass(Duration::from_secs(1));
    rig.server.shutdown().await;

    let log = log.0.lock().unwrap().clone();
    let text = String::from_utf8_lossy(&log);
    assert!(text.contains("token.audience_mismatch"), "the finer code is in the log: {text}");
    assert!(text.contains("connector.refused") || text.contains("B2C's connector"), "{text}");
    let mut files = files(rig.folder.path());
    // The files of secrets hold them; nothing else may.
    files.retain(|(name, _)| name.contains("luminous.sqlite"));
    assert!(files.iter().any(|(name, _)| name.ends_with("luminous.sqlite")));
    for (what, secret) in &secrets {
        assert!(!contains(&log, secret), "in the log: {what}");
        for (name, bytes) in &files {
            assert!(!contains(bytes, secret), "in {name}: {what}");
        }
    }
    for token in &tokens {
        // The signature alone would do to recognise it; the middle alone says who it is about.
        for part in token.split('.').filter(|part| part.len() > 30).chain([token.as_str()]) {
            assert!(!contains(&log, part), "in the log: {part}");
            for (name, bytes) in &files {
                assert!(!contains(bytes, part), "in {name}: {part}");
            }
        }
    }
}
