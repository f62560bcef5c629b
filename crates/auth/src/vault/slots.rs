//! One record in the keyring, written so that no crash between two steps loses it.
//!
//! A record has a *head* and two slots, `a` and `b`. The head names the slot in force, its
//! generation, and a digest of each of its chunks. Writing goes to the other slot, is read back,
//! and only then the head is switched, which is one atomic replacement. So a reader finds the old
//! value or the new one, never a mixture (F4, S7). The old slot is the parent that could still be
//! refreshed if the new value proves unusable; it lives until [`forget_previous`] or the write
//! after next.
//!
//! Values are cut into chunks where the platform limits a value (Windows: 2560 bytes), and are
//! base64url text, because some keyrings hold text only.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::ports::{SecretBytes, SecretStore, StoreError};

/// The layout below. A head of a later version is put aside, not guessed at.
const VERSION: u32 = 1;

/// A value this small fits every platform; the limit of the platform applies when it is lower.
const CHUNK: usize = 2400;

/// More chunks than any record of ours needs; a head that says more is not one of ours.
const MOST_CHUNKS: usize = 40;

/// The parts of a record, for reading everything of it when it is put aside or erased.
const SLOTS: [Slot; 2] = [Slot::A, Slot::B];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Slot {
    A,
    B,
}

impl Slot {
    const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u32,
    generation: u64,
    slot: Slot,
    /// SHA-256 of each chunk's text, base64url.
    chunks: Vec<String>,
}

/// A value read from the keyring.
#[derive(Debug)]
pub struct Stored {
    /// Grows with each write of the record.
    pub generation: u64,
    /// What was written.
    pub payload: SecretBytes,
}

/// Why a record could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// The keyring did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is there is not what was written.
    #[error("the stored record is damaged: {0}")]
    Corrupt(&'static str),
    /// The keyring took the value and does not give it back.
    #[error("the keyring does not give back what was stored")]
    NotStored,
}

/// Reads the record, or `None` when nothing was ever written.
///
/// Duplicates that something outside us made are resolved to the newest generation and then
/// removed (S8).
///
/// # Errors
/// [`SlotError`]. Nothing is changed then.
pub fn read(store: &dyn SecretStore, record: &str) -> Result<Option<Stored>, SlotError> {
    let heads = store.get(&head_name(record))?;
    let duplicated = heads.len() > 1;
    let Some(head) = newest(&heads)? else { return Ok(None) };
    let mut text = Zeroizing::new(Vec::new());
    for (index, digest) in head.chunks.iter().enumerate() {
        let chunks = store.get(&chunk_name(record, head.slot, index))?;
        let chunk = chunks
            .iter()
            .find(|chunk| digest_of(chunk) == *digest)
            .ok_or(SlotError::Corrupt("a chunk is missing or changed"))?;
        text.extend_from_slice(chunk);
    }
    let payload = BASE64_URL_SAFE_NO_PAD
        .decode(text.as_slice())
        .map_err(|_| SlotError::Corrupt("the chunks are not base64"))?;
    if duplicated {
        store.set(&head_name(record), &encode(&head))?;
    }
    Ok(Some(Stored { generation: head.generation, payload: Zeroizing::new(payload) }))
}

/// Reads the value before the one in force, or `None` when there is none or it is not whole. No head
/// vouches for it any more: whoever asks judges whether it makes sense.
///
/// # Errors
/// [`SlotError`] from the keyring, or about the head.
pub fn read_previous(
    store: &dyn SecretStore,
    record: &str,
) -> Result<Option<SecretBytes>, SlotError> {
    let Some(head) = newest(&store.get(&head_name(record))?)? else { return Ok(None) };
    let slot = head.slot.other();
    let mut text = Zeroizing::new(Vec::new());
    for index in 0..count(store, record, slot)? {
        for chunk in store.get(&chunk_name(record, slot, index))?.iter().take(1) {
            text.extend_from_slice(chunk);
        }
    }
    let payload = BASE64_URL_SAFE_NO_PAD.decode(text.as_slice()).ok();
    Ok(payload.filter(|payload| !payload.is_empty()).map(Zeroizing::new))
}

/// Writes `payload` as the next generation, at least `floor + 1`, and answers the generation.
///
/// # Errors
/// [`SlotError`]; the record is then as it was before.
pub fn write(
    store: &dyn SecretStore,
    record: &str,
    payload: &[u8],
    floor: u64,
) -> Result<u64, SlotError> {
    let current = match newest(&store.get(&head_name(record))?) {
        Ok(current) => current,
        Err(_) => {
            put_aside(store, record)?;
            None
        }
    };
    let generation = current.as_ref().map_or(0, |head| head.generation).max(floor) + 1;
    let slot = current.map_or(Slot::A, |head| head.slot.other());
    let text = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(payload).into_bytes());
    let size = store.limit().map_or(CHUNK, |limit| limit.min(CHUNK)).max(1);
    let mut chunks = Vec::new();
    for (index, chunk) in text.chunks(size).enumerate() {
        let name = chunk_name(record, slot, index);
        store.set(&name, chunk)?;
        expect_back(store, &name, chunk)?;
        chunks.push(digest_of(chunk));
    }
    clear_from(store, record, slot, chunks.len())?;
    let head = encode(&Head { version: VERSION, generation, slot, chunks });
    store.set(&head_name(record), &head)?;
    expect_back(store, &head_name(record), &head)?;
    Ok(generation)
}

