//! Proving a second factor for an act of administration (RFC 9470).
//!
//! The proof is an access token of its own, beside the sign-in: in memory only, for as long as the
//! family server honours it, without a refresh token. However many acts ask for it at once, the
//! browser opens once.

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::AccessToken;
use luminous_wire::{AppError, BrowserPurpose, ErrorCode};
use tokio::sync::watch;

use super::Session;
use super::answer::{Given, stale};
use super::state::{Activity, Due};
use crate::family::Challenge;
use crate::sign_in::{Ask, PendingSignIn, Waiter};

/// Given up this long before the family server would refuse it.
const MARGIN: Duration = Duration::from_secs(15);

/// A token that proves a second factor.
pub(super) struct SteppedUp {
    token: AccessToken,
    good_until: Due,
}

/// A proof that is under way, for all acts that wait for it.
#[derive(Clone)]
pub(super) struct Wait(watch::Receiver<Option<Result<(), AppError>>>);

impl Wait {
    fn goes_on(&self) -> bool {
        // An error means that whoever would answer is gone: given up, or out of time.
        self.0.has_changed().is_ok() && self.0.borrow().is_none()
    }

    async fn over(mut self) -> Result<(), AppError> {
        match self.0.wait_for(Option::is_some).await {
            Ok(result) => result.clone().unwrap_or(Ok(())).map_err(as_an_act_says_it),
            Err(_) => Err(required("the confirmation was given up")),
        }
    }
}

impl Session {
    /// The proof of the session that began `epoch`, while it is fresh.
    pub(super) fn stepped_up(&self, epoch: u64) -> Result<Option<AccessToken>, AppError> {
        let (elapsed, wall) = self.clocks();
        let mut state = self.state();
        if state.epoch != epoch {
            return Err(stale());
        }
        let Some(signed_in) = state.signed_in() else { return Ok(None) };
        signed_in.stepped_up.take_if(|proof| proof.good_until.has_come(elapsed, wall));
        Ok(signed_in.stepped_up.as_ref().map(|proof| proof.token.clone()))
    }

    /// The family server does not take `proof` any more; a newer one may have come since.
    pub(super) fn forget_step_up(&self, proof: &AccessToken) {
        if let Some(signed_in) = self.state().signed_in() {
            signed_in.stepped_up.take_if(|known| known.token.expose() == proof.expose());
        }
    }

    /// Asks the person in the browser, or joins who asked already, and waits for the end of it.
    pub(super) async fn step_up(
        &self,
        epoch: u64,
        challenge: &Challenge,
    ) -> Result<AccessToken, AppError> {
        let wait = {
            let _turn = self.inner.step_up_turn.lock().await;
            if let Some(token) = self.stepped_up(epoch)? {
                return Ok(token);
            }
            let under_way = self.state().step_up.clone().filter(Wait::goes_on);
            match under_way {
                Some(wait) => wait,
                None => self.begin_step_up(challenge).await?,
            }
        };
        wait.over().await?;
        self.stepped_up(epoch)?.ok_or_else(too_old)
    }

    /// Asks once more, this time without what the browser remembers; the same acts wait for it.
    pub(super) async fn step_up_anew(&self, ask: Ask, waiter: &Waiter) -> Result<(), AppError> {
        let ask = Ask { anew: true, ..ask };
        let link = self.prepare(&ask, Some(Arc::clone(waiter))).await?;
        self.open_browser(link).await;
        Ok(())
    }

    async fn begin_step_up(&self, challenge: &Challenge) -> Result<Wait, AppError> {
        let ask = self.ask_for_step_up(challenge)?;
        let (land, landing) = watch::channel(None);
        let wait = Wait(landing);
        let link = self.prepare(&ask, Some(Arc::new(land))).await?;
        self.update(|state| state.step_up = Some(wait.clone()));
        self.open_browser(link).await;
        Ok(wait)
    }

