//! What our verification of an ID token costs beside the bare signature: an uncached RS256 token
//! through [`Provider::verify_id_token`], keys already held, against aws-lc-rs verifying the same
//! bytes with a key it has already parsed. Interleaved rounds, medians.
#![expect(clippy::print_stdout, reason = "the figures are this program's output")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use luminous_domain::{Clock, IdToken, SystemClock};
use luminous_oidc::{
    HttpClient, HttpError, IdTokenExpectation, Limits, Provider, ProviderConfig, Transport,
};
use serde_json::{Value, json};

/// The most our verification may cost, as a multiple of the bare one.
const BAR: f64 = 1.3;
const ROUNDS: usize = 201;
const PER_ROUND: u32 = 50;
const NONCE: &str = "q7yf0tq3mJ6l0o0w2m1nWg5b7c8d9e0f1a2b3c4d5e6";
const ISSUER: &str = "https://t.b2clogin.com/5d2c6e0a-7f43-4b8e-9a51-1c0de5a7e001/v2.0/";

/// Answers two documents from memory.
struct Documents {
    metadata: Value,
    keys: Value,
}

#[async_trait]
impl HttpClient for Documents {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        _: Limits,
    ) -> Result<http::Response<Vec<u8>>, HttpError> {
        let is_metadata = request.uri().path().ends_with("openid-configuration");
        let document = if is_metadata { &self.metadata } else { &self.keys };
        Ok(http::Response::new(document.to_string().into_bytes()))
    }
}

/// A token, and what the bare verification needs of it.
struct Subject {
    token: IdToken,
    input: Vec<u8>,
    signature: Vec<u8>,
    key: ParsedPublicKey,
    provider: Provider,
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let subject = subject()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let ours = || {
        let expected = IdTokenExpectation { nonce: Some(NONCE), ..Default::default() };
        let outcome = runtime.block_on(subject.provider.verify_id_token(&subject.token, expected));
        assert!(outcome.is_ok(), "{outcome:?}");
    };
    let bare = || {
        let outcome = subject.key.verify_sig(&subject.input, &subject.signature);
        assert!(outcome.is_ok());
    };
    ours();
    let (mut our_times, mut bare_times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        our_times.push(time(ours));
        bare_times.push(time(bare));
    }
    let (ours, bare) = (median(our_times), median(bare_times));
    let ratio = ours / bare;
    println!(
        "verify_rs256: ours {ours:.2} us, bare aws-lc-rs {bare:.2} us, ratio {ratio:.3} (bar {BAR})"
    );
    let line = json!({
        "bench": "verify_rs256", "ours_us": ours, "bare_us": bare, "ratio": ratio, "bar": BAR,
    });
    println!("{line}");
    Ok(if ratio <= BAR { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The mean time of one call in microseconds, over one round.
fn time(call: impl Fn()) -> f64 {
    let start = SystemClock.elapsed();
    for _ in 0..PER_ROUND {
        call();
    }
    (SystemClock.elapsed() - start).div_f64(f64::from(PER_ROUND)).as_secs_f64() * 1e6
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn subject() -> Result<Subject, Box<dyn std::error::Error>> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let public = pair.public_key();
    let n = public.modulus().big_endian_without_leading_zero();
    let e = public.exponent().big_endian_without_leading_zero();
    let header = json!({ "alg": "RS256", "kid": "k", "typ": "JWT" });
    let input = format!("{}.{}", encode(header.to_string()), encode(claims().to_string()));
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature)?;
    let jwk = json!({ "kid": "k", "use": "sig", "kty": "RSA", "n": encode(n), "e": encode(e) });
    let base = "https://t.b2clogin.com/t.onmicrosoft.com/B2C_1_signupsignin1";
    let documents = Documents {
        metadata: json!({
            "issuer": ISSUER,
            "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{base}/oauth2/v2.0/token"),
            "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        }),
        keys: json!({ "keys": [jwk] }),
    };
    let config = ProviderConfig::from_address(base, "client", Transport::HttpsOnly)?;
    Ok(Subject {
        token: IdToken::new(format!("{input}.{}", encode(&signature))),
        input: input.into_bytes(),
        signature,
        key: RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)?,
        provider: Provider::new(config, Arc::new(documents), Arc::new(SystemClock)),
    })
}

/// An ID token of a B2C user flow as one really looks.
fn claims() -> Value {
    let now = SystemClock.now();
    let expires = now + Duration::from_secs(3600);
    let person = "1f7c2f0e-94f1-4a25-8a39-64a2b6a1f001";
    json!({
        "ver": "1.0", "iss": ISSUER, "sub": person, "aud": "client", "exp": expires.as_second(),
        "nonce": NONCE, "iat": now.as_second(), "nbf": now.as_second(),
        "auth_time": now.as_second(), "oid": person, "name": "Ana Lindqvist",
        "emails": ["ana@example.test"], "extension_family_id": "fam-000001",
        "extension_role": "adult", "tfp": "B2C_1_signupsignin1", "idp": "google.com",
        "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
    })
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
