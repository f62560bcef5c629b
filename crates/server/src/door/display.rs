//! From a request to a wall display: its own access token, and a proof of the key that the token is
//! bound to (RFC 9449 section 7).

use std::time::Duration;

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use luminous_domain::{AccessToken, DeviceId, TokenId};
use luminous_oidc::{Malformation, TokenError};
use luminous_store::{DeviceStanding, DeviceState, StoreError};

use super::Display;
use crate::oauth::{self, DisplayClaims};
use crate::problem::ApiError;
use crate::state::AppState;
use crate::visit::Visit;

/// How often "last heard of" is written down for one display.
pub(crate) const SEEN_EVERY: Duration = Duration::from_secs(300);

impl FromRequestParts<AppState> for Display {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        Visit::meet(&parts.extensions);
        let claims = verified(parts, state)?;
        let visit = Visit::of(&parts.extensions)?;
        let standing = stands(state, &claims).await?;
        let now = state.clock().elapsed();
        confirm(state, &standing, claims.token, now).await?;
        note_seen(state, claims.device, now);
        let (token, expires_at) = (claims.token, claims.expires_at);
        Ok(Self { device: standing.device, token, expires_at, network: visit.network() })
    }
}

/// Whether the request comes, by its own word, from a display.
pub(super) fn is_of_display(headers: &HeaderMap) -> bool {
    headers.get_all(AUTHORIZATION).iter().any(|value| scheme(value).eq_ignore_ascii_case(b"dpop"))
}

fn scheme(value: &HeaderValue) -> &[u8] {
    value.as_bytes().split(|byte| *byte == b' ').next().unwrap_or_default()
}

/// What the request's token says, once it and the proof of its key are judged.
fn verified(parts: &Parts, state: &AppState) -> Result<DisplayClaims, ApiError> {
    let token = dpop_token(&parts.headers).map_err(ApiError::DisplayToken)?;
    let claims = oauth::verify(state, &token).map_err(ApiError::DisplayToken)?;
    let bound = (&token, &claims);
    oauth::accept(state, &parts.headers, &parts.method, parts.uri.path(), bound)?;
    Ok(claims)
}

/// The token in the `Authorization` header (RFC 9449 section 7.1), read as strictly as a bearer's.
fn dpop_token(headers: &HeaderMap) -> Result<AccessToken, TokenError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(TokenError::Missing)?;
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    let token = text.and_then(|text| text.strip_prefix("DPoP "));
    let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let token = token.filter(|token| !token.is_empty() && token.bytes().all(is_token_byte));
    Ok(AccessToken::new(token.ok_or(Malformation::Credential)?))
}

/// The display as it stands now. One that has ended is told so, and forgets its tokens and what it
/// shows; a token that was merely followed by another is refused as any other, for the display to
/// refresh.
async fn stands(state: &AppState, claims: &DisplayClaims) -> Result<DeviceStanding, ApiError> {
    let standing = state.store().device_standing(claims.device, claims.token).await?;
    let standing = standing.ok_or(ApiError::DeviceEnded { reason: "revoked" })?;
    match standing.device.state {
        DeviceState::Active => {}
        DeviceState::Expired => return Err(ApiError::DeviceEnded { reason: "expired" }),
        DeviceState::Revoked if standing.device.reused_at.is_some() => {
            return Err(ApiError::DeviceEnded { reason: "reuse" });
        }
        DeviceState::Revoked | DeviceState::Pending => {
            return Err(ApiError::DeviceEnded { reason: "revoked" });
        }
    }
    if standing.device.family != claims.family || standing.key != claims.key {
        return Err(ApiError::DeviceEnded { reason: "revoked" });
    }
    if !standing.is_token_live {
        return Err(ApiError::DisplayToken(TokenError::SignatureInvalid));
    }
    Ok(standing)
}

/// The first use of a token ends the one before it. The store is asked once for each.
async fn confirm(
    state: &AppState,
    standing: &DeviceStanding,
    token: TokenId,
    now: Duration,
) -> Result<(), ApiError> {
    let displays = state.displays();
    if standing.is_token_used || displays.confirmed.get(&token).is_some() {
        return Ok(());
    }
    state.store().confirm_token(standing.device.id, token).await?;
    displays.confirmed.insert(token, ());
    // That it was heard of is written down with it.
    displays.seen.insert(standing.device.id, now);
    Ok(())
}

/// Notes that the display was heard of, at most once in a while, and without letting it wait.
fn note_seen(state: &AppState, device: DeviceId, now: Duration) {
    if is_due(state, device, now) {
        let state = state.clone();
        tokio::spawn(async move {
            if let Err(error) = write_seen(&state, device).await {
                tracing::debug!(code = error.code(), "last heard of was not written down");
            }
        });
    }
}

/// Notes that those who are connected here are heard of, though they ask for nothing: what the other
/// replicas know of them. Each has its own time, so they are not all written at once.
///
/// # Errors
/// [`StoreError`], and the rest is left for the next time.
pub async fn note_connected(state: &AppState) -> Result<(), StoreError> {
    let now = state.clock().elapsed();
    for device in state.presence().connected() {
        if is_due(state, device, now) {
            write_seen(state, device).await?;
        }
    }
    Ok(())
}

/// Whether it is time to write that the display was heard of; then it is the caller who does.
fn is_due(state: &AppState, device: DeviceId, now: Duration) -> bool {
    let seen = &state.displays().seen;
    let due = seen.get(&device).is_none_or(|last| now >= last + SEEN_EVERY);
    if due {
        seen.insert(device, now);
    }
    due
}

/// Writes it; what could not be written is due again at once.
async fn write_seen(state: &AppState, device: DeviceId) -> Result<(), StoreError> {
    let written = state.store().device_seen(device).await;
    if written.is_err() {
        state.displays().seen.remove(&device);
    }
    written
}
