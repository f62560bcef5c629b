//! Endpoints that fail on request.

use luminous_emulator::{Endpoint, Fault, RefreshMode, Times};
use reqwest::StatusCode;

use crate::client::{World, authorize_url, endpoint, keys_path, metadata_path, text};

async fn get(world: &World, path: &str) -> Result<(StatusCode, String), reqwest::Error> {
    let response = world.http.get(world.url(path)).send().await?;
    let status = response.status();
    Ok((status, String::from_utf8_lossy(&response.bytes().await?).into_owned()))
}

#[tokio::test]
async fn each_fault_answers_as_it_says_and_only_where_it_was_put() {
    let world = World::start().await;
    let control = world.emulator.control();
    let keys = keys_path();
    let put = |fault| control.fault(Endpoint::Keys, fault, Times::Next(1));

    put(Fault::ServerError);
    assert_eq!(get(&world, &metadata_path()).await.unwrap().0, StatusCode::OK);
    assert_eq!(get(&world, &keys).await.unwrap().0, StatusCode::INTERNAL_SERVER_ERROR);

    put(Fault::Unavailable(30));
    let response = world.http.get(world.url(&keys)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "30");

    put(Fault::CaptivePortal);
    let response = world.http.get(world.url(&keys)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");

    put(Fault::Huge);
    assert!(get(&world, &keys).await.unwrap().1.len() > 10 * 1024 * 1024);

    put(Fault::Garbage);
    assert!(get(&world, &keys).await.unwrap().1.contains('\u{fffd}'));

    put(Fault::Redirect("http://169.254.169.254/".into()));
    let response = world.http.get(world.url(&keys)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FOUND);
    assert_eq!(response.headers()["location"], "http://169.254.169.254/");

    put(Fault::Answer(429, "{\"error\":\"slow down\"}".into()));
    let (status, body) = get(&world, &keys).await.unwrap();
    assert_eq!((status.as_u16(), body.as_str()), (429, "{\"error\":\"slow down\"}"));

    put(Fault::Reset);
    let mut cause: &dyn std::error::Error = &get(&world, &keys).await.unwrap_err();
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    assert_eq!(kind, Some(std::io::ErrorKind::ConnectionReset), "{cause}");

    assert_eq!(get(&world, &keys).await.unwrap().0, StatusCode::OK, "and then it works");
    assert_eq!(control.requests(Endpoint::Keys), 9, "failed requests count too");
}

#[tokio::test]
async fn a_hanging_endpoint_answers_when_released() {
    let world = World::start().await;
    let control = world.emulator.control().clone();
    control.fault(Endpoint::Discovery, Fault::Hang, Times::Next(1));
    let url = world.url(&metadata_path());
    let http = world.http.clone();
    let held = tokio::spawn(async move { http.get(url).send().await });
    control.wait_for_requests(Endpoint::Discovery, 1).await;
    assert_eq!(get(&world, &keys_path()).await.unwrap().0, StatusCode::OK, "others go on");
    assert!(!held.is_finished());
    control.release();
    assert_eq!(held.await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn shutting_down_releases_what_hangs() {
    let world = World::start().await;
    let control = world.emulator.control().clone();
    control.fault(Endpoint::Keys, Fault::Hang, Times::Always);
    let url = world.url(&keys_path());
    let http = world.http.clone();
    let held = tokio::spawn(async move { http.get(url).send().await });
    control.wait_for_requests(Endpoint::Keys, 1).await;
    world.emulator.shutdown().await;
    assert_eq!(held.await.unwrap().unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn f5_an_answer_can_be_lost_after_the_work_is_done() {
    let world = World::with_ana(|config| config.refresh_mode = RefreshMode::Strict).await;
    let tokens = world.tokens().await;
    let refresh_token = text(&tokens, "refresh_token");
    world.emulator.control().fault(Endpoint::Token, Fault::LoseAnswer, Times::Next(1));
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", luminous_emulator::DEMO_APP_CLIENT_ID),
        ("refresh_token", refresh_token),
    ];
    let lost = world.http.post(world.url(&endpoint("token"))).form(&form).send().await;
    assert!(lost.is_err(), "no answer came");
    let (status, body) = world.refresh(refresh_token).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "but the token was spent: {body}");
}

#[tokio::test]
async fn every_endpoint_can_fail() {
    let world = World::start().await;
    let control = world.emulator.control();
    let authorize = authorize_url(&world, &[]);
    for (at, path) in [
        (Endpoint::Discovery, world.url(&metadata_path())),
        (Endpoint::Keys, world.url(&keys_path())),
        (Endpoint::Authorize, authorize),
        (Endpoint::Token, world.url(&endpoint("token"))),
        (Endpoint::Logout, world.url(&endpoint("logout"))),
    ] {
        control.fault(at, Fault::ServerError, Times::Next(1));
        let response = world.http.get(path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{at:?}");
        assert_eq!(control.requests(at), 1);
    }
}
