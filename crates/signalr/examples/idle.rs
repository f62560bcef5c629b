//! What an idle connection costs the hub: `cargo run --release -p luminous-signalr --features hub
//! --example idle -- 1000 2000 4000 8000`. Server and clients live in one process; the clients are bare
//! sockets of the operating system and cost none of its memory. Linux only (`/proc/self/statm`).

#![expect(clippy::print_stdout, reason = "printing is its purpose")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::request::Parts;
use luminous_domain::{OsEntropy, SystemClock};
use luminous_signalr::hub::{Connection, Handler, Hub, HubError, HubSettings, Reply};
use luminous_signalr::{Arguments, Limits, Timing};
use tokio_util::sync::CancellationToken;

struct Idle;

impl Handler for Idle {
    type Caller = u64;
    type Refusal = StatusCode;
    const METHODS: &'static [&'static str] = &[];

    async fn admit(&self, _: &Parts, _: Option<&str>) -> Result<u64, StatusCode> {
        Ok(1)
    }

    fn seal(&self, caller: &u64) -> Vec<u8> {
        caller.to_be_bytes().to_vec()
    }

    fn open(&self, sealed: &[u8]) -> Option<u64> {
        Some(u64::from_be_bytes(sealed.try_into().ok()?))
    }

    async fn connected(&self, _: &Connection<u64>) -> Result<(), HubError> {
        Ok(())
    }

    async fn invoke(
        &self,
        _: &Connection<u64>,
        _: &'static str,
        _: Arguments,
    ) -> Result<Reply, HubError> {
        Ok(Reply::none())
    }

    async fn closed(&self, _: &Connection<u64>) {}
}

/// Kilobytes of this process that are in memory.
fn resident() -> std::io::Result<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    Ok(pages.unwrap_or(0u64) * 4)
}

/// Upgrade and handshake, by hand.
fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(
        b"GET /hub HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
          sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    )?;
    stream.set_nodelay(true)?;
    let mut byte = [0];
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    let handshake = b"{\"protocol\":\"json\",\"version\":1}\x1e";
    // A final text frame, masked with zeros.
    let mut frame = vec![0x81, 0x80 | handshake.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(handshake);
    stream.write_all(&frame)?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer)?;
    Ok(stream)
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    // The clients say nothing.
    let hour = Duration::from_secs(3600);
    let timing = Timing { peer_timeout: hour, ..Timing::default() };
    let settings = HubSettings {
        token_key: vec![7; 32],
        origins: Vec::new(),
        timing,
        limits: Limits::HUB,
        apart: Duration::ZERO,
        shutdown: CancellationToken::new(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
    };
    let hub = Hub::new(Idle, settings);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = hub.router::<()>("/hub");
    tokio::spawn(async move { axum::serve(listener, router).await });
    let steps: Vec<usize> = std::env::args().skip(1).filter_map(|it| it.parse().ok()).collect();
    tokio::task::spawn_blocking(move || measure(&hub, address, &steps)).await?
}

fn measure(hub: &Hub<Idle>, address: SocketAddr, steps: &[usize]) -> std::io::Result<()> {
    // What the first connections bring along is not theirs.
    let mut held: Vec<TcpStream> = Vec::with_capacity(20_000);
    for _ in 0..100 {
        held.push(connect(address)?);
    }
    let (before, first) = (resident()?, held.len());
    println!("connections  resident KB  KB each");
    for step in steps {
        while held.len() < *step {
            held.push(connect(address)?);
        }
        let (now, count) = (resident()?, hub.connections());
        let each = (now - before) as f64 / (count - first) as f64;
        println!("{count:11}  {now:11}  {each:7.1}");
    }
    Ok(())
}
