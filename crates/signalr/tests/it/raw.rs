//! A client that says exactly what it is told to, and HTTP without a client.

use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderValue;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::house::House;

pub const HANDSHAKE: &str = "{\"protocol\":\"json\",\"version\":1}\x1e";

/// Status, head and body of a request without a body.
pub async fn http(
    house: &House,
    method: &str,
    target: &str,
    headers: &str,
) -> (u16, String, String) {
    ask(&house.address.to_string(), method, &format!("/hub{target}"), headers).await
}

pub async fn ask(host: &str, method: &str, target: &str, headers: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 0\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}

/// The connection token for `name`.
pub async fn negotiate(house: &House, name: &str) -> String {
    let headers = format!("authorization: Bearer ticket-{name}\r\n");
    let (status, _, body) = http(house, "POST", "/negotiate?negotiateVersion=1", &headers).await;
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    answer["connectionToken"].as_str().unwrap().to_owned()
}

pub struct Raw {
    pub socket: WebSocketStream<TcpStream>,
    buffered: String,
}

/// How a connection ended, as a client sees it.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    /// The records before the end.
    pub records: Vec<String>,
    /// The WebSocket's close code; 1006 without a close frame.
    pub code: u16,
}

impl Raw {
    /// Opens the WebSocket with this query and these headers; the status if it is refused.
    pub async fn open(
        house: &House,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let url = format!("ws://{}/hub{query}", house.address);
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let stream = TcpStream::connect(house.address).await.unwrap();
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self { socket, buffered: String::new() }),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// Without negotiation, before the handshake.
    pub async fn silent(house: &House) -> Self {
        Self::open(house, "", &[("authorization", "Bearer ticket-raw")]).await.unwrap()
    }

    /// Without negotiation, after the handshake.
    pub async fn greeted(house: &House) -> Self {
        let mut raw = Self::silent(house).await;
        raw.say(HANDSHAKE).await;
        assert_eq!(raw.record().await, "{}");
        raw
    }

    pub async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next record.
    pub async fn record(&mut self) -> String {
        loop {
            if let Some((record, rest)) = self.buffered.split_once('\x1e') {
                let (record, rest) = (record.to_owned(), rest.to_owned());
                self.buffered = rest;
                return record;
            }
            match self.socket.next().await.unwrap().unwrap() {
                Message::Text(text) => self.buffered.push_str(&text),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("a record was expected, not {other:?}"),
            }
        }
    }

    pub async fn json(&mut self) -> Value {
        serde_json::from_str(&self.record().await).unwrap()
    }

    /// Everything until the end.
    pub async fn ended(&mut self) -> Ended {
        let mut code = 1006;
        while let Some(Ok(message)) = self.socket.next().await {
            match message {
                Message::Text(text) => self.buffered.push_str(&text),
                Message::Close(Some(frame)) => code = frame.code.into(),
                _ => {}
            }
        }
        let records = self.buffered.split_terminator('\x1e').map(str::to_owned).collect();
        Ended { records, code }
    }
}
