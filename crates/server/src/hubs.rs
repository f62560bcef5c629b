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
use std::time::Duration;

use axum::Router;
use http::request::Parts;
use luminous_signalr::Timing;
use luminous_signalr::codec::{Arguments, Limits};
use luminous_signalr::hub::{ConnectionId, Handler, Hub, HubError, HubSettings, Reply};
use luminous_store::Network;
use luminous_wire::api::hub::{family_hub, link_hub};
use luminous_wire::api::{OAuthProblem, RedeemArguments, TokenAnswer};
use tokio_util::sync::CancellationToken;

pub use caller::Caller;
pub use dispatch::run as dispatch;
pub use sale::{api_routes, oauth_routes};

use crate::state::AppState;
use crate::visit::Visit;
use crate::{ApiError, oauth};
use rounds::{Matter, Rounds, look};
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
    family: Hub<FamilyHub>,
    link: Hub<LinkHub>,
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
            shutdown: stop.child_token(),
            clock: state.parts().clock.clone(),
            entropy: state.parts().entropy.clone(),
        };
        Self {
            family: Hub::new(FamilyHub(state.clone()), settings("family hub connections")),
            link: Hub::new(LinkHub(state.clone()), settings("link hub connections")),
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

/// Everybody in a family.
struct FamilyHub(AppState);

/// Displays that wait.
struct LinkHub(AppState);

impl Handler for FamilyHub {
    type Caller = Caller;
    type Refusal = ApiError;

    const METHODS: &'static [&'static str] = &[family_hub::RESUME];

    async fn admit(&self, parts: &Parts, ticket: Option<&str>) -> Result<Caller, ApiError> {
        admit(&self.0, parts, ticket, |caller| caller.family().is_some()).await
    }

    fn seal(&self, caller: &Caller) -> Vec<u8> {
        caller.seal(&self.0)
    }

    fn open(&self, sealed: &[u8]) -> Option<Caller> {
        Caller::open(&self.0, sealed).filter(|caller| caller.family().is_some())
    }

    fn claim(&self, id: ConnectionId) -> impl Future<Output = Result<bool, ApiError>> + Send {
        claim(&self.0, id)
    }

    fn life(&self, caller: &Caller) -> Option<Duration> {
        life(&self.0, caller)
    }

    async fn connected(&self, connection: &Connection) -> Result<(), HubError> {
        self.0.listeners().families.enter(connection, &self.0);
        // Only now, so that a revocation of this very moment is either seen here or meets it there.
        match family::may_listen(&self.0, connection.caller()).await {
            Ok(true) => self.0.listeners().families.settle(connection, family::NEW),
            Ok(false) => return Err(HubError::told("push.revoked")),
            // An error would end it for good, and whoever may listen shall come again.
            Err(error) => connection.close(Some(&failed(&error).to_string()), true),
        }
        Ok(())
    }

    async fn invoke(
        &self,
        connection: &Connection,
        _method: &'static str,
        arguments: Arguments,
    ) -> Result<Reply, HubError> {
        let (seen,): (u64,) = arguments.read()?;
        let Some(family) = connection.caller().family() else { return Err(HubError::Internal) };
        let latest = family::resume(&self.0, connection, family, seen).await;
        Reply::of(&latest.map_err(|error| failed(&error))?)
    }

    async fn closed(&self, connection: &Connection) {
        self.0.listeners().families.leave(connection);
    }
}

impl Handler for LinkHub {
    type Caller = Caller;
    type Refusal = ApiError;

    const METHODS: &'static [&'static str] = &[link_hub::REDEEM];

    async fn admit(&self, parts: &Parts, ticket: Option<&str>) -> Result<Caller, ApiError> {
        admit(&self.0, parts, ticket, |caller| caller.family().is_none()).await
    }

    fn seal(&self, caller: &Caller) -> Vec<u8> {
        caller.seal(&self.0)
    }

    fn open(&self, sealed: &[u8]) -> Option<Caller> {
        Caller::open(&self.0, sealed).filter(|caller| caller.family().is_none())
    }

    fn claim(&self, id: ConnectionId) -> impl Future<Output = Result<bool, ApiError>> + Send {
        claim(&self.0, id)
    }

    fn life(&self, caller: &Caller) -> Option<Duration> {
        // A yes of the last moment can be redeemed for as long again; and a moment to be told the end.
        let more = link::redeemable(&self.0) + link::FAREWELL;
        life(&self.0, caller).map(|life| life + more)
    }

    async fn connected(&self, connection: &Connection) -> Result<(), HubError> {
        let Caller::Waiting { link, .. } = connection.caller() else {
            return Err(HubError::Internal);
        };
        self.0.listeners().links.enter(connection);
        // What happened before it came is told now.
        look(&self.0, Matter::Link(*link));
        Ok(())
    }

    async fn invoke(
        &self,
        connection: &Connection,
        _method: &'static str,
        arguments: Arguments,
    ) -> Result<Reply, HubError> {
        let (asked,): (RedeemArguments,) = arguments.read()?;
        let Caller::Waiting { network, .. } = connection.caller() else {
            return Err(HubError::Internal);
        };
        match redeem(&self.0, &asked, *network).await {
            Ok(tokens) => Reply::of(&tokens),
            Err(problem) => Reply::of(&problem),
        }
    }

    async fn closed(&self, connection: &Connection) {
        self.0.listeners().links.leave(connection);
    }
}

async fn redeem(
    state: &AppState,
    asked: &RedeemArguments,
    network: Network,
) -> Result<TokenAnswer, OAuthProblem> {
    let judged = oauth::judge_for_token(state, &asked.proof);
    let proof = judged.map_err(|error| error.problem(None))?;
    oauth::redeem(state, &asked.device_code, &proof, false, network).await
}

/// Lets in whoever presents a ticket to this hub.
async fn admit(
    state: &AppState,
    parts: &Parts,
    ticket: Option<&str>,
    is_of_this_hub: impl Fn(&Caller) -> bool,
) -> Result<Caller, ApiError> {
    Visit::meet(&parts.extensions);
    make_room(state)?;
    let ticket = ticket.ok_or(ApiError::Ticket)?;
    match ticket::accept(state, ticket).await {
        Ok(caller) if is_of_this_hub(&caller) => Ok(caller),
        Ok(_) | Err(TicketError::Refused) => Err(ApiError::Ticket),
        Err(TicketError::Store(error)) => Err(ApiError::Store(error)),
    }
}

async fn claim(state: &AppState, id: ConnectionId) -> Result<bool, ApiError> {
    make_room(state)?;
    let key = once("connection", id.as_bytes());
    Ok(state.store().use_once(&key, ticket::MEMORY).await?)
}

/// Whether one more connection fits.
fn make_room(state: &AppState) -> Result<(), ApiError> {
    let most = state.config().limits.hub_connections;
    if state.listeners().count() < most { Ok(()) } else { Err(ApiError::Overloaded) }
}

fn life(state: &AppState, caller: &Caller) -> Option<Duration> {
    let left = caller.until()?.duration_since(state.clock().now());
    Some(Duration::try_from(left).unwrap_or_default())
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
