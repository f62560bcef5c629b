//! Whether a person proved lately, and with a second factor, who they are (RFC 9470).

use std::time::Duration;

use luminous_domain::Permission;

use super::{Person, Verified};
use crate::problem::ApiError;
use crate::state::AppState;

/// How long ago the proof may be.
pub const MAX_AGE: Duration = Duration::from_secs(15 * 60);

/// How far the provider's clock may be ahead of ours. What is later than that is no proof.
const AHEAD: Duration = Duration::from_secs(60);

/// What to ask for where a provider has no policy of its own for it.
const MFA: &str = "mfa";

impl Person {
    /// Refuses whoever would need a fresh proof for `permission` and has none.
    pub(super) fn check_step_up(
        &self,
        permission: Permission,
        state: &AppState,
    ) -> Result<(), ApiError> {
        if permission.needs_step_up() { self.require_step_up(state) } else { Ok(()) }
    }

    /// Refuses whoever has not proved in the last fifteen minutes, with a second factor, who they
    /// are.
    ///
    /// # Errors
    /// [`ApiError::StepUpRequired`], which says how to prove it.
    pub fn require_step_up(&self, state: &AppState) -> Result<(), ApiError> {
        let policy = policy(self.verified.issuer, state);
        if is_proved(&self.verified, policy, state) { Ok(()) } else { Err(required(policy)) }
    }
}

fn policy(issuer: usize, state: &AppState) -> Option<&str> {
    state.trust().issuers().get(issuer)?.settings.step_up_policy.as_deref()
}

fn is_proved(verified: &Verified, policy: Option<&str>, state: &AppState) -> bool {
    let identity = &verified.identity;
    let by_policy = policy
        .zip(identity.policy.as_deref())
        .is_some_and(|(wanted, given)| wanted.eq_ignore_ascii_case(given));
    let by_method = identity.amr.iter().any(|method| method == MFA);
    let now = state.clock().now().as_second();
    let lately = identity.auth_time.is_some_and(|at| {
        let age = now - at.as_second();
        let most = if age < 0 { AHEAD } else { MAX_AGE };
        age.unsigned_abs() <= most.as_secs()
    });
    (by_policy || by_method) && lately
}

fn required(policy: Option<&str>) -> ApiError {
    ApiError::StepUpRequired { acr_values: policy.unwrap_or(MFA).to_owned() }
}
