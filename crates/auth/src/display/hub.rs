//! The two hubs, from the display's side. What comes over them is a hint: a number to show, or that
//! something is to be asked for. With both blocked everything goes on by polling.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use luminous_domain::display::{Event as Happened, State};
use luminous_domain::pacing::Backoff;
use luminous_domain::{AccessToken, DeviceCode, MatchNumber};
use luminous_signalr::client::{
    Client, ClientPort, ClientSettings, Event, Events, InvokeError, Lost, PostAnswer, PostFailed,
    TicketError,
};
use luminous_wire::api::hub::{family_hub, link_hub};
use luminous_wire::api::{
    CodeClaimed, DISPLAY_CLIENT_ID, FamilyEvent, HubTicket, OAuthProblem, RedeemArguments,
    TokenAnswer,
};
use serde::Deserialize;
use url::Url;

use super::answer::Refusal;
use super::driver::Driver;
use super::lock;
use super::server::Server;
use crate::negotiation;

/// How long an invocation may take; then HTTP does it.
const INVOCATION: Duration = Duration::from_secs(5);

/// How long a negotiation may take.
const NEGOTIATION: Duration = Duration::from_secs(10);

/// After a loss that many displays may share, they do not all ask at once (P10).
const AFTER_LOSS: Backoff =
    Backoff { first: Duration::from_secs(30), most: Duration::from_secs(30) };

/// After a hub that said good-bye for good, as it does when this display has newer connections: most
/// often our own. Whoever holds those may be gone without a word by then, so it is not for ever; two
/// that are really there do not push each other out all the time either.
const AFTER_FAREWELL: Duration = Duration::from_secs(600);

/// What the server says of a display that is no longer linked.
const ENDED: &str = "device.revoked";

/// After the server's word to this display alone: it may be revoked.
const AFTER_WORD: Backoff = Backoff { first: Duration::from_secs(2), most: Duration::from_secs(2) };

/// What a ticket is bought with.
enum Purse {
    /// The code on the screen.
    Code(DeviceCode),
    /// The access token in use, once it is stored.
    Token(Arc<Mutex<Option<AccessToken>>>),
}

/// The way to a hub, for its client.
struct Port {
    server: Arc<Server>,
    purse: Purse,
}

/// A connection to a hub that comes back by itself.
pub(super) struct Hub {
    client: Client,
    events: Events,
    pub(super) is_connected: bool,
    token: Arc<Mutex<Option<AccessToken>>>,
    /// The newest event of the family that was seen.
    seen: u64,
    /// It is over, and another one is opened then. In monotonic time.
    again_at: Option<Duration>,
}

/// What `Redeem` answers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Redeemed {
    Tokens(TokenAnswer),
    Problem(OAuthProblem),
}

impl ClientPort for Port {
    async fn ticket(&self) -> Result<Option<String>, TicketError> {
        let bought: Result<HubTicket, Refusal> = match &self.purse {
            Purse::Code(code) => {
                let fields = [("client_id", DISPLAY_CLIENT_ID), ("device_code", code.expose())];
                self.server.form("/oauth2/link_ticket", &fields).await
            }
            Purse::Token(token) => {
                let token = lock(token).clone();
                let later = || TicketError::Later("there is no access token now".to_owned());
                self.server.post("/api/hub/ticket", &token.ok_or_else(later)?).await
            }
        };
        match bought {
            Ok(ticket) => Ok(Some(ticket.ticket)),
            Err(Refusal::Word(word)) => Err(TicketError::Later(word.code)),
            Err(Refusal::Silence(silence)) => {
                Err(TicketError::Later(silence.error.code.to_string()))
            }
        }
    }

    async fn post(&self, address: &Url, bearer: Option<&str>) -> Result<PostAnswer, PostFailed> {
        negotiation::post(self.server.http(), address, bearer, NEGOTIATION).await
    }
}

