//! What verified tokens said, so that a token is verified once and not with every request.
//!
//! The key is the SHA-256 of the credential as it came; the credential itself is not kept. An entry
//! lives neither beyond the token's `exp`, nor beyond the keys it was judged by (ten minutes at
//! most), and goes when its person signs out everywhere.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use luminous_domain::{Clock, PersonKey, Timestamp};
use quick_cache::sync::Cache;

use crate::trust::Verified;

/// SHA-256 of a credential.
pub type CredentialHash = [u8; 32];

/// The most entries there are: about 10 MB.
const MOST: usize = 10_000;

/// Bounded; shared by all requests.
pub struct ClaimsCache {
    entries: Cache<CredentialHash, Entry>,
}

#[derive(Clone)]
struct Entry {
    verified: Arc<Verified>,
    /// By the wall clock, as `exp` is.
    expires_at: Timestamp,
    /// By the monotonic clock.
    forgotten_at: Duration,
}

impl Default for ClaimsCache {
    fn default() -> Self {
        Self { entries: Cache::new(MOST) }
    }
}

impl ClaimsCache {
    /// The key of a credential.
    #[must_use]
    pub fn key(credential: &[u8]) -> CredentialHash {
        let mut key = [0; 32];
        key.copy_from_slice(digest::digest(&digest::SHA256, credential).as_ref());
        key
    }

    /// What the token with this key said, while that may still be believed.
    #[must_use]
    pub fn get(&self, key: &CredentialHash, clock: &dyn Clock) -> Option<Arc<Verified>> {
        let entry = self.entries.get(key)?;
        if clock.now() < entry.expires_at && clock.elapsed() < entry.forgotten_at {
            return Some(entry.verified);
        }
        self.entries.remove(key);
        None
    }

    /// Remembers what a token said. One that has expired already (within the leeway) is not.
    pub fn put(&self, key: CredentialHash, verified: &Arc<Verified>, clock: &dyn Clock) {
        let expires_at = verified.identity.expires_at;
        if clock.now() >= expires_at {
            return;
        }
        let forgotten_at = clock.elapsed() + Duration::from_secs(verified.lifetime_s);
        let verified = Arc::clone(verified);
        self.entries.insert(key, Entry { verified, expires_at, forgotten_at });
    }

    /// Forgets all tokens of one person.
    pub fn forget(&self, person: &PersonKey) {
        self.entries.retain(|_, entry| entry.verified.identity.person != *person);
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
