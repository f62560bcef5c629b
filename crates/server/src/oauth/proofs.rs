//! Proofs of possession, judged for this server's addresses and taken once.

use http::{HeaderMap, Method};
use luminous_domain::AccessToken;
use luminous_oidc::DpopError;
use luminous_oidc::dpop::{Expected, JudgedProof, Seen, judge as judge_proof, the_proof};

use super::OAuthError;
use crate::{ApiError, AppState};

/// The proof of a request to an endpoint of the authorization server.
pub(super) fn of_request(
    state: &AppState,
    headers: &HeaderMap,
    method: &Method,
    path: &str,
) -> Result<JudgedProof, OAuthError> {
    judge(state, the_proof(headers)?, method, path, None)
}

/// Judges a proof and remembers it, so that it counts once.
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
    let judged = judge_proof(proof, &expected)?;
    match state.displays().proofs.remember(&judged, state.clock().elapsed()) {
        Seen::Now => Ok(judged),
        Seen::Before => Err(DpopError::Replayed.into()),
        Seen::Full => Err(OAuthError::Overloaded),
    }
}

/// The proof that goes with the access token of a request to the API.
pub(crate) fn accept(
    state: &AppState,
    headers: &HeaderMap,
    method: &Method,
    path: &str,
    token: &AccessToken,
) -> Result<JudgedProof, ApiError> {
    let proof = the_proof(headers).map_err(|error| ApiError::Proof(error.code()))?;
    judge(state, proof, method, path, Some(token)).map_err(|error| match error {
        OAuthError::Proof(error) => ApiError::Proof(error.code()),
        OAuthError::Overloaded => ApiError::Overloaded,
        other => ApiError::Internal(other.to_string()),
    })
}