    /// With B2C the proof is a policy of its own, elsewhere what the challenge asks for.
    fn ask_for_step_up(&self, challenge: &Challenge) -> Result<Ask, AppError> {
        let service = self.service()?;
        let ask = Ask {
            purpose: BrowserPurpose::StepUp,
            login_hint: self.known_email(),
            max_age_s: Some(challenge.max_age.as_secs()),
            ..Ask::default()
        };
        Ok(match service.provider.authority.policy() {
            Some(_) => {
                // What the server asks for now counts more than what it said when it was first met.
                let asked = challenge.acr_values.clone();
                let asked = asked.filter(|name| service.provider.with_policy(name).is_ok());
                let policy = asked.or(service.policies.step_up).ok_or_else(|| {
                    let message = "the family server names no policy for a second factor";
                    AppError::new(ErrorCode::SessionStepUpUnavailable, message)
                })?;
                Ask { policy: Some(policy), ..ask }
            }
            None => Ask { acr_values: challenge.acr_values.clone(), ..ask },
        })
    }

    /// Keeps the proof: never longer than the challenge said, counted from when the person proved
    /// who they are. The sign-in stays as it is.
    pub(super) fn was_stepped_up(
        &self,
        epoch: u64,
        pending: &PendingSignIn,
        given: Given,
    ) -> Result<(), AppError> {
        self.must_still_be(epoch, &given.identity)?;
        let Some(token) = given.tokens.access else {
            let message = "the policy for a second factor gave no access token";
            return Err(AppError::new(ErrorCode::ProviderNoAccess, message));
        };
        // Both times are the provider's, so that this computer's clock does not matter.
        let proved_at = given.identity.auth_time.unwrap_or(given.identity.issued_at);
        let age = given.identity.issued_at.duration_since(proved_at);
        let age = Duration::try_from(age).unwrap_or_default();
        let most = Duration::from_secs(pending.ask.max_age_s.unwrap_or_default());
        let life = most.saturating_sub(age).min(given.tokens.lifetime.unwrap_or(most));
        let (elapsed, wall) = self.clocks();
        let spent = elapsed.saturating_sub(given.asked_at) + MARGIN;
        let left = life.saturating_sub(spent);
        if left.is_zero() {
            return Err(too_old());
        }
        let good_until =
            Due { elapsed: elapsed + left, wall: wall.saturating_add(left).unwrap_or(wall) };
        self.update(|state| {
            // In this very step, so that no other session can take the place of the one that asked.
            let current = state.epoch == epoch;
            let signed_in = state.signed_in().filter(|_| current).ok_or_else(stale)?;
            signed_in.stepped_up = Some(SteppedUp { token, good_until });
            Ok(())
        })
    }

    /// Gives up the proof that acts wait for: they fail with
    /// [`ErrorCode::SessionStepUpRequired`], and nothing else changes.
    pub async fn cancel_step_up(&self) {
        self.update(|state| {
            let step_up = |purpose| purpose == BrowserPurpose::StepUp;
            state.pending.cancel_where(step_up);
            let Activity::Waiting(waiting) = &state.activity else { return };
            if step_up(waiting.purpose) {
                state.activity = Activity::Idle;
                state.problem = None;
            }
        });
        self.save_pending().await;
    }
}

pub(super) fn required(message: &str) -> AppError {
    AppError::new(ErrorCode::SessionStepUpRequired, message)
}

/// What makes a proof that is too old different from one that is wrong.
const TOO_OLD: &str = "auth_time";

pub(super) fn too_old() -> AppError {
    let error = required("the confirmation was too old when it came");
    AppError { reason: Some(TOO_OLD.to_owned()), ..error }
}

/// Whether asking without what the browser remembers may help.
pub(super) fn was_too_old(ask: &Ask, error: &AppError) -> bool {
    error.reason.as_deref() == Some(TOO_OLD) && !ask.anew
}

/// For the act it makes no difference where the person cancelled.
fn as_an_act_says_it(error: AppError) -> AppError {
    match error.code {
        ErrorCode::RedirectCancelled => {
            AppError { code: ErrorCode::SessionStepUpRequired, ..error }
        }
        _ => error,
    }
}
