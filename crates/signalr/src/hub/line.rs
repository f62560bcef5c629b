//! The WebSocket of one connection, with its queue and its time, as something that can be polled.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::ws::{CloseFrame, Message as Carried, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Error as WireError;

use super::queue::{Next, Queue};
use crate::codec::{Message, ProtocolError};
use crate::settings::Timing;

/// What the line has to say.
pub(super) enum Event {
    /// A chunk of records.
    Received(Bytes),
    /// What came cannot be taken.
    Refused(ProtocolError),
    /// The client closed the WebSocket.
    Left,
    /// The line is broken.
    Dead,
    /// The queue holds an end.
    Ending,
    /// Nothing was heard for too long.
    Silent,
    /// The connection's time is over.
    Expired,
}

pub(super) struct Line {
    web_socket: WebSocket,
    timing: Timing,
    ends: Option<Instant>,
    said: Instant,
    heard: Instant,
    ping_due: bool,
    unflushed: bool,
    alarm: Pin<Box<Sleep>>,
}

impl Line {
    pub(super) fn new(web_socket: WebSocket, timing: Timing, ends: Option<Instant>) -> Self {
        let now = Instant::now();
        let alarm = Box::pin(sleep_until(now));
        let (ping_due, unflushed) = (false, false);
        Self { web_socket, timing, ends, said: now, heard: now, ping_due, unflushed, alarm }
    }

    pub(super) fn heard_now(&mut self) {
        self.heard = Instant::now();
    }

    /// The first record to the client; the socket has room for it, as nothing was sent before.
    pub(super) fn greet(&mut self, record: String) {
        self.send(Utf8Bytes::from(record));
    }

    fn send(&mut self, text: Utf8Bytes) {
        // An error shows at the next flush or read.
        let _ = self.web_socket.start_send_unpin(Carried::Text(text));
        self.said = Instant::now();
        self.ping_due = false;
        self.unflushed = true;
    }

    pub(super) async fn read(&mut self) -> Event {
        poll_fn(|context| self.poll_read(context)).await
    }

    /// Sends as much as goes, reads if told to, and looks at the time.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        queue: &Queue,
        reading: bool,
    ) -> Poll<Event> {
        queue.register(context.waker());
        if queue.is_ending() {
            return Poll::Ready(Event::Ending);
        }
        if let Poll::Ready(Err(())) = self.poll_send(context, queue) {
            return Poll::Ready(Event::Dead);
        }
        if reading && let Poll::Ready(event) = self.poll_read(context) {
            return Poll::Ready(event);
        }
        self.poll_time(context, queue, reading)
    }

    /// Ready when all that waited is with the operating system.
    fn poll_send(&mut self, context: &mut Context<'_>, queue: &Queue) -> Poll<Result<(), ()>> {
        loop {
            ready!(self.web_socket.poll_ready_unpin(context)).map_err(drop)?;
            match queue.next() {
                Next::Frame(frame) => self.send(frame),
                Next::Nothing if self.ping_due => self.send(Message::Ping.encode().into()),
                Next::Nothing => break,
            }
        }
        if self.unflushed {
            ready!(self.web_socket.poll_flush_unpin(context)).map_err(drop)?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Event> {
        loop {
            let came = match ready!(self.web_socket.poll_next_unpin(context)) {
                Some(Ok(came)) => came,
                Some(Err(error)) => return Poll::Ready(of_error(error)),
                None => return Poll::Ready(Event::Left),
            };
            self.heard = Instant::now();
            match came {
                Carried::Text(text) => return Poll::Ready(Event::Received(text.into())),
                Carried::Binary(_) => return Poll::Ready(Event::Refused(ProtocolError::Binary)),
                Carried::Close(_) => return Poll::Ready(Event::Left),
                // The pong is written by the library and goes out with the next flush.
                Carried::Ping(_) | Carried::Pong(_) => self.unflushed = true,
            }
        }
    }

    /// The alarm is not moved with every message: when it rings, it looks how much time is left.
    fn poll_time(
        &mut self,
        context: &mut Context<'_>,
        queue: &Queue,
        reading: bool,
    ) -> Poll<Event> {
        while self.alarm.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            if self.ends.is_some_and(|ends| ends <= now) {
                return Poll::Ready(Event::Expired);
            }
            if reading && self.heard + self.timing.peer_timeout <= now {
                return Poll::Ready(Event::Silent);
            }
            if self.said + self.timing.keep_alive <= now {
                self.said = now;
                self.ping_due = true;
                if let Poll::Ready(Err(())) = self.poll_send(context, queue) {
                    return Poll::Ready(Event::Dead);
                }
            }
            let next = self.next_alarm(now, reading);
            self.alarm.as_mut().reset(next);
        }
        Poll::Pending
    }

    fn next_alarm(&self, now: Instant, reading: bool) -> Instant {
        let silent = if reading { self.heard } else { now } + self.timing.peer_timeout;
        let next = silent.min(self.said + self.timing.keep_alive);
        self.ends.map_or(next, |ends| ends.min(next))
    }

    /// Sends all that waits.
    pub(super) async fn send_all(&mut self, queue: &Queue) -> Result<(), ()> {
        poll_fn(|context| self.poll_send(context, queue)).await
    }

    /// The last record, the close frame, and a moment for the other side to answer: a socket that is
    /// dropped with something unread resets the connection, and the last words are lost.
    pub(super) async fn farewell(&mut self, record: Option<String>, code: u16) {
        let web_socket = &mut self.web_socket;
        let _ = timeout(self.timing.closing, async {
            if let Some(record) = record {
                web_socket.send(Carried::Text(record.into())).await.ok()?;
            }
            let frame = CloseFrame { code, reason: Utf8Bytes::default() };
            web_socket.send(Carried::Close(Some(frame))).await.ok()?;
            while let Some(Ok(_)) = web_socket.recv().await {}
            Some(())
        })
        .await;
    }
}

/// What the WebSocket library makes of what came.
fn of_error(error: axum::Error) -> Event {
    match error.into_inner().downcast::<WireError>().map(|error| *error) {
        Ok(WireError::Capacity(_)) => Event::Refused(ProtocolError::TooLong(0)),
        Ok(error @ (WireError::Protocol(_) | WireError::Utf8(_))) => {
            Event::Refused(ProtocolError::Malformed(error.to_string()))
        }
        _ => Event::Dead,
    }
}
