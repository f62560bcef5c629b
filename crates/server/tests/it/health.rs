//! Health, readiness and figures; starting without an identity provider (K10).

use std::time::Duration;

use luminous_emulator::{Endpoint, Fault, Times};
use reqwest::Method;
use serde_json::json;

use crate::rig::{Answer, Rig};

async fn ask(rig: &Rig, path: &str) -> Answer {
    Answer::of(rig.request(Method::GET, path)).await
}

#[tokio::test]
async fn a_server_with_keys_and_store_is_ready() {
    let rig = Rig::start().await;
    assert_eq!(ask(&rig, "/healthz").await.text, "ok\n");
    let ready = ask(&rig, "/readyz").await;
    assert_eq!(ready.status, 200);
    assert_eq!(ready.json(), json!({ "ready": true, "missing": [] }));
    let version = ask(&rig, "/version").await.json();
    assert_eq!(version["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn k10_it_starts_while_the_provider_is_down_and_recovers_by_itself_within_thirty_seconds() {
    let rig = Rig::down().await;
    let control = rig.emulator.control();
    assert_eq!(ask(&rig, "/healthz").await.status, 200);
    let waiting = ask(&rig, "/readyz").await;
    assert_eq!(waiting.status, 503);
    assert_eq!(waiting.json()["missing"], json!(["keys.unavailable"]));
    let token = rig.token(&rig.someone("ana"));
    let refused = rig.get("/api/me", &token).await;
    assert_eq!(refused.outcome(), "503 keys.unavailable", "never 401");
    assert_eq!(refused.header("retry-after"), "5");
    assert_eq!(refused.header("www-authenticate"), "");

    control.clear();
    let asked = control.requests(Endpoint::Discovery);
    rig.pass(Duration::from_secs(6));
    // Nobody asks for anything: the server looks after its keys by itself.
    control.wait_for_requests(Endpoint::Discovery, asked + 1).await;
    let mut tries = 0;
    while ask(&rig, "/readyz").await.status != 200 {
        tries += 1;
        assert!(tries < 10_000, "it does not recover");
        tokio::task::yield_now().await;
    }
    assert_eq!(rig.get("/api/me", &token).await.outcome(), "200");
}

#[tokio::test]
async fn k4_keys_that_cannot_be_renewed_go_on_for_a_day_and_then_it_is_503() {
    let rig = Rig::start().await;
    let ana = rig.someone("ana");
    let control = rig.emulator.control();
    assert_eq!(rig.get("/api/me", &rig.token(&ana)).await.outcome(), "200");
    control.fault(Endpoint::Keys, Fault::ServerError, Times::Always);
    control.fault(Endpoint::Discovery, Fault::ServerError, Times::Always);
    rig.pass(Duration::from_secs(20 * 3600));
    assert_eq!(rig.get("/api/me", &rig.token(&ana)).await.outcome(), "200");
    rig.pass(Duration::from_secs(5 * 3600));
    let refused = rig.get("/api/me", &rig.token(&ana)).await;
    assert_eq!(refused.outcome(), "503 keys.unavailable");
    assert_eq!(ask(&rig, "/readyz").await.json()["missing"], json!(["keys.unavailable"]));
    assert_eq!(ask(&rig, "/healthz").await.status, 200);
}

#[tokio::test]
async fn a_store_that_is_gone_is_not_ready_and_no_ones_fault() {
    let rig = Rig::start().await;
    let token = rig.token(&rig.someone("ana"));
    rig.store.close().await;
    assert_eq!(ask(&rig, "/readyz").await.json()["missing"], json!(["store.unavailable"]));
    let refused = rig.get("/api/me", &token).await;
    assert_eq!(refused.outcome(), "503 store.unavailable");
    assert_eq!(refused.header("retry-after"), "30");
}

#[tokio::test]
async fn figures_have_a_listener_of_their_own_or_a_token() {
    let rig = Rig::with(|config, _| {
        config.metrics.listen = Some("127.0.0.1:0".parse().unwrap());
    })
    .await;
    ask(&rig, "/healthz").await;
    assert_eq!(ask(&rig, "/metrics").await.outcome(), "404 resource.not_found");
    let address = rig.server.metrics_address().unwrap();
    let text =
        reqwest::get(format!("http://{address}/metrics")).await.unwrap().text().await.unwrap();
    let line = "luminous_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1";
    assert!(text.contains(line), "{text}");

    let rig = Rig::with(|config, _| {
        let file = config.key_file.with_file_name("metrics-token");
        std::fs::write(&file, "figures-please\n").unwrap();
        config.metrics.token_file = Some(file);
    })
    .await;
    assert_eq!(ask(&rig, "/metrics").await.outcome(), "401 token.missing");
    assert_eq!(rig.get("/metrics", "something-else").await.outcome(), "401 token.invalid");
    assert!(rig.get("/metrics", "figures-please").await.text.contains("luminous_claims_cache"));
}

#[tokio::test]
async fn a_path_is_never_a_label() {
    let rig = Rig::start().await;
    ask(&rig, "/api/families/s3cret-id/members").await;
    ask(&rig, "/s3cret-path").await;
    let text = rig.server.state().meters().render(0);
    assert!(!text.contains("s3cret"), "{text}");
    assert!(text.contains("route=\"unmatched\",status=\"404\""), "{text}");
}
