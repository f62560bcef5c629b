//! Keeping the session fresh.
//!
//! One flight per process (F1) and one at a time across processes (F2). A refresh runs in a task
//! of its own: a caller that goes away must not take a rotated token with it. Only the provider's
//! own "this grant is dead" ends a session; everything else keeps it and tries again later (F12).

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::AccessToken;
use luminous_domain::pacing::Backoff;
use luminous_oidc::{IdTokenExpectation, Identity, Provider, VerifyError};
use luminous_wire::{AppError, Connection, ErrorCode, SignedOutCause};
use tokio::sync::watch;

use super::answer::stale;
use super::state::{Access, Due, Grant, SignedIn};
use super::{Session, lock};
use crate::error::{internal, of_discovery, of_refresh, of_verify};
use crate::state_file::Account;
use crate::tokens::{Answer, TokenEndpoint, TokenFailure, Tokens};

/// A lifetime the provider does not tell.
const UNTOLD_LIFETIME: Duration = Duration::from_secs(300);

/// Refreshed this long before the end, or at 80% of short lives.
const AHEAD: Duration = Duration::from_secs(300);

/// Never refreshed by itself more often than this, whatever the clocks do (F9).
const LEAST_PAUSE: Duration = Duration::from_secs(60);

/// A token with less life left than this is not given out, or with less than a tenth of a short
/// life.
const MARGIN: Duration = Duration::from_secs(30);

/// How long at most without looking at the wall clock, which goes on while the computer sleeps.
const LOOK: Duration = Duration::from_secs(60);

/// A refresh that is under way, for all who want its result.
#[derive(Clone)]
pub(super) struct Flight(watch::Receiver<Option<Result<(), AppError>>>);

impl Flight {
    pub(super) async fn landed(mut self) -> Result<(), AppError> {
        match self.0.wait_for(Option::is_some).await {
            Ok(result) => result.clone().unwrap_or_else(|| Err(internal("no result"))),
            Err(_) => Err(internal("the refresh was abandoned")),
        }
    }
}

/// What a refresh starts from.
struct Start {
    epoch: u64,
    account: Account,
    grant: Grant,
    provider: Arc<Provider>,
}

/// What a refreshed ID token told.
#[derive(Default)]
struct Told {
    /// Who it is about, with their name as of now.
    identity: Option<Identity>,
    /// What the person shall hear although the refresh succeeded.
    warning: Option<AppError>,
}

/// How a refresh failed, and what follows from it.
struct Failure {
    error: AppError,
    ends: bool,
    retry_after: Option<Duration>,
}

impl Failure {
    const fn passing(error: AppError) -> Self {
        Self { error, ends: false, retry_after: None }
    }
}

impl Session {
    /// An access token with some life left, half a minute as a rule, refreshed if need be. However many
    /// ask at once, one request goes out.
    ///
    /// # Errors
    /// [`ErrorCode::SessionReauthRequired`] when nobody is signed in any more,
    /// [`ErrorCode::ProviderNoAccess`] when the provider gives no access token for what we ask, else
    /// why there is none just now.
    pub async fn access_token(&self) -> Result<AccessToken, AppError> {
        let epoch = self.state().epoch;
        self.token_of(epoch).await
    }

    /// The same for the session that began `epoch`: nobody acts with the next one's token.
    pub(super) async fn token_of(&self, epoch: u64) -> Result<AccessToken, AppError> {
        match self.fresh_token(epoch)? {
            Some(token) => Ok(token),
            None => self.refreshed_token(epoch).await,
        }
    }

    /// The token of the session that began `epoch`, while it has some life left.
    pub(super) fn fresh_token(&self, epoch: u64) -> Result<Option<AccessToken>, AppError> {
        let (elapsed, wall) = self.clocks();
        let mut state = self.state();
        if state.epoch != epoch {
            return Err(stale());
        }
        let access = state.signed_in().and_then(|one| one.access.as_ref());
        let fresh = access.filter(|access| !access.good_until.has_come(elapsed, wall));
        Ok(fresh.map(|access| access.token.clone()))
    }

    /// A token after `used`, which somebody does not accept any more.
    pub(super) async fn newer_token(
        &self,
        epoch: u64,
        used: &AccessToken,
    ) -> Result<AccessToken, AppError> {
        match self.fresh_token(epoch)?.filter(|token| token.expose() != used.expose()) {
            Some(token) => Ok(token),
            None => self.refreshed_token(epoch).await,
        }
    }

