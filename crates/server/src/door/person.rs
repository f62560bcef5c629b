//! From a request to a person.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use luminous_domain::AccountId;
use luminous_oidc::{Identity, VerifyError, bearer_token};
use luminous_store::Standing;

use super::{Person, Verified, is_ended};
use crate::cache::ClaimsCache;
use crate::introduction::Introduction;
use crate::problem::ApiError;
use crate::state::AppState;
use crate::visit::Visit;

/// How often "last seen" is written down for one account.
const SEEN_EVERY: Duration = Duration::from_secs(300);

/// For how many seconds after its issue a token brings news of a person's name. An older one that is
/// verified anew, because it was forgotten, would bring back the name from before a change.
const NEWS_LIFETIME: i64 = 600;

impl FromRequestParts<AppState> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        Visit::meet(&parts.extensions);
        let Seen { verified, is_new } = verified(&parts.headers, state).await?;
        let visit = Visit::of(&parts.extensions)?;
        let standing = standing(&verified.identity, is_new, visit, state).await?;
        if is_ended(&verified.identity, standing.account.not_before) {
            return Err(ApiError::TokenRevoked);
        }
        let now = state.clock().elapsed();
        state
            .account_rate()
            .count(&standing.account.id, now)
            .map_err(|wait| ApiError::RateLimited { retry_after_s: wait.as_secs() + 1 })?;
        note_seen(standing.account.id, now, state);
        Ok(Self { standing, verified, network: visit.network() })
    }
}

/// What the request's token says.
struct Seen {
    verified: Arc<Verified>,
    /// Whether it was verified now, and not remembered.
    is_new: bool,
}

/// What the request's token says: remembered, or verified now.
async fn verified(headers: &HeaderMap, state: &AppState) -> Result<Seen, ApiError> {
    // Looked up by the header as it came: only one that was once read and verified is remembered.
    let mut credentials = headers.get_all(AUTHORIZATION).iter();
    let key = match (credentials.next(), credentials.next()) {
        (Some(credential), None) => ClaimsCache::key(credential.as_bytes()),
        _ => [0; 32],
    };
    let meters = state.meters();
    if let Some(verified) = state.claims().get(&key, state.clock()) {
        meters.claims_hits.fetch_add(1, Ordering::Relaxed);
        return Ok(Seen { verified, is_new: false });
    }
    let token = bearer_token(headers).map_err(VerifyError::from)?;
    meters.claims_misses.fetch_add(1, Ordering::Relaxed);
    let verified = Arc::new(state.trust().verify(&token).await?);
    state.claims().put(key, &verified, state.clock());
    Ok(Seen { verified, is_new: true })
}

/// Where the person stands. At the first visit their account is made; later a new token brings
/// their name and address up to date.
async fn standing(
    identity: &Identity,
    is_new: bool,
    visit: &Visit,
    state: &AppState,
) -> Result<Standing, ApiError> {
    let now = state.clock().now();
    let known = state.store().standing(&identity.person).await?;
    let brings_news = is_new && now.as_second() - identity.issued_at.as_second() <= NEWS_LIFETIME;
    let known = match known {
        Some(standing) if !brings_news => return Ok(standing),
        Some(standing) if !Introduction::of(identity).is_news_to(&standing.account) => {
            return Ok(standing);
        }
        known => known.map(|standing| standing.account),
    };
    let id = AccountId::new(now, state.entropy())?;
    let introduction = Introduction::of(identity);
    let arrival = introduction.arrival(identity, known.as_ref(), id, visit.network());
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
