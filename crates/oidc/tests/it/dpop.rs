//! Proofs of possession: made and judged, and everything that is not one (RFC 9449 section 4.3).

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};
use luminous_domain::{AccessToken, OsEntropy, Timestamp};
use luminous_oidc::dpop::{self, Expected, ReplayMemory, Seen};
use luminous_oidc::jose::SigningKey;
use luminous_oidc::{DpopError, DpopKey, JudgedProof};
use proptest::prelude::*;
use serde_json::{Value, json};
use url::Url;

use crate::signer::encode;

const URL: &str = "https://family.example/oauth2/token";
const NOW: Timestamp = Timestamp::constant(1_795_348_800, 0);

fn url(text: &str) -> Url {
    Url::parse(text).expect("a url")
}

fn judge(proof: &str) -> Result<JudgedProof, DpopError> {
    judge_with(proof, None)
}

fn judge_with(proof: &str, access_token: Option<&AccessToken>) -> Result<JudgedProof, DpopError> {
    let url = url(URL);
    dpop::judge(proof, &Expected { method: &Method::POST, url: &url, access_token, now: NOW })
}

fn proof_of(key: &DpopKey, address: &str) -> String {
    key.proof(&Method::POST, &url(address), None, NOW, &OsEntropy).expect("a proof")
}

/// A proof whose header and claims are changed before it is signed; `Value::Null` takes away.
fn forged(header: &Value, claims: &Value) -> String {
    let key = SigningKey::generate().expect("a key");
    let whole = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.public_jwk() });
    let said = json!({ "jti": "one", "htm": "POST", "htu": URL, "iat": NOW.as_second() });
    key.sign(&changed(whole, header), &changed(said, claims)).expect("a signature")
}

