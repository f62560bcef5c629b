//! Listening on this machine and nowhere else.
//!
//! `localhost` may resolve to either loopback address, so both are bound, to the same port. A
//! connection can be told to end in a reset instead of an answer.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Anybody in the network could reach it. This provider has no secrets from its network.
    #[error("{0} is not a loopback address; the emulator listens on this machine only")]
    NotLoopback(SocketAddr),
    /// The operating system refused.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// How many free ports are tried until one is free on both loopback addresses.
const ATTEMPTS: usize = 16;

/// One or both loopback addresses.
pub(crate) struct LoopbackListener {
    first: TcpListener,
    second: Option<TcpListener>,
    port: u16,
}

impl LoopbackListener {
    /// Binds `address` and, for 127.0.0.1, `[::1]` with the same port where there is IPv6.
    pub(crate) async fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        if !address.ip().is_loopback() {
            return Err(ListenError::NotLoopback(address));
        }
        let mut attempt = 1;
        loop {
            match bind_both(address).await {
                Err(ListenError::Bind { source, .. })
                    if address.port() == 0
                        && attempt < ATTEMPTS
                        && source.kind() == io::ErrorKind::AddrInUse =>
                {
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

async fn bind_both(address: SocketAddr) -> Result<LoopbackListener, ListenError> {
    let first = bind_one(address).await?;
    let port = first.local_addr().map_err(|source| ListenError::Bind { address, source })?.port();
    let second = match address.ip() {
        IpAddr::V4(_) => match bind_one(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await {
            Ok(listener) => Some(listener),
            // Somebody else there would get half of the browser's visits.
            Err(ListenError::Bind { address, source })
                if source.kind() == io::ErrorKind::AddrInUse =>
            {
                return Err(ListenError::Bind { address, source });
            }
            Err(_) => None,
        },
        IpAddr::V6(_) => None,
    };
    Ok(LoopbackListener { first, second, port })
}

async fn bind_one(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| ListenError::Bind { address, source })
}

impl Listener for LoopbackListener {
    type Io = Stream;
    type Addr = Line;

    async fn accept(&mut self) -> (Stream, Line) {
        let (stream, _) = match &mut self.second {
            None => Listener::accept(&mut self.first).await,
            Some(second) => tokio::select! {
                accepted = Listener::accept(&mut self.first) => accepted,
                accepted = Listener::accept(second) => accepted,
            },
        };
        let line = Line::default();
        (Stream { stream, line: line.clone() }, line)
    }

    fn local_addr(&self) -> io::Result<Line> {
        Ok(Line::default())
    }
}

/// One connection, as a handler sees it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line(Arc<AtomicBool>);

impl Line {
    /// Resets the connection as soon as anything would be written to it.
    pub(crate) fn reset(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Connected<IncomingStream<'_, LoopbackListener>> for Line {
    fn connect_info(stream: IncomingStream<'_, LoopbackListener>) -> Self {
        stream.remote_addr().clone()
    }
}

/// A connection that can be reset.
pub(crate) struct Stream {
    stream: TcpStream,
    line: Line,
}

impl Stream {
    /// `Err` once the connection is to be reset; dropping it then sends RST, not FIN.
    fn check(&self) -> io::Result<()> {
        if self.line.0.load(Ordering::Acquire) {
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
