//! Secrets reach the keyring and the provider, and nothing else.
//!
//! A binary of its own, because the log of every thread is captured.

#![expect(clippy::unwrap_used, reason = "a test that is set up wrongly shall stop there")]

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use luminous_testkit::SessionRig;
use luminous_testkit::scripted::{ACCESS_CANARY, CODE_CANARY, REFRESH_CANARY, Step};
use luminous_wire::SignOutScope;
use tracing_subscriber::fmt::MakeWriter;
use url::Url;

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

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// `haystack` holds none of the secrets, nor their base64.
fn expect_clean(place: &str, haystack: &[u8], secrets: &[String]) {
    let text = String::from_utf8_lossy(haystack);
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "{place} holds {secret}");
    }
}

#[tokio::test(start_paused = true)]
async fn s9_no_secret_is_printed_shown_or_written_anywhere_but_the_keyring() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let mut rig = SessionRig::new();
    rig.session.start().await;
    let link = rig.begin().await;
    let redirect = rig.provider.authorize(&link);
    let bad = format!("{redirect}&state=twice");
    rig.session.redirect(bad.as_bytes()).await.unwrap_err();
    let mut debug = format!("{:?}", rig.session);
    rig.session.redirect(redirect.as_bytes()).await.unwrap();
    let access = rig.session.access_token().await.unwrap();
    debug.push_str(&format!("{access:?} {:?} {:?}", rig.session, rig.snapshot()));
    let state_and_verifier: Vec<String> = {
        let exchange = rig.provider.token_requests().remove(0);
        let state = Url::parse(&redirect).unwrap();
        let (_, state) = state.query_pairs().find(|(name, _)| name == "state").unwrap();
        vec![state.into_owned(), exchange.get("code_verifier").unwrap().to_owned()]
    };

    rig.clock.advance(Duration::from_secs(3600));
    let poisoned = format!("{{\"access_token\": [\"{ACCESS_CANARY}poison\"]}}");
    rig.provider.script([Step::Raw(200, "application/json", poisoned)]);
    let error = rig.session.access_token().await.unwrap_err();
    debug.push_str(&format!("{error:?}"));
    rig.restart().await;
    rig.session.start().await;
    rig.session.access_token().await.unwrap();
    debug.push_str(&format!("{:?}", rig.session));
    let file = std::fs::read_dir(rig.state_path().parent().unwrap())
        .unwrap()
        .flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
        .collect::<Vec<u8>>();

    let mut secrets: Vec<String> =
        [ACCESS_CANARY, REFRESH_CANARY, CODE_CANARY].map(str::to_owned).to_vec();
    secrets.extend(state_and_verifier);
    let log = log.0.lock().unwrap().clone();
    assert!(!log.is_empty(), "the log was captured");
    expect_clean("the log", &log, &secrets);
    expect_clean("Debug output", debug.as_bytes(), &secrets);
    expect_clean("the state file", &file, &secrets);
    let snapshot = serde_json::to_vec(&rig.snapshot()).unwrap();
    expect_clean("the snapshot", &snapshot, &secrets);
    // The browser gets the state and the challenge, as it must, but no verifier and no token.
    let opened: Vec<String> = rig.browser.opened().iter().map(ToString::to_string).collect();
    expect_clean("the browser's link", opened.join(" ").as_bytes(), &secrets[4..]);
    rig.session.sign_out(SignOutScope::AndProvider).await.unwrap();
    let page = rig.browser.opened().pop().unwrap();
    expect_clean("the sign-out link", page.as_str().as_bytes(), &secrets);
}
