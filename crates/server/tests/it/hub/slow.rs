//! P6: somebody who reads nothing, or a byte now and then, of what the family's hub sends.

use luminous_domain::{Clock as _, FamilyId, MemberId, NoteId, OsEntropy, Role};
use luminous_store::{Act, NewNote};
use luminous_wire::api::hub::family_hub;
use reqwest::Method;
use serde_json::Value;

use super::raw::Raw;
use super::{Listener, person_at, ticket};
use crate::rig::{Rig, Someone};

/// As many as may wait for who does not read.
const MOST_WAITING: u32 = 256;
/// As many as are sent before they must be read.
const BURST: u64 = 128;

/// A family in which much happens, and somebody who hears of it.
struct Bustle<'a> {
    rig: &'a Rig,
    family: FamilyId,
    member: MemberId,
    act: Act,
    note: Option<NoteId>,
    desk: Listener,
    latest: u64,
}

impl<'a> Bustle<'a> {
    async fn around(rig: &'a Rig, person: &Someone) -> Self {
        let mut desk = person_at(rig, person).await;
        let latest = desk.resume(u64::MAX).await;
        desk.called(family_hub::RESYNC).await;
        let (_, act) = rig.arrive(person).await;
        let (family, member) = (person.family(), person.place().member);
        Self { rig, family, member, act, note: None, desk, latest }
    }

    /// One thing happens, of which the other one hears at once: a note goes up, or comes down again.
    async fn goes_on(&mut self) {
        let store = &self.rig.store;
        if let Some(note) = self.note.take() {
            store.remove_note(self.family, note, self.member, &self.act).await.unwrap();
        } else {
            let id = NoteId::new(self.rig.clock.now(), &OsEntropy).unwrap();
            let text = "Milk".to_owned();
            let (family, author) = (self.family, self.member);
            let new = NewNote { id, family, text, author, lifetime: None };
            self.note = Some(store.post_note(&new, &self.act).await.unwrap().id);
        }
        self.latest += 1;
        assert_eq!(self.desk.event().await.seq, self.latest, "for the others it goes on");
    }
}

/// Somebody at the hub who reads only when told to, and has everything up to `seen`.
async fn sloth(rig: &Rig, person: &Someone, seen: u64) -> Raw {
    let bought = rig.send(Method::POST, "/api/hub/ticket", &rig.token(person), &Value::Null).await;
    let header = format!("authorization: Bearer {}\r\n", ticket(&bought));
    let mut sloth = Raw::at(rig, "", &header).await;
    assert_eq!(sloth.resume(seen).await, seen);
    sloth
}

#[tokio::test]
async fn p6_who_does_not_read_is_closed_when_more_than_256_events_wait_and_resumes_without_a_gap() {
    let rig = Rig::with_small_sockets().await;
    let ana = rig.owner("Ana").await;
    let eva = rig.member(&ana, "Eva", Role::Adult).await;
    let mut bustle = Bustle::around(&rig, &ana).await;
    for bytes_per_event in [0, 1] {
        let begun = bustle.latest;
        let mut sloth = sloth(&rig, &eva, begun).await;
        for _ in 0..=MOST_WAITING {
            bustle.goes_on().await;
            for _ in 0..bytes_per_event {
                sloth.sip().await;
            }
        }
        let mut seen = begun;
        let last = loop {
            let record = sloth.record().await;
            if record["type"] != 1 {
                break record;
            }
            seen += 1;
            assert_eq!(record["arguments"][0]["seq"], seen, "in order, each once");
        };
        assert_eq!(seen, begun + BURST, "the rest never waited in memory");
        assert_eq!(last["type"], 7, "{last}");
        assert_eq!(last["error"], "push.slow_consumer");
        assert_eq!(last["allowReconnect"], true);
        let mut again = person_at(&rig, &eva).await;
        assert_eq!(again.resume(seen).await, bustle.latest);
        for expected in seen + 1..=bustle.latest {
            assert_eq!(again.event().await.seq, expected);
        }
    }
}

#[tokio::test]
async fn p6_who_reads_again_while_256_events_wait_gets_them_all_and_what_follows() {
    let rig = Rig::with_small_sockets().await;
    let ana = rig.owner("Ana").await;
    let mut bustle = Bustle::around(&rig, &ana).await;
    let begun = bustle.latest;
    let mut sloth = sloth(&rig, &ana, begun).await;
    for _ in 0..MOST_WAITING {
        bustle.goes_on().await;
    }
    for expected in begun + 1..=bustle.latest {
        let record = sloth.record().await;
        assert_eq!(record["arguments"][0]["seq"], expected, "{record}");
    }
    bustle.goes_on().await;
    assert_eq!(sloth.record().await["arguments"][0]["seq"], bustle.latest);
}
