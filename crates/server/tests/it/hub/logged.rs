//! T25, P8: what opens a hub, and what comes over it, is in no line of the log at any level.

use luminous_domain::{Clock as _, LinkId, OsEntropy};
use luminous_server::Config;
use luminous_server::config::LogFormat;
use luminous_server::oauth;
use luminous_store::Network;
use luminous_wire::api::hub::{family_hub, link_hub};
use luminous_wire::api::{CodeClaimed, HubTicket};
use reqwest::Method;
use serde_json::{Value, json};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::raw::Raw;
use super::{Listener, PATIENCE, link_ticket, post_note, ticket};
use crate::display::Display;
use crate::door::secrets::{Log, contains};
use crate::rig::{Answer, Rig, Someone};

/// What nobody may find in a log, each with what it is.
type Secrets = Vec<(&'static str, String)>;

/// A display is linked over its hub. Answers the number it showed.
async fn link_over_the_hub(rig: &Rig, person: &Someone, secrets: &mut Secrets) -> String {
    let mut display = Display::showing(rig).await;
    for name in ["device_code", "user_code"] {
        secrets.push((name, display.code(name).to_owned()));
    }
    secrets.push(("the typed code", display.code("user_code").replace(' ', "")));
    let bought = ticket(&link_ticket(rig, &display).await);
    secrets.push(("a ticket to the link hub", bought.to_owned()));
    let mut hub = Listener::at(rig, link_hub::PATH, bought).await;
    let approval = display.claim(rig, person).await.unwrap();
    let (claimed,): (CodeClaimed,) = hub.called(link_hub::CODE_CLAIMED).await.read().unwrap();
    display.confirm(rig, person, &approval).await.unwrap();
    hub.called(link_hub::LINKED).await;
    let proof = display.proof(rig, &Method::POST, "/oauth2/token", None);
    let asked = json!({ "device_code": display.code("device_code"), "proof": proof });
    display.tokens = hub.client.invoke(link_hub::REDEEM, &(asked,), PATIENCE).await.unwrap();
    secrets.push(("a proof", proof));
    for name in ["access_token", "refresh_token"] {
        secrets.push((name, display.token(name).to_owned()));
    }
    let signature = display.token("access_token").rsplit('.').next().unwrap().to_owned();
    secrets.push(("an access token's signature", signature));
    assert_eq!(display.get(rig, "/api/wall").await.status, 200);
    claimed.number
}

/// Somebody follows the family as a browser must, whose WebSockets carry no headers.
async fn follow_as_a_browser(rig: &Rig, person: &Someone, secrets: &mut Secrets) {
    let token = rig.token(person);
    let bought = rig.send(Method::POST, "/api/hub/ticket", &token, &Value::Null).await;
    let bought: HubTicket = serde_json::from_str(&bought.text).unwrap();
    let ticket = format!("access_token={}", bought.ticket);
    let path = format!("{}/negotiate?negotiateVersion=1&{ticket}", family_hub::PATH);
    let negotiated = Answer::of(rig.request(Method::POST, &path)).await.json();
    let connection = negotiated["connectionToken"].as_str().unwrap();
    let mut raw = Raw::at(rig, &format!("?id={connection}&{ticket}"), "").await;
    let latest = raw.resume(0).await;
    for expected in 1..=latest {
        assert_eq!(raw.record().await["arguments"][0]["seq"], expected);
    }
    post_note(rig, person, "canary-words-on-the-wall").await;
    assert_eq!(raw.record().await["arguments"][0]["seq"], latest + 1);
    // Nor is what is refused.
    let again = Answer::of(rig.request(Method::POST, &path)).await;
    assert_eq!(again.outcome(), "401 push.ticket");
    secrets.push(("a person's token", token));
    secrets.push(("a ticket in an address", bought.ticket));
    secrets.push(("a connection token", connection.to_owned()));
    secrets.push(("a note", "canary-words-on-the-wall".to_owned()));
}

/// Whether a line of ours tells the number: as a word of its own, in anything but what is counted. Who
/// else writes does not know it, and has other numbers.
fn tells(line: &Value, number: &str) -> bool {
    let is_ours = line["target"].as_str().unwrap().starts_with("luminous_");
    let counted = ["timestamp", "took_us", "status"];
    let mut said = line.as_object().unwrap().iter();
    is_ours
        && said.any(|(key, value)| {
            let text = value.to_string();
            let mut words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
            !counted.contains(&key.as_str()) && words.any(|word| word == number)
        })
}

#[tokio::test]
async fn t25_p8_no_ticket_code_token_or_number_of_a_hub_is_in_any_log_line_and_the_path_is() {
    let log = Log::default();
    let writer = log.clone();
    let config =
        Config { log_filter: "trace".to_owned(), log_format: LogFormat::Json, ..Config::default() };
    // As the program writes them.
    luminous_server::log::lines(&config, move || writer.clone(), false).unwrap().init();
    let rig = Rig::start().await;
    let ana = rig.owner("Ana").await;
    let mut secrets = Secrets::new();
    let number = link_over_the_hub(&rig, &ana, &mut secrets).await;
    follow_as_a_browser(&rig, &ana, &mut secrets).await;
    rig.server.shutdown().await;

    let log = log.0.lock().unwrap().clone();
    for (what, secret) in &secrets {
        assert!(secret.len() >= 6, "{what}");
        assert!(!contains(&log, secret), "in the log: {what}");
    }
    let text = String::from_utf8(log).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        assert!(!tells(line, &number), "the number {number}: {line}");
    }
    // The access log: which route, and nothing of its query.
    for (route, status) in [
        (format!("{}/negotiate", link_hub::PATH), 200),
        (link_hub::PATH.to_owned(), 101),
        (format!("{}/negotiate", family_hub::PATH), 200),
        (format!("{}/negotiate", family_hub::PATH), 401),
        (family_hub::PATH.to_owned(), 101),
    ] {
        let is_answer = |line: &Value| line["route"] == route && line["status"] == status;
        assert!(lines.iter().any(is_answer), "{route} {status}: {text}");
    }
}

#[tokio::test]
async fn what_fails_here_is_written_down_also_when_it_was_asked_over_the_hub() {
    let log = Log::default();
    let writer = log.clone();
    let config = Config { log_format: LogFormat::Json, ..Config::default() };
    let lines = luminous_server::log::lines(&config, move || writer.clone(), false).unwrap();
    let _here = lines.set_default();
    let rig = Rig::start().await;
    let display = Display::showing(&rig).await;
    rig.store.close().await;
    let link = LinkId::new(rig.clock.now(), &OsEntropy).unwrap();
    let (state, code) = (rig.server.state(), display.code("device_code"));
    let proof = display.proof(&rig, &Method::POST, "/oauth2/token", None);
    let refused = oauth::redeem(state, link, code, &proof, Network::Loopback).await.unwrap_err();
    assert_eq!(refused.error, "temporarily_unavailable");
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is_it = |line: &Value| line["level"] == "ERROR" && line["word"] == refused.error;
    assert!(lines.iter().any(is_it), "{text}");
}
