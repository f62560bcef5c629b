//! A provider made of values: what it answers is set, how often it was asked is counted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use luminous_domain::{AccessToken, Clock, IdToken};
use luminous_oidc::{
    AccessClaims, ExpectedIssuer, HttpClient, HttpError, IdTokenExpectation, Identity, Limits,
    Provider, ProviderConfig, Transport, VerifyError,
};
use luminous_testkit::FrozenClock;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::signer::{PUBLISHED, Signer};

pub const GUID: &str = "5d2c6e0a-7f43-4b8e-9a51-1c0de5a7e001";
pub const POLICY: &str = "B2C_1_signupsignin1";
pub const CLIENT: &str = "a4f1c9d2-83b7-4e56-9c0f-1c0de5a7e0a1";
pub const API: &str = "c7d05b3e-19f4-4a82-8d6e-1c0de5a7e0b2";
pub const PERSON: &str = "1f7c2f0e-94f1-4a25-8a39-64a2b6a1f001";
pub const ISSUER: &str =
    "https://luminousdemo.b2clogin.com/5d2c6e0a-7f43-4b8e-9a51-1c0de5a7e001/v2.0/";
const ADDRESS: &str =
    "https://luminousdemo.b2clogin.com/luminousdemo.onmicrosoft.com/B2C_1_signupsignin1";

/// What a request is answered with.
#[derive(Clone)]
pub enum Answer {
    Json(Value),
    Other(u16, &'static [(&'static str, &'static str)], Vec<u8>),
    Fail(HttpError),
}

/// The two documents of a provider.
pub struct FakeHttp {
    pub metadata: Mutex<Answer>,
    pub keys: Mutex<Answer>,
    /// Answers for keys that come before `keys`, once each.
    pub keys_first: Mutex<VecDeque<Answer>>,
    pub metadata_requests: AtomicUsize,
    pub keys_requests: AtomicUsize,
    pub limits: Mutex<Vec<Limits>>,
    /// Every request takes one of these before it is answered.
    pub gate: Semaphore,
}

#[async_trait]
impl HttpClient for FakeHttp {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        limits: Limits,
    ) -> Result<http::Response<Vec<u8>>, HttpError> {
        self.limits.lock().expect("limits").push(limits);
        let of_metadata = request.uri().path().ends_with("openid-configuration");
        let counter = if of_metadata { &self.metadata_requests } else { &self.keys_requests };
        counter.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.expect("the gate is never closed").forget();
        let answer = if of_metadata {
            self.metadata.lock().expect("metadata").clone()
        } else {
            let first = self.keys_first.lock().expect("first keys").pop_front();
            first.unwrap_or_else(|| self.keys.lock().expect("keys").clone())
        };
        let mut response = http::Response::builder();
        let (status, headers, body) = match answer {
            Answer::Fail(error) => return Err(error),
            Answer::Json(value) => (200, &[][..], value.to_string().into_bytes()),
            Answer::Other(status, headers, body) => (status, headers, body),
        };
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        Ok(response.status(status).body(body).expect("a response"))
    }
}

/// A provider, its verifier and their clock.
pub struct World {
    pub http: Arc<FakeHttp>,
    pub clock: Arc<FrozenClock>,
    pub provider: Provider,
}

/// The configuration most tests start from.
pub fn config() -> ProviderConfig {
    ProviderConfig::from_address(ADDRESS, CLIENT, Transport::HttpsOnly).expect("a configuration")
}

/// The metadata of that provider.
pub fn metadata() -> Value {
    let base = "https://luminousdemo.b2clogin.com/luminousdemo.onmicrosoft.com/b2c_1_signupsignin1";
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "end_session_endpoint": format!("{base}/oauth2/v2.0/logout"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

/// A key set of these keys.
pub fn key_set(keys: &[&Signer]) -> Answer {
    Answer::Json(json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() }))
}

impl World {
    /// The usual provider, publishing one key.
    pub fn new() -> Self {
        Self::with(config())
    }

