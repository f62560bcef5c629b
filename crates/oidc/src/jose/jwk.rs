//! One public key of a provider (RFC 7517), prepared for verifying, or the reason it is not used.

use aws_lc_rs::signature::{
    self, EcdsaVerificationAlgorithm, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Algorithm, Jws, roca};
use crate::json::{Json, Object};
use crate::token::TokenError;

/// Members that only a private key has (RFC 7518 sections 6.2.2 and 6.3.2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 8192;

/// Why a key of the set is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DropReason {
    /// A member is missing, twice, or not what it must be.
    #[error("malformed")]
    Malformed,
    /// It has no `kid`.
    #[error("no kid")]
    KidMissing,
    /// Another key of the set has the same `kid`; neither is used.
    #[error("kid not unique")]
    KidDuplicate,
    /// `kty` is `oct`: a shared secret in a public place.
    #[error("symmetric")]
    Symmetric,
    /// `kty` is none we know.
    #[error("unknown key type")]
    KeyTypeUnknown,
    /// The private half was published with it.
    #[error("private members")]
    PrivateMembers,
    /// `use` is not `sig`.
    #[error("not for signatures")]
    NotForSignatures,
    /// `key_ops` does not name `verify`.
    #[error("not for verifying")]
    NotForVerifying,
    /// `alg` does not fit `kty` and `crv`.
    #[error("algorithm and key do not fit")]
    AlgorithmMismatch,
    /// It fits none of the algorithms the configuration names.
    #[error("algorithm not allowed")]
    AlgorithmNotAllowed,
    /// RSA below 2048 bits, or above 8192.
    #[error("key size")]
    KeySize,
    /// An RSA exponent of one, or an even one.
    #[error("weak exponent")]
    WeakExponent,
    /// The fingerprint of CVE-2017-15361.
    #[error("ROCA")]
    Roca,
    /// The point is not on the curve.
    #[error("point not on the curve")]
    PointOffCurve,
}

/// A public key, parsed once for each algorithm it may be used with.
#[derive(Debug)]
pub struct PublicKey {
    prepared: Vec<(Algorithm, ParsedPublicKey)>,
}

impl PublicKey {
    /// Whether `jws` was signed with this key.
    ///
    /// # Errors
    /// [`TokenError::AlgorithmNotAllowed`] when the key is not for the token's algorithm,
    /// [`TokenError::SignatureInvalid`] otherwise.
    pub fn verify(&self, jws: &Jws<'_>) -> Result<(), TokenError> {
        self.verify_bytes(jws.algorithm(), jws.signing_input(), jws.signature())
    }

    /// The same for bytes that were signed and the signature.
    pub(crate) fn verify_bytes(
        &self,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<(), TokenError> {
        let (_, key) = self
            .prepared
            .iter()
            .find(|(prepared, _)| *prepared == algorithm)
            .ok_or(TokenError::AlgorithmNotAllowed)?;
        key.verify_sig(input, signature).map_err(|_| TokenError::SignatureInvalid)
    }

    /// Reads one key of a set. `alg` may be missing (Azure AD B2C never sends it): then the key is
    /// prepared for every allowed algorithm of its type.
    pub(crate) fn read(jwk: &Object<'_>, allowed: &[Algorithm]) -> Result<Self, DropReason> {
        let kty = text(jwk, "kty")?;
        if kty == "oct" {
            return Err(DropReason::Symmetric);
        }
        if PRIVATE.iter().any(|name| jwk.has(name)) {
            return Err(DropReason::PrivateMembers);
        }
        check_purpose(jwk)?;
        match kty {
            "RSA" => Rsa::read(jwk)?.prepare(&algorithms(jwk, Family::Rsa, allowed)?),
            "EC" => {
                let curve = Curve::named(text(jwk, "crv")?)?;
                curve.prepare(jwk, &algorithms(jwk, Family::Ec(curve), allowed)?)
            }
            _ => Err(DropReason::KeyTypeUnknown),
        }
    }
}

/// RFC 7517 sections 4.2 and 4.3.
fn check_purpose(jwk: &Object<'_>) -> Result<(), DropReason> {
    if jwk.has("use") && text(jwk, "use")? != "sig" {
        return Err(DropReason::NotForSignatures);
    }
    match jwk.get("key_ops") {
        None => Ok(()),
        Some(Json::List(operations)) => operations
            .iter()
            .any(|operation| operation.as_text() == Some("verify"))
            .then_some(())
            .ok_or(DropReason::NotForVerifying),
        Some(_) => Err(DropReason::Malformed),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Rsa,
    Ec(Curve),
}

impl Family {
    fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Es256 => Self::Ec(Curve::P256),
            Algorithm::Es384 => Self::Ec(Curve::P384),
            Algorithm::Es512 => Self::Ec(Curve::P521),
            _ => Self::Rsa,
        }
    }
}

