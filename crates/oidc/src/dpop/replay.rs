//! Which proofs were seen: each counts once (RFC 9449 section 11.1).

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};

use super::JudgedProof;

/// For how long a proof is remembered, at least.
const REMEMBERED: Duration = Duration::from_secs(300);
/// For how long one can be good at most: a minute before the time it names, and a minute after.
const GOOD: Duration = Duration::from_secs(120);
/// How many are remembered in one half: 16 MB for both.
const MOST: usize = 250_000;

/// What the memory says of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It is new, and remembered from now on.
    Now,
    /// It was there before.
    Before,
    /// Nobody can say: the memory is full of proofs that are still good. Ask later.
    Full,
}

/// The proofs of the last five to ten minutes, by a hash of key and id. Bounded: when it is full it
/// forgets no proof that could still be used, but takes no more.
pub struct ReplayMemory {
    halves: Mutex<Halves>,
    most: usize,
}

#[derive(Default)]
struct Halves {
    /// Since when the newer half is filled, on the monotonic clock.
    since: Duration,
    newer: HashSet<[u8; 16]>,
    older: HashSet<[u8; 16]>,
}

impl Default for ReplayMemory {
    fn default() -> Self {
        Self::of_size(MOST)
    }
}

impl ReplayMemory {
    /// One that holds so many proofs in each half.
    #[must_use]
    pub fn of_size(most: usize) -> Self {
        Self { halves: Mutex::default(), most }
    }

    /// Remembers a proof at `now` (of the monotonic clock).
    pub fn remember(&self, proof: &JudgedProof, now: Duration) -> Seen {
        let key = key(proof);
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        halves.turn(now, self.most);
        if halves.newer.contains(&key) || halves.older.contains(&key) {
            Seen::Before
        } else if halves.newer.len() >= self.most {
            Seen::Full
        } else {
            halves.newer.insert(key);
            Seen::Now
        }
    }

    /// Forgets it again: it came with nothing that belongs to its key, so that whoever makes keys of
    /// their own fills no memory.
    pub fn forget(&self, proof: &JudgedProof) {
        let key = key(proof);
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if !halves.newer.remove(&key) {
            halves.older.remove(&key);
        }
    }
}

impl Halves {
    /// Lets go of the older half once all of it is old enough, or early when there is no room and
    /// none of it can be good any more.
    fn turn(&mut self, now: Duration, most: usize) {
        let age = now.saturating_sub(self.since);
        if age >= REMEMBERED || (self.newer.len() >= most && age >= GOOD) {
            self.older = std::mem::take(&mut self.newer);
            if age >= 2 * REMEMBERED {
                self.older.clear();
            }
            self.since = now;
        }
    }
}

/// Ids are unique for a key only.
fn key(proof: &JudgedProof) -> [u8; 16] {
    let mut hash = Context::new(&SHA256);
    hash.update(proof.thumbprint());
    hash.update(proof.jti().as_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(&hash.finish().as_ref()[..16]);
    key
}

impl std::fmt::Debug for ReplayMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReplayMemory(..)")
    }
}
