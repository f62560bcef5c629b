//! The tokens of a link: taken, kept, refreshed, given up.
//!
//! A new pair is in the keyring before either of its tokens is used for anything (F4): the server
//! holds the old refresh token good until then, so that neither a power cut between any two steps nor
//! a keyring that takes nothing for a while costs a link. The old one stays in the keyring's other slot a while longer, for a server that lost the
//! new one when its database failed over (DB6).

use std::time::Duration;

use luminous_domain::display::Event;
use luminous_domain::pacing::Backoff;
use luminous_domain::{AccessToken, RefreshToken};
use luminous_wire::api::{DISPLAY_CLIENT_ID, TokenAnswer, WallView};
use luminous_wire::{AppError, ErrorCode};

use super::answer::{Refusal, Silence, Word};
use super::driver::{Driver, STORE_RETRY};
use super::files::{KeptWall, Link};
use super::secrets::{TOKENS, Tokens};

/// Refreshed this long before the end, or at 80% of short lives.
const AHEAD: Duration = Duration::from_secs(300);

/// Never refreshed by itself more often than this, whatever the clocks and answers say (F9).
const LEAST_PAUSE: Duration = Duration::from_secs(60);

/// How long the token before the one in use is kept after that one was used first: longer than a
/// standby database lags behind.
const PARENT_KEPT: Duration = Duration::from_secs(60);

/// How often it is written down how late it is.
const KEEP_TIME: Duration = Duration::from_secs(300);

/// When the keyring did not remove the token before the one in use.
const FORGET_LATER: Duration = Duration::from_secs(3600);

/// An access token, in memory only.
pub(super) struct Access {
    pub(super) token: AccessToken,
    /// In monotonic time.
    pub(super) ends_at: Duration,
}

/// A pair that the keyring has not taken yet. It is used for nothing.
pub(super) struct Unstored {
    tokens: Tokens,
    access: Access,
    /// When the keyring is tried again, in monotonic time.
    pub(super) store_at: Duration,
}

/// A link, and what is due about it. Times are monotonic.
pub(super) struct Linked {
    /// As the keyring has them.
    pub(super) tokens: Tokens,
    generation: u64,
    pub(super) access: Option<Access>,
    pub(super) wall: Option<KeptWall>,
    /// When the wall was last written to its file.
    pub(super) wall_kept_at: Option<Duration>,
    /// Whether the link is of this process: then the wall begins with a welcome.
    pub(super) is_new: bool,
    pub(super) welcome_until: Option<Duration>,
    pub(super) read_at: Option<Duration>,
    pub(super) refresh_at: Option<Duration>,
    pub(super) forget_parent_at: Option<Duration>,
    pub(super) keep_time_at: Duration,
    has_parent: bool,
    refreshed_at: Option<Duration>,
    /// When a refresh was last made only to hear whether the link is over.
    asked_at: Option<Duration>,
    refresh_failures: u32,
}

impl Linked {
    /// From the keyring: an access token is to be had first.
    pub(super) fn restored(
        tokens: Tokens,
        generation: u64,
        wall: Option<KeptWall>,
        now: Duration,
    ) -> Self {
        Self {
            tokens,
            generation,
            access: None,
            wall,
            wall_kept_at: None,
            is_new: false,
            welcome_until: None,
            read_at: None,
            refresh_at: Some(now),
            forget_parent_at: None,
            keep_time_at: now + KEEP_TIME,
            has_parent: true,
            refreshed_at: None,
            asked_at: None,
            refresh_failures: 0,
        }
    }

    fn new(tokens: Tokens, generation: u64, now: Duration) -> Self {
        Self { is_new: true, has_parent: false, ..Self::restored(tokens, generation, None, now) }
    }

    /// A refresh at `wanted`, but not more often than is decent.
    pub(super) fn refresh_no_sooner(&mut self, wanted: Duration) {
        let least = self.refreshed_at.map_or(Duration::ZERO, |at| at + LEAST_PAUSE);
        self.refresh_at = Some(wanted.max(least));
    }
}

impl Driver {
    /// When the link's time is over, in monotonic time, as far as the server's time is known (T22).
    pub(super) fn ends_at(&self, linked: &Linked) -> Option<Duration> {
        let now = self.now();
        let unstored = self.unstored.as_ref().map(|unstored| unstored.tokens.ends_at_ms);
        let ends_at_ms = unstored.map_or(linked.tokens.ends_at_ms, |ends_at_ms| {
            ends_at_ms.max(linked.tokens.ends_at_ms)
        });
        let left_ms = ends_at_ms.saturating_sub(self.server.time().known_ms(now)?);
        Some(now + Duration::from_millis(u64::try_from(left_ms).unwrap_or_default()))
    }

    /// The first tokens of a link. Until the keyring has them the code stays there: after a power cut
    /// they are fetched with it again.
    pub(super) async fn take_first(&mut self, answer: TokenAnswer) {
        let Some((tokens, access)) = self.read_tokens(answer) else {
            self.trouble = Some(unusable());
            return;
        };
        self.unstored = Some(Unstored { tokens, access, store_at: self.now() });
        self.store().await;
        if self.unstored.is_some() {
            self.on(Event::Approved).await;
        }
    }

