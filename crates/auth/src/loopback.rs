//! The loopback listener: how the answer comes back where the deep link does not (RFC 8252 7.3).
//!
//! It is bound before the browser opens, on one of a few fixed ports, because Azure AD B2C does not
//! reliably accept any port. It listens on this machine only, on IPv4 and IPv6 both where both
//! exist: a browser may take either for `localhost`, and a port whose other half somebody else
//! holds is not used at all. Any web page can make requests to it, so it believes none: it serves
//! one path, one method, one `Host`, in bounded memory and time, and what it answers repeats
//! nothing of the request.

mod page;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::redirect::{LOOPBACK_PATH, Redirect, RedirectError, parse_loopback};
pub use page::Page;

/// The ports registered with the provider, in the order they are tried.
pub const PORTS: [u16; 4] = [47218, 47219, 47220, 47221];

/// How long one connection may take from its first byte to its last.
const CONNECTION_TIME: Duration = Duration::from_secs(10);

/// How long to wait after a connection could not be accepted: without descriptors left the next try
/// fails at once, again and again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A request line with a long code, and a browser's headers.
const LONGEST_HEAD: usize = 80 * 1024;

/// Connections at a time; more wait in the backlog.
const MOST_CONNECTIONS: usize = 32;

/// No port could be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no loopback port is free: {}", .tried.join(", "))]
pub struct NoPort {
    /// Each port tried and what the operating system said.
    pub tried: Vec<String>,
}

/// A bound listener that does not serve yet.
#[derive(Debug)]
pub struct Loopback {
    port: u16,
    listeners: Vec<TcpListener>,
}

/// What the sign-in makes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the one awaited: the listener's work is done.
    Taken,
    /// It belongs to nothing; the true one may still come.
    Refused,
}

/// Judges each well- or ill-formed answer as it arrives.
pub type Judge = Arc<dyn Fn(Result<Redirect, RedirectError>) -> Verdict + Send + Sync>;

impl Loopback {
    /// Binds the first of `ports` that is free.
    ///
    /// # Errors
    /// [`NoPort`], naming each port's reason.
    pub async fn bind(ports: &[u16]) -> Result<Self, NoPort> {
        let mut tried = Vec::new();
        for &port in ports {
            match bind_both(port).await {
                Ok(loopback) => return Ok(loopback),
                Err(error) => tried.push(format!("{port}: {error}")),
            }
        }
        Err(NoPort { tried })
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Serves until `judge` has taken an answer and its page was sent. Dropping the future closes
    /// the port at once.
    pub async fn serve(self, judge: Judge) {
        let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let (done, mut finished) = mpsc::channel(1);
        let mut connections = JoinSet::new();
        loop {
            let free = Arc::clone(&slots);
            let stream = tokio::select! {
                stream = self.accept(free) => stream,
                _ = finished.recv() => return,
                Some(_) = connections.join_next() => continue,
            };
            let Some((stream, slot)) = stream else { return };
            let (judge, done, port) = (Arc::clone(&judge), done.clone(), self.port);
            connections.spawn(async move {
                let answered = tokio::time::timeout(CONNECTION_TIME, answer(stream, port, &judge));
                if let Ok(Ok(Some(Verdict::Taken))) = answered.await {
                    let _ = done.send(()).await;
                }
                drop(slot);
            });
        }
    }

    async fn accept(
        &self,
        slots: Arc<Semaphore>,
    ) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
        let slot = slots.acquire_owned().await.ok()?;
        loop {
            let accepted = match self.listeners.as_slice() {
                [one] => one.accept().await,
                [one, other, ..] => tokio::select! {
                    accepted = one.accept() => accepted,
                    accepted = other.accept() => accepted,
                },
                [] => return None,
            };
            match accepted {
                Ok((stream, _)) => return Some((stream, slot)),
                // The peer gave up in the backlog, or descriptors ran out; neither ends a sign-in.
                Err(error) => {
                    tracing::debug!(%error, "a loopback connection was lost");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

/// Binds `port` on both loopback addresses, or on the only one this machine has (R12).
async fn bind_both(port: u16) -> io::Result<Loopback> {
    let four = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let port = match &four {
        Ok(listener) => listener.local_addr()?.port(),
        Err(_) => port,
    };
    let six = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await;
    let listeners = match (four, six) {
        (Ok(four), Ok(six)) => vec![four, six],
        (Ok(one), Err(error)) | (Err(error), Ok(one)) if is_absent(&error) => vec![one],
        (Err(error), _) | (_, Err(error)) => return Err(error),
    };
    let port = listeners[0].local_addr()?.port();
    Ok(Loopback { port, listeners })
}

/// Whether the machine lacks the address family, rather than the port being taken.
fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, Unsupported};
    // EAFNOSUPPORT of Linux, macOS and Windows has no kind of its own.
    matches!(error.kind(), AddrNotAvailable | Unsupported)
        || matches!(error.raw_os_error(), Some(97 | 47 | 10047))
}

/// Reads one request and answers it. `None` when it was not an answer at all.
async fn answer(mut stream: TcpStream, port: u16, judge: &Judge) -> io::Result<Option<Verdict>> {
    let mut head = Vec::new();
    let (page, verdict, language) = loop {
        let mut block = [0_u8; 4096];
        let read = stream.read(&mut block).await?;
        if read == 0 {
            return Ok(None);
        }
        head.extend_from_slice(&block[..read]);
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut fields);
        match request.parse(&head) {
            Ok(httparse::Status::Complete(_)) => {
                let language = page::language(field(&request, "accept-language"));
                let (page, verdict) = decide(&request, port, judge);
                break (page, verdict, language);
            }
            Ok(httparse::Status::Partial) if head.len() < LONGEST_HEAD => {}
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
                break (Page::TooLarge, None, page::language(None));
            }
            Err(_) => break (Page::Bad, None, page::language(None)),
        }
    };
    stream.write_all(page.response(language).as_bytes()).await?;
    finish(stream).await?;
    Ok(verdict)
}

fn decide(
    request: &httparse::Request<'_, '_>,
    port: u16,
    judge: &Judge,
) -> (Page, Option<Verdict>) {
    let target = request.path.unwrap_or_default();
    // Against DNS rebinding: a page on another name that resolves to 127.0.0.1 sends its own name.
    let ours = format!("localhost:{port}");
    let mut hosts = request.headers.iter().filter(|f| f.name.eq_ignore_ascii_case("host"));
    let host = hosts.next().and_then(|field| std::str::from_utf8(field.value).ok());
    if hosts.next().is_some() || !host.is_some_and(|host| host.eq_ignore_ascii_case(&ours)) {
        return (Page::Bad, None);
    }
    if target.split('?').next() != Some(LOOPBACK_PATH) {
        return (Page::NotFound, None);
    }
    if request.method != Some("GET") {
        return (Page::WrongMethod, None);
    }
    match judge(parse_loopback(port, target.as_bytes())) {
        Verdict::Taken => (Page::Done, Some(Verdict::Taken)),
        Verdict::Refused => (Page::Refused, Some(Verdict::Refused)),
    }
}

fn field<'h>(request: &httparse::Request<'_, 'h>, name: &str) -> Option<&'h str> {
    let field = request.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name))?;
    std::str::from_utf8(field.value).ok()
}

/// Closes in order: unread bytes at close would reset the connection and the page with it.
async fn finish(mut stream: TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut rest = [0_u8; 4096];
    let mut drained = 0;
    while drained < LONGEST_HEAD * 16 {
        match stream.read(&mut rest).await {
            Ok(0) | Err(_) => break,
            Ok(read) => drained += read,
        }
    }
    Ok(())
}
