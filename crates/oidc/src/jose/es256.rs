//! A key pair that signs with ES256 (RFC 7518 section 3.4): a display's own, or the server's for
//! displays. It is the only private key in the product.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// The length of a coordinate of P-256.
const COORDINATE: usize = 32;

/// The SHA-256 thumbprint of a public key (RFC 7638).
pub type Thumbprint = [u8; 32];

/// An ES256 key pair. It does not print, and the library clears it when it goes.
pub struct SigningKey {
    pair: EcdsaKeyPair,
}

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// The bytes are not an ES256 key pair in PKCS#8.
    #[error("not a key pair on P-256 in PKCS#8")]
    NotAKey,
    /// The cryptographic library failed at something that does not depend on the input.
    #[error("the cryptographic library failed")]
    Library,
}

impl SigningKey {
    /// A new one, from the operating system's generator.
    ///
    /// # Errors
    /// [`SigningKeyError::Library`].
    pub fn generate() -> Result<Self, SigningKeyError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Ok(Self { pair: pair.map_err(|_| SigningKeyError::Library)? })
    }

    /// The pair that was written down as PKCS#8 (RFC 5958).
    ///
    /// # Errors
    /// [`SigningKeyError::NotAKey`].
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, SigningKeyError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8);
        Ok(Self { pair: pair.map_err(|_| SigningKeyError::NotAKey)? })
    }

    /// The pair as PKCS#8, to be kept in a keyring or a file of its owner's.
    ///
    /// # Errors
    /// [`SigningKeyError::Library`].
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, SigningKeyError> {
        let document = self.pair.to_pkcs8v1().map_err(|_| SigningKeyError::Library)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// The public half as a JWK (RFC 7518 section 6.2.1), without a name.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        let (x, y) = self.coordinates();
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
    }

    /// The thumbprint of the public half.
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        let (x, y) = self.coordinates();
        thumbprint(&x, &y)
    }

    /// A compact JWS (RFC 7515 section 7.1) of this header and payload; the header must say `ES256`.
    ///
    /// # Errors
    /// [`SigningKeyError::Library`].
    pub fn sign(&self, header: &Value, payload: &Value) -> Result<String, SigningKeyError> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(header), part(payload));
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes());
        let signature = signature.map_err(|_| SigningKeyError::Library)?;
        Ok(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn coordinates(&self) -> (String, String) {
        // An uncompressed point, SEC 1 section 2.3.3: the byte 4, x, y.
        let point = self.pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(COORDINATE);
        (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// RFC 7638 section 3: the required members, in the order of their names, without a space. The
/// coordinates are base64url, in which nothing needs an escape.
pub(crate) fn thumbprint(x: &str, y: &str) -> Thumbprint {
    let text = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    let mut thumbprint = [0; 32];
    thumbprint.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    thumbprint
}
