//! The client against a hub that is not ours, written by hand.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, post};
use http::{HeaderMap, StatusCode, Uri};
use luminous_signalr::ProtocolError;
use luminous_signalr::client::{Event, Lost};
use serde_json::json;
use tokio::sync::mpsc;

use crate::client::{PlainPort, start, start_with};
use crate::held::Held;

type Answer = (u16, String);

/// Answers negotiations as told, and hands its sockets to the test.
pub struct Foreign {
    pub address: SocketAddr,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    /// Each request: its address and its `Authorization`.
    pub asked: Arc<Mutex<Vec<(String, String)>>>,
    sockets: mpsc::UnboundedReceiver<WebSocket>,
}

#[derive(Clone)]
struct Script {
    answers: Arc<Mutex<VecDeque<Answer>>>,
    asked: Arc<Mutex<Vec<(String, String)>>>,
    sockets: mpsc::UnboundedSender<WebSocket>,
}

impl Script {
    fn note(&self, uri: &Uri, headers: &HeaderMap) {
        let bearer = headers.get("authorization").map_or("", |value| value.to_str().unwrap());
        self.asked.lock().unwrap().push((uri.to_string(), bearer.to_owned()));
    }
}

async fn negotiate(State(script): State<Script>, uri: Uri, headers: HeaderMap) -> Response {
    script.note(&uri, &headers);
    let answer = script.answers.lock().unwrap().pop_front();
    let (status, body) = answer.unwrap_or((200, version_1()));
    (StatusCode::from_u16(status).unwrap(), [("retry-after", "7")], body).into_response()
}

async fn socket(
    State(script): State<Script>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    script.note(&uri, &headers);
    if uri.path() == "/closed" {
        return StatusCode::FORBIDDEN.into_response();
    }
    upgrade.on_upgrade(async move |socket| script.sockets.send(socket).unwrap())
}

fn version_1() -> String {
    json!({
        "negotiateVersion": 1, "connectionId": "public", "connectionToken": "se cret",
        "availableTransports": [
            {"transport": "WebSockets", "transferFormats": ["Text", "Binary"]},
            {"transport": "LongPolling", "transferFormats": ["Text"]},
        ],
    })
    .to_string()
}

/// The hub's end of a WebSocket.
pub struct Socket(WebSocket);

impl Socket {
    pub async fn text(&mut self) -> String {
        match self.0.recv().await.unwrap().unwrap() {
            Message::Text(text) => text.to_string(),
            other => panic!("text was expected, not {other:?}"),
        }
    }

    pub async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }
}

impl Foreign {
    pub async fn start() -> Self {
        let (sender, sockets) = mpsc::unbounded_channel();
        let script = Script { answers: Arc::default(), asked: Arc::default(), sockets: sender };
        let router = Router::new()
            .route("/{hub}/negotiate", post(negotiate))
            .route("/{hub}", any(socket))
            .with_state(script.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, answers: script.answers, asked: script.asked, sockets }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hub", self.address)
    }

    /// The answers to the next negotiations; beyond them, a connection of version 1.
    fn answers(&self, answers: &[(u16, String)]) {
        self.answers.lock().unwrap().extend(answers.iter().cloned());
    }

    /// The next WebSocket, before the handshake.
    async fn socket(&mut self) -> Socket {
        Socket(self.sockets.recv().await.unwrap())
    }

    /// The next WebSocket, after the handshake.
    pub async fn greet(&mut self) -> Socket {
        let mut socket = self.socket().await;
        assert_eq!(socket.text().await, "{\"protocol\":\"json\",\"version\":1}\x1e");
        socket.say("{}\x1e").await;
        socket
    }

    fn asked(&self) -> Vec<(String, String)> {
        self.asked.lock().unwrap().clone()
    }
}

