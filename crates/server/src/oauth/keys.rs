//! The keys that sign the displays' access tokens: one file, read by every replica, outside the
//! database.
//!
//! The next key is published before it signs, so that whoever keeps our key set for some minutes
//! knows it by then; an old one stays published until the last token it signed is dead.

mod file;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use luminous_domain::Timestamp;
use luminous_oidc::TokenError;
use luminous_oidc::jose::{Algorithm, Jws, KeySet, SigningKey, SigningKeyError};
use serde_json::{Value, json};

use super::token::LEEWAY;
use crate::config::{Config, ConfigError};
use file::Kept;

/// How long the next key is published before it signs: longer than anybody keeps the key set.
const ANNOUNCED: Duration = Duration::from_secs(600);

/// The setting that names the file.
const SETTING: &str = "displays.signing_keys_file";

/// The keys of a running server. They follow the file.
pub struct SigningKeys {
    path: PathBuf,
    /// How long after it stopped signing a key may still be needed.
    afterlife: Duration,
    ring: RwLock<Arc<Ring>>,
}

/// What stood in the file when it was last read and could be used.
struct Ring {
    text_hash: [u8; 32],
    keys: Vec<Kept>,
    /// Their public halves, ready to verify.
    public: KeySet,
}

/// What `keys rotate` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// This key signs from then on.
    Made {
        /// Its name.
        kid: String,
        /// From when.
        signs_from: Timestamp,
    },
    /// A next key is waiting already; nothing was changed.
    Waiting {
        /// Its name.
        kid: String,
        /// From when it signs.
        signs_from: Timestamp,
    },
}

/// A key as `keys list` tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLine {
    /// Its name.
    pub kid: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when it signs.
    pub signs_from: Timestamp,
    /// When it stops.
    pub retired_at: Option<Timestamp>,
}

impl SigningKeys {
    /// Makes the file where there is none, with a key that signs at once; answers whether it did.
    ///
    /// # Errors
    /// [`ConfigError`] about `displays.signing_keys_file`.
    pub fn make(config: &Config, now: Timestamp) -> Result<bool, ConfigError> {
        let path = path(config);
        if path.exists() {
            return Ok(false);
        }
        let first = Kept::new(now, now).map_err(|error| wrong(path, &error.to_string()))?;
        file::write_new(path, &[first])
    }

    /// Reads the keys.
    ///
    /// # Errors
    /// [`ConfigError`] about `displays.signing_keys_file`.
    pub fn read(config: &Config) -> Result<Self, ConfigError> {
        let path = path(config).to_owned();
        let afterlife = afterlife(config);
        let ring = RwLock::new(Arc::new(Ring::read(&path)?));
        Ok(Self { path, afterlife, ring })
    }

    /// Puts the next key into the file, and takes out those that nobody needs any more. Where there
    /// is no file, makes one, with a key that signs at once.
    ///
    /// # Errors
    /// [`ConfigError`] about `displays.signing_keys_file`.
    pub fn rotate(config: &Config, now: Timestamp) -> Result<Rotation, ConfigError> {
        let path = &file::real(path(config))?;
        let _lock = file::lock(path)?;
        let mut keys = if path.exists() { Ring::read(path)?.keys } else { Vec::new() };
        if let Some(waiting) = keys.iter().find(|key| key.signs_from > now) {
            let (kid, signs_from) = (waiting.kid.clone(), waiting.signs_from);
            return Ok(Rotation::Waiting { kid, signs_from });
        }
        keys.retain(|key| key.is_needed(now, afterlife(config)));
        let signs_from = if keys.is_empty() { now } else { now + ANNOUNCED };
        let next = Kept::new(now, signs_from).map_err(|error| wrong(path, &error.to_string()))?;
        for key in keys.iter_mut().filter(|key| key.retired_at.is_none()) {
            key.retired_at = Some(signs_from);
        }
        let kid = next.kid.clone();
        keys.push(next);
        file::replace(path, &keys)?;
        Ok(Rotation::Made { kid, signs_from })
    }

    /// What is in the file, without anything private.
    ///
    /// # Errors
    /// [`ConfigError`] about `displays.signing_keys_file`.
    pub fn list(config: &Config) -> Result<Vec<KeyLine>, ConfigError> {
        let line = |key: Kept| KeyLine {
            kid: key.kid,
            created_at: key.created_at,
            signs_from: key.signs_from,
            retired_at: key.retired_at,
        };
        Ok(Ring::read(path(config))?.keys.into_iter().map(line).collect())
    }

