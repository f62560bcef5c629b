//! Which displays are connected to this replica now.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use luminous_domain::DeviceId;

/// The live connections of each display. A display may have two for a moment, while it reconnects.
#[derive(Debug, Clone, Default)]
pub struct Presence(Arc<Mutex<HashMap<DeviceId, u32>>>);

/// One live connection; it ends when this is dropped.
#[derive(Debug)]
#[must_use = "the display counts as connected for as long as this is held"]
pub struct Connected {
    presence: Presence,
    device: DeviceId,
}

impl Presence {
    /// Notes a connection of `device`.
    pub fn connect(&self, device: DeviceId) -> Connected {
        *self.counts().entry(device).or_default() += 1;
        Connected { presence: self.clone(), device }
    }

    /// Whether `device` has one.
    #[must_use]
    pub fn is_online(&self, device: DeviceId) -> bool {
        self.counts().contains_key(&device)
    }

    /// Those that have one.
    #[must_use]
    pub fn connected(&self) -> Vec<DeviceId> {
        self.counts().keys().copied().collect()
    }

    /// How many displays have one.
    #[must_use]
    pub fn online(&self) -> usize {
        self.counts().len()
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<DeviceId, u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        let mut counts = self.presence.counts();
        if let Some(count) = counts.get_mut(&self.device) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.device);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use luminous_domain::{OsEntropy, Timestamp};

    use super::*;

    #[test]
    fn a_display_is_online_until_its_last_connection_ends() {
        let presence = Presence::default();
        let device = || DeviceId::new(Timestamp::UNIX_EPOCH, &OsEntropy).unwrap();
        let (kitchen, hall) = (device(), device());
        let first = presence.connect(kitchen);
        let second = presence.connect(kitchen);
        drop(first);
        assert!(presence.is_online(kitchen) && !presence.is_online(hall));
        assert_eq!((presence.online(), presence.connected()), (1, vec![kitchen]));
        drop(second);
        assert!(!presence.is_online(kitchen));
        assert_eq!(presence.online(), 0);
    }
}
