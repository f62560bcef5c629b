//! Signing in: connect, open the browser, take the answer, exchange the code, verify, store.

use std::sync::Arc;
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use luminous_domain::{AuthorizationCode, PersonKey, Timestamp};
use luminous_oidc::{IdTokenExpectation, Identity, ProviderConfig};
use luminous_wire::{
    AccountView, AppError, BrowserState, ConnectRequest, Connection, ErrorCode, RedirectChannel,
    SignInIntent, SignedOutCause,
};
use sha2::{Digest as _, Sha256};
use url::Url;
use zeroize::Zeroizing;

use super::state::{Activity, Grant, SignedIn, Waiting, Who};
use super::{Session, connected};
use crate::error::{internal, of_discovery, of_exchange, of_verify};
use crate::loopback::{Judge, Loopback, Verdict};
use crate::redirect::{DEEP_LINK, Redirect, RedirectError, loopback_uri, parse_redirect};
use crate::sign_in::{self, AnswerError, PendingSignIn, Request};
use crate::state_file::{Account, SavedProvider};
use crate::tokens::{TokenEndpoint, Tokens};

/// An answer that belongs to a pending sign-in of this session.
struct Taken {
    epoch: u64,
    pending: PendingSignIn,
    answer: Redirect,
}

impl Session {
    /// The first connection: finds out whether there is a provider at the address, and remembers
    /// it.
    ///
    /// # Errors
    /// [`ErrorCode::ConfigInvalid`] for an address that cannot be used or while somebody is signed
    /// in, else why the provider cannot be reached or believed.
    pub async fn connect(&self, request: ConnectRequest) -> Result<(), AppError> {
        if self.state().who.account().is_some() {
            let message = "sign out before connecting elsewhere";
            return Err(AppError::new(ErrorCode::ConfigInvalid, message));
        }
        let transport = self.inner.tuning.transport;
        let config = ProviderConfig::from_address(&request.address, &request.client_id, transport)
            .map_err(|error| AppError::new(ErrorCode::ConfigInvalid, error.to_string()))?;
        let connected = connected(&self.inner.ports, config, false);
        let metadata = connected.provider.metadata().await.map_err(|error| of_discovery(&error))?;
        let saved = SavedProvider {
            address: request.address,
            client_id: request.client_id,
            issuer: metadata.issuer.clone(),
        };
        self.inner.file.save_provider(&saved).map_err(internal)?;
        self.update(|state| {
            state.provider = Some(connected);
            state.problem = None;
        });
        Ok(())
    }

    /// Begins a sign-in: makes the link, makes sure that the answer can come back, opens the
    /// browser. A browser that cannot be opened is no error: the link can be copied (R17).
    ///
    /// # Errors
    /// Why the provider cannot be asked, or [`ErrorCode::RedirectNoChannel`].
    pub async fn begin_sign_in(&self, intent: SignInIntent) -> Result<(), AppError> {
        self.update(|state| state.problem = None);
        let begun = self.prepare(intent).await;
        let link = begun.inspect_err(|error| {
            self.update(|state| state.problem = Some(error.clone()));
        })?;
        self.open_browser(link).await;
        Ok(())
    }

    async fn prepare(&self, intent: SignInIntent) -> Result<Url, AppError> {
        let provider = self.provider()?;
        let metadata = provider.metadata().await.map_err(|error| of_discovery(&error))?;
        let (channel, loopback) = self.channel().await?;
        let redirect_uri = match &loopback {
            Some(loopback) => loopback_uri(loopback.port()),
            None => DEEP_LINK.to_owned(),
        };
        let request = Request {
            config: provider.config(),
            metadata: &metadata,
            redirect_uri: &redirect_uri,
            intent,
            language: self.settings().language,
            now: self.inner.ports.clock.now(),
        };
        let (link, pending) =
            sign_in::begin(request, &*self.inner.ports.entropy).map_err(internal)?;
        let id = pending.state.clone();
        let waiting = Waiting {
            id: id.clone(),
            link: link.clone(),
            channel,
            browser: BrowserState::Opened,
            expires_at: pending.expires_at,
        };
        self.update(|state| {
            state.pending.add(pending);
            state.activity = Activity::Waiting(waiting);
        });
        // Before the browser opens, so that not even a crash now loses the answer.
        self.save_pending().await;
        self.attend(id, loopback);
        Ok(link)
    }