/// The allowed algorithms this key may be used with.
fn algorithms(
    jwk: &Object<'_>,
    family: Family,
    allowed: &[Algorithm],
) -> Result<Vec<Algorithm>, DropReason> {
    let mut usable: Vec<Algorithm> =
        allowed.iter().copied().filter(|&one| Family::of(one) == family).collect();
    if jwk.has("alg") {
        let named = Algorithm::named(text(jwk, "alg")?);
        if named.is_none_or(|named| Family::of(named) != family) {
            return Err(DropReason::AlgorithmMismatch);
        }
        usable.retain(|&one| Some(one) == named);
    }
    if usable.is_empty() { Err(DropReason::AlgorithmNotAllowed) } else { Ok(usable) }
}

struct Rsa {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl Rsa {
    fn read(jwk: &Object<'_>) -> Result<Self, DropReason> {
        let modulus = bytes(jwk, "n")?;
        let exponent = bytes(jwk, "e")?;
        // RFC 7518 section 6.3.1.1: no more octets than needed.
        let (Some(&first), Some(&last)) = (modulus.first(), modulus.last()) else {
            return Err(DropReason::Malformed);
        };
        if first == 0 || last % 2 == 0 || exponent.first().is_none_or(|&byte| byte == 0) {
            return Err(DropReason::Malformed);
        }
        let bits = modulus.len() * 8 - first.leading_zeros() as usize;
        if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
            return Err(DropReason::KeySize);
        }
        if exponent == [1] || exponent.last().is_some_and(|byte| byte % 2 == 0) {
            return Err(DropReason::WeakExponent);
        }
        if roca::is_fingerprinted(&modulus) {
            return Err(DropReason::Roca);
        }
        Ok(Self { modulus, exponent })
    }

    fn prepare(&self, algorithms: &[Algorithm]) -> Result<PublicKey, DropReason> {
        let components = RsaPublicKeyComponents { n: &self.modulus, e: &self.exponent };
        let mut prepared = Vec::new();
        for &algorithm in algorithms {
            let Some(parameters) = rsa_parameters(algorithm) else { continue };
            let key =
                components.to_parsed_public_key(parameters).map_err(|_| DropReason::Malformed)?;
            prepared.push((algorithm, key));
        }
        Ok(PublicKey { prepared })
    }
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    fn named(name: &str) -> Result<Self, DropReason> {
        match name {
            "P-256" => Ok(Self::P256),
            "P-384" => Ok(Self::P384),
            "P-521" => Ok(Self::P521),
            _ => Err(DropReason::KeyTypeUnknown),
        }
    }

    fn algorithm(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::P384 => &signature::ECDSA_P384_SHA384_FIXED,
            Self::P521 => &signature::ECDSA_P521_SHA512_FIXED,
        }
    }

    fn coordinate_len(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    fn prepare(self, jwk: &Object<'_>, algorithms: &[Algorithm]) -> Result<PublicKey, DropReason> {
        let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
        // RFC 7518 section 6.2.1.2: coordinates have the full length of the curve's field.
        if x.len() != self.coordinate_len() || y.len() != self.coordinate_len() {
            return Err(DropReason::Malformed);
        }
        // An uncompressed point, SEC 1 section 2.3.3.
        let point = [&[4], x.as_slice(), y.as_slice()].concat();
        let key =
            ParsedPublicKey::new(self.algorithm(), point).map_err(|_| DropReason::PointOffCurve)?;
        let algorithm = algorithms.first().copied().ok_or(DropReason::AlgorithmNotAllowed)?;
        Ok(PublicKey { prepared: vec![(algorithm, key)] })
    }
}

fn text<'a>(jwk: &'a Object<'_>, name: &str) -> Result<&'a str, DropReason> {
    jwk.get(name).and_then(Json::as_text).ok_or(DropReason::Malformed)
}

fn bytes(jwk: &Object<'_>, name: &str) -> Result<Vec<u8>, DropReason> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?).map_err(|_| DropReason::Malformed)
}
