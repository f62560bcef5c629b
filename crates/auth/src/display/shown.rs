//! What the window is to draw of it all. Nothing here is secret but the code on the screen, which is
//! there to be read.

use std::time::Duration;

use luminous_domain::display::State;
use luminous_wire::{AppError, Connection, KioskSnapshot, KioskStage};

use super::Inner;
use super::driver::Driver;
use super::link::Awaiting;

/// A computer's clock that moved by this much was set: times shown by it are reckoned anew.
const CLOCK_SET_MS: i64 = 2_000;

impl Inner {
    /// Changes what is shown and tells everybody who looks.
    pub(super) fn change(&self, change: impl FnOnce(&mut KioskSnapshot)) {
        self.snapshots.send_if_modified(|shown| {
            let mut next = shown.clone();
            change(&mut next);
            let changed = next != *shown;
            if changed {
                *shown = KioskSnapshot { revision: shown.revision.wrapping_add(1), ..next };
            }
            changed
        });
    }
}

impl Driver {
    /// Shows how things stand now.
    pub(super) fn publish(&mut self) {
        self.look_at_clock();
        let stage = self.stage();
        let problem = self.problem(stage.as_ref());
        let offset_ms = self.server.time().offset_ms(&*self.inner.ports.clock);
        let connection = self.connection();
        self.inner.change(|shown| {
            if let Some(stage) = stage {
                shown.stage = stage;
            }
            shown.connection = connection;
            shown.clock_offset_ms = offset_ms;
            shown.problem = problem;
        });
    }

    /// The wall is not fresh either while the keyring keeps us from asking.
    fn connection(&self) -> Connection {
        let has_access = |access: &super::tokens::Access| access.ends_at > self.now();
        let is_idle = |linked: &super::tokens::Linked| {
            self.unstored.is_some() && !linked.access.as_ref().is_some_and(has_access)
        };
        match self.linked.as_ref().is_some_and(is_idle) {
            true => Connection::Offline { since_ms: self.contact.since_ms() },
            false => self.contact.connection.clone(),
        }
    }

    /// Nothing of the family is on the screen from this moment on, whatever the disk takes its time for.
    pub(super) fn publish_wiped(&self) {
        self.inner.change(|shown| {
            shown.stage = KioskStage::Starting;
            shown.problem = None;
        });
    }

    fn look_at_clock(&mut self) {
        let clock = &self.inner.ports.clock;
        let elapsed = i64::try_from(clock.elapsed().as_millis()).unwrap_or(i64::MAX);
        let base = clock.now().as_millisecond().saturating_sub(elapsed);
        if base.abs_diff(self.clock_base_ms) > CLOCK_SET_MS.unsigned_abs() {
            self.clock_base_ms = base;
        }
    }

    /// A moment of monotonic time by this computer's clock, Unix time in ms.
    fn by_clock(&self, at: Duration) -> i64 {
        self.clock_base_ms.saturating_add(i64::try_from(at.as_millis()).unwrap_or(i64::MAX))
    }

    /// What to draw; `None` leaves what is there.
    fn stage(&self) -> Option<KioskStage> {
        match &self.state {
            State::Starting => None,
            State::Asking { .. } if self.trouble.is_some() => Some(KioskStage::WaitingForServer),
            // The code before it is followed by the next one in a moment.
            State::Asking { renewals: 1.. } => None,
            State::Asking { .. } if self.declined.is_some() => None,
            State::Asking { renewals: 0 } | State::Revoked => Some(KioskStage::Starting),
            // What is over is not typed, and whether it was approved only the server knows.
            State::Showing(shown) | State::Claimed { shown, .. }
                if self.trouble.is_some() && self.now() >= shown.expires_at =>
            {
                Some(KioskStage::WaitingForServer)
            }
            State::Showing(shown) => {
                self.awaiting.as_ref().map(|awaiting| self.code(awaiting, shown.expires_at))
            }
            State::Claimed { shown, number } => Some(KioskStage::Claimed {
                number: number.to_string(),
                expires_at_ms: self.by_clock(shown.expires_at),
            }),
            State::Approved(_) => Some(KioskStage::Linking),
            State::Idle => Some(KioskStage::Idle),
            State::Linked | State::Offline { .. } => Some(self.wall()),
        }
    }

    fn code(&self, awaiting: &Awaiting, expires_at: Duration) -> KioskStage {
        KioskStage::Code {
            user_code: awaiting.code.user_code.clone(),
            verification_uri: awaiting.code.verification_uri.clone(),
            qr: awaiting.qr.clone(),
            shown_at_ms: self.by_clock(awaiting.shown_at),
            expires_at_ms: self.by_clock(expires_at),
            former_name: self.saved.former_name.clone(),
        }
    }

    fn wall(&self) -> KioskStage {
        let Some(linked) = &self.linked else { return KioskStage::Starting };
        match &linked.wall {
            Some(kept) if linked.welcome_until.is_some() => KioskStage::Welcome {
                family_name: kept.wall.family_name.clone(),
                device_name: super::tokens::name_of(&kept.wall).unwrap_or_default(),
            },
            Some(kept) => KioskStage::Wall { wall: kept.wall.clone(), as_of_ms: kept.as_of_ms },
            None if linked.is_new => KioskStage::Linking,
            None if matches!(self.contact.connection, Connection::Offline { .. }) => {
                KioskStage::WaitingForServer
            }
            None => KioskStage::Starting,
        }
    }

    /// What is worth saying: the keyring always, the server only where there is no wall to look at.
    fn problem(&self, stage: Option<&KioskStage>) -> Option<AppError> {
        let waits = matches!(stage, Some(KioskStage::WaitingForServer));
        let trouble = self.trouble.clone().filter(|_| waits);
        trouble.or_else(|| self.storage.clone()).or_else(|| self.declined.clone())
    }
}