fn changed(mut whole: Value, by: &Value) -> Value {
    let members = whole.as_object_mut().expect("an object");
    for (name, value) in by.as_object().expect("an object") {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    whole
}

#[test]
fn a_proof_that_was_made_is_judged_good_and_names_its_key() {
    let key = DpopKey::generate().expect("a key");
    let judged = judge(&proof_of(&key, URL)).expect("a good proof");
    assert_eq!(*judged.thumbprint(), key.thumbprint());
    assert_eq!(judged.iat(), NOW);
    assert!(judged.jti().len() >= 16);
}

#[test]
fn a_key_is_the_same_after_it_was_kept_and_never_prints() {
    let key = DpopKey::generate().expect("a key");
    let kept = key.to_pkcs8().expect("bytes");
    let again = DpopKey::from_pkcs8(&kept).expect("the key");
    assert_eq!(again.thumbprint(), key.thumbprint());
    assert!(judge(&proof_of(&again, URL)).is_ok());
    assert!(DpopKey::from_pkcs8(&kept[1..]).is_err());
    assert!(!format!("{key:?}").contains(&encode(key.thumbprint())));
    assert_eq!(key.public_jwk().get("d"), None);
}

#[test]
fn the_thumbprint_is_that_of_rfc_7638() {
    // Computed independently: sha256 of the members in order, with the coordinates of the key.
    let key = DpopKey::generate().expect("a key");
    let jwk = key.public_jwk();
    let text =
        format!("{{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":{},\"y\":{}}}", jwk["x"], jwk["y"]);
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    assert_eq!(digest.as_ref(), key.thumbprint());
}

#[test]
fn the_example_of_rfc_9449_is_good_at_its_time() {
    // Section 4.1, figure 2; the thumbprint is that of section 6.1.
    let proof = concat!(
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6Ik",
        "VDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR",
        "nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JE",
        "QSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIj",
        "oiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwia",
        "WF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg",
        "4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg",
    );
    let url = url("https://server.example.com/token");
    let now = Timestamp::constant(1_562_262_616 + 60, 0);
    let expected = Expected { method: &Method::POST, url: &url, access_token: None, now };
    let judged = dpop::judge(proof, &expected).expect("the RFC's own proof");
    assert_eq!(encode(judged.thumbprint()), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    let late = Expected { now: Timestamp::constant(1_562_262_616 + 61, 0), ..expected };
    assert_eq!(dpop::judge(proof, &late), Err(DpopError::Time));
}

#[test]
fn the_address_counts_without_query_and_fragment_and_otherwise_exactly() {
    let key = DpopKey::generate().expect("a key");
    for same in [
        "https://family.example/oauth2/token?x=1#y",
        "https://family.example:443/oauth2/token",
        "https://FAMILY.example/oauth2/../oauth2/token",
    ] {
        assert!(judge(&proof_of(&key, same)).is_ok(), "{same}");
        assert!(judge(&forged(&json!({}), &json!({ "htu": same }))).is_ok(), "{same}");
    }
    for other in [
        "http://family.example/oauth2/token",
        "https://family.example/oauth2/token/",
        "https://family.example/oauth2/revoke",
        "https://evil.example/oauth2/token",
        "https://family.example:8443/oauth2/token",
        "https://me@family.example/oauth2/token",
        "/oauth2/token",
        "",
    ] {
        let refused = judge(&forged(&json!({}), &json!({ "htu": other })));
        assert_eq!(refused, Err(DpopError::Address), "{other}");
    }
}

#[test]
fn f11_a_proof_is_good_for_a_minute_around_its_time() {
    for (offset, good) in [(-60, true), (60, true), (-61, false), (61, false)] {
        let iat = NOW.as_second() + offset;
        let judged = judge(&forged(&json!({}), &json!({ "iat": iat })));
        assert_eq!(judged.is_ok(), good, "{offset}");
    }
    assert_eq!(judge(&forged(&json!({}), &json!({ "iat": i64::MAX }))), Err(DpopError::Time));
    for iat in [json!("1795348800"), json!(1.5), Value::Null] {
        let refused = judge(&forged(&json!({}), &json!({ "iat": iat })));
        assert_eq!(refused, Err(DpopError::Malformed), "{iat}");
    }
}

#[test]
fn a_proof_of_another_kind_method_or_algorithm_is_refused() {
    for (header, claims, refusal) in [
        (json!({ "typ": "JWT" }), json!({}), DpopError::Type),
        (json!({ "typ": null }), json!({}), DpopError::Type),
        (json!({ "alg": "none" }), json!({}), DpopError::Algorithm),
        (json!({ "alg": "HS256" }), json!({}), DpopError::Algorithm),
        (json!({ "alg": "ES384" }), json!({}), DpopError::Algorithm),
        (json!({ "crit": ["x"] }), json!({}), DpopError::Malformed),
        (json!({ "jku": "https://evil.example" }), json!({}), DpopError::Malformed),
        (json!({}), json!({ "htm": "GET" }), DpopError::Method),
        (json!({}), json!({ "htm": "post" }), DpopError::Method),
        (json!({}), json!({ "htm": null }), DpopError::Method),
        (json!({}), json!({ "jti": null }), DpopError::Malformed),
        (json!({}), json!({ "jti": "" }), DpopError::Malformed),
        (json!({}), json!({ "jti": "j".repeat(257) }), DpopError::Malformed),
        (json!({}), json!({ "more": "m".repeat(4096) }), DpopError::Malformed),
    ] {
        assert_eq!(judge(&forged(&header, &claims)), Err(refusal), "{header} {claims}");
    }
}

#[test]
fn a_key_with_its_private_half_off_the_curve_or_of_another_kind_is_refused() {
    let good = DpopKey::generate().expect("a key").public_jwk();
    let with = |name: &str, value: Value| changed(good.clone(), &json!({ name: value }));
    for jwk in [
        with("d", json!("AAAA")),
        with("k", json!("AAAA")),
        with("kty", json!("RSA")),
        with("kty", json!("oct")),
        with("crv", json!("P-384")),
        with("crv", json!("secp256k1")),
        with("x", good["y"].clone()),
        with("x", json!("AAAA")),
        with("y", Value::Null),
        with("y", json!("+/+/")),
        with("alg", json!("RS256")),
        with("use", json!("enc")),
        json!("a text"),
        Value::Null,
    ] {
        assert_eq!(
            judge(&forged(&json!({ "jwk": jwk }), &json!({}))),
            Err(DpopError::Key),
            "{jwk}"
        );
    }
    let another = forged(&json!({ "jwk": good }), &json!({}));
    assert_eq!(judge(&another), Err(DpopError::Signature));
}

#[test]
fn a_proof_goes_with_one_access_token() {
    let key = DpopKey::generate().expect("a key");
    let (token, other) = (AccessToken::new("a.b.c"), AccessToken::new("a.b.d"));
    let proof = |token| key.proof(&Method::POST, &url(URL), token, NOW, &OsEntropy).expect("one");
    assert!(judge_with(&proof(Some(&token)), Some(&token)).is_ok());
    for proof in [proof(Some(&other)), proof(None)] {
        assert_eq!(judge_with(&proof, Some(&token)), Err(DpopError::AccessToken));
    }
}

#[test]
fn a_request_has_exactly_one_proof() {
    let mut headers = HeaderMap::new();
    assert_eq!(dpop::the_proof(&headers), Err(DpopError::Missing));
    headers.append("DPoP", HeaderValue::from_static("a.b.c"));
    assert_eq!(dpop::the_proof(&headers), Ok("a.b.c"));
    headers.append("DPoP", HeaderValue::from_static("a.b.c"));
    assert_eq!(dpop::the_proof(&headers), Err(DpopError::Several));
    headers.insert("DPoP", HeaderValue::from_bytes(b"\xff").expect("a header"));
    assert_eq!(dpop::the_proof(&headers), Err(DpopError::Malformed));
}

#[test]
fn a_proof_counts_once_and_the_same_id_of_another_key_is_another_proof() {
    let (memory, secs) = (ReplayMemory::default(), Duration::from_secs);
    let proof = judge(&forged(&json!({}), &json!({}))).expect("a proof");
    let namesake = judge(&forged(&json!({}), &json!({}))).expect("a proof");
    assert_eq!(proof.jti(), namesake.jti());
    assert_eq!(memory.remember(&proof, secs(299)), Seen::Now);
    assert_eq!(memory.remember(&namesake, secs(299)), Seen::Now);
    for later in [299, 300, 301, 419, 599] {
        assert_eq!(memory.remember(&proof, secs(later)), Seen::Before, "{later}");
    }
    assert_eq!(memory.remember(&proof, secs(1200)), Seen::Now, "forgotten long after it was good");
}

#[test]
fn a_full_memory_takes_no_more_and_forgets_nothing_that_is_still_good() {
    let (memory, secs) = (ReplayMemory::of_size(2), Duration::from_secs);
    let key = DpopKey::generate().expect("a key");
    let new = || judge(&proof_of(&key, URL)).expect("a proof");
    let (first, second) = (new(), new());
    assert_eq!(memory.remember(&first, secs(0)), Seen::Now);
    assert_eq!(memory.remember(&second, secs(119)), Seen::Now);
    assert_eq!(memory.remember(&new(), secs(119)), Seen::Full);
    assert_eq!(memory.remember(&first, secs(119)), Seen::Before, "known also when full");
    assert_eq!(memory.remember(&new(), secs(120)), Seen::Now, "room again");
    assert_eq!(memory.remember(&second, secs(238)), Seen::Before);
}

#[test]
fn what_is_forgotten_makes_room_and_counts_as_new() {
    let (memory, secs) = (ReplayMemory::of_size(1), Duration::from_secs);
    let key = DpopKey::generate().expect("a key");
    let new = || judge(&proof_of(&key, URL)).expect("a proof");
    let (first, second) = (new(), new());
    assert_eq!(memory.remember(&first, secs(0)), Seen::Now);
    assert_eq!(memory.remember(&second, secs(0)), Seen::Full);
    memory.forget(&first);
    assert_eq!(memory.remember(&second, secs(0)), Seen::Now);
    // Also from the older half.
    assert_eq!(memory.remember(&first, secs(300)), Seen::Now);
    memory.forget(&second);
    memory.forget(&first);
    assert_eq!(memory.remember(&second, secs(301)), Seen::Now);
}

proptest! {
    /// The fuzz target `dpop_proof`: no panic, nothing but what a key signed is good.
    #[test]
    fn dpop_proof_arbitrary_text_is_never_good(text in any::<String>()) {
        prop_assert!(judge(&text).is_err());
    }

    #[test]
    fn dpop_proof_arbitrary_parts_are_never_good(
        header in any::<Vec<u8>>(), payload in any::<Vec<u8>>(), signature in any::<Vec<u8>>(),
    ) {
        let proof = format!("{}.{}.{}", encode(header), encode(payload), encode(signature));
        prop_assert!(judge(&proof).is_err());
    }

    #[test]
    fn dpop_proof_with_one_character_changed_is_never_good(
        at in any::<prop::sample::Index>(), to in any::<char>(),
    ) {
        let good = forged(&json!({}), &json!({}));
        let at = at.index(good.len());
        let mutated = format!("{}{to}{}", &good[..at], &good[at + 1..]);
        prop_assume!(mutated != good);
        prop_assert!(judge(&mutated).is_err());
    }

    #[test]
    fn dpop_proof_cut_or_repeated_anywhere_is_never_good(
        from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(),
    ) {
        let good = forged(&json!({}), &json!({}));
        let (from, to) = (from.index(good.len()), to.index(good.len()));
        prop_assume!(from != to);
        let mutated = format!("{}{}", &good[..from], &good[to..]);
        prop_assert!(judge(&mutated).is_err());
    }
}
