//! The vault: no crash between two steps loses a record, no keyring holds anybody up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use luminous_auth::vault::slots::{self, SlotError};
use luminous_auth::vault::{DEADLINE, Vault, VaultError};
use luminous_auth::{OpenStore, SecretStore, StoreError};
use luminous_testkit::faulty_store::Fault;
use luminous_testkit::{FaultyStore, HeldTime};
use luminous_wire::ErrorCode;
use zeroize::Zeroizing;

const RECORD: &str = "session.x";

fn text(store: &FaultyStore) -> Option<String> {
    let stored = slots::read(store, RECORD).unwrap();
    stored.map(|stored| String::from_utf8(stored.payload.to_vec()).unwrap())
}

fn write(store: &FaultyStore, value: &str) -> Result<u64, SlotError> {
    slots::write(store, RECORD, value.as_bytes(), 0)
}

#[test]
fn f4_a_new_value_is_in_the_other_slot_and_read_back_before_the_head_switches() {
    let store = FaultyStore::new();
    write(&store, "parent").unwrap();
    let before = store.log().len();
    write(&store, "child").unwrap();
    let steps: Vec<String> = store.log().split_off(before);
    let place = |step: &str| steps.iter().position(|done| done == step).unwrap();
    let slot = place("set session.x.b.0");
    let read_back = slot + 1;
    assert_eq!(steps[read_back], "get session.x.b.0");
    assert!(place("set session.x.head") > read_back);
    assert!(
        !store.values("session.x.a.0").is_empty(),
        "the parent is kept until the child is used"
    );
    assert_eq!(text(&store).as_deref(), Some("child"));

    slots::forget_previous(&store, RECORD).unwrap();
    assert!(store.values("session.x.a.0").is_empty());
    assert_eq!(text(&store).as_deref(), Some("child"));
}

#[test]
fn f3_s7_killed_before_any_step_the_old_value_or_the_new_one_is_there_and_never_a_mixture() {
    for limit in [None, Some(400)] {
        let new_store = || limit.map_or_else(FaultyStore::new, FaultyStore::with_limit);
        let (old, new) = ("o".repeat(800), "n".repeat(1200));
        let steps = {
            let store = new_store();
            write(&store, &"x".repeat(1600)).unwrap();
            write(&store, &old).unwrap();
            let before = store.changes();
            write(&store, &new).unwrap();
            store.changes() - before
        };
        assert!(steps >= 2);
        for killed_before in 1..=steps + 1 {
            let store = new_store();
            // The third write goes over the longer remains of the first.
            write(&store, &"x".repeat(1600)).unwrap();
            write(&store, &old).unwrap();
            store.die_before_change(killed_before);
            let done = write(&store, &new).is_ok();
            store.revive();
            let found = text(&store).unwrap();
            let expected = if done { &new } else { &old };
            assert_eq!(&found, expected, "killed before change {killed_before} of {steps}");
            write(&store, "after").unwrap();
            assert_eq!(text(&store).as_deref(), Some("after"));
        }
    }
}

#[test]
fn s7_6_kib_fit_through_2560_bytes() {
    let store = FaultyStore::with_limit(2560);
    let token = "t".repeat(6 * 1024);
    write(&store, &token).unwrap();
    assert_eq!(text(&store), Some(token));
    assert!(store.all_values().iter().all(|value| value.len() <= 2560));
    write(&store, "short").unwrap();
    write(&store, "short").unwrap();
    assert_eq!(store.names().len(), 3, "nothing of the long one is left: {:?}", store.names());
}

#[test]
fn values_are_text_even_when_the_payload_is_not() {
    let store = FaultyStore::new();
    slots::write(&store, RECORD, &[0, 255, 128, 10], 0).unwrap();
    assert!(store.all_values().iter().flatten().all(u8::is_ascii_graphic));
    let stored = slots::read(&store, RECORD).unwrap().unwrap();
    assert_eq!(stored.payload.as_slice(), [0, 255, 128, 10]);
}

