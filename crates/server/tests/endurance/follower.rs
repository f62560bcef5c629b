//! Somebody who writes down what happens in a family, as it comes over the hub: each number after the
//! one before it and no other, over as many connections as it takes.

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::OsEntropy;
use luminous_signalr::client::{
    Client, ClientPort, ClientSettings, Event, Events, InvokeError, Pauses, PostAnswer, PostFailed,
    TicketError,
};
use luminous_wire::api::FamilyEvent;
use luminous_wire::api::hub::family_hub;
use reqwest::Url;
use tokio::sync::watch;

use crate::person::{Person, Phone};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// What was written down.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Number after number, from the first.
    pub events: Vec<FamilyEvent>,
    /// How many connections were made.
    pub connections: usize,
    /// How many came that were there already.
    pub repeated: usize,
    /// How many came while one before them was missing.
    pub gaps: usize,
    /// How often it was told to read everything anew.
    pub resyncs: usize,
}

impl Log {
    fn take(&mut self, event: FamilyEvent) {
        let next = self.events.len() as u64 + 1;
        match event.seq.cmp(&next) {
            std::cmp::Ordering::Less => self.repeated += 1,
            std::cmp::Ordering::Equal => self.events.push(event),
            std::cmp::Ordering::Greater => self.gaps += 1,
        }
    }
}

/// Listens until it is dropped.
pub struct Follower {
    log: watch::Receiver<Log>,
    _client: Client,
}

/// The way to the hub.
struct Line {
    phone: Phone,
    base: String,
    http: reqwest::Client,
}

impl ClientPort for Line {
    async fn ticket(&self) -> Result<Option<String>, TicketError> {
        self.phone.ticket(&self.base).await.map(Some)
    }

    async fn post(&self, address: &Url, bearer: Option<&str>) -> Result<PostAnswer, PostFailed> {
        let request = self.http.post(address.clone()).bearer_auth(bearer.unwrap_or_default());
        let failed = |error: reqwest::Error| PostFailed(error.to_string());
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(failed)?.to_vec();
        Ok(PostAnswer { status, body, retry_after: None })
    }
}

impl Follower {
    /// Listens to the family of `person`, by way of `base`.
    pub fn start(person: &Person, base: &str, pauses: Pauses) -> Self {
        let hub = Url::parse(&format!("{base}{}", family_hub::PATH)).unwrap();
        let settings = ClientSettings { pauses, ..ClientSettings::new(hub, Arc::new(OsEntropy)) };
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let line = Line { phone: person.phone.clone(), base: base.to_owned(), http };
        let (client, events) = Client::start(settings, line);
        let (writer, log) = watch::channel(Log::default());
        tokio::spawn(follow(client.clone(), events, writer));
        Self { log, _client: client }
    }

    /// The log once it has so many events; as it is, if that takes too long.
    pub async fn log(&mut self, count: usize) -> Log {
        let has_all = self.log.wait_for(|log| log.events.len() >= count);
        let _ = tokio::time::timeout(PATIENCE, has_all).await;
        self.log.borrow().clone()
    }
}

async fn follow(client: Client, mut events: Events, log: watch::Sender<Log>) {
    while let Some(event) = events.next().await {
        match event {
            Event::Connected => {
                log.send_modify(|log| log.connections += 1);
                let seen = log.borrow().events.len() as u64;
                // Beside the events, because the answer comes behind them.
                tokio::spawn(go_on(client.clone(), seen));
            }
            Event::Called { target, arguments } if target == family_hub::EVENT => {
                let (event,) = arguments.read().unwrap();
                log.send_modify(|log| log.take(event));
            }
            Event::Called { .. } => log.send_modify(|log| log.resyncs += 1),
            Event::Lost { .. } => {}
            Event::Ended(why) => panic!("the hub wants nobody any more: {why}"),
        }
    }
}

async fn go_on(client: Client, seen: u64) {
    match client.invoke::<u64>(family_hub::RESUME, &(seen,), PATIENCE).await {
        // The connection that was asked is gone: the next one is asked anew.
        Ok(_) | Err(InvokeError::NotConnected | InvokeError::Lost) => {}
        Err(_) => client.wake(),
    }
}
