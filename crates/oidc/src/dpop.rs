//! Proofs that a request comes from who holds a key (DPoP, RFC 9449): made by displays, judged by
//! the server.
//!
//! A token that is bound to a key is of no use to whoever finds it in a log or a backup. There are
//! no nonces (section 8): the server remembers which proofs it has seen ([`ReplayMemory`]), and a
//! proof is good for a minute before and after it says it was made.

mod judge;
mod replay;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use luminous_domain::{AccessToken, Entropy, NoEntropy, Timestamp};
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

pub use judge::{DpopError, Expected, JudgedProof, judge, the_proof};
pub use replay::{ReplayMemory, Seen};

use crate::jose::{SigningKey, SigningKeyError, Thumbprint};

/// The header of a request that carries a proof.
pub const HEADER: &str = "dpop";
/// `typ` of a proof (RFC 9449 section 4.2).
const TYP: &str = "dpop+jwt";

/// The key pair that a display proves itself with.
#[derive(Debug)]
pub struct DpopKey(SigningKey);

/// Why no proof could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// No random bytes for its id.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// It could not be signed.
    #[error(transparent)]
    Key(#[from] SigningKeyError),
}

impl DpopKey {
    /// A new one, from the operating system's generator.
    ///
    /// # Errors
    /// [`SigningKeyError::Library`].
    pub fn generate() -> Result<Self, SigningKeyError> {
        SigningKey::generate().map(Self)
    }

    /// The pair that was kept as PKCS#8.
    ///
    /// # Errors
    /// [`SigningKeyError::NotAKey`].
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, SigningKeyError> {
        SigningKey::from_pkcs8(pkcs8).map(Self)
    }

    /// The pair as PKCS#8, for the keyring.
    ///
    /// # Errors
    /// [`SigningKeyError::Library`].
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, SigningKeyError> {
        self.0.to_pkcs8()
    }

    /// The public half as a JWK.
    #[must_use]
    pub fn public_jwk(&self) -> serde_json::Value {
        self.0.public_jwk()
    }

    /// The thumbprint of the public half, which tokens name as `cnf.jkt` (section 6.1).
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        self.0.thumbprint()
    }

    /// A proof for one request, made at `iat` as the server's clock has it (section 4.2). Query and
    /// fragment of `url` are left out; `access_token` is the one the request carries, if it does.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn proof(
        &self,
        method: &Method,
        url: &Url,
        access_token: Option<&AccessToken>,
        iat: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<String, ProofError> {
        let mut jti = [0; 16];
        entropy.fill(&mut jti)?;
        let mut claims = json!({
            "jti": URL_SAFE_NO_PAD.encode(jti),
            "htm": method.as_str(),
            "htu": bare(url).as_str(),
            "iat": iat.as_second(),
        });
        if let Some(token) = access_token {
            claims["ath"] = json!(token_hash(token));
        }
        let header = json!({ "typ": TYP, "alg": "ES256", "jwk": self.public_jwk() });
        Ok(self.0.sign(&header, &claims)?)
    }
}

/// `ath`: the token's SHA-256, base64url (section 4.2).
fn token_hash(token: &AccessToken) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, token.expose().as_bytes()))
}

/// The address without query and fragment (section 4.2).
fn bare(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url
}