    /// The usual provider under another configuration.
    pub fn with(config: ProviderConfig) -> Self {
        let http = Arc::new(FakeHttp {
            metadata: Mutex::new(Answer::Json(metadata())),
            keys: Mutex::new(key_set(&[&PUBLISHED])),
            keys_first: Mutex::default(),
            metadata_requests: AtomicUsize::new(0),
            keys_requests: AtomicUsize::new(0),
            limits: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS / 2),
        });
        let clock = Arc::new(FrozenClock::new());
        let provider = Provider::new(config, http.clone(), clock.clone());
        Self { http, clock, provider }
    }

    /// The usual provider as the API sees it: access tokens must be for it.
    pub fn api() -> Self {
        let mut config = config();
        config.audiences = luminous_oidc::AudienceRule::only(API);
        Self::with(config)
    }

    /// The exact issuer is known.
    pub fn exact(issuer: &str) -> Self {
        let mut config = config();
        config.expected_issuer = ExpectedIssuer::Exact(issuer.to_owned());
        Self::with(config)
    }

    pub fn publish(&self, keys: &[&Signer]) {
        self.answer_keys(key_set(keys));
    }

    pub fn answer_keys(&self, answer: Answer) {
        *self.http.keys.lock().expect("keys") = answer;
    }

    pub fn answer_metadata(&self, answer: Answer) {
        *self.http.metadata.lock().expect("metadata") = answer;
    }

    /// Changes members of the metadata; `null` removes one.
    pub fn lie(&self, changes: &Value) {
        let mut document = metadata();
        change(&mut document, changes);
        self.answer_metadata(Answer::Json(document));
    }

    pub fn keys_requests(&self) -> usize {
        self.http.keys_requests.load(Ordering::SeqCst)
    }

    pub fn metadata_requests(&self) -> usize {
        self.http.metadata_requests.load(Ordering::SeqCst)
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// The claims of a good ID token, with `changes`; `null` removes a claim.
    pub fn id_claims(&self, changes: &Value) -> Value {
        let now = self.now();
        let mut claims = json!({
            "ver": "1.0",
            "iss": ISSUER,
            "aud": CLIENT,
            "sub": PERSON,
            "oid": PERSON,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "auth_time": now,
            "name": "Ana Lindqvist",
            "emails": ["ana@example.test"],
            "tfp": POLICY,
        });
        change(&mut claims, changes);
        claims
    }

    /// The claims of a good access token for the API.
    pub fn access_claims(&self, changes: &Value) -> Value {
        let mut claims = self.id_claims(&json!({
            "aud": API, "azp": CLIENT, "scp": "user_impersonation", "auth_time": null,
        }));
        change(&mut claims, changes);
        claims
    }

    pub async fn id(&self, token: &str) -> Result<Identity, VerifyError> {
        self.provider.verify_id_token(&IdToken::new(token), IdTokenExpectation::default()).await
    }

    pub async fn access(&self, token: &str) -> Result<AccessClaims, VerifyError> {
        self.provider.verify_access_token(&AccessToken::new(token)).await
    }

    /// What becomes of an ID token with these changes: its code, or `ok`.
    pub async fn id_code(&self, changes: Value) -> &'static str {
        code(&self.id(&PUBLISHED.sign(&self.id_claims(&changes))).await)
    }

    /// What becomes of an access token with these changes.
    pub async fn access_code(&self, changes: Value) -> &'static str {
        code(&self.access(&PUBLISHED.sign(&self.access_claims(&changes))).await)
    }

    /// What becomes of this text as a token of either type; both must agree.
    pub async fn token_code(&self, token: &str) -> &'static str {
        let as_id = code(&self.id(token).await);
        assert_eq!(as_id, code(&self.access(token).await), "both types refuse alike");
        as_id
    }
}

/// `ok`, or the code of the error.
pub fn code<T>(outcome: &Result<T, VerifyError>) -> &'static str {
    outcome.as_ref().map_or_else(VerifyError::code, |_| "ok")
}

fn change(document: &mut Value, changes: &Value) {
    let members = document.as_object_mut().expect("an object");
    let changes = changes.as_object().expect("an object");
    for (name, value) in changes {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
}
