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
        let result = self.carry(call).await;
        let moved = [ErrorCode::AuthzRoleMissing, ErrorCode::AuthzFamilyMismatch];
        if result.as_ref().is_err_and(|error| moved.contains(&error.code))
            && self.must_stand(epoch).is_ok()
        {
            // What the window offers is not what holds: our place has changed.
            self.ask_for_standing();
        }
        result
    }

    /// The same, without asking who we are after a refusal: for the question itself.
    pub(super) async fn carry(&self, call: &Call) -> Result<Vec<u8>, AppError> {
        let epoch = self.state().epoch;
        let mut outcome = match self.send_with_proof(epoch, call).await? {
            Some(outcome) => outcome,
            None => self.send_as_signed_in(epoch, call).await?,
        };
        if let Outcome::StepUp(challenge) = &outcome {
            let proof = self.step_up(epoch, challenge).await?;
            outcome = self.send(epoch, call, &proof).await?;
        }
        self.settle(epoch, call, outcome).await
    }

    /// Does `call` with the token there is, and nothing to make it succeed: it follows a refresh,
    /// so one that is spent already must not lead to another.
    pub(super) async fn carry_once(&self, call: &Call) -> Result<Vec<u8>, AppError> {
        let epoch = self.state().epoch;
        let token = self.fresh_token(epoch)?.ok_or_else(super::refresh::no_access)?;
        let outcome = self.send(epoch, call, &token).await?;
        self.settle(epoch, call, outcome).await
    }

    /// With the proof of a second factor, for an act that needs one and while there is one that
    /// the server takes; `None` otherwise.
    async fn send_with_proof(&self, epoch: u64, call: &Call) -> Result<Option<Outcome>, AppError> {
        if !call.is_of_administration() {
            return Ok(None);
        }
        let Some(proof) = self.stepped_up(epoch)? else { return Ok(None) };
        let outcome = self.send(epoch, call, &proof).await?;
        if matches!(outcome, Outcome::Stale | Outcome::StepUp(_)) {
            self.forget_step_up(&proof);
            return Ok(None);
        }
        Ok(Some(outcome))
    }

    async fn send_as_signed_in(&self, epoch: u64, call: &Call) -> Result<Outcome, AppError> {
        let token = self.token_of(epoch).await?;
        let outcome = self.send(epoch, call, &token).await?;
        if !matches!(outcome, Outcome::Stale) {
            return Ok(outcome);
        }
        let token = self.newer_token(epoch, &token).await?;
        self.send(epoch, call, &token).await
    }

    fn must_stand(&self, epoch: u64) -> Result<(), AppError> {
        if self.state().epoch == epoch { Ok(()) } else { Err(stale()) }
    }

    async fn send(
        &self,
        epoch: u64,
        call: &Call,
        token: &AccessToken,
    ) -> Result<Outcome, AppError> {
        let service = self.service()?;
        self.must_stand(epoch)?;
        let api = service.api.ok_or_else(|| {
            AppError::new(ErrorCode::ServerAbsent, "the app signs in without a family server")
        })?;
        send(&*self.inner.ports.http, &api, call, token).await
    }

    async fn settle(&self, epoch: u64, call: &Call, outcome: Outcome) -> Result<Vec<u8>, AppError> {
        match outcome {
            Outcome::Done(body) => {
                self.forget_key(call);
                Ok(body)
            }
            Outcome::Stale => {
                let message = "the family server does not accept the sign-in";
                Err(AppError::new(ErrorCode::ServerRefused, message))
            }
            Outcome::StepUp(_) => Err(super::step_up::required("a second factor was not enough")),
            Outcome::Revoked => {
                let message = "this sign-in was ended from elsewhere";
                let reason = Some("token.revoked".to_owned());
                let error = AppError::new(ErrorCode::SessionReauthRequired, message);
                if self.must_stand(epoch).is_ok() {
                    self.ask_anew_next();
                }
                Err(self.end(epoch, AppError { reason, ..error }).await)
            }
            Outcome::Refused(error) => {
                self.forget_key(call);
                Err(error)
            }
        }
    }

    /// The next sign-in proves anew who it is: one that the browser still remembers is of before
    /// everything was signed out, and the family server takes none of those.
    pub(super) fn ask_anew_next(&self) {
        self.note_file(self.inner.file.set_ask_anew(true));
    }
}
