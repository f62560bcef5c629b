//! How much, how long, how often.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::rig::{Answer, Rig};

#[tokio::test]
async fn an_account_may_make_so_many_requests_a_minute() {
    let rig = Rig::with(|config, _| config.limits.per_account_per_minute = 3).await;
    let (ana, ben) = (rig.someone("ana"), rig.someone("ben"));
    for _ in 0..3 {
        assert_eq!(rig.get("/api/me", &rig.token(&ana)).await.outcome(), "200");
    }
    let refused = rig.get("/api/me", &rig.token(&ana)).await;
    assert_eq!(refused.outcome(), "429 request.rate_limited");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert_eq!(rig.get("/api/me", &rig.token(&ben)).await.outcome(), "200", "each has their own");
    rig.pass(Duration::from_secs(wait));
    assert_eq!(rig.get("/api/me", &rig.token(&ana)).await.outcome(), "200");
}

/// Asks `/version` as a client that claims to come from these addresses.
async fn version_from(rig: &Rig, forwarded: &str) -> String {
    let request = rig.request(Method::GET, "/version").header("x-forwarded-for", forwarded);
    Answer::of(request).await.outcome()
}

#[tokio::test]
async fn d3_an_address_is_believed_only_from_a_trusted_proxy() {
    let rig = Rig::with(|config, _| config.limits.per_address_per_minute = 2).await;
    for (forwarded, outcome) in
        [("8.8.8.8", "200"), ("8.8.4.4", "200"), ("1.1.1.1", "429 request.rate_limited")]
    {
        assert_eq!(version_from(&rig, forwarded).await, outcome, "a spoofed {forwarded}");
    }

    let rig = Rig::with(|config, _| {
        config.limits.per_address_per_minute = 1;
        config.trusted_proxies =
            vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
    })
    .await;
    for (forwarded, outcome) in [
        ("8.8.8.8", "200"),
        ("8.8.8.8", "429 request.rate_limited"),
        ("8.8.4.4, 10.0.0.7", "200"),
        ("8.8.4.4, 10.0.0.8", "429 request.rate_limited"),
        ("9.9.9.9, 8.8.4.4", "429 request.rate_limited"),
        ("2001:db8:1:2::1", "200"),
        ("2001:db8:1:2::2", "429 request.rate_limited"),
        ("2001:db8:1:3::1", "200"),
    ] {
        assert_eq!(version_from(&rig, forwarded).await, outcome, "{forwarded}");
    }
}

#[tokio::test]
async fn a_requests_id_is_believed_only_from_a_trusted_proxy() {
    let asked = "0123-from-the-proxy";
    for (trusted, believed) in [(false, false), (true, true)] {
        let rig = Rig::with(|config, _| {
            if trusted {
                config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
            }
        })
        .await;
        let with = |id: &str| rig.request(Method::GET, "/version").header("x-request-id", id);
        let answer = Answer::of(with(asked)).await;
        assert_eq!(answer.header("x-request-id") == asked, believed);
        let answer = Answer::of(with("bad id\" with=spaces")).await;
        assert_eq!(answer.header("x-request-id").len(), 32, "never a malformed one");
    }
}

#[tokio::test]
async fn a_body_is_json_and_not_too_large() {
    let rig = Rig::start().await;
    let token = rig.token(&rig.someone("ana"));
    let post = || rig.request(Method::POST, "/api/families").bearer_auth(&token);
    let large = json!({ "name": "x".repeat(70_000) });
    for (request, outcome) in [
        (post().json(&large), "413 request.too_large"),
        (post().body("{}"), "415 request.media_type"),
        (post().header("content-type", "text/plain").body("{}"), "415 request.media_type"),
        (post().header("content-type", "application/json").body("{"), "400 input.invalid"),
        (post().json(&json!({ "name": 7 })), "400 input.invalid"),
    ] {
        assert_eq!(Answer::of(request).await.outcome(), outcome);
    }
}

#[tokio::test]
async fn d11_a_field_that_does_not_belong_is_refused_by_its_name() {
    let rig = Rig::start().await;
    let token = rig.token(&rig.someone("ana"));
    let body = json!({ "name": "Home", "family_id": "s3cret-value" });
    let refused = rig.send(Method::POST, "/api/families", &token, &body).await;
    assert_eq!(refused.outcome(), "400 input.invalid");
    assert_eq!(refused.json()["detail"], "there is no field `family_id`");
    assert!(!refused.text.contains("s3cret-value"));
}

/// Sends raw bytes and reads until the server closes.
async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may refuse, and close, before all of it was sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let rig = Rig::start().await;
    let large =
        format!("GET /version HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "y".repeat(100_000));
    let many = format!("GET /version HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(65));
    for request in [large, many] {
        let answer = raw(rig.server.address(), request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    assert_eq!(Answer::of(rig.request(Method::GET, "/version")).await.outcome(), "200");
}
