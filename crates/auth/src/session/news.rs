//! The family's hub: listened to while somebody of a family is signed in and a window wants to know.
//!
//! It only ever says that something is old. Being cut off from it is no reason for anything but coming
//! back: nobody is signed out, and nothing is shown as wrong.

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::pacing::Backoff;
use luminous_domain::{FamilyId, Permission};
use luminous_signalr::client::{
    Client, ClientPort, ClientSettings, Event, InvokeError, Pauses, PostAnswer, PostFailed,
    TicketError,
};
use luminous_wire::api::hub::family_hub;
use luminous_wire::api::{DeviceList, FamilyEvent, HubTicket, WallView};
use luminous_wire::{AppError, FamilyNews, FamilyPart, FamilyStanding};
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio::time::Instant;
use url::Url;

use super::Session;
use crate::family::{Call, read};
use crate::negotiation;
use crate::news::Heard;

/// How long what comes close together is gathered before it is told.
const GATHER: Duration = Duration::from_millis(25);

/// Between two tries to learn which display joined.
const AGAIN: Duration = Duration::from_secs(5);

/// How long the hub may take to say from where it goes on.
const RESUME: Duration = Duration::from_secs(30);

/// How often everybody who lost the hub at once comes back, at most: what is shown may be old so long.
const PAUSES: Pauses = Pauses {
    backoff: Backoff { first: Duration::from_secs(1), most: Duration::from_secs(60) },
    spread: Duration::from_secs(5),
    settled: Duration::from_secs(10),
};

/// How long a negotiation may take.
const NEGOTIATION: Duration = Duration::from_secs(15);

/// Whose family is listened to. When it is another one, so is the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    epoch: u64,
    family: FamilyId,
    api: Url,
}

impl Session {
    /// What happens in the family from now on, while somebody of it is signed in. The hub is connected
    /// to for as long as somebody holds this.
    #[must_use]
    pub fn news(&self) -> broadcast::Receiver<FamilyNews> {
        let news = self.inner.news.subscribe();
        self.inner.news_wanted.notify_one();
        news
    }

    /// Listens whenever there is something to hear and somebody to hear it.
    pub(super) async fn follow_family(&self) {
        let mut snapshots = self.snapshots();
        loop {
            snapshots.mark_unchanged();
            match self.place_to_listen() {
                Some(place) => tokio::select! {
                    () = self.listen(&place) => {}
                    () = self.leaves(&place) => {}
                    () = self.inner.news.closed() => {}
                },
                None => tokio::select! {
                    _ = snapshots.changed() => {}
                    () = self.inner.news_wanted.notified() => {}
                },
            }
        }
    }

    fn place_to_listen(&self) -> Option<Place> {
        let wanted = self.inner.news.receiver_count() > 0;
        self.place_of_family().filter(|_| wanted)
    }

    fn place_of_family(&self) -> Option<Place> {
        let api = self.service().ok()?.api?;
        let mut state = self.state();
        let epoch = state.epoch;
        match &state.signed_in()?.account.family {
            FamilyStanding::Member { membership } => {
                Some(Place { epoch, family: membership.family.id, api })
            }
            _ => None,
        }
    }

    /// Returns when who is signed in is not of this family any more.
    async fn leaves(&self, place: &Place) {
        let mut snapshots = self.snapshots();
        while self.place_of_family().as_ref() == Some(place) {
            // The sender lives as long as `self`.
            let _ = snapshots.changed().await;
        }
    }

    /// Listens until it is stopped from outside.
    async fn listen(&self, place: &Place) {
        let mut heard = self.begin_at().await;
        // What the window read was read before we knew from where to listen.
        heard.all_is_old();
        let mut failures = 0;
        loop {
            self.listen_once(place, &mut heard).await;
            failures += 1;
            tokio::time::sleep(self.pause(failures)).await;
        }
    }

    /// Where the events stand now: what they told before is what anybody reads now.
    async fn begin_at(&self) -> Heard {
        let mut failures = 0;
        loop {
            let wall: Result<WallView, AppError> =
                self.perform(&Call::get(["api", "wall"])).await.and_then(|body| read(&body));
            match wall {
                Ok(wall) => return Heard::since(wall.seq),
                Err(error) => tracing::debug!(code = %error.code, "the family cannot be heard"),
            }
            failures += 1;
            tokio::time::sleep(self.pause(failures)).await;
        }
    }

