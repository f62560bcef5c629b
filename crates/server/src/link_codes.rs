//! What is kept of the codes on walls: of the six symbols a keyed hash, for 30 bits give themselves up
//! to a plain one at once; of the QR's 128 bits a plain one, which nobody can search.

use aws_lc_rs::{digest, hmac};
use luminous_domain::UserCode;
use luminous_store::SecretHash;

use crate::AppState;

/// How many characters the QR's secret has: 128 bits in base64url without padding.
pub const QR_LENGTH: usize = 22;

/// What is kept of the six symbols. The key is not in the database.
#[must_use]
pub fn hash(state: &AppState, code: &UserCode) -> SecretHash {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &state.secrets().key("user codes"));
    let mut hash = [0; 32];
    hash.copy_from_slice(hmac::sign(&key, code.expose().as_bytes()).as_ref());
    hash
}

/// What is kept of the secret in the QR, as it stands in the address; `None` for what cannot be one.
#[must_use]
pub fn qr_hash(secret: &str) -> Option<SecretHash> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if secret.len() != QR_LENGTH || !secret.bytes().all(plain) {
        return None;
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
    Some(hash)
}
