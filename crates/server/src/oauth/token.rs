//! A display's access token (RFC 9068), bound to its key (RFC 9449 section 6.1).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use luminous_domain::{AccessToken, DeviceId, FamilyId, Role, Timestamp, TokenId};
use luminous_oidc::TokenError;
use luminous_oidc::jose::{Algorithm, Jws, Typ};
use luminous_store::{DeviceGrant, KeyThumbprint};
use luminous_wire::api::{DISPLAY_CLIENT_ID, DISPLAY_SCOPE};
use serde::{Deserialize, Serialize};

use super::OAuthError;
use crate::AppState;

/// How long after its end a token is still taken: clocks of replicas differ.
pub(super) const LEEWAY: Duration = Duration::from_secs(60);

/// What the token says. Both halves: what is written is what is read.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: DeviceId,
    client_id: String,
    scope: String,
    family_id: FamilyId,
    role: Role,
    cnf: Confirmation,
    jti: TokenId,
    iat: i64,
    exp: i64,
}

#[derive(Serialize, Deserialize)]
struct Confirmation {
    jkt: String,
}

/// A token that was verified: ours, and not over. Whether the display still stands is the store's
/// to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DisplayClaims {
    /// Which display.
    pub(crate) device: DeviceId,
    /// In which family.
    pub(crate) family: FamilyId,
    /// Which token.
    pub(crate) token: TokenId,
    /// The key that it is bound to.
    pub(crate) key: KeyThumbprint,
    /// When it was given.
    pub(crate) issued_at: Timestamp,
    /// When it ends.
    pub(crate) expires_at: Timestamp,
}

/// An access token, and for how long it is good.
pub(super) struct Minted {
    pub(super) token: AccessToken,
    pub(super) lifetime: Duration,
}

/// Makes the access token of what was granted to the holder of `key`.
pub(super) fn mint(
    state: &AppState,
    grant: &DeviceGrant,
    key: &KeyThumbprint,
) -> Result<Minted, OAuthError> {
    let lifetime = access_lifetime(state);
    // It does not outlive the display's own time.
    let left = grant.device.expires_at.duration_since(grant.issued_at);
    let left = Duration::try_from(left).unwrap_or_default();
    let lifetime = lifetime.min(left);
    let (iss, iat) = (state.config().base(), grant.issued_at.as_second());
    let claims = Claims {
        aud: iss.clone(),
        iss,
        sub: grant.device.id,
        client_id: DISPLAY_CLIENT_ID.to_owned(),
        scope: DISPLAY_SCOPE.to_owned(),
        family_id: grant.device.family,
        role: Role::Display,
        cnf: Confirmation { jkt: URL_SAFE_NO_PAD.encode(key) },
        jti: grant.token,
        iat,
        exp: iat.saturating_add_unsigned(lifetime.as_secs()),
    };
    let claims = serde_json::to_value(claims).map_err(|e| OAuthError::Internal(e.to_string()))?;
    let token = state.displays().keys.sign(&claims, state.clock().now());
    let token = token.map_err(|error| OAuthError::Internal(error.to_string()))?;
    Ok(Minted { token: AccessToken::new(token), lifetime })
}

/// How long an access token is good.
pub(super) fn access_lifetime(state: &AppState) -> Duration {
    Duration::from_secs(state.config().displays.access_minutes * 60)
}

/// Verifies an access token that we gave (RFC 9068 section 4).
pub(crate) fn verify(state: &AppState, token: &AccessToken) -> Result<DisplayClaims, TokenError> {
    let now = state.clock().now();
    let jws = Jws::parse(token.expose(), &[Algorithm::Es256])?;
    if jws.typ() != Typ::AccessToken {
        return Err(TokenError::TypeMismatch);
    }
    state.displays().keys.verify(&jws, now)?;
    // Signed by us, so it is ours to the letter, unless another service shared our keys.
    let unusable = TokenError::ClaimInvalid { claim: "payload" };
    let claims: Claims = serde_json::from_slice(jws.payload()).map_err(|_| unusable)?;
    let ours = state.config().base();
    if claims.iss != ours {
        return Err(TokenError::IssuerUntrusted);
    }
    if claims.aud != ours || claims.client_id != DISPLAY_CLIENT_ID {
        return Err(TokenError::AudienceMismatch);
    }
    if claims.scope != DISPLAY_SCOPE || claims.role != Role::Display {
        return Err(TokenError::ClaimInvalid { claim: "scope" });
    }
    check_end(&claims, now)?;
    let time = |second, claim| {
        Timestamp::from_second(second).map_err(|_| TokenError::ClaimInvalid { claim })
    };
    Ok(DisplayClaims {
        device: claims.sub,
        family: claims.family_id,
        token: claims.jti,
        key: thumbprint(&claims.cnf.jkt).ok_or(TokenError::ClaimInvalid { claim: "cnf" })?,
        issued_at: time(claims.iat, "iat")?,
        expires_at: time(claims.exp, "exp")?,
    })
}

/// Whether its time is over. Not whether it has begun: `iat` is the database's time, and a replica whose
/// clock is behind would refuse every fresh token for ever, so that a display could only refresh. That we
/// signed it, and that it is live in the store, says enough.
fn check_end(claims: &Claims, now: Timestamp) -> Result<(), TokenError> {
    let over = now.as_second().saturating_sub(claims.exp);
    if over >= LEEWAY.as_secs() as i64 {
        return Err(TokenError::Expired { seconds: over });
    }
    Ok(())
}

fn thumbprint(jkt: &str) -> Option<KeyThumbprint> {
    URL_SAFE_NO_PAD.decode(jkt).ok()?.try_into().ok()
}