    /// The deep link where it comes to us, else a loopback port.
    async fn channel(&self) -> Result<(RedirectChannel, Option<Loopback>), AppError> {
        let scheme = Arc::clone(&self.inner.ports.scheme);
        let ours = tokio::task::spawn_blocking(move || scheme.is_ours()).await;
        if ours.unwrap_or(false) {
            return Ok((RedirectChannel::DeepLink, None));
        }
        match Loopback::bind(&self.inner.tuning.loopback_ports).await {
            Ok(loopback) => Ok((RedirectChannel::Loopback, Some(loopback))),
            Err(error) => {
                let message = format!("the deep link is not registered to this app, and {error}");
                Err(AppError::new(ErrorCode::RedirectNoChannel, message))
            }
        }
    }

    /// Listens, where that is the channel, until the answer came or the time is up.
    fn attend(&self, id: Zeroizing<String>, loopback: Option<Loopback>) {
        let session = self.clone();
        self.spawn(async move {
            let over = session.over(&id);
            match loopback {
                Some(loopback) => tokio::select! {
                    () = loopback.serve(session.judge()) => {}
                    () = over => {}
                },
                None => over.await,
            }
            // The port is closed by now; a keyring that hangs must not keep it open.
            session.save_pending().await;
        });
    }

    /// Waits until the sign-in `id` is not pending any more, and ends it when its time is up.
    async fn over(&self, id: &str) {
        let mut snapshots = self.snapshots();
        loop {
            let now = self.inner.ports.clock.now();
            let left = match self.state().pending.expires_at(id) {
                Some(expires_at) => expires_at.duration_since(now),
                None => return,
            };
            match Duration::try_from(left) {
                Ok(left) if !left.is_zero() => tokio::select! {
                    () = tokio::time::sleep(left) => {}
                    changed = snapshots.changed() => if changed.is_err() { return },
                },
                _ => return self.expire(id, now),
            }
        }
    }

    fn expire(&self, id: &str, now: Timestamp) {
        self.update(|state| {
            state.pending.expire(now);
            if matches!(&state.activity, Activity::Waiting(waiting) if waiting.id.as_str() == id) {
                state.activity = Activity::Idle;
                let message = "the sign-in took too long";
                state.problem = Some(AppError::new(ErrorCode::RedirectExpired, message));
            }
        });
    }

    fn judge(&self) -> Judge {
        let session = self.clone();
        Arc::new(move |parsed| match session.take(parsed) {
            Ok(taken) => {
                let session = session.clone();
                tokio::spawn(async move {
                    // What went wrong is in the snapshot.
                    let _ = session.finish(taken).await;
                });
                Verdict::Taken
            }
            Err(_) => Verdict::Refused,
        })
    }

    /// After a restart: listens again on the ports that answers are still awaited on.
    pub(super) async fn restore_listeners(&self) {
        let awaited: Vec<(Zeroizing<String>, String)> = self.state().pending.awaited();
        for (id, redirect_uri) in awaited {
            let port = Url::parse(&redirect_uri).ok().and_then(|url| url.port());
            let loopback = match port {
                Some(port) => Loopback::bind(&[port]).await.ok(),
                None => None,
            };
            self.attend(id, loopback);
        }
    }

    async fn open_browser(&self, link: Url) {
        let browser = Arc::clone(&self.inner.ports.browser);
        let opened = tokio::task::spawn_blocking(move || browser.open(&link)).await;
        let failure = match opened {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the browser's port panicked".to_owned()),
        };
        self.update(|state| {
            let Activity::Waiting(waiting) = &mut state.activity else { return };
            waiting.browser =
                if failure.is_none() { BrowserState::Opened } else { BrowserState::Failed };
            state.problem =
                failure.map(|message| AppError::new(ErrorCode::RedirectNoBrowser, message));
        });
    }

    /// Opens the browser once more for the sign-in that is waiting.
    ///
    /// # Errors
    /// [`ErrorCode::RedirectNoPending`] when none is.
    pub async fn open_again(&self) -> Result<(), AppError> {
        self.open_browser(self.waiting_link()?).await;
        Ok(())
    }

    /// The link of the sign-in that is waiting, for another browser.
    ///
    /// # Errors
    /// [`ErrorCode::RedirectNoPending`] when none is.
    pub fn sign_in_link(&self) -> Result<String, AppError> {
        self.waiting_link().map(String::from)
    }

