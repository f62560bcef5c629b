//! Where people stand, from memory while nobody's standing was written.
//!
//! The writer moves the version on after each commit that touched a standing and before it answers.
//! A reader takes the version before it reads the row: if a commit comes between, what it keeps is
//! marked as old already. So whoever asks after a change was answered sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use luminous_domain::PersonKey;
use quick_cache::sync::Cache;

use crate::accounts::Standing;

/// How many people are kept.
const MOST: usize = 20_000;

/// The standings that were asked for lately.
#[derive(Debug)]
pub(super) struct Standings {
    version: AtomicU64,
    kept: Cache<PersonKey, Arc<Kept>>,
}

#[derive(Debug)]
struct Kept {
    version: u64,
    standing: Option<Standing>,
}

impl Standings {
    pub(super) fn new() -> Self {
        Self { version: AtomicU64::new(0), kept: Cache::new(MOST) }
    }

    /// What everything kept before is worth nothing from now on.
    pub(super) fn changed(&self) {
        self.version.fetch_add(1, Ordering::Release);
    }

    /// To be taken before the row is read.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// What is kept of the person and still holds; the inner `None` is "nobody by that key".
    pub(super) fn get(&self, person: &PersonKey) -> Option<Option<Standing>> {
        let kept = self.kept.get(person)?;
        (kept.version == self.version()).then(|| kept.standing.clone())
    }

    /// Keeps what was read after `version` was taken.
    pub(super) fn keep(&self, version: u64, person: &PersonKey, standing: &Option<Standing>) {
        let kept = Kept { version, standing: standing.clone() };
        self.kept.insert(person.clone(), Arc::new(kept));
    }
}

#[cfg(test)]
mod tests {
    use luminous_domain::{ObjectId, TenantId};

    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_answered_after_it() {
        let standings = Standings::new();
        let person = PersonKey { tenant: TenantId::new("t"), object: ObjectId::new("o") };
        assert_eq!(standings.get(&person), None);
        let version = standings.version();
        standings.keep(version, &person, &None);
        assert_eq!(standings.get(&person), Some(None));
        standings.changed();
        assert_eq!(standings.get(&person), None);

        // A change between taking the version and keeping what was read.
        let version = standings.version();
        standings.changed();
        standings.keep(version, &person, &None);
        assert_eq!(standings.get(&person), None);
    }
}
