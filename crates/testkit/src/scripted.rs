//! A provider that answers what the test tells it to, without a socket.
//!
//! It is an [`HttpClient`], so requests reach it by a function call and tokio's paused clock stays
//! honest. Its good answers are good: it checks PKCE and signs real RS256 ID tokens. It can have
//! policies with B2C's addresses and claims ([`ScriptedProvider::with_policies`]); for a provider
//! that behaves like Azure AD B2C there is the emulator.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use http::{Request, Response};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use luminous_domain::Clock as _;
use luminous_oidc::{HttpClient, HttpError, Limits, ProviderConfig, Transport};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Semaphore, watch};
use url::Url;

use crate::FrozenClock;

const ISSUER: &str = "https://id.example.test";
pub(crate) const CLIENT_ID: &str = "luminous-desktop";
const TENANT: &str = "5d2c6e0a-7f43-4b8e-9a51-000000000001";

/// The policy people sign in with, where there are policies.
pub const SIGN_IN_POLICY: &str = "B2C_1_susi";
/// The policy that gives a new password.
pub const RESET_POLICY: &str = "B2C_1_reset";
/// The policy that edits the profile.
pub const EDIT_POLICY: &str = "B2C_1_edit";
/// The policy that proves a second factor.
pub const MFA_POLICY: &str = "B2C_1_mfa";

/// Every refresh token starts with this, for finding them where they must not be.
pub const REFRESH_CANARY: &str = "canary-refresh-";
/// Every access token starts with this.
pub const ACCESS_CANARY: &str = "canary-access-";
/// Every code starts with this.
pub const CODE_CANARY: &str = "canary-code-";

/// How the token endpoint answers a request.
#[derive(Debug, Clone)]
pub enum Step {
    /// Tokens, as `change` alters them: members set to null are left out.
    Tokens(Value),
    /// This status, content type and body.
    Raw(u16, &'static str, String),
    /// An OAuth error with status 400.
    Error(&'static str, &'static str),
    /// No connection.
    Unreachable,
    /// No answer in time.
    TimesOut,
    /// 429 with `Retry-After` in seconds.
    Later(u64),
    /// Tokens, whose ID token's claims are altered like this.
    IdToken(Value),
}

/// A token request that arrived.
#[derive(Debug, Clone)]
pub struct TokenRequest(HashMap<String, String>);

impl TokenRequest {
    /// A form parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// What a code stands for.
#[derive(Debug, Clone)]
struct Issued {
    nonce: String,
    challenge: String,
    redirect_uri: String,
    person: String,
}

struct Inner {
    steps: VecDeque<Step>,
    requests: usize,
    token_requests: Vec<TokenRequest>,
    codes: HashMap<String, Issued>,
    person: String,
    name: Option<String>,
    serial: u64,
    response_iss: bool,
    date_offset: Option<i64>,
    down: bool,
}

/// A provider that answers what the test tells it to.
pub struct ScriptedProvider {
    clock: Arc<FrozenClock>,
    policies: bool,
    inner: Mutex<Inner>,
    /// Token requests wait here while the test holds them.
    gate: Semaphore,
    /// How many token requests arrived.
    arrived: watch::Sender<usize>,
}

static KEY: LazyLock<EncodingKey> = LazyLock::new(|| {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    let text = base64::prelude::BASE64_STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
});

impl ScriptedProvider {
    /// A provider at `https://id.example.test` that signs in "person-1".
    #[must_use]
    pub fn new(clock: Arc<FrozenClock>) -> Self {
        let inner = Inner {
            steps: VecDeque::new(),
            requests: 0,
            token_requests: Vec::new(),
            codes: HashMap::new(),
            person: "person-1".to_owned(),
            name: None,
            serial: 0,
            response_iss: false,
            date_offset: None,
            down: false,
        };
        Self {
            clock,
            policies: false,
            inner: Mutex::new(inner),
            gate: Semaphore::new(1 << 20),
            arrived: watch::Sender::new(0),
        }
    }

    /// The same with B2C's policies: each has its own addresses, all share issuer and keys.
    #[must_use]
    pub fn with_policies(clock: Arc<FrozenClock>) -> Self {
        Self { policies: true, ..Self::new(clock) }
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// The configuration that leads to it.
    #[must_use]
    pub fn config(&self) -> ProviderConfig {
        ProviderConfig::from_address(&self.address(), CLIENT_ID, Transport::HttpsOnly).unwrap()
    }

    pub(crate) fn address(&self) -> String {
        match self.policies {
            true => format!("{ISSUER}/{TENANT}/{SIGN_IN_POLICY}"),
            false => ISSUER.to_owned(),
        }
    }

    fn issuer(&self) -> String {
        match self.policies {
            true => format!("{ISSUER}/{TENANT}/v2.0/"),
            false => ISSUER.to_owned(),
        }
    }

    /// What people are called from now on, where it is not told from who they are.
    pub fn set_name(&self, name: &str) {
        self.inner().name = Some(name.to_owned());
    }

    /// The token endpoint's next answers, in order; after them it behaves.
    pub fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.inner().steps.extend(steps);
    }

