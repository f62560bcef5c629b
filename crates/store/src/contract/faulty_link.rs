//! A network that can be told to fail: a real TCP relay on this machine between a store and its
//! PostgreSQL. It reads nothing of what it carries but a few bytes to look for.
#![expect(clippy::unwrap_used, reason = "a test that is set up wrongly stops there")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// What happens to what the store sends. All but [`Fault::None`], [`Fault::Slow`] and
/// [`Fault::DownBut`] happen once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// Everything arrives later by this much.
    Slow(Duration),
    /// What holds these bytes is swallowed, and the connection breaks.
    CutBefore(&'static [u8]),
    /// What holds these bytes arrives after this long, but the store's side of the connection breaks
    /// at once, so that it never hears the answer.
    CutAfter(&'static [u8], Duration),
    /// The message after this many more never arrives, and nothing is said.
    HoldAfter(usize),
    /// Nothing arrives, and whatever connection something is said on breaks, but for those that opened
    /// with these bytes.
    DownBut(&'static [u8]),
}

/// How much of a connection is remembered, in bytes: who opened it says its name there.
const OPENING: usize = 512;

#[derive(Debug)]
struct Rule {
    fault: Mutex<Fault>,
    held: Notify,
}

/// What is to be done with one message.
enum Fate {
    Pass(Duration),
    Swallow,
    PassAlone(Duration),
    Hold,
}

/// The relay; it ends when dropped.
#[derive(Debug)]
pub struct FaultyLink {
    address: SocketAddr,
    rule: Arc<Rule>,
    _relay: JoinSet<()>,
}

impl FaultyLink {
    /// A link to `server` without a fault.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let rule = Arc::new(Rule { fault: Mutex::new(Fault::None), held: Notify::new() });
        let mut relay = JoinSet::new();
        relay.spawn(accept(listener, server, Arc::clone(&rule)));
        Self { address, rule, _relay: relay }
    }

    /// Where the store finds it.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What happens from now on.
    pub fn set(&self, fault: Fault) {
        *self.rule.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Whether the fault has happened.
    #[must_use]
    pub fn is_over(&self) -> bool {
        *self.rule.fault.lock().unwrap_or_else(PoisonError::into_inner) == Fault::None
    }

    /// Waits until [`Fault::HoldAfter`] holds something, or something met [`Fault::DownBut`].
    pub async fn held(&self) {
        self.rule.held.notified().await;
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, rule: Arc<Rule>) {
    let mut links = JoinSet::new();
    while let Ok((store, _)) = listener.accept().await {
        // A server that is down takes no connections; nor does the link then.
        let Ok(server) = TcpStream::connect(server).await else { continue };
        let (from_store, to_store) = store.into_split();
        let (from_server, to_server) = server.into_split();
        let answers = links.spawn(carry_answers(from_server, to_store));
        let rule = Arc::clone(&rule);
        links.spawn(async move {
            carry_questions(from_store, to_server, &rule).await;
            // Aborted, the task drops its half, and the store's side is closed for good.
            answers.abort();
        });
    }
}

async fn carry_answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    drop(tokio::io::copy(&mut from, &mut to).await);
}

async fn carry_questions(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, rule: &Rule) {
    let (mut buffer, mut opening) = (vec![0; 64 * 1024], Vec::new());
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
        let message = &buffer[..length];
        opening.extend(message.iter().take(OPENING.saturating_sub(opening.len())));
        match rule.fate(message, &opening) {
            Fate::Pass(delay) => {
                tokio::time::sleep(delay).await;
                if to.write_all(message).await.is_err() {
                    return;
                }
            }
            Fate::Swallow => return,
            Fate::PassAlone(delay) => {
                let message = message.to_vec();
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    drop(to.write_all(&message).await);
                });
                return;
            }
            Fate::Hold => {
                rule.held.notify_one();
                // Until the store's side goes away by itself.
                while matches!(from.read(&mut buffer).await, Ok(1..)) {}
                return;
            }
        }
    }
}

fn holds(message: &[u8], word: &[u8]) -> bool {
    message.windows(word.len()).any(|part| part == word)
}

impl Rule {
    fn fate(&self, message: &[u8], opening: &[u8]) -> Fate {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let fate = match *fault {
            Fault::Slow(delay) => return Fate::Pass(delay),
            Fault::DownBut(word) if holds(opening, word) => return Fate::Pass(Duration::ZERO),
            Fault::DownBut(_) => {
                self.held.notify_one();
                return Fate::Swallow;
            }
            Fault::HoldAfter(0) => Fate::Hold,
            Fault::HoldAfter(more) => {
                *fault = Fault::HoldAfter(more - 1);
                return Fate::Pass(Duration::ZERO);
            }
            Fault::CutBefore(word) if holds(message, word) => Fate::Swallow,
            Fault::CutAfter(word, delay) if holds(message, word) => Fate::PassAlone(delay),
            _ => return Fate::Pass(Duration::ZERO),
        };
        *fault = Fault::None;
        fate
    }
}
