//! A client of the family's hub by hand: it reads not a byte more than it is told to, and puts its
//! ticket where it is told to.

use luminous_wire::api::hub::family_hub;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::PATIENCE;
use crate::rig::Rig;

/// What ends each record.
const END: u8 = 0x1e;

/// One connection.
pub struct Raw {
    socket: TcpStream,
    read: Vec<u8>,
}

impl Raw {
    /// Opens a WebSocket at the hub, with this query and these lines of header, and shakes hands.
    pub async fn at(rig: &Rig, query: &str, header: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(1024).unwrap();
        let port: u16 = rig.base.rsplit(':').next().unwrap().parse().unwrap();
        let mut socket = socket.connect(([127, 0, 0, 1], port).into()).await.unwrap();
        let request = format!(
            "GET {}{query} HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: upgrade\r\n\
             upgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{header}\r\n",
            family_hub::PATH
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut raw = Self { socket, read: Vec::new() };
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.extend(raw.take(1).await);
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        raw.say(&json!({ "protocol": "json", "version": 1 })).await;
        assert_eq!(raw.record().await, json!({}));
        raw
    }

    /// Says that it has everything up to `seen`, and answers the family's newest event.
    pub async fn resume(&mut self, seen: u64) -> u64 {
        let target = family_hub::RESUME;
        self.say(&json!({ "type": 1, "invocationId": "0", "target": target, "arguments": [seen] }))
            .await;
        let told = self.record().await;
        assert_eq!(told["type"], 3, "{told}");
        told["result"].as_u64().unwrap()
    }

    /// The next record that is no ping.
    pub async fn record(&mut self) -> Value {
        loop {
            let frame = self.frame().await;
            let record: Value =
                serde_json::from_slice(frame.strip_suffix(&[END]).unwrap()).unwrap();
            if record["type"] != 6 {
                return record;
            }
        }
    }

    /// Reads one byte, and keeps it.
    pub async fn sip(&mut self) {
        let byte = timeout(PATIENCE, self.socket.read_u8()).await.expect("nothing comes");
        self.read.push(byte.unwrap());
    }

    /// The next text frame (RFC 6455 section 5.2).
    async fn frame(&mut self) -> Vec<u8> {
        let head = self.take(2).await;
        assert_eq!(head[0], 0x81, "a whole text");
        let length = match head[1] {
            126 => {
                let length = self.take(2).await;
                u16::from_be_bytes([length[0], length[1]])
            }
            length => u16::from(length),
        };
        self.take(length.into()).await
    }

    async fn take(&mut self, count: usize) -> Vec<u8> {
        while self.read.len() < count {
            self.sip().await;
        }
        self.read.drain(..count).collect()
    }

    /// Short, in a frame whose mask changes nothing.
    async fn say(&mut self, record: &Value) {
        let mut text = record.to_string().into_bytes();
        text.push(END);
        let length = u8::try_from(text.len()).unwrap();
        assert!(length < 126);
        let frame = [&[0x81, 0x80 | length, 0, 0, 0, 0], text.as_slice()].concat();
        self.socket.write_all(&frame).await.unwrap();
    }
}