    fn waiting_link(&self) -> Result<Url, AppError> {
        match &self.state().activity {
            Activity::Waiting(waiting) => Ok(waiting.link.clone()),
            _ => Err(AppError::new(ErrorCode::RedirectNoPending, "no sign-in is waiting")),
        }
    }

    /// Gives up the sign-in that is waiting. An answer that still comes is ignored.
    ///
    /// # Errors
    /// None at present; cancelling twice is fine.
    pub async fn cancel_sign_in(&self) -> Result<(), AppError> {
        self.update(|state| {
            if let Activity::Waiting(waiting) = &state.activity {
                state.pending.cancel(&waiting.id);
                state.activity = Activity::Idle;
                state.problem = None;
            }
        });
        self.save_pending().await;
        Ok(())
    }

    /// Follows a redirect to its end: somebody signed in, or a typed error.
    ///
    /// # Errors
    /// Every `redirect.*` code, and what the provider or the verifier says. What concerns a
    /// sign-in of ours is in the snapshot too; a stranger's redirect leaves no trace there.
    pub async fn redirect(&self, raw: &[u8]) -> Result<(), AppError> {
        let taken = self.take(parse_redirect(raw))?;
        self.finish(taken).await
    }

    /// Finds the sign-in an answer belongs to. From here on the answer is used up.
    fn take(&self, parsed: Result<Redirect, RedirectError>) -> Result<Taken, AppError> {
        let answer = match parsed {
            Ok(answer) => answer,
            Err(error) => {
                let code = error.code();
                if code == ErrorCode::RedirectStateMismatch {
                    self.count_bad_answer();
                }
                tracing::warn!(%error, "a redirect was refused");
                return Err(AppError::new(code, error.to_string()));
            }
        };
        let now = self.inner.ports.clock.now();
        let taken = self.update(|state| {
            let pending = state.pending.take(&answer, now)?;
            let looked_at =
                matches!(&state.activity, Activity::Waiting(w) if w.id == pending.state);
            if looked_at || matches!(state.activity, Activity::Idle) {
                state.activity = Activity::Finishing;
            }
            Ok((state.epoch, pending))
        });
        match taken {
            Ok((epoch, pending)) => Ok(Taken { epoch, pending, answer }),
            Err(error) => Err(self.not_taken(error)),
        }
    }

    fn count_bad_answer(&self) {
        let error = self.update(|state| state.pending.count_bad_answer());
        self.not_taken(error);
    }

    fn not_taken(&self, error: crate::pending::PendingError) -> AppError {
        use crate::pending::PendingError::{Expired, StateMismatch};
        tracing::warn!(%error, "a redirect was not followed");
        let shown = AppError::new(error.code(), error.to_string());
        if matches!(error, Expired | StateMismatch { ended: true }) {
            self.update(|state| {
                if matches!(&state.activity, Activity::Waiting(w) if !state.pending.holds(&w.id)) {
                    state.activity = Activity::Idle;
                }
                state.problem = Some(shown.clone());
            });
        }
        shown
    }

    async fn finish(&self, taken: Taken) -> Result<(), AppError> {
        let result = self.exchange_and_verify(taken).await;
        self.update(|state| {
            if matches!(state.activity, Activity::Finishing) {
                state.activity = Activity::Idle;
            }
            match &result {
                // The person knows that they cancelled, and a sign-out already said the other.
                Err(error) if is_quiet(error.code) => {}
                Err(error) => state.problem = Some(error.clone()),
                Ok(()) => {}
            }
        });
        result
    }

    async fn exchange_and_verify(&self, taken: Taken) -> Result<(), AppError> {
        let Taken { epoch, pending, answer } = taken;
        let code = pending.accept(answer).map_err(|error| refused(&error))?;
        let (tokens, identity, asked_at) = self.redeem(&pending, &code).await?;
        self.become_signed_in(epoch, &pending, tokens, identity, asked_at).await
    }

