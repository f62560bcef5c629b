//! Which keys of a set are used, and why the others are not (case K9).

use std::collections::HashMap;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, KeyPair,
};
use luminous_oidc::Algorithm;
use luminous_oidc::jose::{DropReason, KeySet};
use serde_json::{Value, json};

use crate::fake::{Answer, World, code};
use crate::signer::{PUBLISHED, encode};

/// A number of 2048 bits with the fingerprint of CVE-2017-15361: a multiple of the product of the
/// first primes, plus 65537. Nobody knows its factors, and nothing here needs them.
fn fingerprinted_modulus() -> String {
    let primes = (2..=167u32).filter(|n| (2..*n).all(|d| n % d != 0));
    let mut number = primes.fold(vec![1], |product, prime| times(&product, prime));
    while number.len() < 256 || number[255] < 0x80 {
        number = times(&number, 2);
    }
    // Doubling has left the low bytes zero: adding 65537 sets two bits.
    assert_eq!(number[..3], [0, 0, 0]);
    (number[0], number[2]) = (1, 1);
    number.reverse();
    encode(number)
}

/// Little-endian long multiplication.
fn times(number: &[u8], factor: u32) -> Vec<u8> {
    let mut product = Vec::new();
    let mut carry = 0;
    for &byte in number {
        let sum = u32::from(byte) * factor + carry;
        product.push((sum & 0xff) as u8);
        carry = sum >> 8;
    }
    while carry > 0 {
        product.push((carry & 0xff) as u8);
        carry >>= 8;
    }
    product
}

fn ec(algorithm: &'static EcdsaSigningAlgorithm, crv: &str, half: usize) -> Value {
    let pair = EcdsaKeyPair::generate(algorithm).expect("a key");
    let point = pair.public_key().as_ref()[1..].to_vec();
    json!({
        "kid": "ec", "kty": "EC", "use": "sig", "crv": crv,
        "x": encode(&point[..half]), "y": encode(&point[half..]),
    })
}

fn p256() -> Value {
    ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256", 32)
}

fn with(mut key: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().expect("an object") {
        key[name] = value.clone();
    }
    key
}

fn without(mut key: Value, member: &str) -> Value {
    key.as_object_mut().expect("an object").remove(member);
    key
}

/// What becomes of one key beside nothing else, all algorithms allowed.
fn reason(key: &Value) -> Option<DropReason> {
    let set = json!({ "keys": [key] }).to_string();
    let set = KeySet::parse(set.as_bytes(), &Algorithm::ALL).expect("a set");
    assert_eq!(set.len() + set.dropped().len(), 1);
    set.dropped().first().map(|dropped| dropped.reason)
}