    /// The link's time is over, by the server's clock, which may have been wrong once. So the server is
    /// asked; where there is no word of it, the time counts.
    pub(super) async fn end_of_time(&mut self) {
        self.refresh().await;
        let over = |linked: &Linked| self.ends_at(linked).is_some_and(|at| at <= self.now());
        if self.linked.as_ref().is_some_and(over) {
            self.on(Event::Ended).await;
        }
    }

    /// Refreshes the tokens.
    pub(super) async fn refresh(&mut self) {
        let Some(linked) = &self.linked else { return };
        let token = linked.tokens.refresh.clone();
        match self.ask_to_refresh(&token).await {
            Ok(answer) => self.take_refreshed(answer).await,
            Err(Refusal::Word(word)) if word.ends_tokens() => self.end_unless_parent(&word).await,
            Err(refusal) => self.refresh_later(&refusal).await,
        }
    }

    /// The server says that the link is over: its token endpoint has the last word (F12).
    pub(super) async fn make_sure(&mut self) {
        let now = self.now();
        let Some(linked) = &mut self.linked else { return };
        if linked.asked_at.is_some_and(|at| now < at + LEAST_PAUSE) {
            linked.refresh_no_sooner(now);
            return;
        }
        linked.asked_at = Some(now);
        self.refresh().await;
    }

    /// The access token is not accepted any more: another one, when it is decent to ask.
    pub(super) fn drop_access(&mut self) {
        let now = self.now();
        if let Some(linked) = &mut self.linked {
            linked.access = None;
            linked.read_at = None;
            // Another one is here already, where the keyring only has to take it.
            if self.unstored.is_none() {
                linked.refresh_no_sooner(now);
            }
        }
        if let Some(hub) = &self.hub {
            hub.hold(None);
        }
    }