    async fn redeem(
        &self,
        pending: &PendingSignIn,
        code: &AuthorizationCode,
    ) -> Result<(Tokens, Identity, Duration), AppError> {
        let ports = &self.inner.ports;
        let provider = self.provider()?;
        let asked_at = ports.clock.elapsed();
        let endpoint = TokenEndpoint {
            http: &*ports.http,
            clock: &*ports.clock,
            url: &pending.token_endpoint,
            client_id: &pending.client_id,
        };
        let answer = endpoint.exchange(code, &pending.verifier, &pending.redirect_uri).await;
        let tokens = answer.tokens.map_err(|failure| of_exchange(&failure))?;
        let Some(id_token) = &tokens.id else {
            let message = "the provider gave no ID token";
            return Err(AppError::new(ErrorCode::TokenRejected, message));
        };
        let expected = IdTokenExpectation {
            nonce: Some(&pending.nonce),
            access_token: tokens.access.as_ref(),
            max_age: None,
        };
        let identity = provider
            .verify_id_token(id_token, expected)
            .await
            .map_err(|error| of_verify(&error, answer.offset))?;
        if identity.issuer != pending.issuer {
            let message = "the ID token comes from another issuer than the one asked";
            return Err(AppError::new(ErrorCode::RedirectIssuerMismatch, message));
        }
        Ok((tokens, identity, asked_at))
    }

    async fn become_signed_in(
        &self,
        epoch: u64,
        pending: &PendingSignIn,
        tokens: Tokens,
        identity: Identity,
        asked_at: Duration,
    ) -> Result<(), AppError> {
        let _gate = self.inner.gate.lock().await;
        let mut account = account_of(identity, self.inner.ports.clock.now().as_millisecond());
        let id = account.view.id.clone();
        let grant = tokens.refresh.as_ref().map(|token| Grant {
            token: token.clone(),
            issuer: pending.issuer.clone(),
            client_id: pending.client_id.clone(),
            generation: None,
        });
        if self.state().epoch != epoch {
            return Err(stale());
        }
        let previous = self.state().who.account().map(|account| account.view.id.clone());
        if let Some(other) = previous.filter(|previous| *previous != id) {
            self.note_file(self.inner.file.end(&other, SignedOutCause::SignedOut));
        }
        self.note_file(self.inner.file.save_account(&account));
        // Durable before anything is used of it (F4).
        let written = match &grant {
            Some(grant) if self.keeps_in_keyring() => Some(self.write_grant(&id, grant).await),
            _ => None,
        };
        account.generation = written.as_ref().and_then(|written| written.as_ref().ok().copied());
        let mut signed_in = SignedIn::checking(account);
        signed_in.grant =
            grant.map(|grant| Grant { generation: signed_in.account.generation, ..grant });
        signed_in.connection = Connection::Online;
        self.take_tokens(&mut signed_in, &tokens, asked_at);
        let new_epoch = self.update(|state| {
            if state.epoch != epoch {
                return None;
            }
            state.epoch += 1;
            state.who = Who::SignedIn(signed_in);
            state.problem = None;
            state.activity = Activity::Idle;
            Some(state.epoch)
        });
        let Some(new_epoch) = new_epoch else { return Err(stale()) };
        if let Some(written) = written {
            self.note_written(new_epoch, written);
        }
        self.erase_leftovers().await;
        Ok(())
    }
}

const fn is_quiet(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::RedirectCancelled | ErrorCode::SessionStaleGeneration)
}

pub(super) fn stale() -> AppError {
    let message = "the session this belongs to has ended since";
    AppError::new(ErrorCode::SessionStaleGeneration, message)
}

fn refused(error: &AnswerError) -> AppError {
    match error {
        AnswerError::Refused(words) => words.to_error(error.code()),
        AnswerError::IssuerMismatch => AppError::new(error.code(), error.to_string()),
    }
}

fn account_of(identity: Identity, signed_in_at_ms: i64) -> Account {
    let view = AccountView {
        id: account_id(&identity.person),
        name: identity.name.unwrap_or_default(),
        email: identity.email,
        identity_provider: identity.identity_provider,
        signed_in_at_ms,
    };
    Account { person: identity.person, view, generation: None, ended: None }
}

/// The same person gets the same local id, so that a sign-in after the state file was lost replaces
/// what the keyring still holds of them instead of leaving it there for ever.
fn account_id(person: &PersonKey) -> String {
    let mut digest = Sha256::new();
    let tenant = person.tenant.as_str();
    digest.update((tenant.len() as u64).to_be_bytes());
    digest.update(tenant.as_bytes());
    digest.update(person.object.as_str().as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&digest.finalize()[..16])
}