    /// Follows one client until the hub wants it no more.
    async fn listen_once(&self, place: &Place, heard: &mut Heard) {
        let entropy = Arc::clone(&self.inner.ports.entropy);
        let settings =
            ClientSettings { pauses: PAUSES, ..ClientSettings::new(hub(&place.api), entropy) };
        let port = Line { session: self.clone(), place: place.clone() };
        let (client, mut events) = Client::start(settings, port);
        let mut telling: Option<Instant> = None;
        // Beside the events, because the answer comes behind them; it ends with this.
        let mut resuming = JoinSet::new();
        loop {
            if !heard.is_silent() && telling.is_none() {
                telling = Some(Instant::now() + GATHER);
            }
            let due = telling.unwrap_or_else(Instant::now);
            tokio::select! {
                event = events.next() => match event {
                    None => return,
                    Some(Event::Connected) => {
                        resuming.shutdown().await;
                        resuming.spawn(self.clone().go_on(client.clone(), heard.newest()));
                    }
                    Some(event) => hear(event, heard),
                },
                () = tokio::time::sleep_until(due), if telling.is_some() => {
                    self.tell(heard).await;
                    // What could not be told is tried again, at some distance.
                    telling = (!heard.is_silent()).then(|| Instant::now() + AGAIN);
                }
            }
        }
    }

    /// Says from where to go on.
    async fn go_on(self, client: Client, newest: u64) {
        match client.invoke::<u64>(family_hub::RESUME, &(newest,), RESUME).await {
            // The connection that was asked is gone: the next one is asked anew.
            Ok(_) | Err(InvokeError::NotConnected | InvokeError::Lost) => {}
            Err(error) => {
                tracing::info!(%error, "the hub does not go on; it is connected to anew");
                tokio::time::sleep(self.pause(3)).await;
                client.wake();
            }
        }
    }

    /// Tells what was heard. Which display joined, or was ended, has to be asked for, and may have to be
    /// again.
    async fn tell(&self, heard: &mut Heard) {
        let parts = heard.take_old();
        if parts.contains(&FamilyPart::Family) {
            self.ask_for_standing();
        }
        if !parts.is_empty() {
            // Nobody listens any more: the connection is about to end.
            let _ = self.inner.news.send(FamilyNews::Changed { parts });
        }
        if heard.joined.is_empty() && heard.ended.is_empty() {
            return;
        }
        if self.may(Permission::DevicesLink) {
            match self.list_devices().await {
                Ok(list) => self.tell_of_displays(list, heard),
                Err(error) => {
                    tracing::info!(code = %error.code, "a display joined or was ended, but which?");
                    return;
                }
            }
        }
        heard.joined.clear();
        heard.ended.clear();
    }

    /// As with all news: without anybody who listens the connection is about to end.
    fn tell_of_displays(&self, list: DeviceList, heard: &Heard) {
        for device in list.devices {
            if heard.joined.contains(&device.id) {
                let _ = self.inner.news.send(FamilyNews::DisplayJoined { device });
            }
        }
        for display in list.ended {
            if heard.ended.contains(&display.id) {
                let _ = self.inner.news.send(FamilyNews::DisplayEnded { display });
            }
        }
    }

    fn may(&self, permission: Permission) -> bool {
        let mut state = self.state();
        let family = state.signed_in().map(|one| &one.account.family);
        matches!(
            family,
            Some(FamilyStanding::Member { membership })
                if membership.permissions.contains(&permission)
        )
    }
}

fn hear(event: Event, heard: &mut Heard) {
    match event {
        Event::Called { target, arguments } if target == family_hub::EVENT => {
            match arguments.read::<[FamilyEvent; 1]>() {
                Ok([event]) => heard.hear(&event),
                Err(error) => tracing::warn!(%error, "the hub's event cannot be read"),
            }
        }
        Event::Called { target, arguments } if target == family_hub::RESYNC => {
            match arguments.read::<[u64; 1]>() {
                Ok([newest]) => heard.forget_everything(newest),
                Err(_) => heard.all_is_old(),
            }
        }
        Event::Connected | Event::Called { .. } => {}
        Event::Lost { why, again_in } => {
            tracing::debug!(%why, ?again_in, "the family is not heard");
        }
        Event::Ended(why) => tracing::info!(%why, "the family's hub wants us no more"),
    }
}

/// The way to the hub for one place.
struct Line {
    session: Session,
    place: Place,
}

impl ClientPort for Line {
    async fn ticket(&self) -> Result<Option<String>, TicketError> {
        let later = |error: AppError| TicketError::Later(error.code.to_string());
        let call = Call::post_nothing(["api", "hub", "ticket"]);
        let body = self.session.perform(&call).await.map_err(later)?;
        let ticket: HubTicket = read(&body).map_err(later)?;
        // Bought for whoever is signed in by now.
        match self.session.place_of_family().as_ref() == Some(&self.place) {
            true => Ok(Some(ticket.ticket)),
            false => Err(TicketError::Never("somebody else is signed in".to_owned())),
        }
    }

    async fn post(&self, address: &Url, bearer: Option<&str>) -> Result<PostAnswer, PostFailed> {
        let http = &*self.session.inner.ports.http;
        negotiation::post(http, address, bearer, NEGOTIATION).await
    }
}

fn hub(api: &Url) -> Url {
    let mut hub = api.clone();
    // An address of the web always has a path.
    if let Ok(mut path) = hub.path_segments_mut() {
        path.pop_if_empty().extend(family_hub::PATH.trim_start_matches('/').split('/'));
    }
    hub
}
