//! What holds whatever a route does: it panics, it hangs, there are too many, the server stops.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::get;
use http::Request;
use luminous_server::front::Front;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::rig::Rig;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Asks a route that only this test has, through the server's own front.
async fn ask(front: &Front, path: &str) -> (u16, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = front.answer(HERE, request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 10_000).await.unwrap();
    let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
    (status, problem["code"].as_str().unwrap_or_default().to_owned())
}

async fn panics() {
    panic!("s3cret");
}

fn with_routes(rig: &Rig, notify: &Arc<Notify>) -> Front {
    let notify = Arc::clone(notify);
    let router = Router::new()
        .route("/panics", get(panics))
        .route("/hangs", get(std::future::pending::<()>))
        .route("/waits", get(move || async move { notify.notified().await }))
        .route("/works", get(|| async { "ok" }));
    Front::new(router, rig.server.state().clone())
}

#[tokio::test]
async fn a_panic_is_an_answer_and_the_server_goes_on() {
    let rig = Rig::start().await;
    let front = with_routes(&rig, &Arc::default());
    assert_eq!(ask(&front, "/panics").await, (500, "internal".to_owned()));
    assert_eq!(ask(&front, "/works").await.0, 200);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_ended() {
    let rig = Rig::start().await;
    let front = with_routes(&rig, &Arc::default());
    tokio::time::pause();
    assert_eq!(ask(&front, "/hangs").await, (503, "request.timeout".to_owned()));
}

#[tokio::test]
async fn of_too_many_at_once_the_last_are_told_to_come_back() {
    let rig = Rig::with(|config, _| config.limits.concurrent_requests = 1).await;
    let notify = Arc::<Notify>::default();
    let front = with_routes(&rig, &notify);
    let first = ask(&front, "/waits");
    let second = async {
        let refused = ask(&front, "/works").await;
        notify.notify_one();
        refused
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(second, (503, "server.busy".to_owned()));
    assert_eq!(first.0, 200);
    assert_eq!(ask(&front, "/works").await.0, 200, "there is room again");
}

#[tokio::test]
async fn a_request_under_way_is_finished_when_the_server_stops() {
    let rig = Rig::start().await;
    let token = rig.token(&rig.someone("ana"));
    let address = rig.server.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = "{\"name\":\"Home\"}";
    let (first, rest) = body.split_at(4);
    let head = format!(
        "POST /api/families HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body only when the route reads it: the request is under way.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(first.as_bytes()).await.unwrap();

    let stopping = tokio::spawn(rig.server.shutdown());
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    stopping.await.unwrap();
}