    async fn ask_to_refresh(&mut self, token: &RefreshToken) -> Result<TokenAnswer, Refusal> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", DISPLAY_CLIENT_ID),
            ("refresh_token", token.expose()),
        ];
        self.server.form("/oauth2/token", &fields).await
    }

    async fn take_refreshed(&mut self, answer: TokenAnswer) {
        let read = self.read_tokens(answer);
        let now = self.now();
        let Some(linked) = &mut self.linked else { return };
        linked.refreshed_at = Some(now);
        let Some((tokens, access)) = read else {
            linked.refresh_no_sooner(now + LEAST_PAUSE);
            self.trouble = Some(unusable());
            return;
        };
        linked.refresh_failures = 0;
        linked.refresh_at = None;
        linked.forget_parent_at = None;
        // Stored first, used then.
        self.unstored = Some(Unstored { tokens, access, store_at: now });
        self.store().await;
        self.reached().await;
    }

    /// Before the link ends because the server does not know the token: the one before it, once.
    async fn end_unless_parent(&mut self, word: &Word) {
        if word.reason.as_deref() != Some("unknown") {
            return self.end().await;
        }
        let parent = match self.inner.vault.read_previous(TOKENS).await {
            Ok(parent) => parent.and_then(|payload| Tokens::read(&payload)),
            Err(error) => {
                let message = "whether the link is over cannot be told without the keyring";
                tracing::warn!(%error, message);
                let error = error.to_error();
                let silence = Silence { error, retry_after: Some(STORE_RETRY) };
                return self.refresh_later(&Refusal::Silence(silence)).await;
            }
        };
        let Some(parent) = parent.filter(|parent| parent.server == *self.server.address()) else {
            return self.end().await;
        };
        match self.ask_to_refresh(&parent.refresh).await {
            Ok(answer) => self.take_refreshed(answer).await,
            Err(Refusal::Word(word)) if word.ends_tokens() => self.end().await,
            Err(refusal) => self.refresh_later(&refusal).await,
        }
    }

    async fn end(&mut self) {
        self.reached().await;
        self.on(Event::Ended).await;
    }

    async fn refresh_later(&mut self, refusal: &Refusal) {
        match refusal {
            Refusal::Silence(silence) => self.unreached(silence).await,
            Refusal::Word(word) => {
                self.reached().await;
                self.trouble = Some(word.to_error());
            }
        }
        let Some(linked) = &mut self.linked else { return };
        linked.refresh_failures = linked.refresh_failures.saturating_add(1);
        let failures = linked.refresh_failures;
        let wait = match refusal {
            Refusal::Silence(silence) => {
                let told = silence.retry_after.unwrap_or_default();
                self.pause(Backoff::REFRESH, failures).max(told)
            }
            // The server is there and says no: asking again at once changes nothing.
            Refusal::Word(_) => LEAST_PAUSE,
        };
        let at = self.now() + wait;
        if let Some(linked) = &mut self.linked {
            linked.refresh_at = Some(at);
        }
    }

    fn read_tokens(&self, answer: TokenAnswer) -> Option<(Tokens, Access)> {
        let now = self.now();
        let lives = i64::from(answer.refresh_token_expires_in) * 1000;
        let server_now = self.server.time().guess(&*self.inner.ports.clock).as_millisecond();
        let usable = answer.token_type.eq_ignore_ascii_case("DPoP")
            && !answer.access_token.is_empty()
            && !answer.refresh_token.is_empty();
        usable.then(|| {
            let tokens = Tokens {
                server: self.server.address().clone(),
                device: answer.device_id,
                refresh: RefreshToken::new(answer.refresh_token),
                ends_at_ms: server_now.saturating_add(lives),
            };
            let ends_at = now + Duration::from_secs(answer.expires_in.into());
            (tokens, Access { token: AccessToken::new(answer.access_token), ends_at })
        })
    }

    /// Writes the tokens to the keyring, and that there is a link to the state file; from then on they
    /// are the ones in use. What the keyring does not take is tried again (S12).
    pub(super) async fn store(&mut self) {
        let Some(unstored) = &self.unstored else { return };
        let payload = unstored.tokens.to_secret_bytes();
        let generation = self.linked.as_ref().map_or(0, |linked| linked.generation);
        match self.inner.vault.write(TOKENS, payload, generation).await {
            Ok(generation) => self.stored(generation).await,
            Err(error) => {
                tracing::warn!(%error, "the keyring did not take the tokens; it is tried again");
                let again_at = self.now() + STORE_RETRY;
                if let Some(unstored) = &mut self.unstored {
                    unstored.store_at = again_at;
                }
                self.storage = Some(error.to_error());
            }
        }
    }

    async fn stored(&mut self, generation: u64) {
        let now = self.now();
        let Some(Unstored { tokens, access, .. }) = self.unstored.take() else { return };
        self.storage = None;
        self.saved.link = Some(Link {
            server: tokens.server.clone(),
            device: tokens.device,
            ends_at_ms: tokens.ends_at_ms,
        });
        let is_first = self.linked.is_none();
        match &mut self.linked {
            Some(linked) => {
                linked.tokens = tokens;
                linked.generation = generation;
                linked.has_parent = true;
                schedule(linked, access, now);
            }
            none => schedule(none.insert(Linked::new(tokens, generation, now)), access, now),
        }
        self.save().await;
        if is_first {
            self.on(Event::Redeemed).await;
        } else if let Some(hub) = &self.hub {
            hub.hold(self.token_in_use());
        }
    }

    /// The access token was accepted: the token before it has had its time, soon.
    pub(super) fn used(&mut self) {
        let now = self.now();
        if let Some(linked) = self.linked.as_mut().filter(|linked| linked.has_parent)
            && self.unstored.is_none()
            && linked.forget_parent_at.is_none()
        {
            linked.forget_parent_at = Some(now + PARENT_KEPT);
        }
    }

    pub(super) async fn forget_parent(&mut self) {
        let forgotten = self.inner.vault.forget_previous(TOKENS).await;
        let now = self.now();
        let Some(linked) = &mut self.linked else { return };
        match forgotten {
            Ok(()) => {
                linked.has_parent = false;
                linked.forget_parent_at = None;
            }
            Err(error) => {
                tracing::info!(%error, "the token before the one in use stays in the keyring");
                linked.forget_parent_at = Some(now + FORGET_LATER);
            }
        }
    }

    pub(super) async fn keep_time(&mut self) {
        let now = self.now();
        if let Some(linked) = &mut self.linked {
            linked.keep_time_at = now + KEEP_TIME;
        }
        self.save().await;
    }

    /// Removes the tokens and all that the family ever said; the key and the former name stay.
    pub(super) async fn wipe(&mut self) {
        self.linked = None;
        self.unstored = None;
        self.hub = None;
        self.publish_wiped();
        self.forget_family().await;
        if let Err(error) = self.inner.vault.erase(TOKENS).await {
            // They are dead: the server said so, or their time is over.
            tracing::warn!(%error, "dead tokens stay in the keyring");
        }
        self.storage = None;
    }
}

impl Driver {
    /// Removes from the disk what the family said, and that there is a link.
    pub(super) async fn forget_family(&mut self) {
        self.on_disk(super::files::Folder::remove_wall).await;
        if self.saved.link.take().is_some() {
            self.save().await;
        }
    }
}

/// When the access token wants to be refreshed, and that the wall is to be read with it.
fn schedule(linked: &mut Linked, access: Access, now: Duration) {
    let life = access.ends_at.saturating_sub(now);
    let ahead = AHEAD.min(life / 5);
    linked.access = Some(access);
    linked.refresh_no_sooner(now + life.saturating_sub(ahead));
    linked.forget_parent_at = None;
    linked.read_at = Some(now);
}

fn unusable() -> AppError {
    AppError::new(ErrorCode::ServerBusy, "the family server's tokens cannot be used")
}

/// What the wall of a new link is called from now on.
pub(super) fn name_of(wall: &WallView) -> Option<String> {
    wall.device.as_ref().map(|place| place.name.clone())
}
