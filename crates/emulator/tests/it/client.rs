//! A browser and an app, as small as the tests allow.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use luminous_emulator::{
    Client, Config, DEMO_APP_CLIENT_ID, DEMO_POLICY, DEMO_REDIRECT_URI, DEMO_SCOPE, DEMO_TENANT,
    Emulator,
};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use url::Url;

pub const EMAIL: &str = "ana@example.org";
pub const NAME: &str = "Ana Østergård <b>";
pub const PASSWORD: &str = "Quiet-river-7";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const NONCE: &str = "a-nonce-of-this-sign-in";
pub const STATE: &str = "a-state-of-this-sign-in";
pub const WEB_CLIENT_ID: &str = "11111111-1111-4111-8111-111111111111";
pub const WEB_SECRET: &str = "web secret + more";
pub const WEB_REDIRECT: &str = "https://family.example/callback";
pub const OPENID_AND_API: &str =
    "openid offline_access https://luminousdemo.onmicrosoft.com/api/user_impersonation";
/// 2026-11-22T12:00:00Z.
pub const NOON: i64 = 1_795_348_800;

/// A clock that a test moves.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs().cast_signed(), Ordering::SeqCst);
    }
}

/// The demonstration tenant at noon, redirecting as B2C does, with a confidential client.
pub fn config() -> (Config, TestClock) {
    let clock = TestClock(Arc::new(AtomicI64::new(NOON)));
    let hand = clock.clone();
    let now = move || jiff::Timestamp::from_second(hand.0.load(Ordering::SeqCst)).unwrap();
    let mut config = Config { clock: Arc::new(now), finish_page: false, ..Config::demo() };
    config.clients.push(Client::confidential(WEB_CLIENT_ID, WEB_SECRET, &[WEB_REDIRECT]));
    (config, clock)
}

/// An emulator and those who talk to it.
pub struct World {
    pub emulator: Emulator,
    pub clock: TestClock,
    pub http: reqwest::Client,
}

impl World {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let (mut config, clock) = config();
        change(&mut config);
        let emulator = Emulator::start(config).await.unwrap();
        Self { emulator, clock, http: http() }
    }

    /// With Ana's account made already.
    pub async fn with_ana(change: impl FnOnce(&mut Config)) -> Self {
        let world = Self::with(change).await;
        world.emulator.control().create_user(EMAIL, NAME, PASSWORD).unwrap();
        world
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.emulator.base_url())
    }

    pub fn browser(&self) -> Browser {
        Browser { http: self.http.clone(), base: self.emulator.base_url(), cookies: Vec::new() }
    }

    pub async fn json(&self, path: &str) -> Value {
        let response = self.http.get(self.url(path)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    /// Posts to the token endpoint of the demonstration policy.
    pub async fn token(&self, form: &[(&str, &str)]) -> (StatusCode, Value) {
        self.token_at(&endpoint("token"), form).await
    }

    pub async fn token_at(&self, path: &str, form: &[(&str, &str)]) -> (StatusCode, Value) {
        let response = self.http.post(self.url(path)).form(form).send().await.unwrap();
        let status = response.status();
        assert_eq!(response.headers()["cache-control"], "no-store");
        (status, response.json().await.unwrap())
    }

    pub async fn redeem(&self, code: &str) -> (StatusCode, Value) {
        self.token(&code_form(code)).await
    }

    pub async fn refresh(&self, refresh_token: &str) -> (StatusCode, Value) {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", DEMO_APP_CLIENT_ID),
            ("refresh_token", refresh_token),
        ];
        self.token(&form).await
    }

    /// A good authorization request of another policy, with some parameters changed.
    pub fn authorize_url_of(&self, policy: &str, changes: &[(&str, &str)]) -> String {
        authorize_url_at(&self.url(&endpoint_of(policy, "authorize")), changes)
    }

    /// Redeems the code of a redirect at the policy that issued it.
    pub async fn redeem_at(&self, policy: &str, back: &str) -> Value {
        let code = parameter(back, "code").unwrap_or_else(|| panic!("no code in {back}"));
        let (status, body) = self.token_at(&endpoint_of(policy, "token"), &code_form(&code)).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body
    }

    /// Signs Ana in and answers the code.
    pub async fn code(&self) -> String {
        let back = self.browser().sign_in(&authorize_url(self, &[])).await;
        parameter(&back, "code").unwrap()
    }

    /// Signs Ana in and answers the token response.
    pub async fn tokens(&self) -> Value {
        let (status, body) = self.redeem(&self.code().await).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body
    }

    /// A claim set whose signature the published keys confirm.
    pub async fn verified(&self, token: &str) -> Value {
        let keys = self.json(&keys_path()).await;
        assert!(signature_holds(token, &keys), "the signature holds");
        claims(token)
    }
}

pub fn http() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap()
}

/// The path of an OAuth endpoint of the demonstration policy.
pub fn endpoint(name: &str) -> String {
    endpoint_of(DEMO_POLICY, name)
}

/// The path of an OAuth endpoint of any policy of the demonstration tenant.
pub fn endpoint_of(policy: &str, name: &str) -> String {
    format!("{DEMO_TENANT}/{policy}/oauth2/v2.0/{name}")
}

pub fn keys_path() -> String {
    format!("{DEMO_TENANT}/{DEMO_POLICY}/discovery/v2.0/keys")
}

pub fn metadata_path() -> String {
    format!("{DEMO_TENANT}/{DEMO_POLICY}/v2.0/.well-known/openid-configuration")
}