    async fn refreshed_token(&self, epoch: u64) -> Result<AccessToken, AppError> {
        self.may_ask_now()?;
        self.refresh().await?;
        self.fresh_token(epoch)?.ok_or_else(no_access)
    }

    /// While a failed refresh waits for its next try, callers get its error and send nothing; nor
    /// does a provider that gives no access token at all get asked before its time.
    fn may_ask_now(&self) -> Result<(), AppError> {
        let (elapsed, wall) = self.clocks();
        let mut state = self.state();
        let Some(signed_in) = state.signed_in() else { return Err(no_session()) };
        let waits = signed_in.due.is_some_and(|due| !due.has_come(elapsed, wall));
        match &signed_in.last_failure {
            Some(failure) if waits => Err(failure.clone()),
            None if waits && signed_in.grant.is_some() && signed_in.access.is_none() => {
                Err(no_access())
            }
            _ => Ok(()),
        }
    }

    /// Joins the refresh that is under way, or starts one.
    pub(super) async fn refresh(&self) -> Result<(), AppError> {
        let flight = {
            let mut slot = lock(&self.inner.flight);
            match &*slot {
                Some(flight) => flight.clone(),
                None => {
                    let (land, landing) = watch::channel(None);
                    let flight = Flight(landing);
                    *slot = Some(flight.clone());
                    let session = self.clone();
                    // Not one of the tasks that a shutdown aborts.
                    tokio::spawn(async move {
                        let result = session.refresh_once().await;
                        *lock(&session.inner.flight) = None;
                        land.send_replace(Some(result));
                    });
                    flight
                }
            }
        };
        flight.landed().await
    }

    async fn refresh_once(&self) -> Result<(), AppError> {
        let epoch = self.state().epoch;
        match self.try_refresh().await {
            Ok(()) => Ok(()),
            Err(failure) => Err(self.note_failure(epoch, failure).await),
        }
    }

    async fn try_refresh(&self) -> Result<(), Failure> {
        let _lock = self.lock_across_processes().await.map_err(Failure::passing)?;
        let mut start = self.refresh_start().map_err(Failure::passing)?;
        if self.keeps_in_keyring()
            && let Some(newer) = self.newer_grant(&start.account.view.id, &start.grant).await
        {
            start.grant = newer;
        }
        self.ask_and_take(start).await
    }

    fn refresh_start(&self) -> Result<Start, AppError> {
        let provider = self.provider()?;
        let mut state = self.state();
        let epoch = state.epoch;
        let signed_in = state.signed_in().ok_or_else(no_session)?;
        let grant = signed_in.grant.clone().ok_or_else(|| match signed_in.account.generation {
            Some(_) => AppError::new(ErrorCode::StoreWaiting, "the keyring has not answered yet"),
            None => {
                let message = "the provider gave no refresh token: it has to be signed in again";
                AppError::new(ErrorCode::SessionReauthRequired, message)
            }
        })?;
        Ok(Start { epoch, account: signed_in.account.clone(), grant, provider })
    }

    async fn ask_and_take(&self, start: Start) -> Result<(), Failure> {
        let ports = &self.inner.ports;
        let metadata = start
            .provider
            .metadata()
            .await
            .map_err(|error| Failure::passing(of_discovery(&error)))?;
        let config = start.provider.config();
        if metadata.issuer != start.grant.issuer || config.client_id != start.grant.client_id {
            let message = "the sign-in belongs to another provider than the one configured";
            return Err(Failure::passing(AppError::new(ErrorCode::SessionOtherProvider, message)));
        }
        let asked_at = ports.clock.elapsed();
        let endpoint = TokenEndpoint {
            http: &*ports.http,
            clock: &*ports.clock,
            url: &metadata.token_endpoint,
            client_id: &config.client_id,
        };
        let Answer { tokens, offset } = endpoint.refresh(&start.grant.token, &config.scopes).await;
        let tokens = tokens.map_err(|failure| Failure {
            error: of_refresh(&failure),
            ends: matches!(failure, TokenFailure::Ended(_)),
            retry_after: match failure {
                TokenFailure::Busy { retry_after, .. } => retry_after,
                _ => None,
            },
        })?;
        let told = self.check_identity(&start, &tokens, offset).await?;
        self.take_refreshed(start, tokens, asked_at, told).await
    }

