//! The real client, against listeners on loopback that misbehave.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use luminous_oidc::{HttpClient, HttpError, Limits, ReqwestClient, Trust};
use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const LIMITS: Limits = Limits { timeout: Duration::from_secs(20), max_body: 1000 };

/// Answers every connection with these bytes and then closes it, or keeps it open.
async fn listener(answer: Vec<u8>, close: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&answer).await;
            if !close {
                open.push(stream);
            }
        }
    });
    port
}

async fn get(url: &str, limits: Limits) -> Result<http::Response<Vec<u8>>, HttpError> {
    let client = ReqwestClient::new(Trust::system()).expect("a client");
    let request = http::Request::get(url).body(Vec::new()).expect("a request");
    client.send(request, limits).await
}

async fn answer(bytes: impl Into<Vec<u8>>) -> Result<http::Response<Vec<u8>>, HttpError> {
    let port = listener(bytes.into(), true).await;
    get(&format!("http://127.0.0.1:{port}/keys?p=secret"), LIMITS).await
}

fn with_length(length: usize, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn chunked(chunks: usize) -> String {
    let chunk = format!("64\r\n{}\r\n", "x".repeat(100));
    format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\n\r\n",
        chunk.repeat(chunks)
    )
}

#[tokio::test]
async fn a_body_within_the_limit_is_read_whole() {
    let response = answer(with_length(5, "hello")).await.expect("an answer");
    assert_eq!((response.status().as_u16(), response.body().as_slice()), (200, &b"hello"[..]));
    assert_eq!(answer(chunked(10)).await.expect("an answer").body().len(), 1000);
}

#[tokio::test]
async fn k4_a_body_over_the_limit_is_refused_whatever_its_length_says() {
    let too_large = Err(HttpError::TooLarge { limit: 1000 });
    assert_eq!(answer(with_length(10_485_760, "{")).await.map(|_| ()), too_large);
    assert_eq!(answer(chunked(11)).await.map(|_| ()), too_large);
    // Without any length the body ends with the connection.
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(100_000));
    assert_eq!(answer(endless).await.map(|_| ()), too_large);
}

#[tokio::test]
async fn k4_a_body_that_ends_early_or_is_no_http_is_no_answer() {
    for bytes in [with_length(50, "short"), "not http at all\r\n\r\n".to_owned(), String::new()] {
        let error = answer(bytes).await.expect_err("no answer");
        assert!(matches!(error, HttpError::Malformed { .. }), "{error}");
    }
}

#[tokio::test]
async fn k4_nothing_is_inflated() {
    let packed = with_length(4, "abcd").replace("\r\n\r\n", "\r\ncontent-encoding: gzip\r\n\r\n");
    assert_eq!(answer(packed).await.expect("an answer").body(), b"abcd");
}

#[tokio::test]
async fn k4_a_provider_that_does_not_answer_costs_no_more_than_the_timeout() {
    let limits = Limits { timeout: Duration::from_millis(50), max_body: 1000 };
    for bytes in [String::new(), with_length(50, "half")] {
        let port = listener(bytes.into(), false).await;
        let error = get(&format!("http://127.0.0.1:{port}/"), limits).await;
        assert_eq!(error.map(|_| ()), Err(HttpError::Timeout));
    }
}

#[tokio::test]
async fn k6_a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = listener(with_length(4, "evil").into(), true).await;
    let response = answer(format!(
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:{elsewhere}/\r\ncontent-length: 0\r\n\r\n"
    ))
    .await
    .expect("an answer");
    assert_eq!((response.status().as_u16(), response.body().len()), (302, 0));
}

#[tokio::test]
async fn k7_plain_http_never_leaves_this_machine() {
    for url in ["http://192.0.2.1/", "http://localhost.example/", "ftp://127.0.0.1/"] {
        assert_eq!(get(url, LIMITS).await.map(|_| ()), Err(HttpError::Insecure), "{url}");
    }
}

#[tokio::test]
async fn a_closed_port_and_a_failed_handshake_are_told_apart_and_show_no_url() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let error = get(&format!("http://127.0.0.1:{closed}/x?p=secret"), LIMITS).await;
    let error = error.expect_err("nobody listens");
    assert!(matches!(error, HttpError::Unreachable { .. }), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("secret"));

    let plain = listener(with_length(5, "hello").into(), true).await;
    let error = get(&format!("https://127.0.0.1:{plain}/x?p=secret"), LIMITS).await;
    let error = error.expect_err("no TLS there");
    assert!(matches!(error, HttpError::Tls { .. }), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("secret"));
}

/// Shakes hands once over TLS, on a thread of its own; answers its port and its certificate.
fn secure(begins: i32, ends: i32) -> (u16, String) {
    let key = KeyPair::generate().expect("a key");
    let mut certificate = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    certificate.not_before = rcgen::date_time_ymd(begins, 1, 1);
    certificate.not_after = rcgen::date_time_ymd(ends, 1, 1);
    let certificate = certificate.self_signed(&key).expect("a certificate");
    let secret = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], secret)
        .expect("a pair");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let mut stream = listener.accept().expect("a visitor").0;
        let mut tls = ServerConnection::new(Arc::new(config)).expect("a connection");
        // A client that does not like the certificate leaves here.
        while tls.is_handshaking() && tls.complete_io(&mut stream).is_ok() {}
    });
    (port, certificate.pem())
}

#[tokio::test]
async fn f10_a_certificate_that_is_not_valid_yet_is_about_this_computers_clock() {
    let kinds = [((2100, 2101), true), ((1990, 1991), false)];
    for ((begins, ends), is_clock) in kinds {
        let (port, pem) = secure(begins, ends);
        let trust = Trust { extra_roots_pem: vec![pem.into_bytes()] };
        let client = ReqwestClient::new(trust).expect("a client");
        let request = Request::get(format!("https://localhost:{port}/")).body(Vec::new());
        let error = client.send(request.expect("a request"), LIMITS).await.expect_err("no trust");
        assert_eq!(error == HttpError::ClockBehind, is_clock, "{error:?}");
        assert_eq!(matches!(error, HttpError::Tls { .. }), !is_clock, "{error:?}");
    }
}

#[test]
fn a_root_that_is_no_certificate_is_refused() {
    let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
    let trust = Trust { extra_roots_pem: vec![broken] };
    assert!(matches!(ReqwestClient::new(trust), Err(HttpError::Tls { .. })));
}