#[test]
fn s6_a_flipped_bit_a_cut_head_and_a_later_version_are_corrupt_and_change_nothing() {
    let damages: [fn(&FaultyStore); 4] = [
        |store| store.corrupt(|name| name == "session.x.a.0"),
        |store| store.lose(|name| name == "session.x.a.0"),
        |store| store.plant("session.x.head", &[b"{\"version\":1,"]),
        |store| {
            let head = store.values("session.x.head").remove(0);
            let later = String::from_utf8(head).unwrap().replace("\"version\":1", "\"version\":2");
            store.plant("session.x.head", &[later.as_bytes()]);
        },
    ];
    for damage in damages {
        let store = FaultyStore::new();
        write(&store, "value").unwrap();
        damage(&store);
        let changes = store.changes();
        assert!(matches!(slots::read(&store, RECORD), Err(SlotError::Corrupt(_))));
        assert_eq!(store.changes(), changes);
    }
}

#[test]
fn s6_what_is_put_aside_is_kept_raw_and_out_of_the_way() {
    let store = FaultyStore::new();
    write(&store, "value").unwrap();
    let chunk = store.values("session.x.a.0");
    store.plant("session.x.head", &[b"from the future"]);
    slots::put_aside(&store, RECORD).unwrap();
    assert_eq!(store.values("session.x.aside.head"), [b"from the future".to_vec()]);
    assert_eq!(store.values("session.x.aside.a.0"), chunk);
    assert_eq!(text(&store), None);
    write(&store, "again").unwrap();
    assert_eq!(text(&store).as_deref(), Some("again"));
    assert_eq!(store.values("session.x.aside.head").len(), 1);
}

#[test]
fn s8_of_two_heads_the_newest_counts_and_the_other_goes_after_the_read() {
    let store = FaultyStore::new();
    write(&store, "old").unwrap();
    let old_head = store.values("session.x.head").remove(0);
    write(&store, "new").unwrap();
    let new_head = store.values("session.x.head").remove(0);
    store.plant("session.x.head", &[&old_head, &new_head]);
    assert_eq!(text(&store).as_deref(), Some("new"));
    assert_eq!(store.values("session.x.head"), [new_head]);
}

#[test]
fn a_generation_never_falls_behind_the_marker() {
    let store = FaultyStore::new();
    assert_eq!(slots::write(&store, RECORD, b"a", 41).unwrap(), 42);
    assert_eq!(slots::write(&store, RECORD, b"b", 0).unwrap(), 43);
}

#[test]
fn erasing_leaves_nothing_and_can_be_repeated_after_a_crash() {
    let store = FaultyStore::with_limit(400);
    write(&store, &"x".repeat(1600)).unwrap();
    write(&store, &"y".repeat(800)).unwrap();
    store.die_before_change(4);
    slots::erase(&store, RECORD).unwrap_err();
    store.revive();
    assert_eq!(text(&store), None, "nothing is in force from the first step on");
    slots::erase(&store, RECORD).unwrap();
    assert_eq!(store.names(), Vec::<String>::new());
    store.delete("never there").unwrap();
}

fn vault(store: &FaultyStore) -> Vault {
    Vault::new(Arc::new(store.clone()))
}

fn payload(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.as_bytes().to_vec())
}