async fn lost_at_first(hub: &Foreign) -> Lost {
    let (client, mut events) = start(&hub.url());
    let first = events.next().await;
    drop(client);
    match first {
        Some(Event::Lost { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_client_takes_the_token_of_version_1_and_the_id_of_version_0() {
    let mut hub = Foreign::start().await;
    let (_client, mut events) = start(&hub.url());
    let _socket = hub.greet().await;
    assert_eq!(events.next().await, Some(Event::Connected));
    let bearer = "Bearer ticket-client".to_owned();
    assert_eq!(
        hub.asked(),
        [
            ("/hub/negotiate?negotiateVersion=1".to_owned(), bearer.clone()),
            ("/hub?id=se+cret".to_owned(), bearer),
        ]
    );

    // A server of old does not name its version.
    let old = json!({
        "connectionId": "the-id",
        "availableTransports": [{"transport": "WebSockets", "transferFormats": ["Text"]}],
    });
    hub.answers(&[(200, old.to_string())]);
    let (_client, mut events) = start(&hub.url());
    let _socket = hub.greet().await;
    assert_eq!(events.next().await, Some(Event::Connected));
    assert_eq!(hub.asked().last().unwrap().0, "/hub?id=the-id");
}

#[tokio::test]
async fn the_client_follows_a_redirect_with_the_token_it_brings() {
    let mut hub = Foreign::start().await;
    let mut elsewhere = Foreign::start().await;
    let to = format!("http://{}/client?hub=h", elsewhere.address);
    hub.answers(&[(200, json!({"url": to, "accessToken": "theirs"}).to_string())]);
    let (_client, mut events) = start(&hub.url());
    let _socket = elsewhere.greet().await;
    assert_eq!(events.next().await, Some(Event::Connected));
    assert_eq!(hub.asked().len(), 1);
    let theirs = "Bearer theirs".to_owned();
    assert_eq!(
        elsewhere.asked(),
        [
            ("/client/negotiate?hub=h&negotiateVersion=1".to_owned(), theirs.clone()),
            ("/client?hub=h&id=se+cret".to_owned(), theirs),
        ]
    );
    assert!(hub.sockets.try_recv().is_err(), "nothing is opened at the first hub");
}

#[tokio::test]
async fn the_client_does_not_follow_redirects_for_ever_nor_takes_its_ticket_along() {
    let hub = Foreign::start().await;
    let round = json!({"url": hub.url()}).to_string();
    hub.answers(&vec![(200, round); 20]);
    assert_eq!(lost_at_first(&hub).await, Lost::TooManyRedirects);
    assert_eq!(hub.asked().len(), 9);

    let elsewhere = Foreign::start().await;
    let hub = Foreign::start().await;
    hub.answers(&[(200, json!({"url": elsewhere.url()}).to_string())]);
    elsewhere.answers(&[(401, String::new())]);
    assert_eq!(lost_at_first(&hub).await, Lost::Status(401));
    assert_eq!(elsewhere.asked()[0].1, "", "our ticket is for our hub");
}

#[tokio::test]
async fn the_client_names_what_is_wrong_with_a_negotiation() {
    let no_sockets = json!({
        "negotiateVersion": 1, "connectionId": "a", "connectionToken": "b",
        "availableTransports": [
            {"transport": "LongPolling", "transferFormats": ["Text"]},
            {"transport": "WebSockets", "transferFormats": ["Binary"]},
        ],
    });
    for (status, body, why) in [
        (401, String::new(), Lost::Status(401)),
        (503, String::new(), Lost::Status(503)),
        (302, String::new(), Lost::Status(302)),
        (200, json!({"error": "not now"}).to_string(), Lost::Refused("not now".to_owned())),
        (200, "<html>".to_owned(), Lost::Negotiation),
        (200, "[]".to_owned(), Lost::Negotiation),
        (200, version_1().replace("se cret", ""), Lost::Negotiation),
        (200, format!("{{\"x\":\"{}\"}}", "x".repeat(70_000)), Lost::Negotiation),
        (200, json!({"url": "file:///etc/passwd"}).to_string(), Lost::BadRedirect),
        (200, no_sockets.to_string(), Lost::NoWebSockets),
    ] {
        let hub = Foreign::start().await;
        hub.answers(&[(status, body)]);
        assert_eq!(lost_at_first(&hub).await, why);
    }
}

#[tokio::test]
async fn the_client_waits_as_long_as_it_is_told_to() {
    let hub = Foreign::start().await;
    hub.answers(&[(429, String::new())]);
    let (_client, mut events) = start(&hub.url());
    let Some(Event::Lost { why: Lost::Status(429), again_in }) = events.next().await else {
        panic!("it is lost");
    };
    assert_eq!(again_in, Duration::from_secs(7));
}

#[tokio::test]
async fn the_client_names_a_refused_socket_and_a_refused_handshake() {
    let mut hub = Foreign::start().await;
    let (client, mut events) = start(&format!("http://{}/closed", hub.address));
    let lost = events.next().await.unwrap();
    assert!(matches!(lost, Event::Lost { why: Lost::Upgrade(403), .. }), "{lost:?}");
    drop(client);

    let (_client, mut events) = start(&hub.url());
    let mut socket = hub.socket().await;
    socket.say("{\"error\":\"no\"}\x1e").await;
    let lost = events.next().await.unwrap();
    assert!(matches!(lost, Event::Lost { why: Lost::Handshake(ref no), .. } if no == "no"));
}

#[tokio::test]
async fn p1_a_hub_that_never_answers_the_handshake_is_left_after_15_seconds() {
    let mut hub = Foreign::start().await;
    let (_client, mut events) = start(&hub.url());
    let mut socket = hub.socket().await;
    socket.text().await;
    Held::time().pass(15.1).await;
    let lost = events.next().await.unwrap();
    assert!(matches!(lost, Event::Lost { why: Lost::Late, .. }), "{lost:?}");
}

#[tokio::test]
async fn p12_the_client_leaves_a_hub_that_breaks_the_protocol() {
    let long = format!("{{\"type\":6,\"x\":\"{}\"}}\x1e", "x".repeat(300 * 1024));
    for (said, too_long) in
        [("nonsense\x1e", false), ("{\"type\":9,\"sequenceId\":1}\x1e", false), (&long, true)]
    {
        let mut hub = Foreign::start().await;
        let (_client, mut events) = start(&hub.url());
        let mut socket = hub.greet().await;
        assert_eq!(events.next().await, Some(Event::Connected));
        // It may have left before all of it was said.
        let _ = socket.0.send(Message::text(said)).await;
        let lost = events.next().await.unwrap();
        let Event::Lost { why: Lost::Protocol(why), .. } = lost else { panic!("{lost:?}") };
        assert_eq!(matches!(why, ProtocolError::TooLong(_)), too_long, "{why:?}");
    }
}

#[tokio::test]
async fn the_client_hears_what_comes_with_the_handshake_and_gives_no_results() {
    let mut hub = Foreign::start().await;
    let (_client, mut events) = start(&hub.url());
    let mut socket = hub.socket().await;
    let _ = socket.text().await;
    let call = "{\"type\":1,\"target\":\"Ask\",\"invocationId\":\"s1\",\"arguments\":[1]}\x1e";
    socket.say(&format!("{{}}\x1e{call}{{\"ty")).await;
    socket
        .say(&format!("pe\":6}}\x1e{{\"type\":3,\"invocationId\":\"never asked\"}}\x1e{call}"))
        .await;
    assert_eq!(events.next().await, Some(Event::Connected));
    for _ in 0..2 {
        let called = events.next().await.unwrap();
        assert!(
            matches!(called, Event::Called { ref target, .. } if target == "Ask"),
            "{called:?}"
        );
        assert_eq!(
            socket.text().await,
            "{\"type\":3,\"invocationId\":\"s1\",\"error\":\"Client didn't provide a result.\"}\x1e"
        );
    }
}

#[tokio::test]
async fn without_negotiation_the_ticket_goes_to_the_socket() {
    let mut hub = Foreign::start().await;
    let (_client, mut events) = start_with(&hub.url(), PlainPort::default(), |settings| {
        settings.skip_negotiation = true;
    });
    let _socket = hub.greet().await;
    assert_eq!(events.next().await, Some(Event::Connected));
    assert_eq!(hub.asked(), [("/hub".to_owned(), "Bearer ticket-client".to_owned())]);
}
