//! A sign-in as the vault holds it.

use luminous_domain::RefreshToken;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::state::Grant;
use crate::vault::slots::Stored;

const VERSION: u32 = 1;

/// A grant in the vault.
#[derive(Serialize, Deserialize)]
struct Saved<'a> {
    version: u32,
    refresh_token: &'a str,
    issuer: &'a str,
    client_id: &'a str,
}

/// The vault's name for an account's sign-in.
pub(super) fn record_of(account: &str) -> String {
    format!("session.{account}")
}

/// A grant as bytes for the vault and for nothing else.
pub(super) fn to_secret_bytes(grant: &Grant) -> Zeroizing<Vec<u8>> {
    let saved = Saved {
        version: VERSION,
        refresh_token: grant.token.expose(),
        issuer: &grant.issuer,
        client_id: &grant.client_id,
    };
    Zeroizing::new(serde_json::to_vec(&saved).unwrap_or_default())
}

/// The grant in what the vault holds; `None` when it makes no sense.
pub(super) fn read_grant(stored: &Stored) -> Option<Grant> {
    let saved: Saved<'_> = serde_json::from_slice(&stored.payload).ok()?;
    (saved.version == VERSION).then(|| Grant {
        token: RefreshToken::new(saved.refresh_token),
        issuer: saved.issuer.to_owned(),
        client_id: saved.client_id.to_owned(),
        base: stored.generation,
        stored: true,
    })
}