    /// Who signs in from now on.
    pub fn set_person(&self, person: &str) {
        person.clone_into(&mut self.inner().person);
    }

    /// Whether redirects carry `iss` (RFC 9207), and the metadata says so.
    pub fn set_response_iss(&self, on: bool) {
        self.inner().response_iss = on;
    }

    /// Sends a `Date` header that is `offset` seconds ahead of the test's clock.
    pub fn set_date_offset(&self, offset: i64) {
        self.inner().date_offset = Some(offset);
    }

    /// Nothing at all can be reached, or again everything.
    pub fn set_down(&self, down: bool) {
        self.inner().down = down;
    }

    /// Token requests wait from now on until [`Self::release`].
    pub fn hold(&self) {
        self.gate.forget_permits(1 << 20);
    }

    /// Lets token requests go on.
    pub fn release(&self) {
        self.gate.add_permits(1 << 20);
    }

    /// How many requests arrived, of any kind.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.inner().requests
    }

    /// The token requests that arrived, oldest first.
    #[must_use]
    pub fn token_requests(&self) -> Vec<TokenRequest> {
        self.inner().token_requests.clone()
    }

    /// Waits until `count` token requests have arrived, those that are held included.
    pub async fn until_token_requests(&self, count: usize) {
        self.arrived.subscribe().wait_for(|arrived| *arrived >= count).await.unwrap();
    }

    /// The person signs in at `link`: answers the redirect their browser would follow.
    #[must_use]
    pub fn authorize(&self, link: &Url) -> String {
        let asked: HashMap<String, String> = link.query_pairs().into_owned().collect();
        assert_eq!(asked["code_challenge_method"], "S256");
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT_ID);
        let mut inner = self.inner();
        inner.serial += 1;
        let code = format!("{CODE_CANARY}{}", inner.serial);
        let issued = Issued {
            nonce: asked["nonce"].clone(),
            challenge: asked["code_challenge"].clone(),
            redirect_uri: asked["redirect_uri"].clone(),
            person: inner.person.clone(),
        };
        let mut redirect = format!("{}?code={code}&state={}", issued.redirect_uri, asked["state"]);
        if inner.response_iss {
            redirect.push_str("&iss=https%3A%2F%2Fid.example.test");
        }
        inner.codes.insert(code, issued);
        redirect
    }

    fn answer(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let path = request.uri().path();
        match path.strip_suffix("/.well-known/openid-configuration") {
            Some(place) => {
                let base = format!("{ISSUER}{}", place.strip_suffix("/v2.0").unwrap_or(place));
                let response_iss = self.inner().response_iss;
                let said = metadata(&self.issuer(), &base, response_iss);
                respond(200, "application/json", said.to_string())
            }
            None if path == "/keys" => respond(200, "application/json", keys().to_string()),
            None => panic!("nothing is at {path}"),
        }
    }

    fn token(&self, request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
        let mut form: HashMap<String, String> =
            url::form_urlencoded::parse(request.body()).into_owned().collect();
        if self.policies {
            // `/TENANT/POLICY/token`, for the claim and for tests that look.
            let policy = request.uri().path().split('/').nth(2).unwrap_or_default();
            form.insert("policy".to_owned(), policy.to_owned());
        }
        let step = {
            let mut inner = self.inner();
            inner.token_requests.push(TokenRequest(form.clone()));
            self.arrived.send_replace(inner.token_requests.len());
            inner.steps.pop_front().unwrap_or_else(|| Step::Tokens(json!({})))
        };
        let json = "application/json";
        Ok(match step {
            Step::Tokens(change) => match self.tokens(&form, &json!({})) {
                Ok(body) => respond(200, json, merged(body, &change).to_string()),
                Err(refusal) => respond(400, json, refusal.to_string()),
            },
            Step::IdToken(change) => match self.tokens(&form, &change) {
                Ok(body) => respond(200, json, body.to_string()),
                Err(refusal) => respond(400, json, refusal.to_string()),
            },
            Step::Raw(status, kind, body) => respond(status, kind, body),
            Step::Error(error, description) => {
                let body = json!({"error": error, "error_description": description});
                respond(400, json, body.to_string())
            }
            Step::Unreachable => {
                return Err(HttpError::Unreachable { reason: "connection refused".to_owned() });
            }
            Step::TimesOut => return Err(HttpError::Timeout),
            Step::Later(seconds) => {
                let mut response = respond(429, json, "{}".to_owned());
                response.headers_mut().insert("retry-after", seconds.into());
                response
            }
        })
    }

