//! Carrying an act to the family server: with the sign-in's token, refreshed once if it is stale,
//! and after a second factor where the server asks for one.

use luminous_domain::AccessToken;
use luminous_wire::{AppError, ErrorCode};

use super::Session;
use super::answer::stale;
use crate::family::{Call, Outcome, send};

impl Session {
    /// Does `call`, whatever it takes, and answers the body.
    pub(super) async fn perform(&self, call: &Call) -> Result<Vec<u8>, AppError> {
        let epoch = self.state().epoch;
        let mut outcome = match self.send_with_proof(call).await? {
            Some(outcome) => outcome,
            None => self.send_as_signed_in(call).await?,
        };
        if let Outcome::StepUp(challenge) = &outcome {
            let proof = self.step_up(challenge).await?;
            self.must_stand(epoch)?;
            outcome = self.send(call, &proof).await?;
        }
        self.settle(epoch, outcome).await
    }

    /// Does `call` with the token there is, and nothing to make it succeed.
    pub(super) async fn perform_once(&self, call: &Call) -> Result<Vec<u8>, AppError> {
        let epoch = self.state().epoch;
        let token = self.access_token().await?;
        let outcome = self.send(call, &token).await?;
        self.settle(epoch, outcome).await
    }

    /// With the proof of a second factor, for an act that needs one and while there is one that
    /// the server takes; `None` otherwise.
    async fn send_with_proof(&self, call: &Call) -> Result<Option<Outcome>, AppError> {
        let Some(proof) = self.stepped_up().filter(|_| call.is_of_administration()) else {
            return Ok(None);
        };
        let outcome = self.send(call, &proof).await?;
        if matches!(outcome, Outcome::Stale | Outcome::StepUp(_)) {
            self.forget_step_up();
            return Ok(None);
        }
        Ok(Some(outcome))
    }

    async fn send_as_signed_in(&self, call: &Call) -> Result<Outcome, AppError> {
        let epoch = self.state().epoch;
        let token = self.access_token().await?;
        let outcome = self.send(call, &token).await?;
        if !matches!(outcome, Outcome::Stale) {
            return Ok(outcome);
        }
        let token = self.newer_token(&token).await?;
        self.must_stand(epoch)?;
        self.send(call, &token).await
    }

    fn must_stand(&self, epoch: u64) -> Result<(), AppError> {
        if self.state().epoch == epoch { Ok(()) } else { Err(stale()) }
    }

    async fn send(&self, call: &Call, token: &AccessToken) -> Result<Outcome, AppError> {
        let api = self.service()?.api.ok_or_else(|| {
            AppError::new(ErrorCode::ConfigInvalid, "the app signs in without a family server")
        })?;
        send(&*self.inner.ports.http, &api, call, token).await
    }

    async fn settle(&self, epoch: u64, outcome: Outcome) -> Result<Vec<u8>, AppError> {
        match outcome {
            Outcome::Done(body) => Ok(body),
            Outcome::Stale => {
                let message = "the family server does not accept the sign-in";
                Err(AppError::new(ErrorCode::ServerRefused, message))
            }
            Outcome::StepUp(_) => Err(super::step_up::required("a second factor was not enough")),
            Outcome::Revoked => {
                let message = "this sign-in was ended from elsewhere";
                let reason = Some("token.revoked".to_owned());
                let error = AppError::new(ErrorCode::SessionReauthRequired, message);
                Err(self.end(epoch, AppError { reason, ..error }).await)
            }
            Outcome::Refused(error) => {
                let moved = [ErrorCode::AuthzRoleMissing, ErrorCode::AuthzFamilyMismatch]
                    .contains(&error.code);
                if moved && self.must_stand(epoch).is_ok() {
                    // What the window offers is not what holds: our place has changed.
                    self.ask_for_standing();
                }
                Err(error)
            }
        }
    }
}
