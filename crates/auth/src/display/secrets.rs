//! What a display keeps in the keyring: its key, the code on its screen, its tokens. Each has a record
//! of its own: they come and go at different times, and the key outlives all links.

use luminous_domain::{DeviceCode, DeviceId, RefreshToken};
use luminous_oidc::dpop::DpopKey;
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroizing;

use crate::vault::slots::Stored;

/// The key pair, PKCS#8.
pub(super) const KEY: &str = "display.key";
/// The code on the screen.
pub(super) const CODE: &str = "display.code";
/// The refresh token.
pub(super) const TOKENS: &str = "display.tokens";

const VERSION: u32 = 1;

/// A code on the screen, so that the tokens come to this display even when its power goes between the
/// approval and them (D23).
#[derive(Clone)]
pub(super) struct Code {
    pub(super) server: Url,
    pub(super) device_code: DeviceCode,
    pub(super) user_code: String,
    pub(super) verification_uri: String,
    pub(super) verification_uri_complete: String,
    pub(super) interval_s: u32,
    /// Unix time in ms by the server's clock.
    pub(super) expires_at_ms: i64,
    pub(super) renewals: u8,
}

/// What a link lives on.
#[derive(Clone)]
pub(super) struct Tokens {
    pub(super) server: Url,
    pub(super) device: DeviceId,
    pub(super) refresh: RefreshToken,
    /// When it ends, Unix time in ms by the server's clock.
    pub(super) ends_at_ms: i64,
}

/// What was found under a name.
pub(super) enum Found<T> {
    Nothing,
    /// The value and its generation.
    This(T, u64),
    /// Something that makes no sense.
    Nonsense,
}

impl<T> Found<T> {
    pub(super) fn of(stored: Option<Stored>, read: impl FnOnce(&[u8]) -> Option<T>) -> Self {
        let Some(stored) = stored else { return Self::Nothing };
        match read(&stored.payload) {
            Some(value) => Self::This(value, stored.generation),
            None => Self::Nonsense,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct CodeRecord<'a> {
    version: u32,
    server: Url,
    device_code: &'a str,
    user_code: String,
    verification_uri: String,
    /// Holds the secret of the QR. Borrowed like the other one, so that no copy is left behind.
    verification_uri_complete: &'a str,
    interval_s: u32,
    expires_at_ms: i64,
    renewals: u8,
}

#[derive(Serialize, Deserialize)]
struct TokensRecord<'a> {
    version: u32,
    server: Url,
    device: DeviceId,
    refresh_token: &'a str,
    ends_at_ms: i64,
}

impl Code {
    pub(super) fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        encode(&CodeRecord {
            version: VERSION,
            server: self.server.clone(),
            device_code: self.device_code.expose(),
            user_code: self.user_code.clone(),
            verification_uri: self.verification_uri.clone(),
            verification_uri_complete: &self.verification_uri_complete,
            interval_s: self.interval_s,
            expires_at_ms: self.expires_at_ms,
            renewals: self.renewals,
        })
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let record: CodeRecord<'_> = serde_json::from_slice(bytes).ok()?;
        (record.version == VERSION).then(|| Self {
            server: record.server,
            device_code: DeviceCode::new(record.device_code),
            user_code: record.user_code,
            verification_uri: record.verification_uri,
            verification_uri_complete: record.verification_uri_complete.to_owned(),
            interval_s: record.interval_s,
            expires_at_ms: record.expires_at_ms,
            renewals: record.renewals,
        })
    }
}

impl Tokens {
    pub(super) fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        encode(&TokensRecord {
            version: VERSION,
            server: self.server.clone(),
            device: self.device,
            refresh_token: self.refresh.expose(),
            ends_at_ms: self.ends_at_ms,
        })
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let record: TokensRecord<'_> = serde_json::from_slice(bytes).ok()?;
        (record.version == VERSION).then(|| Self {
            server: record.server,
            device: record.device,
            refresh: RefreshToken::new(record.refresh_token),
            ends_at_ms: record.ends_at_ms,
        })
    }
}

/// The key in what the keyring holds.
pub(super) fn read_key(bytes: &[u8]) -> Option<DpopKey> {
    DpopKey::from_pkcs8(bytes).ok()
}

/// Plain data always serialises.
fn encode(record: &impl Serialize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(serde_json::to_vec(record).unwrap_or_default())
}
