//! A hub on loopback, and what it is made to do.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use http::request::Parts;
use luminous_domain::OsEntropy;
use luminous_signalr::hub::{Connection, ConnectionId, Handler, Hub, HubError, HubSettings, Reply};
use luminous_signalr::{Arguments, Limits, Timing};
use luminous_testkit::FrozenClock;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// Takes whoever presents `ticket-NAME`, any number of times.
pub struct Rooms {
    pub open: Mutex<Vec<Connection<String>>>,
    pub came: Mutex<mpsc::UnboundedSender<Connection<String>>>,
    pub tickets: Mutex<Vec<String>>,
    pub claimed: Arc<Mutex<HashSet<ConnectionId>>>,
    pub life: Mutex<Option<Duration>>,
    pub waiting: Notify,
    pub go_on: Notify,
}

impl Handler for Rooms {
    type Caller = String;
    type Refusal = StatusCode;
    const METHODS: &'static [&'static str] =
        &["Echo", "Sum", "Quiet", "Fail", "Break", "Leave", "Wait", "Who", "Flood", "Panic"];

    async fn admit(&self, _: &Parts, ticket: Option<&str>) -> Result<String, StatusCode> {
        let name = ticket.and_then(|ticket| ticket.strip_prefix("ticket-"));
        self.tickets.lock().unwrap().push(ticket.unwrap_or_default().to_owned());
        name.map(str::to_owned).ok_or(StatusCode::UNAUTHORIZED)
    }

    fn seal(&self, caller: &String) -> Vec<u8> {
        caller.as_bytes().to_vec()
    }

    fn open(&self, sealed: &[u8]) -> Option<String> {
        String::from_utf8(sealed.to_vec()).ok()
    }

    async fn claim(&self, id: ConnectionId) -> Result<bool, StatusCode> {
        Ok(self.claimed.lock().unwrap().insert(id))
    }

    fn life(&self, _: &String) -> Option<Duration> {
        *self.life.lock().unwrap()
    }

    async fn connected(&self, connection: &Connection<String>) -> Result<(), HubError> {
        if connection.caller() == "unwelcome" {
            return Err(HubError::told("not you"));
        }
        self.open.lock().unwrap().push(connection.clone());
        // Nobody waits for it in most tests.
        let _ = self.came.lock().unwrap().send(connection.clone());
        Ok(())
    }

    async fn invoke(
        &self,
        connection: &Connection<String>,
        method: &'static str,
        arguments: Arguments,
    ) -> Result<Reply, HubError> {
        match method {
            "Echo" => Reply::of(&arguments.read::<[String; 1]>()?[0]),
            "Sum" => Reply::of(&arguments.read::<Vec<i64>>()?.iter().sum::<i64>()),
            "Who" => Reply::of(connection.caller()),
            "Fail" => Err(HubError::told("it did not work")),
            "Panic" => panic!("as it was told to"),
            "Break" => Err(HubError::Internal),
            "Leave" => {
                connection.close(Some("go"), false);
                Reply::of(&"gone")
            }
            "Flood" => {
                let (count, at_once): (u32, u32) = arguments.read()?;
                for number in 0..count {
                    if number % at_once == 0 {
                        connection.caught_up().await;
                    }
                    connection.send("Event", &[number]).map_err(|_| HubError::Internal)?;
                }
                Ok(Reply::none())
            }
            "Wait" => {
                self.waiting.notify_one();
                self.go_on.notified().await;
                Ok(Reply::none())
            }
            _ => Ok(Reply::none()),
        }
    }

    async fn closed(&self, connection: &Connection<String>) {
        self.open.lock().unwrap().retain(|open| open.id() != connection.id());
    }
}

/// A running hub at `/hub`.
pub struct House {
    pub hub: Hub<Rooms>,
    pub address: SocketAddr,
    pub clock: Arc<FrozenClock>,
    pub shutdown: CancellationToken,
    pub came: mpsc::UnboundedReceiver<Connection<String>>,
}

impl House {
    pub async fn start() -> Self {
        Self::replica(Arc::default(), "127.0.0.1:0".parse().unwrap()).await
    }

    /// One of several with the same key and the same memory of who was claimed.
    pub async fn replica(claimed: Arc<Mutex<HashSet<ConnectionId>>>, address: SocketAddr) -> Self {
        let (sender, came) = mpsc::unbounded_channel();
        let rooms = Rooms {
            open: Mutex::default(),
            came: Mutex::new(sender),
            tickets: Mutex::default(),
            claimed,
            life: Mutex::default(),
            waiting: Notify::new(),
            go_on: Notify::new(),
        };
        let (clock, shutdown) = (Arc::new(FrozenClock::new()), CancellationToken::new());
        let settings = HubSettings {
            token_key: vec![9; 32],
            origins: vec!["https://family.example".to_owned()],
            timing: Timing::default(),
            limits: Limits::HUB,
            apart: Duration::ZERO,
            shutdown: shutdown.clone(),
            clock: clock.clone(),
            entropy: Arc::new(OsEntropy),
        };
        let hub = Hub::new(rooms, settings);
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = axum::serve(listener, hub.router::<()>("/hub"))
            .with_graceful_shutdown(shutdown.clone().cancelled_owned());
        tokio::spawn(async move { serving.await.unwrap() });
        Self { hub, address, clock, shutdown, came }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hub", self.address)
    }

    pub fn rooms(&self) -> &Rooms {
        self.hub.handler()
    }

    /// Until nobody is connected any more.
    pub async fn empty(&self) {
        self.down_to(0).await;
    }

    /// Until no more than so many are connected.
    pub async fn down_to(&self, connections: usize) {
        while self.hub.connections() > connections {
            tokio::task::yield_now().await;
        }
    }
}