    /// Reads the file again; answers whether it had changed. A damaged one changes nothing: the keys
    /// that are there go on.
    ///
    /// # Errors
    /// [`ConfigError`] about `displays.signing_keys_file`.
    pub fn reload(&self) -> Result<bool, ConfigError> {
        let text = file::read(&self.path)?;
        if file::hash(&text) == self.ring().text_hash {
            return Ok(false);
        }
        let ring = Arc::new(Ring::of(&self.path, &text)?);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = ring;
        Ok(true)
    }

    /// Signs the claims of an access token (RFC 9068 section 2.1).
    ///
    /// # Errors
    /// [`SigningKeyError::Library`].
    pub fn sign(&self, claims: &Value, now: Timestamp) -> Result<String, SigningKeyError> {
        let ring = self.ring();
        let key = ring.signer(now).ok_or(SigningKeyError::NotAKey)?;
        let header = json!({ "typ": "at+jwt", "alg": Algorithm::Es256.name(), "kid": key.kid });
        key.pair.sign(&header, claims)
    }

    /// Whether one of the published keys signed it.
    ///
    /// # Errors
    /// [`TokenError::KidUnknown`], [`TokenError::SignatureInvalid`].
    pub fn verify(&self, jws: &Jws<'_>, now: Timestamp) -> Result<(), TokenError> {
        let ring = self.ring();
        let is_published = |key: &&Kept| key.is_needed(now, self.afterlife);
        let named = ring.keys.iter().filter(|key| jws.kid() == Some(&*key.kid)).find(is_published);
        named.ok_or(TokenError::KidUnknown)?;
        ring.public.verify(jws)
    }

    /// The public halves, as they are published (RFC 7517 section 5).
    #[must_use]
    pub fn published(&self, now: Timestamp) -> Value {
        let ring = self.ring();
        let published = ring.keys.iter().filter(|key| key.is_needed(now, self.afterlife));
        json!({ "keys": published.map(Kept::public_jwk).collect::<Vec<_>>() })
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Ring {
    fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::of(path, &file::read(path)?)
    }

    fn of(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let keys = file::parse(path, text)?;
        let all = json!({ "keys": keys.iter().map(Kept::public_jwk).collect::<Vec<_>>() });
        let public = KeySet::parse(all.to_string().as_bytes(), &[Algorithm::Es256])
            .map_err(|error| wrong(path, &error.to_string()))?;
        if keys.is_empty() || public.len() != keys.len() {
            return Err(wrong(path, "it holds no keys, or one twice"));
        }
        Ok(Self { text_hash: file::hash(text), keys, public })
    }

    /// The newest key whose time has come. By a clock that is behind none may have: the oldest then.
    fn signer(&self, now: Timestamp) -> Option<&Kept> {
        let come = self.keys.iter().filter(|key| key.signs_from <= now);
        let newest = come.max_by_key(|key| key.signs_from);
        newest.or_else(|| self.keys.iter().min_by_key(|key| key.signs_from))
    }
}

impl Kept {
    /// A new one.
    fn new(now: Timestamp, signs_from: Timestamp) -> Result<Self, SigningKeyError> {
        let pair = SigningKey::generate()?;
        let kid = URL_SAFE_NO_PAD.encode(pair.thumbprint());
        Ok(Self { kid, pair, created_at: now, signs_from, retired_at: None })
    }

    /// Whether it signs, will sign, or signed something that may still be alive.
    fn is_needed(&self, now: Timestamp, afterlife: Duration) -> bool {
        self.retired_at.is_none_or(|retired| now < retired + afterlife)
    }

    fn public_jwk(&self) -> Value {
        let mut jwk = self.pair.public_jwk();
        jwk["kid"] = json!(self.kid);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(Algorithm::Es256.name());
        jwk
    }
}

/// The life of a token, the difference of clocks, and the minute in which a replica may not have
/// read the file again.
fn afterlife(config: &Config) -> Duration {
    Duration::from_secs(config.displays.access_minutes * 60) + 2 * LEEWAY
}

fn path(config: &Config) -> &Path {
    &config.displays.signing_keys_file
}

fn wrong(path: &Path, problem: &str) -> ConfigError {
    ConfigError::new(SETTING, format!("{}: {problem}", path.display()))
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKeys(..)")
    }
}
