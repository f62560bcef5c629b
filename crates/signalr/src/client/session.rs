//! A connection while it lasts.

use std::collections::{HashMap, VecDeque};
use std::future::pending;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::value::RawValue;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message as Carried;

use super::approach::{Arrived, Socket, taken};
use super::{ClientSettings, Command, Event, InvokeError, Lost};
use crate::codec::{Message, Outcome, Records};

type Reply = oneshot::Sender<Result<Box<RawValue>, InvokeError>>;

pub(super) struct Session<'a> {
    settings: &'a ClientSettings,
    socket: Socket,
    records: Records,
    asked: HashMap<String, Reply>,
    /// Events that nobody has taken yet. While there are some, nothing is read.
    untold: VecDeque<Event>,
    said: Instant,
    heard: Instant,
}

impl<'a> Session<'a> {
    pub(super) fn new(settings: &'a ClientSettings, arrived: Arrived) -> Self {
        let now = Instant::now();
        Self {
            settings,
            socket: arrived.socket,
            records: arrived.records,
            asked: HashMap::new(),
            untold: VecDeque::from([Event::Connected]),
            said: now,
            heard: now,
        }
    }

    /// Until it is lost. Who still waits for a completion learns that by the end of this value.
    pub(super) async fn run(
        mut self,
        orders: &mut mpsc::Receiver<Command>,
        happened: &mpsc::Sender<Event>,
        wake: &Notify,
    ) -> Lost {
        match self.go_on(orders, happened, wake).await {
            Ok(never) => match never {},
            Err(Lost::Ours) => {
                self.say_good_bye().await;
                Lost::Ours
            }
            Err(why) => why,
        }
    }

    async fn go_on(
        &mut self,
        orders: &mut mpsc::Receiver<Command>,
        happened: &mpsc::Sender<Event>,
        wake: &Notify,
    ) -> Result<std::convert::Infallible, Lost> {
        loop {
            self.take_records().await?;
            let reading = self.untold.is_empty();
            let room = async {
                // Nobody listens any more: what is told is lost, and invoking still works.
                if reading { pending().await } else { happened.reserve().await.ok() }
            };
            let alarm = self.next_alarm(reading);
            tokio::select! {
                biased;
                () = wake.notified() => return Err(Lost::Woken),
                room = room => {
                    if let (Some(event), Some(room)) = (self.untold.pop_front(), room) {
                        room.send(event);
                    }
                    self.heard = Instant::now();
                }
                order = orders.recv() => self.obey(order).await?,
                came = self.socket.next(), if reading => {
                    self.heard = Instant::now();
                    if let Some(chunk) = taken(came, self.settings)? {
                        self.records.add(chunk)?;
                    }
                }
                () = sleep_until(alarm) => self.look_at_the_time(reading).await?,
            }
        }
    }

    fn next_alarm(&self, reading: bool) -> Instant {
        let ping = self.said + self.settings.timing.keep_alive;
        if reading { ping.min(self.heard + self.settings.timing.peer_timeout) } else { ping }
    }

    async fn look_at_the_time(&mut self, reading: bool) -> Result<(), Lost> {
        let now = Instant::now();
        if reading && self.heard + self.settings.timing.peer_timeout <= now {
            return Err(Lost::Silent);
        }
        if self.said + self.settings.timing.keep_alive <= now {
            self.send(Message::Ping.encode()).await?;
        }
        Ok(())
    }

    async fn obey(&mut self, order: Option<Command>) -> Result<(), Lost> {
        match order {
            Some(Command::Invoke { id, record, reply }) => {
                // Those who waited in vain and left.
                self.asked.retain(|_, reply| !reply.is_closed());
                self.asked.insert(id, reply);
                self.send(record).await
            }
            Some(Command::Close) | None => Err(Lost::Ours),
        }
    }

    async fn send(&mut self, record: String) -> Result<(), Lost> {
        self.said = Instant::now();
        let sending = self.socket.send(Carried::Text(record.into()));
        match timeout(self.settings.timing.peer_timeout, sending).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Lost::Broken),
            Err(_) => Err(Lost::Silent),
        }
    }

    /// Acts on the records that are there, until one of them must be told first.
    async fn take_records(&mut self) -> Result<(), Lost> {
        while self.untold.is_empty() {
            let Some(record) = self.records.next()? else { return Ok(()) };
            match Message::decode(&record, self.settings.limits)? {
                Message::Invocation { id, target, arguments, .. } => {
                    self.untold.push_back(Event::Called { target, arguments });
                    self.decline(id).await?;
                }
                Message::Completion { id, outcome } => self.complete(&id, outcome),
                Message::Close { error, allow_reconnect } => {
                    return Err(Lost::Closed { error, allow_reconnect });
                }
                Message::Ping | Message::Passed(_) => {}
            }
        }
        Ok(())
    }

    /// A hub may ask its clients for results. Nothing here gives any, and Microsoft's client says so in
    /// these words.
    async fn decline(&mut self, id: Option<String>) -> Result<(), Lost> {
        let Some(id) = id else { return Ok(()) };
        let outcome = Outcome::Error("Client didn't provide a result.".to_owned());
        self.send(Message::Completion { id, outcome }.encode()).await
    }

    fn complete(&mut self, id: &str, outcome: Outcome) {
        let Some(reply) = self.asked.remove(id) else { return };
        // Who does not wait any more needs no answer.
        let _ = reply.send(match outcome {
            Outcome::Result(raw) => Ok(raw),
            Outcome::Void => Ok(RawValue::NULL.to_owned()),
            Outcome::Error(error) => Err(InvokeError::Refused(error)),
        });
    }

    async fn say_good_bye(&mut self) {
        let record = Message::Close { error: None, allow_reconnect: false }.encode();
        let _ = timeout(self.settings.timing.closing, async {
            self.socket.send(Carried::Text(record.into())).await.ok()?;
            self.socket.close(None).await.ok()?;
            while let Some(Ok(_)) = self.socket.next().await {}
            Some(())
        })
        .await;
    }
}
