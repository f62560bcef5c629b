//! The one task that does what the states ask for. It waits for the next thing that is due, a touch,
//! a push or the end, does one thing at a time, and shows what came of it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use luminous_domain::display::{Effect, Event, State};
use luminous_domain::pacing::Backoff;
use luminous_wire::{AppError, Connection, ErrorCode};

use super::Inner;
use super::answer::{Refusal, Silence};
use super::files::Saved;
use super::hub::Hub;
use super::link::Awaiting;
use super::server::Server;
use super::start::Loaded;
use super::tokens::{Linked, Unstored};

/// For asking for a code and reading the wall: soon enough for whoever looks at it.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), most: Duration::from_secs(60) };

/// How often it is looked whether the computer slept.
const TICK: Duration = Duration::from_secs(5);

/// A clock on the wall that gained this much on monotonic time was set, or the computer slept.
const SLEPT: Duration = Duration::from_secs(20);

/// How often a keyring that did not take something is tried again.
pub(super) const STORE_RETRY: Duration = Duration::from_secs(30);

/// What is due at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    AskForCode,
    Poll,
    ReadWall,
    Refresh,
    /// Writes what the keyring did not take.
    Store,
    /// Removes from the keyring the token before the one in use.
    ForgetParent,
    /// Writes down how late it is.
    KeepTime,
    /// The link's time is over, by the server's clock.
    End,
    /// The welcome has been shown long enough, or another change of the picture.
    Look,
    /// Opens a hub again that said good-bye.
    Listen,
    /// Looks whether the computer slept.
    Tick,
}

impl Act {
    const fn is_housekeeping(self) -> bool {
        matches!(self, Self::KeepTime | Self::ForgetParent | Self::Tick)
    }
}

/// How the last tries to reach the server went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contact {
    pub(super) connection: Connection,
    last_ms: Option<i64>,
}

impl Contact {
    /// The last success.
    pub(super) const fn since_ms(&self) -> Option<i64> {
        self.last_ms
    }
}

pub(super) struct Driver {
    pub(super) inner: Arc<Inner>,
    pub(super) state: State,
    pub(super) server: Arc<Server>,
    pub(super) saved: Saved,
    pub(super) contact: Contact,
    /// How many tries in a row failed, of what is tried now.
    pub(super) failures: u32,
    /// When a code is asked for.
    pub(super) ask_at: Option<Duration>,
    pub(super) awaiting: Option<Awaiting>,
    pub(super) linked: Option<Linked>,
    /// The newest tokens, while the keyring has not taken them.
    pub(super) unstored: Option<Unstored>,
    /// Of the code, or of the family.
    pub(super) hub: Option<Hub>,
    /// What became of the last code, until the next one is typed.
    pub(super) declined: Option<AppError>,
    /// What to say about the last failure.
    pub(super) trouble: Option<AppError>,
    /// What to say about the keyring.
    pub(super) storage: Option<AppError>,
    /// How far this computer's clock was from monotonic time when a time was last shown.
    pub(super) clock_base_ms: i64,
    /// Monotonic time and this computer's clock, Unix time in ms, at the last [`Act::Tick`].
    ticked: (Duration, i64),
}

impl Driver {
    pub(super) fn new(inner: Arc<Inner>, loaded: Loaded) -> Self {
        let ticked = clocks(&inner);
        Self {
            inner,
            state: State::Starting,
            server: Arc::new(loaded.server),
            saved: loaded.saved,
            contact: Contact { connection: Connection::Checking, last_ms: None },
            failures: 0,
            ask_at: None,
            awaiting: loaded.awaiting,
            linked: loaded.linked,
            unstored: None,
            hub: None,
            declined: None,
            trouble: None,
            storage: loaded.problem,
            clock_base_ms: 0,
            ticked,
        }
    }