#[test]
fn k9_good_keys_are_used_with_and_without_alg() {
    assert_eq!(reason(&PUBLISHED.jwk()), None);
    assert_eq!(reason(&with(PUBLISHED.jwk(), &json!({ "alg": "RS256" }))), None);
    assert_eq!(reason(&with(PUBLISHED.jwk(), &json!({ "key_ops": ["verify"] }))), None);
    assert_eq!(reason(&without(PUBLISHED.jwk(), "use")), None);
    assert_eq!(reason(&p256()), None);
    assert_eq!(reason(&ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384", 48)), None);
}

#[test]
fn k9_each_bad_key_is_dropped_with_its_reason() {
    let rsa = || PUBLISHED.jwk();
    let rsa_1024 = encode([&[0x80], &[0xff; 127][..]].concat());
    let even = encode([&[0x80], &[0xfe; 255][..]].concat());
    let off_curve = with(p256(), &json!({ "y": encode([7; 32]) }));
    for (key, expected) in [
        (json!({ "kty": "oct", "kid": "o", "k": "c2VjcmV0" }), DropReason::Symmetric),
        (with(rsa(), &json!({ "n": rsa_1024 })), DropReason::KeySize),
        (with(rsa(), &json!({ "n": encode([0xff; 1025]) })), DropReason::KeySize),
        (with(rsa(), &json!({ "n": even })), DropReason::Malformed),
        (with(rsa(), &json!({ "n": "" })), DropReason::Malformed),
        (with(rsa(), &json!({ "n": "AA==" })), DropReason::Malformed),
        (with(rsa(), &json!({ "e": "AQ" })), DropReason::WeakExponent),
        (with(rsa(), &json!({ "e": "Ag" })), DropReason::WeakExponent),
        (with(rsa(), &json!({ "e": "" })), DropReason::Malformed),
        (with(rsa(), &json!({ "e": 65_537 })), DropReason::Malformed),
        (with(rsa(), &json!({ "n": fingerprinted_modulus() })), DropReason::Roca),
        (with(rsa(), &json!({ "d": "AQAB" })), DropReason::PrivateMembers),
        (with(rsa(), &json!({ "p": "AQAB", "q": "AQAB" })), DropReason::PrivateMembers),
        (with(rsa(), &json!({ "use": "enc" })), DropReason::NotForSignatures),
        (with(rsa(), &json!({ "use": 7 })), DropReason::Malformed),
        (with(rsa(), &json!({ "key_ops": ["encrypt"] })), DropReason::NotForVerifying),
        (with(rsa(), &json!({ "key_ops": [] })), DropReason::NotForVerifying),
        (with(rsa(), &json!({ "key_ops": "verify" })), DropReason::Malformed),
        (with(rsa(), &json!({ "alg": "ES256" })), DropReason::AlgorithmMismatch),
        (with(rsa(), &json!({ "alg": "HS256" })), DropReason::AlgorithmMismatch),
        (with(rsa(), &json!({ "alg": "RSA-OAEP" })), DropReason::AlgorithmMismatch),
        (with(p256(), &json!({ "alg": "ES384" })), DropReason::AlgorithmMismatch),
        (with(p256(), &json!({ "crv": "P-384" })), DropReason::Malformed),
        (with(p256(), &json!({ "crv": "secp256k1" })), DropReason::KeyTypeUnknown),
        (with(p256(), &json!({ "d": "AQAB" })), DropReason::PrivateMembers),
        (without(p256(), "y"), DropReason::Malformed),
        (off_curve, DropReason::PointOffCurve),
        (with(rsa(), &json!({ "kty": "EC" })), DropReason::Malformed),
        (with(rsa(), &json!({ "kty": "OKP" })), DropReason::KeyTypeUnknown),
        (without(rsa(), "kty"), DropReason::Malformed),
        (without(rsa(), "kid"), DropReason::KidMissing),
        (json!("a key"), DropReason::Malformed),
    ] {
        assert_eq!(reason(&key), Some(expected), "{key}");
    }
}

#[test]
fn k9_two_keys_of_one_id_are_both_dropped_and_the_rest_stays() {
    let double = with(p256(), &json!({ "kid": PUBLISHED.kid }));
    let set = json!({ "keys": [PUBLISHED.jwk(), double, p256()] }).to_string();
    let set = KeySet::parse(set.as_bytes(), &Algorithm::ALL).expect("a set");
    assert!(set.has("ec") && !set.has(PUBLISHED.kid));
    let reasons: Vec<_> = set.dropped().iter().map(|dropped| dropped.reason).collect();
    assert_eq!(reasons, [DropReason::KidDuplicate, DropReason::KidDuplicate]);
}

#[test]
fn k9_a_shared_secret_beside_a_public_key_is_dropped_alone() {
    let secret = json!({ "kty": "oct", "kid": "o", "k": "c2VjcmV0" });
    let set = json!({ "keys": [secret, PUBLISHED.jwk()] }).to_string();
    let set = KeySet::parse(set.as_bytes(), &[Algorithm::Rs256]).expect("a set");
    assert_eq!((set.len(), set.has(PUBLISHED.kid)), (1, true));
    assert_eq!(set.dropped()[0].reason, DropReason::Symmetric);
}

#[test]
fn k9_a_key_for_none_of_the_allowed_algorithms_is_dropped() {
    let set = json!({ "keys": [p256()] }).to_string();
    let set = KeySet::parse(set.as_bytes(), &[Algorithm::Rs256]).expect("a set");
    assert_eq!(set.dropped()[0].reason, DropReason::AlgorithmNotAllowed);
}

#[test]
fn k9_a_set_is_limited_to_fifty_keys_and_64_kib_and_names_no_member_twice() {
    let keys = |count: usize| {
        let keys: Vec<Value> =
            (0..count).map(|n| with(PUBLISHED.jwk(), &json!({ "kid": n.to_string() }))).collect();
        json!({ "keys": keys }).to_string()
    };
    let parse =
        |text: &str| KeySet::parse(text.as_bytes(), &[Algorithm::Rs256]).map(|set| set.len());
    assert_eq!(parse(&keys(50)), Ok(50));
    assert!(parse(&keys(51)).is_err());
    assert!(parse(&format!("{}{}", keys(1), " ".repeat(65_536))).is_err());
    assert!(parse(r#"{"keys":[],"keys":[]}"#).is_err());
    assert!(parse(r#"{"keys":{}}"#).is_err());
    assert!(parse("{}").is_err());
}

#[tokio::test]
async fn k9_a_set_without_a_usable_key_counts_as_empty() {
    let world = World::new();
    let good = PUBLISHED.sign(&world.id_claims(&json!({})));
    assert_eq!(code(&world.id(&good).await), "ok");
    let leaked = with(PUBLISHED.jwk(), &json!({ "d": "AQAB" }));
    world.answer_keys(Answer::Json(json!({ "keys": [leaked] })));
    world.pass(601);
    assert_eq!(code(&world.id(&good).await), "ok", "the old set is kept");
    let problem = world.provider.keys().problem.expect("a problem");
    assert_eq!(problem.code(), "keys.refresh_empty");
}

#[tokio::test]
async fn k9_what_was_dropped_can_be_asked_for() {
    let world = World::new();
    let bad = with(PUBLISHED.jwk(), &json!({ "kid": "bad", "use": "enc" }));
    world.answer_keys(Answer::Json(json!({ "keys": [PUBLISHED.jwk(), bad] })));
    assert_eq!(world.id_code(json!({})).await, "ok");
    let report = world.provider.keys();
    assert_eq!(report.usable, 1);
    let dropped: HashMap<_, _> =
        report.dropped.into_iter().map(|dropped| (dropped.kid, dropped.reason)).collect();
    assert_eq!(dropped[&Some("bad".to_owned())], DropReason::NotForSignatures);
}
