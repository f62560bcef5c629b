//! A display asks for a code (RFC 8628 sections 3.1 and 3.2).

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;

use crate::display::Display;
use crate::rig::{Answer, Rig};

const PATH: &str = "/oauth2/device_authorization";

#[tokio::test]
async fn the_answer_is_that_of_rfc_8628() {
    let rig = Rig::start().await;
    let mut display = Display::new();
    let answer = display.show(&rig).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let (code, device) = (display.code("user_code"), display.code("device_code"));
    assert_eq!((code.len(), code.as_bytes()[3]), (7, b' '), "{code}");
    assert_eq!(device.len(), 43, "256 bits");
    let link = format!("{}/link", rig.base);
    assert_eq!(display.code("verification_uri"), link);
    let qr =
        display.code("verification_uri_complete").strip_prefix(&format!("{link}?qr=")).unwrap();
    assert_eq!(qr.len(), 22, "128 bits");
    assert!(!qr.contains(&code.replace(' ', "")) && !device.contains(qr));
    assert_eq!(
        (&display.codes["expires_in"], &display.codes["interval"]),
        (&600.into(), &5.into())
    );
    assert_eq!(display.codes.as_object().unwrap().len(), 6);
}

#[tokio::test]
async fn what_is_not_a_request_of_a_display_is_refused_in_the_words_of_the_rfcs() {
    let rig = Rig::start().await;
    let display = Display::new();
    let client = ("client_id", "luminous-display");
    let long = "x".repeat(61);
    for (form, expected) in [
        (&[client][..], "200"),
        (&[client, ("unknown", "1"), ("scope", "")], "200"),
        (&[], "400 invalid_request"),
        (&[("client_id", "")], "400 invalid_request"),
        (&[("client_id", "another")], "401 invalid_client"),
        (&[client, client], "400 invalid_request"),
        (&[client, ("scope", "display admin")], "400 invalid_scope"),
        (&[client, ("device_name", "a\u{7}b")], "400 invalid_request"),
        (&[client, ("device_name", "a\u{202e}b")], "400 invalid_request"),
        (&[client, ("device_model", &long)], "400 invalid_request"),
        (&[client, ("app_version", &long[..31])], "400 invalid_request"),
    ] {
        assert_eq!(display.post(&rig, PATH, form).await.oauth(), expected, "{form:?}");
    }
    let json = rig.request(Method::POST, PATH).json(&serde_json::json!({}));
    assert_eq!(Answer::of(json).await.oauth(), "400 invalid_request");
    assert_eq!(Answer::of(rig.request(Method::GET, PATH)).await.outcome(), "405 request.method");
}

#[tokio::test]
async fn a_request_without_a_good_proof_gets_no_code() {
    let rig = Rig::start().await;
    let display = Display::new();
    let form = [("client_id", "luminous-display")];
    let ask = || rig.request(Method::POST, PATH).form(&form);
    assert_eq!(Answer::of(ask()).await.oauth(), "400 invalid_dpop_proof dpop.missing");
    let proof = |path| display.proof(&rig, &Method::POST, path, None);
    for (proofs, expected) in [
        (vec![proof(PATH), proof(PATH)], "400 invalid_dpop_proof dpop.several"),
        (vec![proof("/oauth2/token")], "400 invalid_dpop_proof dpop.address"),
        (vec!["a.b.c".to_owned()], "400 invalid_dpop_proof dpop.malformed"),
        (vec![proof("/oauth2/device_authorization?x=y")], "200"),
    ] {
        let request = proofs.iter().fold(ask(), |request, proof| request.header("dpop", proof));
        assert_eq!(Answer::of(request).await.oauth(), expected);
    }
    let once = proof(PATH);
    for expected in ["200", "400 invalid_dpop_proof dpop.replayed"] {
        assert_eq!(Answer::of(ask().header("dpop", &once)).await.oauth(), expected);
    }
    let late = proof(PATH);
    rig.pass(Duration::from_secs(61));
    let answer = Answer::of(ask().header("dpop", late)).await;
    assert_eq!(answer.oauth(), "400 invalid_dpop_proof dpop.time");
    assert!(!answer.header("date").is_empty(), "a wrong clock is corrected by it");
}

#[tokio::test]
async fn a_display_shows_one_code_and_none_comes_back() {
    let rig = Rig::with(|config, _| config.displays.codes_per_address_per_hour = 0).await;
    let ana = rig.owner("ana").await;
    let mut display = Display::showing(&rig).await;
    let first = Display { key: Display::new().key, codes: display.codes.clone(), ..Display::new() };
    display.show(&rig).await;
    assert!(first.claim(&rig, &ana).await.is_err(), "the first code is over");
    assert!(display.claim(&rig, &ana).await.is_ok());
    let mut codes = BTreeSet::new();
    for _ in 0..50 {
        display.show(&rig).await;
        assert!(codes.insert(display.code("user_code").to_owned()));
    }
}

#[tokio::test]
async fn d24_one_address_gets_ten_codes_an_hour() {
    let rig = Rig::start().await;
    for _ in 0..10 {
        Display::showing(&rig).await;
    }
    for _ in 0..3 {
        let answer = Display::new().show(&rig).await;
        assert_eq!(answer.oauth(), "429 temporarily_unavailable device.rate_limited");
        assert_eq!(answer.header("retry-after"), "3600");
    }
    rig.pass(Duration::from_secs(3601));
    Display::showing(&rig).await;
}

#[tokio::test]
async fn d24_the_whole_system_shows_so_many_codes_at_once() {
    let rig = Rig::with(|config, _| {
        config.displays.codes = 12;
        config.displays.codes_per_address_per_hour = 0;
    })
    .await;
    for _ in 0..12 {
        Display::showing(&rig).await;
    }
    let answer = Display::new().show(&rig).await;
    assert_eq!(answer.oauth(), "503 temporarily_unavailable device.capacity");
    assert_eq!(answer.header("retry-after"), "60");
    rig.pass(Duration::from_secs(601));
    Display::showing(&rig).await;
}
