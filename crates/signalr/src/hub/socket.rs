//! The life of one connection: handshake, messages in turn, last words. One task, one timer.

use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use axum::extract::ws::WebSocket;
use bytes::Bytes;
use futures_util::FutureExt as _;
use tokio::time::{Instant, timeout};

use super::line::{Event, Line};
use super::queue::End;
use super::{Connection, ConnectionId, EXPIRED, Frame, Handler, HubError, Inner, Reply};
use crate::codec::{
    Arguments, HandshakeError, HandshakeRequest, HandshakeResponse, Message, Outcome,
    ProtocolError, Records,
};

/// WebSocket close codes (RFC 6455 section 7.4.1).
const NORMAL: u16 = 1000;
const PROTOCOL_ERROR: u16 = 1002;
const TOO_BIG: u16 = 1009;

/// Why a connection ends.
enum Ending {
    /// We say why.
    Said(End),
    /// The other side broke the protocol.
    Broken(ProtocolError),
    /// The other side took its leave.
    Left,
    /// The line is dead; there is nobody to say anything to.
    Dead,
}

/// What the handler is at.
type Job = Pin<Box<dyn Future<Output = Done> + Send>>;

enum Done {
    Connected(Result<(), HubError>),
    Invoked { id: Option<String>, target: String, result: Result<Reply, HubError> },
}

pub(super) async fn serve<H: Handler>(
    hub: &Arc<Inner<H>>,
    web_socket: WebSocket,
    id: ConnectionId,
    caller: H::Caller,
) {
    let ends = hub.handler.life(&caller).and_then(|life| Instant::now().checked_add(life));
    let connection = Connection::new(id, caller);
    let mut line = Line::new(web_socket, hub.settings.timing, ends);
    let mut records = Records::new(hub.settings.limits.record);
    let hands = shake_hands(hub, &mut line, &mut records);
    let hands = tokio::select! {
        shaken = timeout(hub.settings.timing.handshake, hands) => shaken,
        () = hub.settings.shutdown.cancelled() => return line.farewell(None, NORMAL).await,
    };
    match hands.unwrap_or(Err(Some(HandshakeError::Late))) {
        Ok(()) => {}
        Err(Some(why)) => return refuse(&mut line, &why).await,
        Err(None) => return,
    }
    let mut session = Session { hub, connection, line, records, job: None };
    let ending = session.run().await;
    session.end(ending).await;
}

/// The first record of the client; an error without a reason is a client that left.
async fn shake_hands<H: Handler>(
    hub: &Inner<H>,
    line: &mut Line,
    records: &mut Records,
) -> Result<(), Option<HandshakeError>> {
    let malformed = |error| Some(HandshakeError::Malformed(error));
    loop {
        if let Some(record) = records.next().map_err(malformed)? {
            HandshakeRequest::accept(&record, hub.settings.limits)?;
            line.greet(HandshakeResponse::default().encode());
            return Ok(());
        }
        match line.read().await {
            Event::Received(chunk) => records.add(chunk).map_err(malformed)?,
            Event::Refused(error) => return Err(malformed(error)),
            Event::Left | Event::Dead => return Err(None),
            Event::Ending | Event::Silent | Event::Expired => {}
        }
    }
}

async fn refuse(line: &mut Line, why: &HandshakeError) {
    tracing::debug!(%why, "a handshake is refused");
    let code = match why {
        HandshakeError::Malformed(error) => close_code(error),
        _ => NORMAL,
    };
    line.farewell(Some(HandshakeResponse::refused(why).encode()), code).await;
}

fn close_code(error: &ProtocolError) -> u16 {
    match error {
        ProtocolError::TooLong(_) => TOO_BIG,
        _ => PROTOCOL_ERROR,
    }
}

struct Session<'a, H: Handler> {
    hub: &'a Arc<Inner<H>>,
    connection: Connection<H::Caller>,
    line: Line,
    records: Records,
    job: Option<Job>,
}

/// What happened next.
enum Step {
    Line(Event),
    Done(Done),
    Shutdown,
}

