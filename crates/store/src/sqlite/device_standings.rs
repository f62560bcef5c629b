//! How displays stand, from memory while nothing of them was written: as [`super::standings`], but
//! with a version for each display (in fact for each slot of displays), since each of them refreshes
//! its tokens twice an hour.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use luminous_domain::{DeviceId, TokenId};
use quick_cache::sync::Cache;

use super::devices::Row;

/// How many displays are kept.
const MOST: usize = 20_000;
/// How many versions there are.
const SLOTS: usize = 1024;

/// A display and the tokens of its live branch.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) row: Row,
    /// And whether each was used.
    pub(super) tokens: Vec<(TokenId, bool)>,
}

/// The displays that were asked for lately.
#[derive(Debug)]
pub(super) struct DeviceStandings {
    versions: Box<[AtomicU64]>,
    kept: Cache<DeviceId, Kept>,
}

#[derive(Debug, Clone)]
struct Kept {
    version: u64,
    found: Option<Arc<Found>>,
}

impl DeviceStandings {
    pub(super) fn new() -> Self {
        let versions = (0..SLOTS).map(|_| AtomicU64::new(0)).collect();
        Self { versions, kept: Cache::new(MOST) }
    }

    fn slot(&self, device: DeviceId) -> &AtomicU64 {
        // The last bytes of the id are random.
        let [.., high, low] = device.as_uuid().into_bytes();
        &self.versions[usize::from(u16::from_be_bytes([high, low])) % SLOTS]
    }

    /// What was kept of the display before is worth nothing from now on.
    pub(super) fn changed(&self, device: DeviceId) {
        self.slot(device).fetch_add(1, Ordering::Release);
    }

    /// To be taken before the rows are read.
    pub(super) fn version(&self, device: DeviceId) -> u64 {
        self.slot(device).load(Ordering::Acquire)
    }

    /// What is kept of the display and still holds; the inner `None` is "no such display".
    pub(super) fn get(&self, device: DeviceId) -> Option<Option<Arc<Found>>> {
        let kept = self.kept.get(&device)?;
        (kept.version == self.version(device)).then_some(kept.found)
    }

    /// Keeps what was read after `version` was taken.
    pub(super) fn keep(&self, version: u64, device: DeviceId, found: &Option<Arc<Found>>) {
        self.kept.insert(device, Kept { version, found: found.clone() });
    }
}

#[cfg(test)]
mod tests {
    use luminous_domain::{OsEntropy, Timestamp};

    use super::*;

    #[test]
    fn what_was_read_before_a_change_is_not_answered_after_it() {
        let standings = DeviceStandings::new();
        let device = DeviceId::new(Timestamp::UNIX_EPOCH, &OsEntropy).unwrap();
        assert!(standings.get(device).is_none());
        let version = standings.version(device);
        standings.keep(version, device, &None);
        assert!(standings.get(device).is_some_and(|found| found.is_none()));
        standings.changed(device);
        assert!(standings.get(device).is_none());

        // A change between taking the version and keeping what was read.
        let version = standings.version(device);
        standings.changed(device);
        standings.keep(version, device, &None);
        assert!(standings.get(device).is_none());
    }
}