impl Hub {
    fn open(driver: &Driver, path: &str, purse: Purse, seen: u64) -> Self {
        let token = match &purse {
            Purse::Token(token) => Arc::clone(token),
            Purse::Code(_) => Arc::default(),
        };
        let entropy = Arc::clone(&driver.inner.ports.entropy);
        let settings = ClientSettings::new(driver.server.at(path), entropy);
        let port = Port { server: Arc::clone(&driver.server), purse };
        let (client, events) = Client::start(settings, port);
        Self { client, events, is_connected: false, token, seen, again_at: None }
    }

    /// The next event; for ever nothing after the last one.
    pub(super) async fn next(hub: Option<&mut Self>) -> Event {
        if let Some(hub) = hub
            && let Some(event) = hub.events.next().await
        {
            return event;
        }
        std::future::pending().await
    }

    /// The computer slept: what there was of a connection is not one any more.
    pub(super) fn wake(&self) {
        self.client.wake();
    }

    /// From now on tickets are bought with this.
    pub(super) fn hold(&self, token: Option<AccessToken>) {
        *lock(&self.token) = token;
    }
}

impl Driver {
    /// Whether a push would bring the news.
    pub(super) fn is_pushed(&self) -> bool {
        self.hub.as_ref().is_some_and(|hub| hub.is_connected)
    }

    /// Listens for what becomes of the code.
    pub(super) fn listen_for_link(&mut self) {
        let code = self.awaiting.as_ref().map(|awaiting| awaiting.code.device_code.clone());
        self.hub = code.map(|code| Hub::open(self, link_hub::PATH, Purse::Code(code), 0));
    }

    /// Listens to the family, from the wall that is shown on.
    pub(super) fn listen_to_family(&mut self) {
        let seen = self.linked.as_ref().and_then(|linked| Some(linked.wall.as_ref()?.wall.seq));
        let token = Arc::new(Mutex::new(self.token_in_use()));
        self.hub = Some(Hub::open(self, family_hub::PATH, Purse::Token(token), seen.unwrap_or(0)));
    }

    /// When to listen to the family again after the hub said good-bye for good.
    pub(super) fn listen_again_at(&self) -> Option<Duration> {
        self.hub.as_ref().filter(|_| self.state.is_linked())?.again_at
    }

    pub(super) fn token_in_use(&self) -> Option<AccessToken> {
        let linked = self.linked.as_ref()?;
        linked.access.as_ref().map(|access| access.token.clone())
    }

    /// Something came over the hub.
    pub(super) async fn heard_push(&mut self, event: Event) {
        match event {
            Event::Connected => self.connected().await,
            Event::Called { target, arguments } if self.state.is_linked() => {
                match target.as_str() {
                    family_hub::EVENT => match arguments.read::<(FamilyEvent,)>() {
                        Ok((event,)) => self.followed(&event),
                        Err(error) => tracing::debug!(%error, "an event cannot be read"),
                    },
                    family_hub::RESYNC => {
                        let told = arguments.read::<(u64,)>();
                        if let (Ok((newest,)), Some(hub)) = (told, &mut self.hub) {
                            // Also a lower one: of a server that came back from a backup.
                            hub.seen = newest;
                        }
                        self.read_soon(Duration::ZERO);
                    }
                    _ => {}
                }
            }
            Event::Called { target, arguments } => match target.as_str() {
                link_hub::CODE_CLAIMED => {
                    let claimed = arguments.read::<(CodeClaimed,)>().ok();
                    let number = claimed.and_then(|(one,)| MatchNumber::parse(&one.number));
                    if number.is_some() {
                        self.numbered(number).await;
                    }
                }
                link_hub::LINKED => self.on(Happened::Approved).await,
                link_hub::DENIED => self.on(Happened::Denied).await,
                link_hub::EXPIRED => self.on(Happened::Expired).await,
                _ => {}
            },
            Event::Lost { why, .. } => {
                tracing::debug!(%why, "the hub is lost");
                self.lost(&why);
            }
            Event::Ended(why) => {
                tracing::debug!(%why, "the hub is closed");
                self.lost(&why);
                let at = self.now() + AFTER_FAREWELL + self.pause(AFTER_LOSS, 1);
                if let Some(hub) = &mut self.hub {
                    hub.again_at = Some(at);
                }
            }
        }
    }

