//! Finishing a sign-in: find whose answer it is, exchange the code, verify, store.

use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use luminous_domain::{AuthorizationCode, PersonKey};
use luminous_oidc::{IdTokenExpectation, Identity, TokenError, VerifyError};
use luminous_wire::{
    AccountView, AppError, BrowserPurpose, Connection, ErrorCode, FamilyStanding, SignedOutCause,
};
use sha2::{Digest as _, Sha256};

use super::Session;
use super::state::{Activity, Grant, SignedIn, Who};
use super::step_up;
use crate::error::{of_exchange, of_verify};
use crate::redirect::{Redirect, RedirectError, parse_redirect};
use crate::sign_in::{AnswerError, PendingSignIn};
use crate::state_file::Account;
use crate::tokens::{TokenEndpoint, Tokens};

/// What a code was redeemed for, verified.
pub(super) struct Given {
    pub tokens: Tokens,
    pub identity: Identity,
    /// When it was asked for, by the monotonic clock.
    pub asked_at: Duration,
}

/// An answer that belongs to a pending sign-in of this session.
pub(super) struct Taken {
    epoch: u64,
    pending: PendingSignIn,
    answer: Redirect,
}

impl Session {
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
    pub(super) fn take(&self, parsed: Result<Redirect, RedirectError>) -> Result<Taken, AppError> {
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
            Ok((epoch, pending)) => {
                self.inner.answers.send_modify(|count| *count += 1);
                Ok(Taken { epoch, pending, answer })
            }
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

    pub(super) async fn finish(&self, mut taken: Taken) -> Result<(), AppError> {
        let waiter = taken.pending.waiter.take();
        let ask = taken.pending.ask.clone();
        let mut result = self.exchange_and_verify(taken).await;
        if let (Some(waiter), Err(error)) = (&waiter, &result)
            && step_up::was_too_old(&ask, error)
        {
            match self.step_up_anew(ask, waiter).await {
                Ok(()) => return Ok(()),
                Err(error) => result = Err(error),
            }
        }
        self.update(|state| {
            if matches!(state.activity, Activity::Finishing) {
                state.activity = Activity::Idle;
            }
            match &result {
                // The person knows that they cancelled, and a sign-out already said the other.
                Err(error) if is_quiet(error.code) => {}
                // Whoever waits for it says it.
                Err(_) if waiter.is_some() => {}
                Err(error) => state.problem = Some(error.clone()),
                Ok(()) => {}
            }
        });
        if let Some(waiter) = waiter {
            waiter.send_replace(Some(result.clone()));
        }
        result
    }

    async fn exchange_and_verify(&self, taken: Taken) -> Result<(), AppError> {
        let Taken { epoch, pending, answer } = taken;
        let code = match pending.accept(answer) {
            Ok(code) => code,
            Err(error) if self.is_forgotten_password(&pending, &error) => {
                return self.begin(&self.ask_for_reset()?).await;
            }
            Err(error) => return Err(refused(&error)),
        };
        let given = self.redeem(&pending, &code).await?;
        match pending.ask.purpose {
            BrowserPurpose::SignIn => self.become_signed_in(epoch, &pending, given).await,
            BrowserPurpose::ResetPassword => self.password_was_reset(epoch, given.identity).await,
            BrowserPurpose::EditProfile => self.profile_was_edited(epoch, &given.identity).await,
            BrowserPurpose::StepUp => self.was_stepped_up(epoch, &pending, given),
        }
    }

    async fn redeem(
        &self,
        pending: &PendingSignIn,
        code: &AuthorizationCode,
    ) -> Result<Given, AppError> {
        let ports = &self.inner.ports;
        let provider = self.provider_under(pending.ask.policy.as_deref())?;
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
            max_age: pending.ask.max_age_s.map(Duration::from_secs),
        };
        let judged = provider.verify_id_token(id_token, expected).await;
        let identity = judged.map_err(|error| {
            let shown = of_verify(&error, answer.offset);
            let proof = pending.ask.purpose == BrowserPurpose::StepUp;
            match proof && is_about_age(&error) && shown.code != ErrorCode::ClockSkew {
                true => step_up::too_old(),
                false => shown,
            }
        })?;
        if identity.issuer != pending.issuer {
            let message = "the ID token comes from another issuer than the one asked";
            return Err(AppError::new(ErrorCode::RedirectIssuerMismatch, message));
        }
        Ok(Given { tokens, identity, asked_at })
    }

    async fn become_signed_in(
        &self,
        epoch: u64,
        pending: &PendingSignIn,
        given: Given,
    ) -> Result<(), AppError> {
        let Given { tokens, identity, asked_at } = given;
        let _gate = self.gate().await;
        let mut account = account_of(identity, self.inner.ports.clock.now().as_millisecond());
        let id = account.view.id.clone();
        account.family = self.inner.file.standing(&id).unwrap_or(FamilyStanding::Unknown);
        let grant = tokens.refresh.as_ref().map(|token| Grant {
            token: token.clone(),
            issuer: pending.issuer.clone(),
            client_id: pending.client_id.clone(),
            base: self.inner.file.marker(&id).ok().flatten().unwrap_or_default(),
            stored: false,
        });
        if self.state().epoch != epoch {
            return Err(stale());
        }
        // Whoever else was signed in here, also in a session that this process never could read.
        self.note_file(self.inner.file.end_others(&id, SignedOutCause::SignedOut));
        self.note_file(self.inner.file.save_account(&account));
        // Durable before anything is used of it (F4).
        let written = match &grant {
            Some(grant) if self.keeps_in_keyring() => Some(self.write_grant(&id, grant).await),
            _ => None,
        };
        let generation = written.as_ref().and_then(|written| written.as_ref().ok().copied());
        if generation.is_some() {
            self.forget_damaged_grant(&id).await;
        }
        account.generation = generation;
        let mut signed_in = SignedIn::checking(account);
        signed_in.grant = grant.map(|grant| grant.after_write(generation));
        signed_in.connection = Connection::Online;
        self.take_tokens(&mut signed_in, &tokens, asked_at);
        let new_epoch = self.update(|state| {
            if state.epoch != epoch {
                return None;
            }
            state.epoch += 1;
            state.end_what_was_asked_of_them();
            state.who = Who::SignedIn(signed_in);
            state.problem = None;
            state.activity = Activity::Idle;
            Some(state.epoch)
        });
        let Some(new_epoch) = new_epoch else { return Err(stale()) };
        if pending.ask.anew {
            self.note_file(self.inner.file.set_ask_anew(false));
        }
        if let Some(written) = written {
            self.note_written(new_epoch, written);
        }
        self.erase_leftovers().await;
        self.ask_for_standing();
        Ok(())
    }
}

/// Whether the proof is refused for its age alone.
fn is_about_age(error: &VerifyError) -> bool {
    matches!(error, VerifyError::Token(TokenError::ClaimInvalid { claim: "auth_time" }))
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
    Account {
        person: identity.person,
        view,
        generation: None,
        ended: None,
        family: FamilyStanding::Unknown,
    }
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