    /// From what was found until the end of the program.
    pub(super) async fn run(mut self, first: Event) {
        let mut stopping = self.inner.stopping.subscribe();
        if self.linked.is_none() {
            // Also when the tokens were lost (S5): who is not linked shows and keeps no family.
            self.forget_family().await;
        }
        self.on(first).await;
        loop {
            self.publish();
            if *stopping.borrow_and_update() {
                // The next start knows that it is at least this late.
                return self.save().await;
            }
            let inner = Arc::clone(&self.inner);
            let wait = self.next().map_or(Duration::MAX, |(at, _)| at.saturating_sub(self.now()));
            tokio::select! {
                biased;
                _ = stopping.changed() => {}
                () = inner.touched.notified() => {
                    if self.state == State::Idle {
                        self.on(Event::Touched).await;
                    }
                }
                () = inner.storage_wanted.notified() => self.store().await,
                event = Hub::next(self.hub.as_mut()) => self.heard_push(event).await,
                () = pass(wait) => {
                    // What is due now may be more than what was waited for.
                    if let Some((_, act)) = self.next().filter(|(at, _)| *at <= self.now()) {
                        self.perform(act).await;
                    }
                }
            }
        }
    }

    /// Monotonic time.
    pub(super) fn now(&self) -> Duration {
        self.inner.ports.clock.elapsed()
    }

    /// What is due first.
    fn next(&self) -> Option<(Duration, Act)> {
        let linked = self.linked.as_ref().filter(|_| self.state.is_linked());
        let dues = [
            (self.ask_at, Act::AskForCode),
            (self.next_poll(), Act::Poll),
            (linked.and_then(|linked| self.ends_at(linked)), Act::End),
            (linked.and_then(|linked| linked.refresh_at), Act::Refresh),
            (linked.and_then(|linked| linked.read_at), Act::ReadWall),
            (self.unstored.as_ref().map(|unstored| unstored.store_at), Act::Store),
            (linked.and_then(|linked| linked.forget_parent_at), Act::ForgetParent),
            (linked.map(|linked| linked.keep_time_at), Act::KeepTime),
            (linked.and_then(|linked| linked.welcome_until), Act::Look),
            (self.listen_again_at(), Act::Listen),
            (Some(self.ticked.0 + TICK), Act::Tick),
        ];
        let dues = dues.into_iter().filter_map(|(at, act)| Some((at?, act)));
        let now = self.now();
        // What somebody may see goes before keeping house.
        dues.min_by_key(|(at, act)| ((*at).max(now), act.is_housekeeping(), *at))
    }

    async fn perform(&mut self, act: Act) {
        match act {
            Act::AskForCode => self.ask_for_code().await,
            Act::Poll => self.poll().await,
            Act::ReadWall => self.read_wall().await,
            Act::Refresh => self.refresh().await,
            Act::Store => self.store().await,
            Act::ForgetParent => self.forget_parent().await,
            Act::KeepTime => self.keep_time().await,
            Act::End => self.end_of_time().await,
            Act::Look => self.end_welcome(),
            Act::Listen => self.listen_to_family(),
            Act::Tick => self.tick(),
        }
    }

    /// Monotonic time stands still while the computer sleeps, and the clock on the wall does not (P7).
    /// After a sleep the connection is gone without a word, and the access token may be over: reading
    /// the wall tells. A clock that was set looks the same, and costs the same request.
    fn tick(&mut self) {
        let (elapsed, now_ms) = clocks(&self.inner);
        let (then, then_ms) = std::mem::replace(&mut self.ticked, (elapsed, now_ms));
        let awake = i64::try_from(elapsed.saturating_sub(then).as_millis()).unwrap_or(i64::MAX);
        let gained = now_ms.saturating_sub(then_ms).saturating_sub(awake);
        if u128::try_from(gained).is_ok_and(|gained| gained > SLEPT.as_millis()) {
            tracing::info!(gained, "the computer slept, or its clock was set");
            if let Some(hub) = &self.hub {
                hub.wake();
            }
            match &mut self.linked {
                Some(linked) if linked.access.is_some() => self.read_soon(Duration::ZERO),
                // The network may be there again that was not when it was last tried.
                Some(linked) if self.unstored.is_none() => linked.refresh_no_sooner(elapsed),
                _ => {}
            }
            if self.ask_at.is_some() {
                self.ask_at = Some(elapsed);
            }
            self.poll_soon();
        }
    }

    /// Something happened: the next state, and what it asks for.
    pub(super) async fn on(&mut self, event: Event) {
        let state = std::mem::replace(&mut self.state, State::Starting);
        let declined = declined(&state, &event);
        match state.on(event) {
            Ok((next, effects)) => {
                self.state = next;
                if let Some(declined) = declined {
                    self.declined = declined;
                }
                for effect in effects {
                    self.bring_about(*effect).await;
                }
            }
            // A push that came late, say: the states say what counts.
            Err(refused) => {
                tracing::debug!(%refused, "passed over");
                self.state = refused.state;
            }
        }
    }

