//! From a request to a person.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use luminous_domain::{AccountId, Timestamp};
use luminous_oidc::{Identity, VerifyError, bearer_token};
use luminous_store::{Arrival, Standing};

use super::{Person, Proof, Verified};
use crate::cache::ClaimsCache;
use crate::problem::ApiError;
use crate::state::AppState;
use crate::visit::Visit;

/// How often "last seen" is written down for one account.
const SEEN_EVERY: Duration = Duration::from_secs(300);

impl FromRequestParts<AppState> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        Visit::meet(&parts.extensions);
        let verified = verified(&parts.headers, state).await?;
        let visit = parts.extensions.get::<Visit>();
        let visit = visit.ok_or_else(|| ApiError::Internal("a request without a visit".into()))?;
        let standing = standing(&verified.identity, visit, state).await?;
        let revoked = standing.account.not_before;
        if revoked.is_some_and(|since| is_before(verified.identity.issued_at, since)) {
            return Err(ApiError::TokenRevoked);
        }
        let now = state.clock().elapsed();
        state
            .account_rate()
            .count(&standing.account.id, now)
            .map_err(|wait| ApiError::RateLimited { retry_after_s: wait.as_secs() + 1 })?;
        note_seen(standing.account.id, now, state);
        Ok(Self { standing, proof: Proof::Token(verified), network: visit.network() })
    }
}

/// Whether a token of `issued_at` is older than something that happened at `since`. A token says
/// when it was issued in whole seconds; one of the same second may be younger, and is not refused.
pub(super) fn is_before(issued_at: Timestamp, since: Timestamp) -> bool {
    issued_at.as_second() < since.as_second()
}

/// What the request's token says: remembered, or verified now.
async fn verified(headers: &HeaderMap, state: &AppState) -> Result<Arc<Verified>, ApiError> {
    // Looked up by the header as it came: only one that was once read and verified is remembered.
    let mut credentials = headers.get_all(AUTHORIZATION).iter();
    let key = match (credentials.next(), credentials.next()) {
        (Some(credential), None) => ClaimsCache::key(credential.as_bytes()),
        _ => [0; 32],
    };
    let meters = state.meters();
    if let Some(verified) = state.claims().get(&key, state.clock()) {
        meters.claims_hits.fetch_add(1, Ordering::Relaxed);
        return Ok(verified);
    }
    let token = bearer_token(headers).map_err(VerifyError::from)?;
    meters.claims_misses.fetch_add(1, Ordering::Relaxed);
    let verified = Arc::new(state.trust().verify(&token).await?);
    state.claims().put(key, &verified, state.clock());
    Ok(verified)
}

/// Where the person stands; at the first visit their account is made.
async fn standing(
    identity: &Identity,
    visit: &Visit,
    state: &AppState,
) -> Result<Standing, ApiError> {
    if let Some(standing) = state.store().standing(&identity.person).await? {
        return Ok(standing);
    }
    let id = AccountId::new(state.clock().now(), state.entropy())
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    let arrival = Arrival {
        id,
        person: identity.person.clone(),
        name: identity.name.clone().unwrap_or_default(),
        email: identity.email.clone(),
        network: visit.network(),
    };
    Ok(state.store().arrive(&arrival).await?)
}

/// Notes that the account was here, at most once in a while, and without letting anybody wait.
fn note_seen(account: AccountId, now: Duration, state: &AppState) {
    let seen = state.seen();
    if seen.get(&account).is_some_and(|last| now < last + SEEN_EVERY) {
        return;
    }
    seen.insert(account, now);
    let store = state.parts().store.clone();
    tokio::spawn(async move {
        if let Err(error) = store.seen(account).await {
            tracing::debug!(code = error.code(), "last seen was not written down");
        }
    });
}
