//! Being linked: a code on the screen, the number, the tokens (RFC 8628).

use std::time::Duration;

use luminous_domain::display::{Event, Shown, State};
use luminous_domain::pacing::Polling;
use luminous_domain::{Clock, DeviceCode, MatchNumber, UserCode};
use luminous_wire::QrView;
use luminous_wire::api::{
    DEVICE_CODE_GRANT, DISPLAY_CLIENT_ID, DISPLAY_SCOPE, DeviceAuthorization, TokenAnswer,
};
use luminous_wire::{AppError, ErrorCode};

use super::answer::{Refusal, Silence, Word};
use super::driver::Driver;
use super::qr::qr;
use super::secrets::{CODE, Code};
use super::time::ServerTime;

/// A code lives ten minutes; a server that says much more is not believed.
const LONGEST_CODE: Duration = Duration::from_secs(1800);

/// How long after its code's end a display still asks a server that it does not reach: an approval of
/// the last moment is redeemed as long as a code lives. The server's own word ends it earlier.
const REDEMPTION: Duration = Duration::from_secs(600);

/// A code that is waited for.
pub(super) struct Awaiting {
    pub(super) code: Code,
    pub(super) qr: QrView,
    pub(super) shown_at: Duration,
    polling: Polling,
    /// When the last poll went out, or the code came.
    last_poll: Duration,
    /// The next poll goes out at once: after a restart.
    is_due: bool,
    /// The next poll does not wait for a push: something may have happened before the hub was there.
    is_unsure: bool,
}

impl Awaiting {
    /// The code that was on the screen when the power went. Whatever the clocks say, the server is
    /// asked at once: it may have been approved.
    pub(super) fn restored(
        code: Code,
        time: &ServerTime,
        clock: &dyn Clock,
    ) -> Option<(Self, Shown)> {
        let now = clock.elapsed();
        let left_ms = code.expires_at_ms.saturating_sub(time.guess(clock).as_millisecond());
        let left = Duration::from_millis(u64::try_from(left_ms).unwrap_or_default());
        let left = left.clamp(Duration::from_secs(1), LONGEST_CODE);
        let polling = Polling::new(Duration::from_secs(code.interval_s.into()));
        let shown = Shown { expires_at: now + left, polling, renewals: code.renewals };
        let qr = qr(&code.verification_uri_complete)?;
        let awaiting = Self {
            code,
            qr,
            shown_at: now,
            polling,
            last_poll: now,
            is_due: true,
            is_unsure: false,
        };
        Some((awaiting, shown))
    }
}

impl Driver {
    /// When to ask what became of the code.
    pub(super) fn next_poll(&self) -> Option<Duration> {
        let (awaiting, shown) = (self.awaiting.as_ref()?, self.state.shown()?);
        // The tokens are here; the keyring only has to take them.
        if self.unstored.is_some() {
            return None;
        }
        if awaiting.is_due {
            return Some(self.now());
        }
        // What the hub had to say of this code it has said.
        let is_approved = matches!(self.state, State::Approved(_));
        let is_pushed = self.is_pushed() && !awaiting.is_unsure && !is_approved;
        Some(awaiting.polling.due(awaiting.last_poll, shown.expires_at, is_pushed))
    }

    pub(super) async fn ask_for_code(&mut self) {
        let State::Asking { renewals } = self.state else { return };
        let said = self.inner.description.clone();
        let fields = [
            ("client_id", DISPLAY_CLIENT_ID),
            ("scope", DISPLAY_SCOPE),
            ("device_name", said.name.as_str()),
            ("device_model", said.model.as_str()),
            ("app_version", said.app_version.as_str()),
        ];
        let asked_at = self.now();
        let answer = self.server.form("/oauth2/device_authorization", &fields).await;
        match answer.and_then(|given| self.read_code(given, asked_at, renewals)) {
            Ok((awaiting, expires_at)) => {
                let polling = awaiting.polling;
                self.failures = 0;
                self.ask_at = None;
                self.trouble = None;
                self.awaiting = Some(awaiting);
                self.reached().await;
                self.on(Event::Given { expires_at, polling }).await;
            }
            Err(refusal) => self.ask_at = Some(self.failed(&refusal).await),
        }
    }

    fn read_code(
        &self,
        given: DeviceAuthorization,
        asked_at: Duration,
        renewals: u8,
    ) -> Result<(Awaiting, Duration), Refusal> {
        let user_code = UserCode::parse(&given.user_code).map_err(|_| unreadable())?.grouped();
        let qr = qr(&given.verification_uri_complete).ok_or_else(unreadable)?;
        let lifetime = Duration::from_secs(given.expires_in.into()).min(LONGEST_CODE);
        let polling = Polling::new(Duration::from_secs(given.interval.into()));
        let server_now = self.server.time().guess(&*self.inner.ports.clock).as_millisecond();
        let lifetime_ms = i64::try_from(lifetime.as_millis()).unwrap_or_default();
        let code = Code {
            server: self.server.address().clone(),
            device_code: DeviceCode::new(given.device_code),
            user_code,
            verification_uri: given.verification_uri,
            verification_uri_complete: given.verification_uri_complete,
            interval_s: given.interval,
            expires_at_ms: server_now.saturating_add(lifetime_ms),
            renewals,
        };
        let (shown_at, last_poll) = (asked_at, self.now());
        let awaiting =
            Awaiting { code, qr, shown_at, polling, last_poll, is_due: false, is_unsure: false };
        Ok((awaiting, asked_at + lifetime))
    }

