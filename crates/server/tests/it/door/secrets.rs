//! S9: whatever was presented is neither in a log, at any level, nor in the database.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use luminous_domain::Role;
use luminous_emulator::Signing;
use reqwest::Method;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::rig::{Answer, Rig};

/// Every log line of this process.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

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

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .collect()
}

#[tokio::test]
async fn s9_no_token_is_in_any_log_line_or_in_any_byte_of_the_database() {
    let log = Log::default();
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).init();
    let rig = Rig::start().await;
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
    rig.pass(Duration::from_secs(1));
    rig.server.shutdown().await;

    let log = log.0.lock().unwrap().clone();
    let text = String::from_utf8_lossy(&log);
    assert!(text.contains("token.audience_mismatch"), "the finer code is in the log: {text}");
    let files = files(rig.folder.path());
    assert!(files.iter().any(|(name, _)| name.ends_with("luminous.sqlite")));
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
