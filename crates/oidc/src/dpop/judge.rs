//! Judging a proof (RFC 9449 section 4.3): everything but whether it was seen before.

use http::{HeaderMap, Method};
use luminous_domain::{AccessToken, Timestamp};
use subtle::ConstantTimeEq;
use url::Url;

use super::{HEADER, TYP, bare, token_hash};
use crate::jose::{Algorithm, Jws, PublicKey, Thumbprint};
use crate::json::{Json, Object};

/// No proof may be larger: real ones stay below 600 bytes.
const MAX_PROOF: usize = 4096;
/// The longest id of a proof.
const MAX_JTI: usize = 256;
/// How far the proof's time and ours may lie apart, in seconds.
const LEEWAY: i64 = 60;

/// Why a proof is refused. Never holds any part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    /// The request has none.
    #[error("there is no proof")]
    Missing,
    /// The request has two.
    #[error("there is more than one proof")]
    Several,
    /// Not a compact token of strict base64url around plain JSON, or too large.
    #[error("the proof is malformed")]
    Malformed,
    /// It is of another type than `dpop+jwt`.
    #[error("the proof is of another type")]
    Type,
    /// It is not signed with ES256.
    #[error("the proof's algorithm is not ES256")]
    Algorithm,
    /// Its key is no public key on P-256.
    #[error("the proof's key cannot be used")]
    Key,
    /// The signature is not that key's.
    #[error("the proof's signature is wrong")]
    Signature,
    /// It is for another method.
    #[error("the proof is for another method")]
    Method,
    /// It is for another address.
    #[error("the proof is for another address")]
    Address,
    /// It was made more than a minute ago, or will be in more than a minute: a wrong clock, or an old
    /// proof. The answer's `Date` header tells the time.
    #[error("the proof was not made now")]
    Time,
    /// It does not go with the access token of the request.
    #[error("the proof does not go with the access token")]
    AccessToken,
    /// The access token is bound to another key.
    #[error("the access token is bound to another key")]
    OtherKey,
    /// It was seen before.
    #[error("the proof was used before")]
    Replayed,
}

impl DpopError {
    /// The stable code, for logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "dpop.missing",
            Self::Several => "dpop.several",
            Self::Malformed => "dpop.malformed",
            Self::Type => "dpop.type",
            Self::Algorithm => "dpop.algorithm",
            Self::Key => "dpop.key",
            Self::Signature => "dpop.signature",
            Self::Method => "dpop.method",
            Self::Address => "dpop.address",
            Self::Time => "dpop.time",
            Self::AccessToken => "dpop.access_token",
            Self::OtherKey => "dpop.other_key",
            Self::Replayed => "dpop.replayed",
        }
    }
}

/// The request that a proof must be for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its address as the client knows it; query and fragment do not count.
    pub url: &'a Url,
    /// The access token it carries.
    pub access_token: Option<&'a AccessToken>,
    /// The time.
    pub now: Timestamp,
}

/// A proof that is right in all but that it may have been seen before. Only [`judge`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedProof {
    thumbprint: Thumbprint,
    jti: String,
    iat: Timestamp,
}

impl JudgedProof {
    /// The thumbprint of the key that made it.
    #[must_use]
    pub fn thumbprint(&self) -> &Thumbprint {
        &self.thumbprint
    }

    /// Its id, unique for the key.
    #[must_use]
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// When its maker says it was made.
    #[must_use]
    pub fn iat(&self) -> Timestamp {
        self.iat
    }
}

/// The one proof in the headers of a request.
///
/// # Errors
/// [`DpopError::Missing`], [`DpopError::Several`]; [`DpopError::Malformed`] when it is no text.
pub fn the_proof(headers: &HeaderMap) -> Result<&str, DpopError> {
    let mut proofs = headers.get_all(HEADER).iter();
    let proof = proofs.next().ok_or(DpopError::Missing)?;
    if proofs.next().is_some() {
        return Err(DpopError::Several);
    }
    proof.to_str().map_err(|_| DpopError::Malformed)
}

