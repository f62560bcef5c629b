//! A compact signed token, taken apart.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Algorithm;
use crate::json::{Json, Object};
use crate::token::{Malformation, TokenError};

/// No token may be larger: 16 KiB. Real ones stay below 4 KiB.
pub(crate) const MAX_TOKEN: usize = 16 * 1024;
const MAX_KID: usize = 256;

/// Header parameters that bring or point at a key (RFC 7515 sections 4.1.2 to 4.1.6). Whoever
/// signs must not choose the key that judges.
const KEY_BRINGING: [&str; 4] = ["jwk", "jku", "x5u", "x5c"];
/// Header parameters of encryption or compression; nothing is ever decrypted or inflated.
const ENCRYPTING: [&str; 7] = ["enc", "zip", "epk", "apu", "apv", "p2s", "p2c"];

/// A compact JWS (RFC 7515 section 7.1) whose form is right. Nothing is verified yet.
#[derive(Clone)]
pub struct Jws<'a> {
    signing_input: &'a [u8],
    algorithm: Algorithm,
    kid: Option<String>,
    typ: Typ,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// What `typ` says (RFC 8725 section 3.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typ {
    /// Nothing, or just `JWT`.
    Unspecified,
    /// `at+jwt`, an access token (RFC 9068 section 2.1).
    AccessToken,
    /// Anything else.
    Other,
}

impl<'a> Jws<'a> {
    /// Takes `token` apart; `allowed` are the algorithms the configuration names.
    ///
    /// # Errors
    /// [`TokenError::Malformed`], [`TokenError::AlgorithmNotAllowed`],
    /// [`TokenError::CritUnsupported`] or [`TokenError::HeaderForbidden`].
    pub fn parse(token: &'a str, allowed: &[Algorithm]) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(Malformation::TooLarge.into());
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Malformation::Parts.into());
        };
        let bytes = Self::decode(header)?;
        let header = Header::read(&bytes, allowed)?;
        Ok(Self {
            signing_input: &token.as_bytes()[..token.len() - signature.len() - 1],
            algorithm: header.algorithm,
            kid: header.kid,
            typ: header.typ,
            payload: Self::decode(payload)?,
            signature: Self::decode(signature)?,
        })
    }

    /// Whether the header asks for what is never done here: extensions, encryption, keys elsewhere. A
    /// key of its own (`jwk`) is another question.
    pub(crate) fn has_foreign_parameters(header: &Object<'_>) -> bool {
        let elsewhere = KEY_BRINGING.iter().filter(|name| **name != "jwk");
        let mut foreign = elsewhere.chain(&ENCRYPTING).chain(&["crit", "b64", "cty"]);
        foreign.any(|name| header.has(name))
    }

    /// Strict base64url: no padding, no other alphabet, no bits left over, not empty.
    pub(crate) fn decode(part: &str) -> Result<Vec<u8>, Malformation> {
        if part.is_empty() {
            return Err(Malformation::Parts);
        }
        URL_SAFE_NO_PAD.decode(part).map_err(|_| Malformation::Encoding)
    }

    /// What was signed: the first two parts and the dot between them.
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        self.signing_input
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The algorithm, one of those allowed.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key's id; unverified text, to be looked up and nothing else.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// What `typ` says.
    #[must_use]
    pub fn typ(&self) -> Typ {
        self.typ
    }

    /// The payload; believe it only after the signature.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}

impl fmt::Debug for Jws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jws").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

struct Header {
    algorithm: Algorithm,
    kid: Option<String>,
    typ: Typ,
}

impl Header {
    fn read(bytes: &[u8], allowed: &[Algorithm]) -> Result<Self, TokenError> {
        let header = Object::parse(bytes).map_err(|_| Malformation::Json)?;
        let text = |name| match header.get(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(&**text)),
            Some(_) => Err(Malformation::Header),
        };
        if ENCRYPTING.iter().any(|name| header.has(name)) || text("cty")?.is_some() {
            return Err(Malformation::Header.into());
        }
        let algorithm = text("alg")?
            .and_then(Algorithm::named)
            .filter(|algorithm| allowed.contains(algorithm))
            .ok_or(TokenError::AlgorithmNotAllowed)?;
        // RFC 7515 section 4.1.11: what is not understood must be refused; we understand nothing.
        if header.has("crit") || header.has("b64") {
            return Err(TokenError::CritUnsupported);
        }
        if KEY_BRINGING.iter().any(|name| header.has(name)) {
            return Err(TokenError::HeaderForbidden);
        }
        let kid = text("kid")?;
        if kid.is_some_and(|kid| kid.len() > MAX_KID || kid.contains(char::is_control)) {
            return Err(Malformation::Header.into());
        }
        Ok(Self { algorithm, kid: kid.map(str::to_owned), typ: Typ::read(text("typ")?) })
    }
}

impl Typ {
    fn read(text: Option<&str>) -> Self {
        let Some(text) = text else { return Self::Unspecified };
        let text = text.to_ascii_lowercase();
        match text.strip_prefix("application/").unwrap_or(&text) {
            "jwt" => Self::Unspecified,
            "at+jwt" => Self::AccessToken,
            _ => Self::Other,
        }
    }
}
