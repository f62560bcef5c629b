//! Signing keys: made, published, rolled over, retired.
//!
//! All tenants share one ring, as unrelated B2C tenants share Microsoft's: a signature proves the
//! provider, never the tenant.

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A key could not be made, read or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The generator failed.
    #[error("an RSA key could not be made")]
    Generate,
    /// A stored key is not a PKCS#8 RSA key.
    #[error("a stored signing key cannot be read")]
    Unreadable,
    /// Signing failed.
    #[error("a token could not be signed")]
    Sign,
}

/// Where a key stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyState {
    /// Published, not signing yet.
    Next,
    /// Published and signing.
    Current,
    /// Published, so that its tokens still verify.
    Old,
}

impl KeyState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Old => "old",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Next, Self::Current, Self::Old].into_iter().find(|state| state.name() == name)
    }
}

/// An RSA-2048 key with its id.
#[derive(Clone)]
pub(crate) struct SigningKey {
    pub(crate) kid: String,
    /// Unix seconds since when it is published: `nbf` of the JWK.
    pub(crate) not_before: i64,
    pub(crate) state: KeyState,
    pair: Arc<RsaKeyPair>,
}

impl SigningKey {
    /// Makes a key. Takes a good part of a second.
    pub(crate) fn generate(not_before: i64, state: KeyState) -> Result<Self, KeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Generate)?;
        Ok(Self::new(pair, not_before, state))
    }

    /// Reads a key back.
    pub(crate) fn from_pkcs8(
        der: &[u8],
        not_before: i64,
        state: KeyState,
    ) -> Result<Self, KeyError> {
        let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| KeyError::Unreadable)?;
        Ok(Self::new(pair, not_before, state))
    }

    fn new(pair: RsaKeyPair, not_before: i64, state: KeyState) -> Self {
        // 43 characters, like `X5eXk4xyojNFum1kl2Ytv8dlNP4-c57dO6QGTVBwaNk`.
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, pair.public_key().as_ref());
        Self { kid: URL_SAFE_NO_PAD.encode(digest), not_before, state, pair: Arc::new(pair) }
    }

    /// The private key, for the store.
    pub(crate) fn pkcs8(&self) -> Result<Vec<u8>, KeyError> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().map_err(|_| KeyError::Unreadable)?;
        Ok(der.as_ref().to_vec())
    }

    /// The public key as SubjectPublicKeyInfo: what an algorithm-confusion attack signs with.
    pub(crate) fn spki(&self) -> Result<Vec<u8>, KeyError> {
        let der: PublicKeyX509Der<'_> =
            self.pair.public_key().as_der().map_err(|_| KeyError::Unreadable)?;
        Ok(der.as_ref().to_vec())
    }

    /// RS256 over `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let rng = aws_lc_rs::rand::SystemRandom::new();
        self.pair
            .sign(&aws_lc_rs::signature::RSA_PKCS1_SHA256, &rng, message, &mut signature)
            .map_err(|_| KeyError::Sign)?;
        Ok(signature)
    }

    /// The JWK as B2C publishes it: without `alg` and `x5c`.
    pub(crate) fn jwk(&self) -> Value {
        let public = self.pair.public_key();
        json!({
            "kid": self.kid,
            "nbf": self.not_before,
            "use": "sig",
            "kty": "RSA",
            "e": URL_SAFE_NO_PAD.encode(public.exponent().big_endian_without_leading_zero()),
            "n": URL_SAFE_NO_PAD.encode(public.modulus().big_endian_without_leading_zero()),
        })
    }
}

/// The published keys, newest first.
#[derive(Clone)]
pub(crate) struct KeyRing(Vec<SigningKey>);

impl KeyRing {
    /// A ring that signs with `key`.
    pub(crate) fn new(mut key: SigningKey) -> Self {
        key.state = KeyState::Current;
        Self(vec![key])
    }

    /// A ring that was stored; `None` when none of its keys signs.
    pub(crate) fn from_keys(keys: Vec<SigningKey>) -> Option<Self> {
        keys.iter().any(|key| key.state == KeyState::Current).then_some(Self(keys))
    }

    pub(crate) fn keys(&self) -> &[SigningKey] {
        &self.0
    }

    /// The key that signs.
    pub(crate) fn current(&self) -> &SigningKey {
        let signing = self.0.iter().find(|key| key.state == KeyState::Current);
        signing.unwrap_or(&self.0[0])
    }

    /// Publishes `key` before it signs. A key that was published earlier steps back.
    pub(crate) fn publish(&mut self, mut key: SigningKey) {
        self.0.retain(|known| known.state != KeyState::Next);
        key.state = KeyState::Next;
        self.0.insert(0, key);
    }

    /// Lets the published key sign; the one that signed stays published. Says whether there was
    /// one to promote.
    pub(crate) fn promote(&mut self) -> bool {
        if !self.0.iter().any(|key| key.state == KeyState::Next) {
            return false;
        }
        for key in &mut self.0 {
            key.state = match key.state {
                KeyState::Next => KeyState::Current,
                KeyState::Current | KeyState::Old => KeyState::Old,
            };
        }
        true
    }

    /// Stops publishing the keys that no longer sign.
    pub(crate) fn retire(&mut self) {
        self.0.retain(|key| key.state != KeyState::Old);
    }

    /// The JWK set.
    pub(crate) fn jwks(&self) -> Value {
        json!({ "keys": self.0.iter().map(SigningKey::jwk).collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::generate(7, KeyState::Next).unwrap()
    }

    fn states(ring: &KeyRing) -> Vec<KeyState> {
        ring.keys().iter().map(|key| key.state).collect()
    }

    #[test]
    fn a_rollover_publishes_first_signs_then_and_retires_last() {
        let (first, second) = (key(), key());
        let (old, new) = (first.kid.clone(), second.kid.clone());
        let mut ring = KeyRing::new(first);
        ring.publish(second);
        assert_eq!(states(&ring), [KeyState::Next, KeyState::Current]);
        assert_eq!(ring.current().kid, old);
        assert!(ring.promote());
        assert_eq!(states(&ring), [KeyState::Current, KeyState::Old]);
        assert_eq!(ring.current().kid, new);
        ring.retire();
        assert_eq!(states(&ring), [KeyState::Current]);
        assert!(!ring.promote());
    }

    #[test]
    fn a_jwk_has_b2cs_members_and_no_alg() {
        let jwk = key().jwk();
        let mut members: Vec<&str> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, ["e", "kid", "kty", "n", "nbf", "use"]);
        assert_eq!(jwk["e"], "AQAB");
        assert_eq!(jwk["nbf"], 7);
        assert_eq!(jwk["kid"].as_str().unwrap().len(), 43);
    }

    #[test]
    fn a_key_survives_its_own_der() {
        let made = key();
        let back = SigningKey::from_pkcs8(&made.pkcs8().unwrap(), 7, KeyState::Current).unwrap();
        assert_eq!(made.kid, back.kid);
        assert_eq!(made.jwk(), back.jwk());
        assert_eq!(
            SigningKey::from_pkcs8(b"no", 7, KeyState::Old).err(),
            Some(KeyError::Unreadable)
        );
    }
}