#[tokio::test(start_paused = true)]
async fn s4_a_keyring_that_hangs_costs_five_seconds_and_one_thread() {
    let time = HeldTime::hold();
    let store = FaultyStore::new();
    let vault = vault(&store);
    store.set_fault(Fault::Hanging);
    let call = tokio::spawn({
        let vault = vault.clone();
        async move { vault.read(RECORD).await.map(drop) }
    });
    store.until_called(1).await;
    time.advance(DEADLINE - Duration::from_millis(1)).await;
    assert!(!call.is_finished());
    time.advance(Duration::from_millis(1)).await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error, VaultError::Timeout);
    assert_eq!(error.code(), ErrorCode::StoreTimeout);

    // Nobody else waits at all, and nothing is queued behind the call that hangs.
    for _ in 0..3 {
        assert_eq!(vault.erase(RECORD).await, Err(VaultError::Timeout));
    }
    assert_eq!(store.log(), ["open "]);

    store.set_fault(Fault::None);
    vault.freed().await;
    assert!(vault.read(RECORD).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn s3_a_prompt_nobody_answers_is_waiting_and_its_late_answer_counts() {
    let time = HeldTime::hold();
    let store = FaultyStore::new();
    let vault = vault(&store);
    vault.read(RECORD).await.unwrap();
    store.set_fault(Fault::Asking);
    let call = tokio::spawn({
        let vault = vault.clone();
        async move { vault.write(RECORD, payload("late"), 0).await }
    });
    time.advance(DEADLINE).await;
    assert_eq!(call.await.unwrap(), Err(VaultError::Waiting));

    store.set_fault(Fault::None);
    vault.freed().await;
    let stored = vault.read(RECORD).await.unwrap().unwrap();
    assert_eq!(stored.payload.as_slice(), b"late");
}

#[tokio::test]
async fn s1_a_keyring_that_appears_later_is_opened_then() {
    let store = FaultyStore::new();
    let vault = vault(&store);
    store.set_fault(Fault::Unavailable);
    let error = vault.write(RECORD, payload("x"), 0).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::StoreUnavailable);
    assert_eq!(store.opened(), 0);
    store.set_fault(Fault::None);
    assert_eq!(vault.write(RECORD, payload("x"), 0).await, Ok(1));

    // And one that went away is opened again.
    store.set_fault(Fault::Unavailable);
    vault.read(RECORD).await.unwrap_err();
    store.set_fault(Fault::None);
    vault.read(RECORD).await.unwrap().unwrap();
    assert_eq!(store.opened(), 2);
}

#[tokio::test]
async fn s2_locked_and_full_are_told_apart_and_keep_the_old_value() {
    let store = FaultyStore::new();
    let vault = vault(&store);
    vault.write(RECORD, payload("old"), 0).await.unwrap();
    for (fault, code) in
        [(Fault::Locked, ErrorCode::StoreLocked), (Fault::ReadOnly, ErrorCode::StoreWriteFailed)]
    {
        store.set_fault(fault);
        let error = vault.write(RECORD, payload("new"), 0).await.unwrap_err();
        assert_eq!(error.code(), code);
        store.set_fault(Fault::None);
        let stored = vault.read(RECORD).await.unwrap().unwrap();
        assert_eq!(stored.payload.as_slice(), b"old");
    }
}

#[tokio::test]
async fn s11_many_writers_end_with_the_highest_generation() {
    let store = FaultyStore::new();
    let vault = vault(&store);
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..25 {
        let vault = vault.clone();
        writers.spawn(async move {
            let value = format!("value {number}");
            (vault.write(RECORD, payload(&value), 0).await.unwrap(), value)
        });
    }
    let written = writers.join_all().await;
    let (highest, value) = written.iter().max().unwrap();
    let stored = vault.read(RECORD).await.unwrap().unwrap();
    assert_eq!((*highest, stored.generation), (25, 25));
    assert_eq!(stored.payload.as_slice(), value.as_bytes());
}

/// A keyring whose library panics the first time it is opened.
struct PanicsOnce(FaultyStore, AtomicBool);

impl OpenStore for PanicsOnce {
    fn open(&self) -> Result<Box<dyn SecretStore>, StoreError> {
        assert!(self.1.swap(true, Ordering::SeqCst), "a defect of the keyring's library");
        self.0.open()
    }
}

#[tokio::test]
async fn a_panic_inside_the_keyring_costs_one_call_and_not_the_thread() {
    let vault = Vault::new(Arc::new(PanicsOnce(FaultyStore::new(), AtomicBool::new(false))));
    let error = vault.read(RECORD).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::StoreUnavailable);
    assert_eq!(vault.write(RECORD, payload("x"), 0).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn s4_after_a_caller_that_went_away_the_next_waits_for_what_is_left_of_the_deadline() {
    let time = HeldTime::hold();
    let store = FaultyStore::new();
    let vault = vault(&store);
    store.set_fault(Fault::Hanging);
    let read = || {
        let vault = vault.clone();
        tokio::spawn(async move { vault.read(RECORD).await.map(drop) })
    };
    let cancelled = read();
    store.until_called(1).await;
    cancelled.abort();
    let next = read();
    time.advance(DEADLINE - Duration::from_millis(1)).await;
    assert!(!next.is_finished());
    store.set_fault(Fault::None);
    assert_eq!(next.await.unwrap(), Ok(()));
}