    /// A refreshed ID token must be about the same person (OpenID Connect Core section 12.2; F8).
    ///
    /// One that cannot be judged, because the keys cannot be had or this computer's clock is wrong,
    /// proves nothing against the tokens that came with it on the same connection: they are taken,
    /// because the old ones may be dead already, and the person is told.
    async fn check_identity(
        &self,
        start: &Start,
        tokens: &Tokens,
        offset: Option<i64>,
    ) -> Result<Told, Failure> {
        let Some(id_token) = &tokens.id else { return Ok(Told::default()) };
        let access_token = tokens.access.as_ref();
        let expected = IdTokenExpectation { nonce: None, access_token, max_age: None };
        match start.provider.verify_id_token(id_token, expected).await {
            Ok(identity)
                if identity.person == start.account.person
                    && identity.issuer == start.grant.issuer =>
            {
                Ok(Told { identity: Some(identity), warning: None })
            }
            Ok(_) => {
                let message = "the provider answered for another person";
                Err(Failure::passing(AppError::new(ErrorCode::SessionIdentityChanged, message)))
            }
            Err(error) => {
                let shown = of_verify(&error, offset);
                let unjudged = !matches!(error, VerifyError::Token(_));
                if unjudged || shown.code == ErrorCode::ClockSkew {
                    Ok(Told { identity: None, warning: Some(shown) })
                } else {
                    Err(Failure::passing(shown))
                }
            }
        }
    }

    async fn take_refreshed(
        &self,
        start: Start,
        tokens: Tokens,
        asked_at: Duration,
        told: Told,
    ) -> Result<(), Failure> {
        let _gate = self.gate().await;
        if self.state().epoch != start.epoch || self.ended_elsewhere(&start) {
            return Err(Failure::passing(stale()));
        }
        // Without a new refresh token the old one stays in force (RFC 6749 section 6; F8).
        let grant = match tokens.refresh.clone() {
            Some(token) => Grant { token, stored: false, ..start.grant.clone() },
            None => start.grant.clone(),
        };
        // Durable before the access token is used (F4).
        let id = start.account.view.id.as_str();
        let written = if !grant.stored && self.keeps_in_keyring() {
            Some(self.write_grant(id, &grant).await)
        } else {
            // The token in force has proved itself: the one before it is of no more use.
            self.forget_previous_grant(id).await;
            None
        };
        let generation = written.as_ref().and_then(|written| written.as_ref().ok().copied());
        let grant = grant.after_write(generation);
        let taken = self.update(|state| {
            let current = state.epoch == start.epoch;
            let signed_in = state.signed_in().filter(|_| current)?;
            signed_in.account.generation = grant.stored.then_some(grant.base);
            signed_in.grant = Some(grant);
            signed_in.connection = Connection::Online;
            signed_in.failures = 0;
            signed_in.last_failure = None;
            self.take_tokens(signed_in, &tokens, asked_at);
            let renamed = told.identity.is_some_and(|told| signed_in.account.learn(told));
            let account = renamed.then(|| signed_in.account.clone());
            state.problem = told.warning;
            Some(account)
        });
        let Some(renamed) = taken else { return Err(Failure::passing(stale())) };
        if let Some(account) = renamed {
            self.note_file(self.inner.file.save_account(&account));
        }
        if let Some(written) = written {
            self.note_written(start.epoch, written);
        }
        self.ask_for_standing();
        Ok(())
    }

    /// Whether another process signed this account out since; this one follows then.
    fn ended_elsewhere(&self, start: &Start) -> bool {
        let ended = self.inner.file.has_ended(&start.account.view.id).unwrap_or(false);
        if ended {
            self.update(|state| {
                if state.epoch == start.epoch {
                    state.leave(SignedOutCause::SignedOut);
                }
            });
        }
        ended
    }

