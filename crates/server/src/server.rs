//! A running server: listening, upkeep, and an end in good order.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures_util::future::select_all;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Config, ConfigError, Secrets};
use crate::front::Front;
use crate::hubs::Hubs;
use crate::oauth::SigningKeys;
use crate::state::{AppState, Parts};
use crate::{health, hubs, routes, upkeep};

/// How long requests may take to end at shutdown.
const GRACE: Duration = Duration::from_secs(10);
/// The most headers a request may have.
const MOST_HEADERS: usize = 64;
/// After an error of `accept` that is not about one connection (no more files, say).
const BREATH: Duration = Duration::from_millis(100);

/// The server could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("setting `{setting}`: cannot listen on {address}")]
    Listen {
        /// Which setting names it.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// A running server. Dropping it stops it at once; [`Server::shutdown`] lets the answers under way
/// be finished and closes the store.
pub struct Server {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    state: AppState,
    hubs: Hubs,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts one. It is listening when this returns, and has asked the identity providers for
    /// their keys once; that they did not answer does not keep it from starting.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config, parts: Parts) -> Result<Self, StartError> {
        let listener = listen("listen", config.listen).await?;
        Self::start_on(listener, config, parts).await
    }

    /// The same on a listener that is there already.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_on(
        listener: TcpListener,
        config: Config,
        parts: Parts,
    ) -> Result<Self, StartError> {
        let address = address_of(&listener, "listen", config.listen)?;
        let metrics = match config.metrics.listen {
            Some(at) => Some(listen("metrics.listen", at).await?),
            None => None,
        };
        let metrics_address = metrics.as_ref().and_then(|listener| listener.local_addr().ok());
        if config.store.postgres_url_file.is_none() {
            // With PostgreSQL there may be replicas, and each would make another one.
            Secrets::make_key(&config, &*parts.entropy)?;
            SigningKeys::make(&config, parts.clock.now())?;
        }
        let state = AppState::new(config, parts)?;
        let stop = CancellationToken::new();
        upkeep::warm(&state).await;
        let hubs = Hubs::new(&state, &stop);
        let front = Front::new(routes::router(state.clone(), &hubs), state.clone());
        let mut tasks = vec![
            tokio::spawn(serve(listener, front, state.clone(), stop.clone())),
            tokio::spawn(upkeep::run(state.clone(), stop.clone())),
            tokio::spawn(hubs::dispatch(state.clone(), stop.clone())),
        ];
        if let Some(listener) = metrics {
            let router = health::metrics_only().with_state(state.clone());
            let front = Front::new(router, state.clone());
            tasks.push(tokio::spawn(serve(listener, front, state.clone(), stop.clone())));
        }
        Ok(Self { address, metrics_address, state, hubs, stop, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the figures can be read, if they have a listener of their own.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// What its handlers share.
    #[must_use]
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Waits until a part of it ends though nobody told it to (it panicked): what is left then may
    /// look alive and answer nobody.
    pub async fn broken(&mut self) {
        first_to_end(&mut self.tasks).await;
    }

    /// Stops listening, waits for the answers under way, though not for ever, and closes the store.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        for task in std::mem::take(&mut self.tasks) {
            // A task that panicked has ended too.
            let _ = task.await;
        }
        if tokio::time::timeout(GRACE, self.hubs.drained()).await.is_err() {
            tracing::warn!("some connections of the hubs had not ended and were cut off");
        }
        self.state.store().close().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Waits for one of them, however it ends, and takes it out, for its answer may be asked for once.
async fn first_to_end(tasks: &mut Vec<JoinHandle<()>>) {
    let (_, ended, others) = select_all(tasks.iter_mut()).await;
    drop(others);
    drop(tasks.swap_remove(ended));
}

async fn listen(setting: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| StartError::Listen { setting, address, source })
}

fn address_of(
    listener: &TcpListener,
    setting: &'static str,
    address: SocketAddr,
) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(|source| StartError::Listen { setting, address, source })
}

async fn serve(listener: TcpListener, front: Front, state: AppState, stop: CancellationToken) {
    let connections = TaskTracker::new();
    let room = Arc::new(Semaphore::new(state.config().limits.connections));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = accept(&listener, &room) => accepted,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        let connection = connection(stream, peer, front.clone(), state.clone(), stop.clone());
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::trace!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(GRACE, connections.wait()).await.is_err() {
        tracing::warn!("some requests had not ended and were cut off");
    }
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// The next connection, once there is room for it; the others wait in the system's own queue.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, IpAddr, Place)> {
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Small answers should not wait for more; where that fails they just may.
            let _ = stream.set_nodelay(true);
            Some((stream, peer.ip(), place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(BREATH).await;
            None
        }
    }
}

/// Answers one connection until the peer has gone; once told to stop, only what was asked already.
async fn connection(
    stream: TcpStream,
    peer: IpAddr,
    front: Front,
    state: AppState,
    stop: CancellationToken,
) -> hyper::Result<()> {
    let limits = &state.config().limits;
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let front = front.clone();
        async move { front.answer(peer, request.map(Body::new)).await }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits.request_seconds))
        .max_buf_size(limits.header_bytes)
        .max_headers(MOST_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        // The hubs' WebSockets, which end by themselves.
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_panics_is_noticed_and_the_others_can_still_be_waited_for() {
        let stop = CancellationToken::new();
        let told = stop.clone();
        let mut tasks = vec![
            tokio::spawn(async move { told.cancelled().await }),
            tokio::spawn(async { panic!("as a test") }),
        ];
        first_to_end(&mut tasks).await;
        assert_eq!(tasks.len(), 1);
        stop.cancel();
        tasks.remove(0).await.unwrap();
    }
}
