//! What the family's hub says, as what a window shows of the family.
//!
//! Pure: events in, what there is to tell out. An event says that something happened and never what,
//! so all of it comes down to which parts are old. Events that come close together are told once.

use std::collections::BTreeSet;

use luminous_domain::DeviceId;
use luminous_wire::FamilyPart;
use luminous_wire::api::FamilyEvent;

/// What was heard and has not been told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The newest event that this connection, or one before it, has brought.
    newest: u64,
    old: BTreeSet<FamilyPart>,
    /// Displays that joined; whoever may link displays is told of each.
    pub joined: Vec<DeviceId>,
    /// Displays that were ended because their sign-in was used in two places; so of these.
    pub ended: Vec<DeviceId>,
}

impl Heard {
    /// Nothing yet, by somebody who knows everything up to `newest`.
    pub(crate) fn since(newest: u64) -> Self {
        Self { newest, ..Self::default() }
    }

    /// From where to go on after a loss.
    pub(crate) const fn newest(&self) -> u64 {
        self.newest
    }

    /// An event came. One that came before is nothing; where one is missing between, everything is old.
    pub(crate) fn hear(&mut self, event: &FamilyEvent) {
        if event.seq <= self.newest {
            return;
        }
        if event.seq > self.newest + 1 {
            self.all_is_old();
        }
        self.newest = event.seq;
        match event.kind.as_str() {
            "family_changed" => self.old.extend([FamilyPart::Family]),
            // Whose place changed may be who listens.
            "members_changed" => self.old.extend([FamilyPart::Family, FamilyPart::Members]),
            "notes_changed" => self.old.extend([FamilyPart::Notes]),
            "devices_changed" => self.old.extend([FamilyPart::Devices]),
            "device_revoked" => {
                self.old.extend([FamilyPart::Devices]);
                let is_reuse = event.reason.as_deref() == Some("reuse");
                self.ended.extend(display(event).filter(|_| is_reuse));
            }
            "device_linked" => {
                self.old.extend([FamilyPart::Devices]);
                self.joined.extend(display(event));
            }
            // Of a newer server: nothing that this window shows.
            _ => {}
        }
    }

    /// Events were missed up to `newest`, for good. It may be lower than what was heard: of a server
    /// that came back from a backup.
    pub(crate) fn forget_everything(&mut self, newest: u64) {
        self.newest = newest;
        self.all_is_old();
    }

    /// Nothing that is shown may be right.
    pub(crate) fn all_is_old(&mut self) {
        self.old.extend(FamilyPart::ALL);
    }

    /// Whether there is anything to tell.
    pub(crate) fn is_silent(&self) -> bool {
        self.old.is_empty() && self.joined.is_empty() && self.ended.is_empty()
    }

    /// The parts that are old, each once, to be told now.
    pub(crate) fn take_old(&mut self) -> Vec<FamilyPart> {
        std::mem::take(&mut self.old).into_iter().collect()
    }
}

fn display(event: &FamilyEvent) -> Option<DeviceId> {
    event.resource.as_deref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISPLAY: &str = "0199b0a0-0000-7000-8000-0000000000d1";

    fn event(seq: u64, kind: &str, resource: Option<&str>) -> FamilyEvent {
        let resource = resource.map(str::to_owned);
        FamilyEvent { seq, kind: kind.to_owned(), resource, reason: None }
    }

    fn told(events: &[FamilyEvent]) -> Vec<FamilyPart> {
        let mut heard = Heard::since(0);
        events.iter().for_each(|event| heard.hear(event));
        heard.take_old()
    }

    #[test]
    fn each_kind_of_event_is_about_its_parts() {
        use FamilyPart::{Devices, Family, Members, Notes};
        for (kind, parts) in [
            ("family_changed", vec![Family]),
            ("members_changed", vec![Family, Members]),
            ("notes_changed", vec![Notes]),
            ("devices_changed", vec![Devices]),
            ("device_revoked", vec![Devices]),
            ("device_linked", vec![Devices]),
            ("moon_landed", vec![]),
        ] {
            assert_eq!(told(&[event(1, kind, Some(DISPLAY))]), parts, "{kind}");
        }
    }

    #[test]
    fn what_comes_close_together_is_told_once_and_what_was_told_is_not_told_again() {
        let mut heard = Heard::since(6);
        for seq in 5..=9 {
            heard.hear(&event(seq, "notes_changed", None));
        }
        heard.hear(&event(9, "family_changed", None));
        assert_eq!(heard.take_old(), [FamilyPart::Notes]);
        assert_eq!(heard.newest(), 9);
        assert!(heard.is_silent());
    }

    #[test]
    fn d18_a_gap_makes_everything_old_and_so_does_what_the_hub_forgot() {
        let mut heard = Heard::since(4);
        heard.hear(&event(6, "notes_changed", None));
        assert_eq!(heard.take_old(), FamilyPart::ALL);
        heard.forget_everything(90);
        assert_eq!((heard.newest(), heard.take_old()), (90, FamilyPart::ALL.to_vec()));
        heard.hear(&event(90, "notes_changed", None));
        assert!(heard.is_silent(), "it was part of what was forgotten");
        heard.forget_everything(3);
        assert_eq!((heard.newest(), heard.take_old()), (3, FamilyPart::ALL.to_vec()));
        heard.hear(&event(4, "notes_changed", None));
        assert_eq!(heard.take_old(), [FamilyPart::Notes], "numbers begin anew after a backup");
    }

    #[test]
    fn a_display_that_joined_is_known_by_its_id_and_nonsense_is_not() {
        let mut heard = Heard::since(0);
        heard.hear(&event(1, "device_linked", Some(DISPLAY)));
        heard.hear(&event(2, "device_linked", Some("<b>x</b>")));
        heard.hear(&event(3, "device_linked", None));
        assert_eq!(heard.joined, [DISPLAY.parse().unwrap()]);
    }

    #[test]
    fn f6_a_display_that_was_ended_for_reuse_is_told_apart_from_any_other() {
        let mut heard = Heard::since(0);
        for (seq, reason) in [(1, None), (2, Some("moon")), (3, Some("reuse"))] {
            assert!(heard.ended.is_empty());
            let reason = reason.map(str::to_owned);
            heard.hear(&FamilyEvent { reason, ..event(seq, "device_revoked", Some(DISPLAY)) });
        }
        assert_eq!(heard.take_old(), [FamilyPart::Devices]);
        assert_eq!(heard.ended, [DISPLAY.parse().unwrap()]);
        assert!(!heard.is_silent(), "somebody is to be told");
    }
}