pub fn code_form(code: &str) -> Vec<(&'static str, &str)> {
    vec![
        ("grant_type", "authorization_code"),
        ("client_id", DEMO_APP_CLIENT_ID),
        ("code", code),
        ("redirect_uri", DEMO_REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ]
}

/// A good authorization request with some parameters changed; an empty value leaves one out.
pub fn authorize_url(world: &World, changes: &[(&str, &str)]) -> String {
    authorize_url_at(&world.url(&endpoint("authorize")), changes)
}

pub fn authorize_url_at(endpoint: &str, changes: &[(&str, &str)]) -> String {
    let scope = format!("openid offline_access {DEMO_SCOPE}");
    let mut pairs = vec![
        ("client_id", DEMO_APP_CLIENT_ID),
        ("response_type", "code"),
        ("redirect_uri", DEMO_REDIRECT_URI),
        ("scope", scope.as_str()),
        ("state", STATE),
        ("nonce", NONCE),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    pairs.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    pairs.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    let mut url = Url::parse(endpoint).unwrap();
    url.query_pairs_mut().extend_pairs(pairs);
    url.into()
}

/// A browser: cookies, no redirects followed, no script.
pub struct Browser {
    http: reqwest::Client,
    base: Url,
    cookies: Vec<(String, String)>,
}

/// What came back.
pub struct Page {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Page {
    pub fn location(&self) -> String {
        assert_eq!(self.status, StatusCode::FOUND, "{}", self.text);
        self.headers[LOCATION].to_str().unwrap().to_owned()
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        between(&self.text, &format!("name=\"{name}\" value=\""), "\"")
    }

    pub fn has(&self, text: &str) -> bool {
        self.text.contains(text)
    }
}

/// The text between two others.
pub fn between(text: &str, before: &str, after: &str) -> String {
    let start = text.find(before).unwrap_or_else(|| panic!("no {before} in {text}")) + before.len();
    let length = text[start..].find(after).unwrap();
    text[start..start + length].to_owned()
}

impl Browser {
    pub fn cookie(&self, prefix: &str) -> Option<&str> {
        let found = self.cookies.iter().find(|(name, _)| name.starts_with(prefix));
        found.map(|(_, value)| value.as_str())
    }

    pub fn forget(&mut self, prefix: &str) {
        self.cookies.retain(|(name, _)| !name.starts_with(prefix));
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let jar: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header(COOKIE, jar.join("; ")).send().await.unwrap();
        self.keep_cookies(&response);
        let (status, headers) = (response.status(), response.headers().clone());
        Page { status, headers, text: response.text().await.unwrap() }
    }

    fn keep_cookies(&mut self, response: &Response) {
        for line in response.headers().get_all(SET_COOKIE) {
            let line = line.to_str().unwrap();
            assert!(line.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{line}");
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !line.contains("Max-Age=0") {
                self.cookies.push((name.into(), value.into()));
            }
        }
    }

    pub async fn get(&mut self, url: &str) -> Page {
        let url = self.base.join(url).unwrap();
        self.send(self.http.get(url)).await
    }

    /// Submits the form of a page with what a person typed.
    pub async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let action = between(&page.text, "method=\"post\" action=\"", "\"");
        let (tx, csrf) = (page.hidden("tx"), page.hidden("csrf"));
        let mut form = vec![("tx", tx.as_str()), ("csrf", csrf.as_str())];
        form.extend(fields);
        let url = self.base.join(&action).unwrap();
        self.send(self.http.post(url).form(&form)).await
    }

    /// Opens `url`, types Ana's password and answers the way back to the app.
    pub async fn sign_in(&mut self, url: &str) -> String {
        let page = self.get(url).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let fields = [("email", EMAIL), ("password", PASSWORD), ("action", "next")];
        self.submit(&page, &fields).await.location()
    }

    /// Opens `url`, goes to the sign-up page, fills it in for Ana.
    pub async fn sign_up(&mut self, url: &str) -> Page {
        let page = self.get(url).await;
        let link = between(&page.text, "id=\"createAccount\" href=\"", "\"");
        let page = self.get(&link).await;
        let fields = [
            ("email", EMAIL),
            ("displayName", NAME),
            ("password", PASSWORD),
            ("confirmPassword", PASSWORD),
            ("action", "continue"),
        ];
        self.submit(&page, &fields).await
    }
}

/// The AADB2C number of a refusal at the app.
pub fn refusal(back: &str) -> (String, String) {
    let description = parameter(back, "error_description").unwrap_or_else(|| panic!("{back}"));
    let number = description.split(':').next().unwrap().to_owned();
    (parameter(back, "error").unwrap(), number)
}

/// A parameter of a redirect's query.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

pub fn text<'a>(body: &'a Value, member: &str) -> &'a str {
    body[member].as_str().unwrap_or_else(|| panic!("no text {member} in {body}"))
}

/// A part of a token.
pub fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub fn claims(token: &str) -> Value {
    part(token, 1)
}

/// Whether the key that the token names has signed it, RS256.
pub fn signature_holds(token: &str, keys: &Value) -> bool {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
    let header = part(token, 0);
    let keys = keys["keys"].as_array().unwrap();
    let Some(key) = keys.iter().find(|key| key["kid"] == header["kid"]) else { return false };
    let (message, signature) = token.rsplit_once('.').unwrap();
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let public = RsaPublicKeyComponents { n: bytes(text(key, "n")), e: bytes(text(key, "e")) };
    let signature = bytes(signature);
    public.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature).is_ok()
}

/// A description with its correlation id and its moment taken out, once their shape is checked.
pub fn redacted(description: &str) -> String {
    let id = between(description, "Correlation ID: ", "\r\n");
    assert!(uuid::Uuid::parse_str(&id).is_ok(), "{description}");
    description.replace(&id, "[id]")
}
