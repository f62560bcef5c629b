//! Proofs of possession, judged for this server's addresses and taken once.
//!
//! Anybody can make a key, and proofs with it. So a proof is remembered only for as long as it came
//! with something that belongs to its key: without that there is nothing that could be replayed, and
//! a stranger cannot fill the memory that all displays share.

use http::{HeaderMap, Method};
use luminous_domain::AccessToken;
use luminous_oidc::DpopError;
use luminous_oidc::dpop::{
    Expected, JudgedProof, ReplayMemory, Seen, judge as judge_proof, the_proof,
};

use super::{DisplayClaims, OAuthError};
use crate::{ApiError, AppState};

/// The proof of a request to an endpoint of the authorization server. It is not remembered yet.
pub(super) fn of_request(
    state: &AppState,
    headers: &HeaderMap,
    method: &Method,
    path: &str,
) -> Result<JudgedProof, OAuthError> {
    judge(state, the_proof(headers)?, method, path, None)
}

/// Judges a proof. It is not remembered yet.
pub(super) fn judge(
    state: &AppState,
    proof: &str,
    method: &Method,
    path: &str,
    access_token: Option<&AccessToken>,
) -> Result<JudgedProof, OAuthError> {
    // The address is the one that people know us by, whatever a proxy made of it.
    let url = state.config().public_url.as_ref().and_then(|base| base.join(path).ok());
    let url = url.ok_or_else(|| OAuthError::Internal("no address".to_owned()))?;
    let expected = Expected { method, url: &url, access_token, now: state.clock().now() };
    Ok(judge_proof(proof, &expected)?)
}

/// Remembers a proof in `memory`, so that it counts once.
pub(super) fn remember(
    state: &AppState,
    memory: &ReplayMemory,
    proof: &JudgedProof,
) -> Result<(), OAuthError> {
    match memory.remember(proof, state.clock().elapsed()) {
        Seen::Now => Ok(()),
        Seen::Before => Err(DpopError::Replayed.into()),
        Seen::Full => {
            state.meters().count("luminous_proofs_not_taken_total", &[]);
            Err(OAuthError::Overloaded)
        }
    }
}

/// A proof that was taken, before it is known whether what it came with belongs to its key. Where that
/// is never found out it stays taken.
pub(super) struct Used {
    state: AppState,
    proof: JudgedProof,
}

impl Used {
    /// Takes a proof that was judged.
    pub(super) fn once(state: &AppState, proof: JudgedProof) -> Result<Self, OAuthError> {
        remember(state, &state.displays().proofs, &proof)?;
        Ok(Self { state: state.clone(), proof })
    }

    /// Forgets it: what it came with does not belong to its key.
    pub(super) fn forget(self) {
        self.state.displays().proofs.forget(&self.proof);
    }
}

/// Takes the proof that goes with the access token of a request to the API: of the token's own key,
/// within the display's rate, and once.
pub(crate) fn accept(
    state: &AppState,
    headers: &HeaderMap,
    method: &Method,
    path: &str,
    (token, claims): (&AccessToken, &DisplayClaims),
) -> Result<(), ApiError> {
    let proof = the_proof(headers).map_err(|error| ApiError::Proof(error.code()))?;
    let proof = judge(state, proof, method, path, Some(token)).map_err(of_api)?;
    // The token of one key with the proof of another.
    if *proof.thumbprint() != claims.key {
        return Err(ApiError::Proof(DpopError::OtherKey.code()));
    }
    let displays = state.displays();
    displays
        .rate
        .count(&claims.device, state.clock().elapsed())
        .map_err(|wait| ApiError::RateLimited { retry_after_s: wait.as_secs() + 1 })?;
    remember(state, &displays.proofs, &proof).map_err(of_api)
}

fn of_api(error: OAuthError) -> ApiError {
    match error {
        OAuthError::Proof(error) => ApiError::Proof(error.code()),
        OAuthError::Overloaded => ApiError::Overloaded,
        other => ApiError::Internal(other.to_string()),
    }
}
