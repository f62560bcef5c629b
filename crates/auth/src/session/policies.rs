//! The provider's other policies: a new password, another name.
//!
//! Their results never replace the sign-in grant: they prove that something was done, and what it
//! changed arrives through the policy people sign in with (MSAL's applications get this wrong more
//! often than anything else about B2C).

use luminous_oidc::Identity;
use luminous_wire::{AppError, BrowserPurpose, ErrorCode};

use super::Session;
use super::answer::stale;
use crate::sign_in::{AnswerError, Ask, PendingSignIn};

impl Session {
    /// What to ask for when the person wants a new password.
    pub(super) fn ask_for_reset(&self) -> Result<Ask, AppError> {
        let policy = self.service()?.policies.password_reset;
        let policy = policy.ok_or_else(|| unsupported("reset a password"))?;
        let login_hint = self.known_email();
        let purpose = BrowserPurpose::ResetPassword;
        Ok(Ask { purpose, policy: Some(policy), login_hint, ..Ask::default() })
    }

    /// What to ask for when whoever is signed in wants to change their profile.
    pub(super) fn ask_for_edit(&self) -> Result<Ask, AppError> {
        let policy = self.service()?.policies.profile_edit;
        let policy = policy.ok_or_else(|| unsupported("edit a profile"))?;
        if self.state().signed_in().is_none() {
            let message = "nobody is signed in whose profile could be edited";
            return Err(AppError::new(ErrorCode::SessionReauthRequired, message));
        }
        let login_hint = self.known_email();
        let purpose = BrowserPurpose::EditProfile;
        Ok(Ask { purpose, policy: Some(policy), login_hint, ..Ask::default() })
    }

    pub(super) fn known_email(&self) -> Option<String> {
        self.state().who.view()?.email.clone()
    }

    /// Whether an answer says that the person forgot their password, and there is a policy for it
    /// (R9, AADB2C90118).
    pub(super) fn is_forgotten_password(
        &self,
        pending: &PendingSignIn,
        error: &AnswerError,
    ) -> bool {
        let policies = self.service().map(|service| service.policies);
        pending.ask.purpose == BrowserPurpose::SignIn
            && error.code() == ErrorCode::RedirectPasswordReset
            && policies.is_ok_and(|policies| policies.password_reset.is_some())
    }

    /// The old password is no more, and with it the provider ended the sign-ins it gave: what
    /// follows is a new one, with the new password. A page must be shown for it: a browser that
    /// goes from one redirect to the next asks before it opens an app, or does not open it at all.
    pub(super) async fn password_was_reset(
        &self,
        epoch: u64,
        identity: Identity,
    ) -> Result<(), AppError> {
        self.must_still_be(epoch, &identity)?;
        let ask = Ask { anew: true, login_hint: identity.email, ..Ask::default() };
        self.begin(&ask).await
    }

    /// The new name comes with a refresh of the sign-in.
    pub(super) async fn profile_was_edited(
        &self,
        epoch: u64,
        identity: &Identity,
    ) -> Result<(), AppError> {
        self.must_still_be(epoch, identity)?;
        // Offline, the name comes later: the refresh is tried again by itself.
        if let Err(error) = self.refresh().await {
            tracing::info!(code = %error.code, "the changed profile is not known yet");
        }
        Ok(())
    }

    /// Whether an answer belongs to the session that asked, and to the person who is signed in, if
    /// somebody is.
    pub(super) fn must_still_be(&self, epoch: u64, identity: &Identity) -> Result<(), AppError> {
        let state = self.state();
        if state.epoch != epoch {
            return Err(stale());
        }
        match state.who.account() {
            Some(account) if account.person != identity.person => {
                let message = "the browser answered for another person than the one signed in";
                Err(AppError::new(ErrorCode::SessionIdentityChanged, message))
            }
            _ => Ok(()),
        }
    }
}

fn unsupported(what: &str) -> AppError {
    let message = format!("the provider has no policy to {what}");
    AppError::new(ErrorCode::ConfigInvalid, message)
}