/// Judges a proof. Replay is not looked at here: see [`super::ReplayMemory`].
///
/// # Errors
/// [`DpopError`], all but [`DpopError::Replayed`] and [`DpopError::OtherKey`].
pub fn judge(proof: &str, expected: &Expected<'_>) -> Result<JudgedProof, DpopError> {
    let (header, payload, signature) = take_apart(proof)?;
    let header = Object::parse(&header).map_err(|_| DpopError::Malformed)?;
    let (key, thumbprint) = read_header(&header)?;
    let claims = Object::parse(&payload).map_err(|_| DpopError::Malformed)?;
    let (jti, iat) = check_claims(&claims, expected)?;
    let input = proof.rsplit_once('.').map(|(input, _)| input).ok_or(DpopError::Malformed)?;
    key.verify_bytes(Algorithm::Es256, input.as_bytes(), &signature)
        .map_err(|_| DpopError::Signature)?;
    Ok(JudgedProof { thumbprint, jti: jti.to_owned(), iat })
}

type Parts = (Vec<u8>, Vec<u8>, Vec<u8>);

fn take_apart(proof: &str) -> Result<Parts, DpopError> {
    if proof.len() > MAX_PROOF {
        return Err(DpopError::Malformed);
    }
    let decode = |part: &str| Jws::decode(part).map_err(|_| DpopError::Malformed);
    let mut parts = proof.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(payload), Some(signature), None) => {
            Ok((decode(header)?, decode(payload)?, decode(signature)?))
        }
        _ => Err(DpopError::Malformed),
    }
}

/// The header's key: the one kind of token that brings its own.
fn read_header(header: &Object<'_>) -> Result<(PublicKey, Thumbprint), DpopError> {
    if text(header, "typ") != Some(TYP) {
        return Err(DpopError::Type);
    }
    if text(header, "alg") != Some(Algorithm::Es256.name()) {
        return Err(DpopError::Algorithm);
    }
    if Jws::has_foreign_parameters(header) {
        return Err(DpopError::Malformed);
    }
    let Some(Json::Object(jwk)) = header.get("jwk") else { return Err(DpopError::Key) };
    let key = PublicKey::read(jwk, &[Algorithm::Es256]).map_err(|_| DpopError::Key)?;
    let (Some(x), Some(y)) = (text(jwk, "x"), text(jwk, "y")) else { return Err(DpopError::Key) };
    Ok((key, crate::jose::thumbprint(x, y)))
}

fn check_claims<'a>(
    claims: &'a Object<'_>,
    expected: &Expected<'_>,
) -> Result<(&'a str, Timestamp), DpopError> {
    let jti = text(claims, "jti").filter(|jti| (1..=MAX_JTI).contains(&jti.len()));
    let jti = jti.ok_or(DpopError::Malformed)?;
    let Some(&Json::Integer(iat)) = claims.get("iat") else { return Err(DpopError::Malformed) };
    let iat = Timestamp::from_second(iat).map_err(|_| DpopError::Time)?;
    if text(claims, "htm") != Some(expected.method.as_str()) {
        return Err(DpopError::Method);
    }
    // Both as the standard for addresses writes them (section 4.3: syntax-based normalisation).
    let htu = text(claims, "htu").and_then(|htu| Url::parse(htu).ok());
    if htu.map(|htu| bare(&htu)) != Some(bare(expected.url)) {
        return Err(DpopError::Address);
    }
    if iat.as_second().abs_diff(expected.now.as_second()) > LEEWAY.unsigned_abs() {
        return Err(DpopError::Time);
    }
    check_token(claims, expected.access_token)?;
    Ok((jti, iat))
}

fn check_token(claims: &Object<'_>, token: Option<&AccessToken>) -> Result<(), DpopError> {
    let Some(token) = token else { return Ok(()) };
    let ath = text(claims, "ath").ok_or(DpopError::AccessToken)?;
    if bool::from(ath.as_bytes().ct_eq(token_hash(token).as_bytes())) {
        Ok(())
    } else {
        Err(DpopError::AccessToken)
    }
}

fn text<'a>(object: &'a Object<'_>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Json::as_text)
}
