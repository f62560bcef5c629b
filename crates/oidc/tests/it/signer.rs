//! Keys that sign whatever they are given.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The key the provider publishes.
pub static PUBLISHED: LazyLock<Signer> = LazyLock::new(|| Signer::new("published"));
/// The key the provider rolls over to.
pub static NEXT: LazyLock<Signer> = LazyLock::new(|| Signer::new("next"));
/// A key nobody published, under the published one's id.
pub static ROGUE: LazyLock<Signer> = LazyLock::new(|| Signer::new("published"));

/// An RSA key pair and the id it goes by.
pub struct Signer {
    pub kid: &'static str,
    pair: RsaKeyPair,
}

impl Signer {
    fn new(kid: &'static str) -> Self {
        Self { kid, pair: RsaKeyPair::generate(KeySize::Rsa2048).expect("a key") }
    }

    /// The public key as B2C publishes one: without `alg`.
    pub fn jwk(&self) -> Value {
        let key = self.pair.public_key();
        json!({
            "kid": self.kid,
            "use": "sig",
            "kty": "RSA",
            "n": encode(key.modulus().big_endian_without_leading_zero()),
            "e": encode(key.exponent().big_endian_without_leading_zero()),
        })
    }

    /// The public key as SubjectPublicKeyInfo.
    pub fn spki(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().expect("a public key");
        der.as_ref().to_vec()
    }

    /// The public key as PEM, a line feed at the end.
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(self.spki());
        let lines: Vec<&str> =
            (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// RS256 over these claims, under an ordinary header.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(&json!({ "alg": "RS256", "typ": "JWT", "kid": self.kid }), claims)
    }

    /// RS256 under any header, or PS256 where the header says so.
    pub fn sign_with(&self, header: &Value, claims: &Value) -> String {
        self.sign_raw(&header.to_string(), claims.to_string().as_bytes())
    }

    /// The same over any bytes.
    pub fn sign_raw(&self, header: &str, payload: &[u8]) -> String {
        let input = format!("{}.{}", encode(header), encode(payload));
        let scheme = if header.contains("PS256") { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(scheme, &SystemRandom::new(), input.as_bytes(), &mut signature)
            .expect("a signature");
        format!("{input}.{}", encode(signature))
    }
}

/// HS256 with any secret.
pub fn hs256(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let input = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
    format!("{input}.{}", encode(tag))
}

/// `at_hash` of an access token under RS256.
pub fn at_hash(token: &str) -> String {
    encode(&digest::digest(&digest::SHA256, token.as_bytes()).as_ref()[..16])
}

/// Base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
