//! What the store keeps in memory beside the file, and what a commit changes of it.

use luminous_domain::{AccountId, DeviceId};
use tokio::sync::broadcast;

use super::device_standings::DeviceStandings;
use super::seen::Seen;
use super::standings::Standings;
use crate::events::Hint;

/// How many hints a listener may lag behind before it loses some.
const HINTS: usize = 4096;

/// What is kept in memory.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) seen: Seen<AccountId>,
    pub(super) seen_devices: Seen<DeviceId>,
    pub(super) standings: Standings,
    pub(super) device_standings: DeviceStandings,
    pub(super) hints: broadcast::Sender<Hint>,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            seen: Seen::people(),
            seen_devices: Seen::displays(),
            standings: Standings::new(),
            device_standings: DeviceStandings::new(),
            hints: broadcast::Sender::new(HINTS),
        }
    }

    /// To be called after the commit of what has these effects, and before it is answered.
    pub(super) fn changed(&self, effects: Effects) {
        if effects.standing {
            self.standings.changed();
        }
        for device in effects.devices {
            self.device_standings.changed(device);
        }
        for hint in effects.hints {
            // Nobody may be listening.
            let _ = self.hints.send(hint);
        }
    }
}

/// What a job changes for those who keep something in memory.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// Where somebody stands.
    pub(super) standing: bool,
    /// How these displays or their tokens stand.
    pub(super) devices: Vec<DeviceId>,
    /// What listeners are told.
    pub(super) hints: Vec<Hint>,
}

impl Effects {
    /// Those of another job of the same group.
    pub(super) fn join(&mut self, other: Self) {
        self.standing |= other.standing;
        self.devices.extend(other.devices);
        self.hints.extend(other.hints);
    }
}