impl<H: Handler> Session<'_, H> {
    async fn run(&mut self) -> Ending {
        let (hub, connection) = (Arc::clone(self.hub), self.connection.clone());
        self.job = Some(Box::pin(async move {
            Done::Connected(caught(hub.handler.connected(&connection)).await)
        }));
        let shutdown = self.hub.settings.shutdown.clone();
        let mut shutdown = pin!(shutdown.cancelled());
        loop {
            if let Err(ending) = self.take_records() {
                return ending;
            }
            let ending = match self.step(shutdown.as_mut()).await {
                Step::Done(done) => self.finish(done),
                Step::Shutdown => Err(said(None, true)),
                Step::Line(event) => self.heed(event),
            };
            if let Err(ending) = ending {
                return ending;
            }
        }
    }

    /// Sends what waits, reads while nothing is being done, and watches the time.
    async fn step(&mut self, mut shutdown: Pin<&mut impl Future<Output = ()>>) -> Step {
        let (line, queue) = (&mut self.line, self.connection.queue());
        let job = &mut self.job;
        poll_fn(|context| {
            if shutdown.as_mut().poll(context).is_ready() {
                return Poll::Ready(Step::Shutdown);
            }
            if let Some(running) = job
                && let Poll::Ready(done) = running.as_mut().poll(context)
            {
                *job = None;
                return Poll::Ready(Step::Done(done));
            }
            line.poll(context, queue, job.is_none()).map(Step::Line)
        })
        .await
    }

    fn heed(&mut self, event: Event) -> Result<(), Ending> {
        match event {
            Event::Received(chunk) => self.records.add(chunk).map_err(Ending::Broken),
            Event::Refused(error) => Err(Ending::Broken(error)),
            Event::Left if self.records.is_within_record() => {
                tracing::debug!("{}", ProtocolError::Truncated);
                Err(Ending::Left)
            }
            Event::Left => Err(Ending::Left),
            Event::Dead => Err(Ending::Dead),
            Event::Ending => match self.connection.queue().ending() {
                Some(end) => Err(Ending::Said(end)),
                None => Ok(()),
            },
            // It may come again: it was perhaps only asleep.
            Event::Silent => Err(said(
                Some(
                    "Client hasn't sent a message/ping within the configured ClientTimeoutInterval.",
                ),
                true,
            )),
            Event::Expired => Err(said(Some(EXPIRED), true)),
        }
    }

    /// Acts on the records that are there, until one of them needs time.
    fn take_records(&mut self) -> Result<(), Ending> {
        while self.job.is_none() {
            let Some(record) = self.records.next().map_err(Ending::Broken)? else { return Ok(()) };
            self.act(&record)?;
        }
        Ok(())
    }

    fn act(&mut self, record: &Bytes) -> Result<(), Ending> {
        let message = Message::decode(record, self.hub.settings.limits);
        match message.map_err(Ending::Broken)? {
            Message::Invocation { id, target, arguments, streams, streaming } => {
                match self.find(&target, streams, streaming) {
                    Ok(method) => self.invoke(id, target, method, arguments),
                    Err(error) => self.complete(id, Outcome::Error(error)),
                }
                Ok(())
            }
            Message::Close { .. } => Err(Ending::Left),
            // A completion here can only be of a stream that nobody takes.
            Message::Completion { .. } | Message::Ping | Message::Passed(_) => Ok(()),
        }
    }

    /// The method, as the handler writes it.
    fn find(&self, target: &str, streams: usize, streaming: bool) -> Result<&'static str, String> {
        let known = H::METHODS.iter().find(|known| known.eq_ignore_ascii_case(target));
        let known = known.ok_or_else(|| format!("Unknown hub method '{target}'"))?;
        if streaming {
            return Err(format!(
                "The client attempted to invoke the non-streaming '{target}' method with a streaming \
                 invocation."
            ));
        }
        if streams > 0 {
            let why = format!("Client sent {streams} stream(s), Hub method expects 0.");
            return Err(HubError::Told(why).of_invoking(target));
        }
        Ok(known)
    }

    fn invoke(
        &mut self,
        id: Option<String>,
        target: String,
        method: &'static str,
        arguments: Arguments,
    ) {
        let (hub, connection) = (Arc::clone(self.hub), self.connection.clone());
        self.job = Some(Box::pin(async move {
            let result = caught(hub.handler.invoke(&connection, method, arguments)).await;
            Done::Invoked { id, target, result }
        }));
    }

    fn finish(&mut self, done: Done) -> Result<(), Ending> {
        // Nothing was read meanwhile, so that silence proves nothing.
        self.line.heard_now();
        match done {
            Done::Connected(Ok(())) => Ok(()),
            Done::Connected(Err(error)) => Err(said(Some(&error.of_closing()), false)),
            Done::Invoked { id, target, result } => {
                let outcome = match result {
                    Ok(Reply(Some(raw))) => Outcome::Result(raw),
                    Ok(Reply(None)) => Outcome::Result(null()),
                    Err(error) => Outcome::Error(error.of_invoking(&target)),
                };
                self.complete(id, outcome);
                Ok(())
            }
        }
    }

    /// Replies, if a reply was asked for.
    fn complete(&self, id: Option<String>, outcome: Outcome) {
        if let Some(id) = id {
            let record = Message::Completion { id, outcome }.encode();
            self.connection.queue().reply(Frame::from_record(record).0);
        }
    }

    async fn end(mut self, ending: Ending) {
        let (record, code) = match ending {
            Ending::Dead => {
                self.connection.queue().finish();
                self.hub.handler.closed(&self.connection).await;
                return;
            }
            Ending::Left => (None, NORMAL),
            Ending::Broken(error) => {
                tracing::debug!(%error, "a client breaks the protocol");
                self.connection.queue().end(End::default());
                let told = Some(HubError::Internal.of_closing());
                (
                    Some(Message::Close { error: told, allow_reconnect: false }.encode()),
                    close_code(&error),
                )
            }
            Ending::Said(end) => {
                self.connection.queue().end(end.clone());
                self.let_finish().await;
                let End { error, allow_reconnect } = end;
                (Some(Message::Close { error, allow_reconnect }.encode()), NORMAL)
            }
        };
        self.job = None;
        let closing = self.hub.settings.timing.closing;
        let queue = self.connection.queue();
        let _ = timeout(closing, self.line.send_all(queue)).await;
        queue.finish();
        self.line.farewell(record, code).await;
        self.hub.handler.closed(&self.connection).await;
    }

    /// Whoever closes the connection while an invocation runs, perhaps that invocation itself, means
    /// after its reply.
    async fn let_finish(&mut self) {
        let Some(job) = &mut self.job else { return };
        if let Ok(done) = timeout(self.hub.settings.timing.closing, job).await {
            self.job = None;
            let _ = self.finish(done);
        }
    }
}

/// A handler that panics has failed, and its connection is still to be told to it as closed.
async fn caught<T>(work: impl Future<Output = Result<T, HubError>>) -> Result<T, HubError> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or(Err(HubError::Internal))
}

fn said(error: Option<&str>, allow_reconnect: bool) -> Ending {
    Ending::Said(End { error: error.map(str::to_owned), allow_reconnect })
}

fn null() -> Box<serde_json::value::RawValue> {
    serde_json::value::RawValue::NULL.to_owned()
}