    /// The tokens a good request deserves, or the refusal of a bad one.
    fn tokens(&self, form: &HashMap<String, String>, id_change: &Value) -> Result<Value, Value> {
        let mut inner = self.inner();
        let (person, nonce) = match form["grant_type"].as_str() {
            "authorization_code" => {
                let issued = inner.codes.remove(&form["code"]);
                let issued = issued.filter(|issued| {
                    let verifier = form.get("code_verifier").map_or("", String::as_str);
                    let digest = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
                    digest == issued.challenge && form["redirect_uri"] == issued.redirect_uri
                });
                let Some(issued) = issued else {
                    return Err(json!({"error": "invalid_grant"}));
                };
                (issued.person, Some(issued.nonce))
            }
            _ => (inner.person.clone(), None),
        };
        inner.serial += 1;
        let serial = inner.serial;
        drop(inner);
        let access = format!("{ACCESS_CANARY}{serial}");
        Ok(json!({
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": format!("{REFRESH_CANARY}{serial}"),
            "id_token": self.id_token(form, &person, nonce.as_deref(), &access, id_change),
            "access_token": access,
        }))
    }

    fn id_token(
        &self,
        form: &HashMap<String, String>,
        person: &str,
        nonce: Option<&str>,
        access: &str,
        change: &Value,
    ) -> String {
        let now = self.clock.now().as_second();
        let name = self.inner().name.clone().unwrap_or_else(|| format!("Name of {person}"));
        let claims = json!({
            "iss": self.issuer(),
            "tfp": form.get("policy"),
            "aud": CLIENT_ID,
            "sub": person,
            "iat": now,
            "exp": now + 3600,
            "auth_time": now,
            "nonce": nonce,
            "name": name,
            "email": format!("{person}@example.test"),
            "at_hash": BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(access)[..16]),
        });
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some("scripted".to_owned());
        jsonwebtoken::encode(&header, &merged(claims, change), &KEY).unwrap()
    }
}

#[async_trait]
impl HttpClient for ScriptedProvider {
    async fn send(
        &self,
        request: Request<Vec<u8>>,
        _: Limits,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        {
            let mut inner = self.inner();
            inner.requests += 1;
            if inner.down {
                return Err(HttpError::Unreachable { reason: "network is down".to_owned() });
            }
        }
        let mut response = if request.uri().path().ends_with("/token") {
            let response = self.token(&request)?;
            // Decided already, not yet arrived: what is held is the answer on its way.
            drop(self.gate.acquire().await.unwrap());
            response
        } else {
            self.answer(&request)
        };
        if let Some(offset) = self.inner().date_offset {
            let date = self.clock.now() + std::time::Duration::from_secs(offset.unsigned_abs());
            let date = if offset < 0 {
                self.clock.now() - std::time::Duration::from_secs(offset.unsigned_abs())
            } else {
                date
            };
            let text = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            response.headers_mut().insert("date", text.parse().unwrap());
        }
        Ok(response)
    }
}

fn respond(status: u16, kind: &str, body: String) -> Response<Vec<u8>> {
    let builder = Response::builder().status(status).header("content-type", kind);
    builder.body(body.into_bytes()).unwrap()
}

/// `base` with the members of `change`; a null removes the member.
fn merged(mut base: Value, change: &Value) -> Value {
    let members = base.as_object_mut().unwrap();
    for (name, value) in change.as_object().unwrap() {
        members.insert(name.clone(), value.clone());
    }
    members.retain(|_, value| !value.is_null());
    base
}

fn metadata(issuer: &str, base: &str, response_iss: bool) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "end_session_endpoint": format!("{base}/logout?p=kept"),
        "jwks_uri": format!("{ISSUER}/keys"),
        "authorization_response_iss_parameter_supported": response_iss,
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

fn keys() -> Value {
    let mut jwk = Jwk::from_encoding_key(&KEY, Algorithm::RS256).unwrap();
    jwk.common.key_id = Some("scripted".to_owned());
    json!({ "keys": [jwk] })
}