    /// Shows the code, then keeps it where a power cut does not reach it (D23). A keyring that does
    /// not take it costs that, and not the code.
    pub(super) async fn begin_awaiting(&mut self) {
        self.publish();
        self.listen_for_link();
        self.save().await;
        let Some(awaiting) = &self.awaiting else { return };
        let written = self.inner.vault.write(CODE, awaiting.code.to_secret_bytes(), 0).await;
        if let Err(error) = written {
            tracing::warn!(%error, "the code is not kept across a power cut");
        }
    }

    pub(super) async fn forget_code(&mut self) {
        self.awaiting = None;
        self.hub = None;
        self.unstored = None;
        if let Err(error) = self.inner.vault.erase(CODE).await {
            tracing::warn!(%error, "a code that is over stays in the keyring");
        }
    }

    /// Asks for the tokens, and hears meanwhile how the code stands.
    pub(super) async fn poll(&mut self) {
        let Some(device_code) = self.begin_poll() else { return };
        if let Some(answer) = self.redeem_over_hub().await {
            return self.polled(Ok(answer)).await;
        }
        let fields = [
            ("grant_type", DEVICE_CODE_GRANT),
            ("client_id", DISPLAY_CLIENT_ID),
            ("device_code", device_code.expose()),
        ];
        let answer = self.server.form::<TokenAnswer>("/oauth2/token", &fields).await;
        self.polled(answer).await;
    }

    fn begin_poll(&mut self) -> Option<DeviceCode> {
        let now = self.now();
        let awaiting = self.awaiting.as_mut().filter(|_| self.unstored.is_none())?;
        awaiting.last_poll = now;
        awaiting.is_due = false;
        awaiting.is_unsure = false;
        Some(awaiting.code.device_code.clone())
    }

    async fn polled(&mut self, answer: Result<TokenAnswer, Refusal>) {
        match answer {
            Ok(tokens) => {
                self.pace(Polling::answered);
                self.trouble = None;
                self.reached().await;
                self.take_first(tokens).await;
            }
            Err(Refusal::Word(word)) => {
                self.trouble = None;
                self.reached().await;
                self.heard(word).await;
            }
            Err(Refusal::Silence(silence)) => {
                self.pace(Polling::failed);
                self.unreached(&silence).await;
                self.trouble = Some(silence.error);
                self.expire_if_over(REDEMPTION).await;
            }
        }
    }

    async fn heard(&mut self, word: Word) {
        match word.code.as_str() {
            "authorization_pending" => {
                self.pace(Polling::answered);
                self.numbered(word.number).await;
                self.expire_if_over(Duration::ZERO).await;
            }
            "slow_down" => {
                self.pace(|polling| polling.slowed(word.interval));
                self.expire_if_over(REDEMPTION).await;
            }
            "access_denied" => self.on(Event::Denied).await,
            // A code that the server does not know is over too.
            "expired_token" | "invalid_grant" => self.on(Event::Expired).await,
            _ => {
                self.pace(Polling::failed);
                self.trouble = Some(word.to_error());
                self.expire_if_over(REDEMPTION).await;
            }
        }
    }

    /// What the server says of the number to show.
    pub(super) async fn numbered(&mut self, number: Option<MatchNumber>) {
        match (&self.state, number) {
            (State::Claimed { number: shown, .. }, Some(number)) if *shown == number => {}
            (State::Claimed { .. }, None) => self.on(Event::Released).await,
            (_, Some(number)) => self.on(Event::Claimed(number)).await,
            (_, None) => {}
        }
    }

    /// The next poll comes as soon as the server allows one.
    pub(super) fn poll_soon(&mut self) {
        if let Some(awaiting) = &mut self.awaiting {
            awaiting.is_unsure = true;
        }
    }

    /// The code counts as over this long after its end.
    async fn expire_if_over(&mut self, grace: Duration) {
        let now = self.now();
        if self.state.shown().is_some_and(|shown| now >= shown.expires_at + grace) {
            self.on(Event::Expired).await;
        }
    }

    fn pace(&mut self, change: impl FnOnce(Polling) -> Polling) {
        if let Some(awaiting) = &mut self.awaiting {
            awaiting.polling = change(awaiting.polling);
        }
    }
}

fn unreadable() -> Refusal {
    let message = "the family server's code cannot be shown";
    Refusal::Silence(Silence {
        error: AppError::new(ErrorCode::ServerBusy, message),
        retry_after: None,
    })
}
