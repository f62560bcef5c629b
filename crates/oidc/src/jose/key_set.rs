//! A provider's key set (RFC 7517 section 5): what of it can be used, and why the rest cannot.

use std::collections::HashMap;

use super::jwk::{DropReason, PublicKey};
use super::{Algorithm, Jws};
use crate::json::{Json, Object};
use crate::token::TokenError;

const MAX_KEYS: usize = 50;
const MAX_BYTES: usize = 64 * 1024;

/// The usable keys of a set, by `kid`.
#[derive(Debug, Default)]
pub struct KeySet {
    keys: HashMap<String, PublicKey>,
    dropped: Vec<DroppedKey>,
}

/// A key that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedKey {
    /// Its `kid`, where it has one.
    pub kid: Option<String>,
    /// Why.
    pub reason: DropReason,
}

/// What came is not a key set: not JSON, not a list of objects, or larger than 64 KiB or 50 keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key set")]
pub struct KeySetError;

impl KeySet {
    /// Reads a set and prepares its keys for the `allowed` algorithms.
    ///
    /// # Errors
    /// [`KeySetError`]. A set without a usable key is not an error here.
    pub fn parse(bytes: &[u8], allowed: &[Algorithm]) -> Result<Self, KeySetError> {
        if bytes.len() > MAX_BYTES {
            return Err(KeySetError);
        }
        let document = Object::parse(bytes).map_err(|_| KeySetError)?;
        let Some(Json::List(entries)) = document.get("keys") else { return Err(KeySetError) };
        if entries.len() > MAX_KEYS {
            return Err(KeySetError);
        }
        let kids: Vec<Option<&str>> = entries.iter().map(kid_of).collect();
        let mut set = Self::default();
        for (entry, kid) in entries.iter().zip(&kids) {
            let twice = kids.iter().filter(|other| *other == kid).count() > 1;
            match read(entry, *kid, twice, allowed) {
                Ok((kid, key)) => {
                    set.keys.insert(kid.to_owned(), key);
                }
                Err(reason) => {
                    let kid = kid.map(str::to_owned);
                    tracing::warn!(?kid, %reason, "a key of the provider is not used");
                    set.dropped.push(DroppedKey { kid, reason });
                }
            }
        }
        Ok(set)
    }

    /// Whether `jws` was signed with the key it names.
    ///
    /// # Errors
    /// [`TokenError::KidUnknown`] when it names none of the set, even if the set holds a single
    /// key; otherwise as [`PublicKey::verify`].
    pub fn verify(&self, jws: &Jws<'_>) -> Result<(), TokenError> {
        let key = jws.kid().and_then(|kid| self.keys.get(kid)).ok_or(TokenError::KidUnknown)?;
        key.verify(jws)
    }

    /// Whether there is a usable key of that id.
    #[must_use]
    pub fn has(&self, kid: &str) -> bool {
        self.keys.contains_key(kid)
    }

    /// How many keys can be used.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no key can be used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that are not used.
    #[must_use]
    pub fn dropped(&self) -> &[DroppedKey] {
        &self.dropped
    }
}

fn kid_of<'a>(entry: &'a Json<'_>) -> Option<&'a str> {
    match entry {
        Json::Object(jwk) => jwk.get("kid").and_then(Json::as_text),
        _ => None,
    }
}

fn read<'a>(
    entry: &Json<'_>,
    kid: Option<&'a str>,
    twice: bool,
    allowed: &[Algorithm],
) -> Result<(&'a str, PublicKey), DropReason> {
    let Json::Object(jwk) = entry else { return Err(DropReason::Malformed) };
    let kid = kid.ok_or(DropReason::KidMissing)?;
    if twice {
        return Err(DropReason::KidDuplicate);
    }
    Ok((kid, PublicKey::read(jwk, allowed)?))
}