/// Removes the value before the one in force: the new one has proved itself.
///
/// # Errors
/// [`SlotError`]; the value in force is not touched.
pub fn forget_previous(store: &dyn SecretStore, record: &str) -> Result<(), SlotError> {
    if let Some(head) = newest(&store.get(&head_name(record))?)? {
        clear_from(store, record, head.slot.other(), 0)?;
    }
    Ok(())
}

/// Removes the record and what was put aside of it: the head first, so that nothing of it is in
/// force from the first step on.
///
/// # Errors
/// [`SlotError`]; erasing again finishes what is left.
pub fn erase(store: &dyn SecretStore, record: &str) -> Result<(), SlotError> {
    remove(store, record)?;
    forget_aside(store, record)
}

/// Removes what was put aside of the record.
///
/// # Errors
/// [`SlotError`]; the record itself is not touched.
pub fn forget_aside(store: &dyn SecretStore, record: &str) -> Result<(), SlotError> {
    remove(store, &aside_of(record))
}

fn remove(store: &dyn SecretStore, record: &str) -> Result<(), SlotError> {
    store.delete(&head_name(record))?;
    for slot in SLOTS {
        clear_from(store, record, slot, 0)?;
    }
    Ok(())
}

/// Moves everything of a damaged record to names beside it, raw as it is, for whoever wants to
/// look at it or for a newer version of this program (S6).
///
/// # Errors
/// [`SlotError`]; the damaged record stands then.
pub fn put_aside(store: &dyn SecretStore, record: &str) -> Result<(), SlotError> {
    let aside = aside_of(record);
    // Pieces of an earlier one would make nonsense of this one.
    remove(store, &aside)?;
    for head in store.get(&head_name(record))?.iter().take(1) {
        store.set(&head_name(&aside), head)?;
    }
    for slot in SLOTS {
        for index in 0..count(store, record, slot)? {
            for chunk in store.get(&chunk_name(record, slot, index))?.iter().take(1) {
                store.set(&chunk_name(&aside, slot, index), chunk)?;
            }
        }
    }
    remove(store, record)
}

fn aside_of(record: &str) -> String {
    format!("{record}.aside")
}

fn head_name(record: &str) -> String {
    format!("{record}.head")
}

fn chunk_name(record: &str, slot: Slot, index: usize) -> String {
    format!("{record}.{}.{index}", slot.name())
}

fn digest_of(chunk: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(chunk))
}

fn encode(head: &Head) -> Vec<u8> {
    // A struct of numbers and strings always serialises.
    serde_json::to_vec(head).unwrap_or_default()
}

/// The head with the highest generation. One damaged head among readable ones does not count.
fn newest(heads: &[SecretBytes]) -> Result<Option<Head>, SlotError> {
    if heads.is_empty() {
        return Ok(None);
    }
    let readable = heads.iter().filter_map(|head| serde_json::from_slice::<Head>(head).ok());
    readable
        .filter(|head| head.version == VERSION && head.chunks.len() <= MOST_CHUNKS)
        .max_by_key(|head| head.generation)
        .map(Some)
        .ok_or(SlotError::Corrupt("the head cannot be read"))
}

fn expect_back(store: &dyn SecretStore, name: &str, value: &[u8]) -> Result<(), SlotError> {
    let back = store.get(name)?;
    if back.iter().any(|back| back.as_slice() == value) {
        Ok(())
    } else {
        Err(SlotError::NotStored)
    }
}

fn count(store: &dyn SecretStore, record: &str, slot: Slot) -> Result<usize, SlotError> {
    let mut count = 0;
    while count < MOST_CHUNKS && !store.get(&chunk_name(record, slot, count))?.is_empty() {
        count += 1;
    }
    Ok(count)
}

/// Removes the chunks from `first` on, the last one first: what a crash leaves has no gap, so that
/// counting finds it.
fn clear_from(
    store: &dyn SecretStore,
    record: &str,
    slot: Slot,
    first: usize,
) -> Result<(), SlotError> {
    let mut end = first;
    while end < MOST_CHUNKS && !store.get(&chunk_name(record, slot, end))?.is_empty() {
        end += 1;
    }
    for index in (first..end).rev() {
        store.delete(&chunk_name(record, slot, index))?;
    }
    Ok(())
}
