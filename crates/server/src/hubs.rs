//! The live side: `/hubs/link` for a display that waits for somebody's yes, `/hubs/family` for
//! everybody in a family (SignalR, `luminous-signalr`).
//!
//! A push is a hint, the database is the truth: whoever hears one asks by HTTP, and whoever hears
//! none finds out by polling. A connection begins with a [`ticket`], good for one use in all replicas,
//! and ends when its token does, when its bearer may no longer listen, or when it does not read.

mod caller;
mod dispatch;
mod family;
mod link;
mod rounds;
mod sale;
mod sealed;
pub mod ticket;

use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use axum::Router;
use http::request::Parts;
use luminous_signalr::Timing;
use luminous_signalr::codec::{Arguments, Limits};
use luminous_signalr::hub::{ConnectionId, Handler, Hub, HubError, HubSettings, Reply};
use luminous_wire::api::hub::{family_hub, link_hub};
use tokio_util::sync::CancellationToken;

pub use caller::Caller;
pub use dispatch::run as dispatch;
pub use sale::{api_routes, oauth_routes};

use crate::ApiError;
use crate::state::AppState;
use crate::visit::Visit;
use rounds::Rounds;
use ticket::{TicketError, once};

type Connection = luminous_signalr::hub::Connection<Caller>;

/// Who is connected to this replica.
#[derive(Default)]
pub struct Listeners {
    /// To the family hub.
    families: family::Rooms,
    /// To the link hub.
    links: link::Waiting,
    /// What to look at for them.
    rounds: Rounds,
}

/// The two hubs of a server.
#[derive(Clone)]
pub struct Hubs {
    family: Hub<Hosted<family::Family>>,
    link: Hub<Hosted<link::Link>>,
}

impl Hubs {
    /// The hubs of the server with this state; `stop` closes all connections, which may come again.
    #[must_use]
    pub fn new(state: &AppState, stop: &CancellationToken) -> Self {
        let settings = |purpose| HubSettings {
            token_key: state.secrets().key(purpose).to_vec(),
            // Browsers are no clients of the hubs: no page of ours connects, so no page may.
            origins: Vec::new(),
            timing: Timing::default(),
            limits: Limits::HUB,
            apart: ticket::APART,
            shutdown: stop.child_token(),
            clock: state.parts().clock.clone(),
            entropy: state.parts().entropy.clone(),
        };
        Self {
            family: Hub::new(Hosted::new(state), settings("family hub connections")),
            link: Hub::new(Hosted::new(state), settings("link hub connections")),
        }
    }

    /// Their routes.
    pub fn routes(&self) -> Router<AppState> {
        self.family.router(family_hub::PATH).merge(self.link.router(link_hub::PATH))
    }

    /// Waits, once they were told to stop, until all connections have been said goodbye to.
    pub async fn drained(&self) {
        self.family.drained().await;
        self.link.drained().await;
    }
}

/// What one of the hubs is about. How one comes in is the same at both ([`Hosted`]).
trait Subject: Send + Sync + 'static {
    /// What may be invoked.
    const METHOD: &'static str;

    /// Whether this caller is one of this hub's.
    fn is_for(caller: &Caller) -> bool;

    /// How long a connection lives on when its caller's time is over.
    fn grace(_state: &AppState) -> Duration {
        Duration::ZERO
    }

    /// The handshake is done. An error closes the connection, for good.
    fn connected(
        state: &AppState,
        connection: &Connection,
    ) -> impl Future<Output = Result<(), HubError>> + Send;

    /// [`Subject::METHOD`] is invoked.
    fn invoke(
        state: &AppState,
        connection: &Connection,
        arguments: Arguments,
    ) -> impl Future<Output = Result<Reply, HubError>> + Send;

    /// The connection is over.
    fn closed(state: &AppState, connection: &Connection);
}

/// A subject at this server.
struct Hosted<S>(AppState, PhantomData<S>);

impl<S: Subject> Hosted<S> {
    fn new(state: &AppState) -> Self {
        Self(state.clone(), PhantomData)
    }
}

impl<S: Subject> Handler for Hosted<S> {
    type Caller = Caller;
    type Refusal = ApiError;

    const METHODS: &'static [&'static str] = &[S::METHOD];

    async fn admit(&self, parts: &Parts, ticket: Option<&str>) -> Result<Caller, ApiError> {
        Visit::meet(&parts.extensions);
        make_room(&self.0)?;
        let ticket = ticket.ok_or(ApiError::Ticket)?;
        match ticket::accept(&self.0, ticket).await {
            Ok(caller) if S::is_for(&caller) => Ok(caller),
            Ok(_) | Err(TicketError::Refused) => Err(ApiError::Ticket),
            Err(TicketError::Store(error)) => Err(ApiError::Store(error)),
        }
    }

    fn seal(&self, caller: &Caller) -> Vec<u8> {
        caller.seal(&self.0)
    }

    fn open(&self, sealed: &[u8]) -> Option<Caller> {
        Caller::open(&self.0, sealed).filter(S::is_for)
    }

    async fn claim(&self, id: ConnectionId) -> Result<bool, ApiError> {
        make_room(&self.0)?;
        let key = once("connection", id.as_bytes());
        Ok(self.0.store().use_once(&key, ticket::MEMORY).await?)
    }

    fn life(&self, caller: &Caller) -> Option<Duration> {
        let left = caller.until()?.duration_since(self.0.clock().now());
        Some(Duration::try_from(left).unwrap_or_default() + S::grace(&self.0))
    }

    fn connected(
        &self,
        connection: &Connection,
    ) -> impl Future<Output = Result<(), HubError>> + Send {
        S::connected(&self.0, connection)
    }

    fn invoke(
        &self,
        connection: &Connection,
        _method: &'static str,
        arguments: Arguments,
    ) -> impl Future<Output = Result<Reply, HubError>> + Send {
        S::invoke(&self.0, connection, arguments)
    }

    async fn closed(&self, connection: &Connection) {
        S::closed(&self.0, connection);
    }
}

/// Whether one more connection fits.
fn make_room(state: &AppState) -> Result<(), ApiError> {
    let most = state.config().limits.hub_connections;
    if state.listeners().count() < most { Ok(()) } else { Err(ApiError::Overloaded) }
}

fn failed(error: &luminous_store::StoreError) -> HubError {
    tracing::warn!(code = error.code(), "a hub could not ask the store");
    HubError::told(error.code())
}

impl Listeners {
    /// How many connections there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.families.count() + self.links.count()
    }
}

impl std::fmt::Debug for Hubs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hubs(..)")
    }
}
