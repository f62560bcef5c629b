//! What a client carries for us from one replica to another: it can neither read nor change it.
//!
//! AES-256-GCM with a key of the server's own for each purpose. Nonces are random, which is good for
//! 2^32 of them (NIST SP 800-38D section 8.3): a million a day for eleven years.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::{ApiError, AppState};

/// Seals `plain`.
///
/// # Errors
/// [`ApiError::Internal`] without randomness.
pub fn seal(state: &AppState, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, ApiError> {
    let mut nonce = [0; NONCE_LEN];
    state.entropy().fill(&mut nonce)?;
    let mut sealed = plain.to_vec();
    let key = key(state, purpose).ok_or_else(failed)?;
    key.seal_in_place_append_tag(Nonce::from(&nonce), Aad::empty(), &mut sealed)
        .map_err(|_| failed())?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// What was sealed for that purpose by any replica.
pub fn open(state: &AppState, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut sealed = sealed.to_vec();
    let key = key(state, purpose)?;
    let plain = key.open_in_place(Nonce::from(nonce), Aad::empty(), &mut sealed).ok()?;
    Some(plain.to_vec())
}

fn key(state: &AppState, purpose: &str) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, &state.secrets().key(purpose)).ok().map(LessSafeKey::new)
}

fn failed() -> ApiError {
    ApiError::Internal("nothing could be sealed".to_owned())
}