    /// Puts tokens in force and says when to refresh them. Lifetimes count from when the request
    /// was sent, on the monotonic clock.
    pub(super) fn take_tokens(
        &self,
        signed_in: &mut SignedIn,
        tokens: &Tokens,
        asked_at: Duration,
    ) {
        let lifetime = tokens.lifetime.unwrap_or(UNTOLD_LIFETIME);
        let (elapsed, wall) = self.clocks();
        let spent = elapsed.saturating_sub(asked_at);
        let after = |life: Duration| {
            let left = life.saturating_sub(spent);
            Due { elapsed: elapsed + left, wall: wall.saturating_add(left).unwrap_or(wall) }
        };
        let good = lifetime.mul_f64(0.9).max(lifetime.saturating_sub(MARGIN));
        let early = lifetime.mul_f64(0.8).max(lifetime.saturating_sub(AHEAD)).max(LEAST_PAUSE);
        signed_in.access =
            tokens.access.clone().map(|token| Access { token, good_until: after(good) });
        signed_in.due = signed_in.grant.is_some().then(|| after(early));
    }

    /// Ends the session or waits for the next try; answers what callers shall hear.
    async fn note_failure(&self, epoch: u64, failure: Failure) -> AppError {
        if failure.ends {
            return self.end(epoch, failure.error).await;
        }
        let mut random = [0_u8; 4];
        // Without randomness the wait is the shortest, which is still bounded by the ceiling.
        let _ = self.inner.ports.entropy.fill(&mut random);
        let (elapsed, wall) = self.clocks();
        self.update(|state| {
            let current = state.epoch == epoch;
            let Some(signed_in) = state.signed_in().filter(|_| current) else { return };
            signed_in.failures += 1;
            let backoff = Backoff::REFRESH.wait(signed_in.failures, u32::from_le_bytes(random));
            let wait = backoff.max(failure.retry_after.unwrap_or_default());
            signed_in.due = Some(Due { elapsed: elapsed + wait, wall: wall + wait });
            signed_in.last_failure = Some(failure.error.clone());
            if is_offline(failure.error.code) {
                let since_ms = match &signed_in.connection {
                    Connection::Online => Some(wall.as_millisecond()),
                    Connection::Offline { since_ms } => *since_ms,
                    Connection::Checking => None,
                };
                signed_in.connection = Connection::Offline { since_ms };
            }
            // Being offline shows in the connection; what the person can mend is said.
            if !is_passing(failure.error.code) {
                state.problem = Some(failure.error.clone());
            }
        });
        failure.error
    }

    /// Ends the session that began `epoch`, for `error`; answers `error`.
    pub(super) async fn end(&self, epoch: u64, error: AppError) -> AppError {
        let account = self.update(|state| {
            let current = state.epoch == epoch;
            let account = state.who.account().filter(|_| current)?.view.id.clone();
            state.leave(SignedOutCause::Ended);
            state.problem = Some(error.clone());
            Some(account)
        });
        if let Some(account) = account {
            self.note_file(self.inner.file.end(&account, SignedOutCause::Ended));
            let _gate = self.gate().await;
            self.erase_leftovers().await;
        }
        error
    }

    /// Refreshes whenever it is time, for as long as the session stands.
    pub(super) async fn keep_fresh(&self) {
        loop {
            let (elapsed, wall) = self.clocks();
            let due = self.state().signed_in().and_then(|signed_in| signed_in.due);
            let wait = match due {
                Some(due) if due.has_come(elapsed, wall) => {
                    // What went wrong is in the snapshot, and the next try is due later.
                    let _ = self.refresh().await;
                    continue;
                }
                Some(due) => (due.elapsed - elapsed).min(LOOK),
                None => Duration::MAX,
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = self.inner.refresh_changed.notified() => {}
            }
        }
    }

    pub(super) fn clocks(&self) -> (Duration, luminous_domain::Timestamp) {
        let clock = &self.inner.ports.clock;
        (clock.elapsed(), clock.now())
    }
}

async fn sleep(wait: Duration) {
    match wait {
        Duration::MAX => std::future::pending().await,
        wait => tokio::time::sleep(wait).await,
    }
}

const fn is_offline(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::NetUnreachable
            | ErrorCode::NetCaptive
            | ErrorCode::ProviderBusy
            | ErrorCode::DiscoveryFailed
            | ErrorCode::ServerUnreachable
    )
}

const fn is_passing(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::NetUnreachable | ErrorCode::ProviderBusy | ErrorCode::ServerUnreachable
    )
}

pub(super) fn no_access() -> AppError {
    let message = "the provider gave no usable access token for the scopes that are asked for";
    AppError::new(ErrorCode::ProviderNoAccess, message)
}

pub(super) fn no_session() -> AppError {
    AppError::new(ErrorCode::SessionReauthRequired, "nobody is signed in")
}
