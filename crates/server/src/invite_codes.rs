//! The codes of invitations: drawn, hashed, and guarded against guessing.
//!
//! A code has 50 bits, which a stolen database would give up to a plain hash in hours. So what is
//! kept is an HMAC under a key that is not in the database.

use std::time::Duration;

use aws_lc_rs::hmac;
use luminous_domain::{AccountId, Entropy, InviteCode, NoEntropy};
use luminous_store::SecretHash;

use crate::idempotency::Repeatable;
use crate::{ApiError, AppState};

/// Wrong codes that one account may try in [`WINDOW`].
const MOST: u32 = 10;
/// For how long a wrong code counts.
const WINDOW: Duration = Duration::from_secs(600);

/// What is kept of a code.
#[must_use]
pub fn hash(state: &AppState, code: &InviteCode) -> SecretHash {
    keyed(state, "invite.code", code.expose().as_bytes())
}

/// A new code; for a request with a key always the same one, so that its repetition shows what the
/// first answer would have shown. It follows from the pepper too: who knows account and key cannot
/// tell the code.
///
/// # Errors
/// [`NoEntropy`].
pub fn draw(state: &AppState, request: &Repeatable<'_>) -> Result<InviteCode, NoEntropy> {
    match request.digest() {
        Some(digest) => InviteCode::new(&Derived(keyed(state, "invite.draw", digest))),
        None => InviteCode::new(state.entropy()),
    }
}

/// Tries of one account, counted for all replicas together.
pub struct Guesses<'s> {
    state: &'s AppState,
    bucket: String,
}

impl<'s> Guesses<'s> {
    /// Those of `account`.
    #[must_use]
    pub fn of(state: &'s AppState, account: AccountId) -> Self {
        Self { state, bucket: format!("invite:account:{account}") }
    }

    /// Counts a try before it is looked at, so that of a thousand at once only so many are. During a
    /// lock-out the right code is refused as well, or the lock-out would only tell a guesser which
    /// answers to ignore.
    ///
    /// # Errors
    /// [`ApiError::InviteRateLimited`]; [`ApiError::Store`] when it could not be counted: then
    /// nothing is said.
    pub async fn count(&self) -> Result<(), ApiError> {
        let counted = self.state.store().count_attempt(&self.bucket, WINDOW, MOST).await?;
        if counted { Ok(()) } else { Err(ApiError::InviteRateLimited) }
    }

    /// It was a right code, which is no guess. Where this cannot be written down, it stays counted.
    pub async fn right(&self) {
        if let Err(error) = self.state.store().take_back_attempt(&self.bucket).await {
            tracing::warn!(code = error.code(), "a right code stays counted as a try");
        }
    }
}

/// Bytes that look random and follow from something.
struct Derived(SecretHash);

impl Entropy for Derived {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        let from = self.0.get(..bytes.len()).ok_or(NoEntropy)?;
        bytes.copy_from_slice(from);
        Ok(())
    }
}

fn keyed(state: &AppState, what: &str, message: &[u8]) -> SecretHash {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &state.pepper());
    let mut hmac = hmac::Context::with_key(&key);
    hmac.update(what.as_bytes());
    hmac.update(&[0]);
    hmac.update(message);
    let mut tag = [0; 32];
    tag.copy_from_slice(hmac.sign().as_ref());
    tag
}
