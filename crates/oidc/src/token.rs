//! Why a token is refused, and where to look for the keys that say so.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use luminous_domain::AccessToken;

use crate::claims::Claims;
use crate::jose::MAX_TOKEN;

/// Why a token is refused. Never holds any part of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is none.
    #[error("there is no token")]
    Missing,
    /// Not three parts of strict base64url around JSON objects, or larger than a token may be.
    #[error("the token is malformed: {0}")]
    Malformed(Malformation),
    /// The header names an algorithm the configuration does not.
    #[error("the token's algorithm is not allowed")]
    AlgorithmNotAllowed,
    /// The header carries or points at a key of its own (`jwk`, `jku`, `x5u`, `x5c`).
    #[error("the token brings its own key")]
    HeaderForbidden,
    /// The header demands an extension (`crit`, `b64`); none is supported.
    #[error("the token demands an extension")]
    CritUnsupported,
    /// The header names no key, or one the provider does not have.
    #[error("the token names no key of the provider")]
    KidUnknown,
    /// The signature is not the named key's.
    #[error("the signature is wrong")]
    SignatureInvalid,
    /// An ID token where an access token is meant, or the other way round.
    #[error("another type of token is meant here")]
    TypeMismatch,
    /// The issuer is not the expected one.
    #[error("the token's issuer is not the expected one")]
    IssuerUntrusted,
    /// The token is for, or was given to, somebody else.
    #[error("the token is for somebody else")]
    AudienceMismatch,
    /// The token comes from a policy that does not count here.
    #[error("the token comes from another policy")]
    PolicyNotAllowed,
    /// A claim is missing or is not what it must be.
    #[error("the claim {claim} is missing or unusable")]
    ClaimInvalid {
        /// Its name.
        claim: &'static str,
    },
    /// `exp` has passed, leeway included.
    #[error("the token expired {seconds} s ago")]
    Expired {
        /// How long ago by our clock, without the leeway; a wrong clock shows here.
        seconds: i64,
    },
    /// `nbf` has not come, leeway included.
    #[error("the token is valid only in {seconds} s")]
    NotYetValid {
        /// How long until then by our clock, without the leeway; a wrong clock shows here.
        seconds: i64,
    },
    /// Valid for longer than any provider's token may be.
    #[error("the token lives too long")]
    LifetimeExceeded,
    /// The ID token answers another sign-in.
    #[error("the nonce is not the one that was sent")]
    NonceMismatch,
    /// The ID token came with another access token.
    #[error("at_hash does not match the access token")]
    AccessTokenHashMismatch,
}

/// What is malformed about a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformation {
    /// Larger than 16 KiB.
    #[error("too large")]
    TooLarge,
    /// Not exactly three non-empty parts.
    #[error("not three parts")]
    Parts,
    /// Not strict base64url: padding, another alphabet, stray bits at the end.
    #[error("not base64url")]
    Encoding,
    /// Not a JSON object, or one with a member twice, nested too deep or with too many members.
    #[error("not a plain JSON object")]
    Json,
    /// A header parameter of the wrong type, or one that does not belong in a signed token.
    #[error("an unusable header")]
    Header,
    /// The `Authorization` header is not one `Bearer` credential.
    #[error("not one Bearer credential")]
    Credential,
}

impl TokenError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "token.missing",
            Self::Malformed(_) => "token.malformed",
            Self::AlgorithmNotAllowed => "token.alg_not_allowed",
            Self::HeaderForbidden => "token.header_forbidden",
            Self::CritUnsupported => "token.crit_unsupported",
            Self::KidUnknown => "token.kid_unknown",
            Self::SignatureInvalid => "token.signature_invalid",
            Self::TypeMismatch => "token.type_mismatch",
            Self::IssuerUntrusted => "token.issuer_untrusted",
            Self::AudienceMismatch => "token.audience_mismatch",
            Self::PolicyNotAllowed => "token.policy_not_allowed",
            Self::ClaimInvalid { .. } => "token.claim_invalid",
            Self::Expired { .. } => "token.expired",
            Self::NotYetValid { .. } => "token.not_yet_valid",
            Self::LifetimeExceeded => "token.lifetime_exceeded",
            Self::NonceMismatch => "token.nonce_mismatch",
            Self::AccessTokenHashMismatch => "token.at_hash_mismatch",
        }
    }
}

impl From<Malformation> for TokenError {
    fn from(malformation: Malformation) -> Self {
        Self::Malformed(malformation)
    }
}

/// Where a token says it comes from. Nothing of it is verified: never a verdict, only where to look
/// for the provider that can tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// `iss`, if it is a text.
    pub issuer: Option<String>,
    /// The B2C policy: `tfp`, else `acr`, if it is a text.
    pub policy: Option<String>,
}

impl Origin {
    /// Looks into `token`.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] when it cannot be a token at all.
    pub fn peek(token: &AccessToken) -> Result<Self, TokenError> {
        let token = token.expose();
        if token.len() > MAX_TOKEN {
            return Err(Malformation::TooLarge.into());
        }
        let mut parts = token.split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Malformation::Parts.into());
        };
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| Malformation::Encoding)?;
        let claims = Claims::parse(&payload)?;
        let text = |claim| claims.text(claim).ok().flatten().map(str::to_owned);
        Ok(Self { issuer: text("iss"), policy: text("tfp").or_else(|| text("acr")) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peek(payload: &str) -> Result<Origin, TokenError> {
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload));
        Origin::peek(&AccessToken::new(token))
    }

    #[test]
    fn a_look_into_a_token_tells_issuer_and_policy_and_nothing_that_is_no_text() {
        let origin = |issuer: Option<&str>, policy: Option<&str>| {
            Ok(Origin { issuer: issuer.map(str::to_owned), policy: policy.map(str::to_owned) })
        };
        assert_eq!(peek(r#"{"iss":"i","tfp":"p","acr":"q"}"#), origin(Some("i"), Some("p")));
        assert_eq!(peek(r#"{"iss":"i","acr":"q"}"#), origin(Some("i"), Some("q")));
        assert_eq!(peek(r#"{"iss":["i"],"tfp":7}"#), origin(None, None));
    }

    #[test]
    fn v8_what_cannot_be_a_token_is_malformed_at_the_first_look() {
        for text in ["", "a", "a.b", "a..c", "a.b.c.d", "a.!.c", "a.e30=.c"] {
            let refused = Origin::peek(&AccessToken::new(text)).map_err(|error| error.code());
            assert_eq!(refused, Err("token.malformed"), "{text:?}");
        }
        assert_eq!(peek("[]").map_err(|error| error.code()), Err("token.malformed"));
        assert_eq!(peek(r#"{"iss":"a","iss":"b"}"#), Err(Malformation::Json.into()));
        let large = AccessToken::new("a".repeat(MAX_TOKEN + 1));
        assert_eq!(Origin::peek(&large), Err(Malformation::TooLarge.into()));
    }
}
