//! Tokens, honest and otherwise, put together by hand.
//!
//! The crate needs tokens that no JOSE library would make (unsigned, signed with a public key,
//! without `kid`), so it joins the three parts itself; signatures and MACs are aws-lc-rs's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::keys::{KeyError, SigningKey};

/// Which key a token is signed with, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// The key that signs, RS256.
    Current,
    /// A key that was never published, under the `kid` of the one that signs.
    OtherKeySameKid,
    /// A key that was never published, under its own `kid`.
    UnknownKid,
    /// `alg: none` and no signature.
    Unsigned,
    /// HS256 with the published RSA key (SubjectPublicKeyInfo) as the secret: the confusion attack.
    Hs256WithPublicKey,
}

/// A token to be signed: every part of it can be changed.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenSpec {
    /// Members that replace or join `alg`, `kid` and `typ`; `null` removes one.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
    /// How it is signed.
    pub signing: Signing,
}

impl TokenSpec {
    /// A token with these claims, signed honestly.
    #[must_use]
    pub fn new(claims: Map<String, Value>) -> Self {
        Self { header: Map::new(), claims, signing: Signing::Current }
    }

    /// Sets a claim.
    #[must_use]
    pub fn with(mut self, claim: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(claim.to_owned(), value.into());
        self
    }

    /// Says when and how the person authenticated: `auth_time` in Unix seconds and `amr`. No method
    /// leaves `amr` out, as B2C's user flows do.
    #[must_use]
    pub fn authenticated(self, auth_time: i64, amr: &[&str]) -> Self {
        let spec = self.with("auth_time", auth_time);
        if amr.is_empty() { spec.without("amr") } else { spec.with("amr", amr) }
    }

    /// Says which family the person belongs to, in B2C's names for custom attributes:
    /// `extension_family_id` and `extension_role`.
    #[must_use]
    pub fn in_family(self, family_id: &str, role: &str) -> Self {
        self.with("extension_family_id", family_id).with("extension_role", role)
    }

    /// Leaves a claim out.
    #[must_use]
    pub fn without(mut self, claim: &str) -> Self {
        self.claims.remove(claim);
        self
    }

    /// Sets a header member; `null` leaves it out.
    #[must_use]
    pub fn with_header(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.header.insert(member.to_owned(), value.into());
        self
    }

    /// Chooses how it is signed.
    #[must_use]
    pub fn signed(mut self, signing: Signing) -> Self {
        self.signing = signing;
        self
    }

    /// Signs. `rogue` is the key that nobody published.
    pub(crate) fn sign(
        &self,
        current: &SigningKey,
        rogue: &SigningKey,
    ) -> Result<String, KeyError> {
        let (alg, kid) = match self.signing {
            Signing::Current | Signing::OtherKeySameKid => ("RS256", &current.kid),
            Signing::UnknownKid => ("RS256", &rogue.kid),
            Signing::Unsigned => ("none", &current.kid),
            Signing::Hs256WithPublicKey => ("HS256", &current.kid),
        };
        let mut header = Map::new();
        header.insert("alg".into(), json!(alg));
        header.insert("kid".into(), json!(kid));
        header.insert("typ".into(), json!("JWT"));
        header.extend(self.header.clone());
        header.retain(|_, value| !value.is_null());
        let claims = Value::Object(self.claims.clone());
        let message = format!("{}.{}", encode(&Value::Object(header)), encode(&claims));
        let signature = match self.signing {
            Signing::Current => current.sign(message.as_bytes())?,
            Signing::OtherKeySameKid | Signing::UnknownKid => rogue.sign(message.as_bytes())?,
            Signing::Unsigned => Vec::new(),
            Signing::Hs256WithPublicKey => hs256(&current.spki()?, message.as_bytes()),
        };
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn hs256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret);
    aws_lc_rs::hmac::sign(&key, message).as_ref().to_vec()
}

/// `at_hash`: the left half of the access token's SHA-256 (OpenID Connect Core 3.1.3.6).
pub(crate) fn at_hash(access_token: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, access_token.as_bytes());
    URL_SAFE_NO_PAD.encode(&digest.as_ref()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyState;

    fn parts(token: &str) -> (Value, Value, usize) {
        let parts: Vec<&str> = token.split('.').collect();
        let json =
            |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        (json(parts[0]), json(parts[1]), parts[2].len())
    }

    #[test]
    fn a_spec_can_change_every_part_of_a_token() {
        let key = SigningKey::generate(0, KeyState::Current).unwrap();
        let rogue = SigningKey::generate(0, KeyState::Current).unwrap();
        let spec = TokenSpec::new(Map::new()).with("iss", "x").with("sub", 1).without("sub");

        let (header, claims, signature) = parts(&spec.sign(&key, &rogue).unwrap());
        assert_eq!(header, json!({ "alg": "RS256", "kid": key.kid, "typ": "JWT" }));
        assert_eq!(claims, json!({ "iss": "x" }));
        assert_eq!(signature, 342);

        let bare = spec.clone().with_header("kid", Value::Null).with_header("crit", json!(["b"]));
        let (header, _, _) = parts(&bare.sign(&key, &rogue).unwrap());
        assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT", "crit": ["b"] }));

        for (signing, alg, kid, length) in [
            (Signing::OtherKeySameKid, "RS256", &key.kid, 342),
            (Signing::UnknownKid, "RS256", &rogue.kid, 342),
            (Signing::Unsigned, "none", &key.kid, 0),
            (Signing::Hs256WithPublicKey, "HS256", &key.kid, 43),
        ] {
            let token = spec.clone().signed(signing).sign(&key, &rogue).unwrap();
            let (header, _, signature) = parts(&token);
            assert_eq!(header["alg"], alg);
            assert_eq!(header["kid"], kid.as_str());
            assert_eq!(signature, length);
        }
    }

    #[test]
    fn at_hash_is_sixteen_bytes() {
        assert_eq!(at_hash("token").len(), 22);
    }
}
