//! A small hub on loopback to try foreign clients on: `cargo run -p luminous-signalr --features hub
//! --example echo`. It prints its address, admits anybody who presents the ticket `let-me-in`, and ends
//! at the end of its input.
//!
//! Methods: `Echo(text)` answers the text; `Add(a, b)` the sum; `Quiet()` nothing; `Fail()` fails with
//! words; `Tell(text)` calls `Told(text)` at everybody; `Leave()` closes the caller for good, `Return()`
//! with `allowReconnect`.

#![expect(clippy::print_stdout, reason = "whoever starts it must learn the address")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use http::request::Parts;
use luminous_domain::{OsEntropy, SystemClock};
use luminous_signalr::hub::{
    Connection, ConnectionId, Frame, Handler, Hub, HubError, HubSettings, Reply,
};
use luminous_signalr::{Arguments, Limits, Timing};
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

#[derive(Default)]
struct Echo {
    everybody: Mutex<HashMap<ConnectionId, Connection<()>>>,
}

impl Echo {
    fn tell(&self, text: &str) -> Result<(), HubError> {
        let frame = Frame::call("Told", &[text]).map_err(|_| HubError::Internal)?;
        let everybody = self.everybody.lock().unwrap_or_else(PoisonError::into_inner);
        for connection in everybody.values() {
            // Who cannot be told is on the way out.
            let _ = connection.send_frame(&frame);
        }
        Ok(())
    }
}

impl Handler for Echo {
    type Caller = ();
    type Refusal = StatusCode;
    const METHODS: &'static [&'static str] =
        &["Echo", "Add", "Quiet", "Fail", "Tell", "Leave", "Return"];

    async fn admit(&self, _: &Parts, ticket: Option<&str>) -> Result<(), StatusCode> {
        if ticket == Some("let-me-in") { Ok(()) } else { Err(StatusCode::UNAUTHORIZED) }
    }

    fn seal(&self, (): &()) -> Vec<u8> {
        Vec::new()
    }

    fn open(&self, _: &[u8]) -> Option<()> {
        Some(())
    }

    async fn connected(&self, connection: &Connection<()>) -> Result<(), HubError> {
        let mut everybody = self.everybody.lock().unwrap_or_else(PoisonError::into_inner);
        everybody.insert(connection.id(), connection.clone());
        Ok(())
    }

    async fn invoke(
        &self,
        connection: &Connection<()>,
        method: &'static str,
        arguments: Arguments,
    ) -> Result<Reply, HubError> {
        match method {
            "Echo" => Reply::of(&arguments.read::<[String; 1]>()?[0]),
            "Add" => Reply::of(&arguments.read::<[i64; 2]>()?.iter().sum::<i64>()),
            "Fail" => Err(HubError::told("it did not work")),
            "Tell" => self.tell(&arguments.read::<[String; 1]>()?[0]).map(|()| Reply::none()),
            "Leave" | "Return" => {
                connection.close(None, method == "Return");
                Ok(Reply::none())
            }
            _ => Ok(Reply::none()),
        }
    }

    async fn closed(&self, connection: &Connection<()>) {
        self.everybody.lock().unwrap_or_else(PoisonError::into_inner).remove(&connection.id());
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let shutdown = CancellationToken::new();
    let settings = HubSettings {
        token_key: vec![7; 32],
        origins: Vec::new(),
        timing: Timing::default(),
        limits: Limits::HUB,
        apart: std::time::Duration::ZERO,
        shutdown: shutdown.clone(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
    };
    let hub = Hub::new(Echo::default(), settings);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/echo", listener.local_addr()?);
    let stop = shutdown.clone();
    tokio::spawn(async move {
        let _ = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
        stop.cancel();
    });
    let router = hub.router::<()>("/echo");
    axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await?;
    hub.drained().await;
    Ok(())
}