    /// Boxed, because what an effect finds out may ask for the next one.
    fn bring_about(&mut self, effect: Effect) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            match effect {
                Effect::AskForCode => {
                    self.failures = 0;
                    self.ask_at = Some(self.now());
                }
                Effect::Await => self.begin_awaiting().await,
                Effect::Forget => self.forget_code().await,
                Effect::Redeem => self.poll().await,
                Effect::Follow => self.begin_following(),
                Effect::Wipe => {
                    self.wipe().await;
                    self.on(Event::Wiped).await;
                }
            }
        })
    }

    /// The server answered, whatever it said.
    pub(super) async fn reached(&mut self) {
        let now_ms = self.inner.ports.clock.now().as_millisecond();
        self.contact = Contact { connection: Connection::Online, last_ms: Some(now_ms) };
        if matches!(self.state, State::Offline { .. }) {
            self.on(Event::Reached).await;
        }
    }

    /// There was no word of the server.
    pub(super) async fn unreached(&mut self, silence: &Silence) {
        let since_ms = self.contact.last_ms;
        if self.contact.connection == Connection::Online {
            tracing::info!(code = %silence.error.code, "the family server is not reached");
        }
        self.contact.connection = Connection::Offline { since_ms };
        self.trouble = Some(silence.error.clone());
        if self.state == State::Linked {
            self.on(Event::Unreached { at: self.now() }).await;
        }
    }

    /// When to try again what failed, and what to say meanwhile.
    pub(super) async fn failed(&mut self, refusal: &Refusal) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let mut after = self.pause(BACKOFF, self.failures);
        match refusal {
            Refusal::Silence(silence) => {
                self.unreached(silence).await;
                after = after.max(silence.retry_after.unwrap_or_default());
            }
            Refusal::Word(word) => {
                self.reached().await;
                self.trouble = Some(word.to_error());
                // The server is there and says no: asking again at once changes nothing.
                after = after.max(Duration::from_secs(5));
            }
        }
        self.now() + after
    }

    /// A random wait, so that displays behind one address do not come back together.
    pub(super) fn pause(&self, backoff: Backoff, failures: u32) -> Duration {
        let mut random = [0; 4];
        // Without randomness the longest wait is the polite one.
        let drawn = self.inner.ports.entropy.fill(&mut random);
        let random = drawn.map_or(u32::MAX, |()| u32::from_le_bytes(random));
        backoff.wait(failures, random)
    }

    /// Runs work on files off this task: a worn-out card may take its time.
    pub(super) async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&super::files::Folder) -> std::io::Result<T> + Send + 'static,
    ) -> Option<T> {
        let inner = Arc::clone(&self.inner);
        let result = tokio::task::spawn_blocking(move || work(&inner.folder)).await;
        match result {
            Ok(Ok(value)) => Some(value),
            Ok(Err(error)) => {
                tracing::warn!(%error, "the display's folder cannot be written");
                None
            }
            Err(error) => {
                tracing::warn!(%error, "the work on the display's folder broke off");
                None
            }
        }
    }

    /// Writes down where this display stands, and how late it is.
    pub(super) async fn save(&mut self) {
        if let Some(now_ms) = self.server.time().known_ms(self.now()) {
            self.saved.server_time_ms = Some(now_ms);
        }
        let saved = self.saved.clone();
        self.on_disk(move |folder| folder.write_saved(&saved)).await;
    }
}

/// Waits; not even for the timer when there is nothing to wait for.
async fn pass(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// Monotonic time, and this computer's clock as Unix time in ms.
fn clocks(inner: &Inner) -> (Duration, i64) {
    let clock = &inner.ports.clock;
    (clock.elapsed(), clock.now().as_millisecond())
}

/// What is said of the code before this one from now on; `None` when that does not change (D15).
fn declined(state: &State, event: &Event) -> Option<Option<AppError>> {
    match (state, event) {
        (State::Showing(_) | State::Claimed { .. }, Event::Denied) => {
            let message = "the number did not match, or somebody said no; here is a new code";
            Some(Some(AppError::new(ErrorCode::DeviceConfirmMismatch, message)))
        }
        (_, Event::Claimed(_) | Event::Expired | Event::Redeemed) => Some(None),
        _ => None,
    }
}