    async fn connected(&mut self) {
        let Some(hub) = &mut self.hub else { return };
        if !self.state.is_linked() {
            hub.is_connected = true;
            // What happened before the connection is not told on it.
            return self.poll_soon();
        }
        let resumed = hub.client.invoke::<u64>(family_hub::RESUME, &(hub.seen,), INVOCATION).await;
        hub.is_connected = resumed.is_ok();
        match resumed {
            // The connection that was asked is gone: the next one is asked anew.
            Ok(_) | Err(InvokeError::NotConnected | InvokeError::Lost) => {}
            Err(error) => {
                tracing::debug!(%error, "the hub does not resume");
                // The client waits the longer the more often it is told so.
                hub.client.wake();
            }
        }
    }

    /// An event of the family. Duplicates and what the wall shows already are passed over; anything
    /// newer, also after a gap, is read from the server: the wall then shows all of it, once (P5).
    fn followed(&mut self, event: &FamilyEvent) {
        let Some(hub) = &mut self.hub else { return };
        if event.seq > hub.seen {
            hub.seen = event.seq;
            self.read_soon(Duration::ZERO);
        }
    }

    /// The wall that was read shows everything up to here.
    pub(super) fn caught_up(&mut self, seq: u64) {
        if let Some(hub) = &mut self.hub {
            hub.seen = seq;
        }
    }

    /// The connection is gone: the server may have ended the link, or be gone itself. Asking tells.
    fn lost(&mut self, why: &Lost) {
        let Some(hub) = &mut self.hub else { return };
        let was_connected = std::mem::take(&mut hub.is_connected);
        // Whose link was ended before it connected hears of it where it buys its ticket, or at the door.
        let is_ended = matches!(why, Lost::Ticket(TicketError::Later(word)) if word == ENDED);
        let is_to_us = is_ended || matches!(why, Lost::Closed { error: Some(_), .. });
        if (was_connected || is_to_us) && self.state.is_linked() {
            let wait = self.pause(if is_to_us { AFTER_WORD } else { AFTER_LOSS }, 1);
            self.read_soon(wait);
        }
    }

    pub(super) fn read_soon(&mut self, wait: Duration) {
        let at = self.now() + wait;
        if let Some(linked) = &mut self.linked {
            linked.read_at = Some(linked.read_at.map_or(at, |due| due.min(at)));
        }
    }

    /// Fetches the tokens over the hub, where there is one; `None` when HTTP has to do it, which also says
    /// why there are none, and what time it is.
    pub(super) async fn redeem_over_hub(&mut self) -> Option<TokenAnswer> {
        if !matches!(self.state, State::Approved(_)) {
            return None;
        }
        let hub = self.hub.as_ref().filter(|hub| hub.is_connected)?;
        let device_code = self.awaiting.as_ref()?.code.device_code.expose().to_owned();
        let proof = self.server.proof_for("/oauth2/token").ok()?;
        let arguments = (RedeemArguments { device_code, proof },);
        match hub.client.invoke::<Redeemed>(link_hub::REDEEM, &arguments, INVOCATION).await {
            Ok(Redeemed::Tokens(tokens)) => {
                tracing::info!("redeemed over the hub");
                Some(tokens)
            }
            Ok(Redeemed::Problem(problem)) => {
                tracing::debug!(error = problem.error, "the hub does not redeem");
                None
            }
            Err(error @ (InvokeError::Refused(_) | InvokeError::Result(_))) => {
                tracing::warn!(%error, "the hub does not redeem");
                None
            }
            Err(_) => None,
        }
    }
}
