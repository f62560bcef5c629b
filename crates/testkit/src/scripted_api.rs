//! A family server that answers what the test tells it to, without a socket.
//!
//! It is a fake: it judges no token and keeps nothing. It stands in front of another [`HttpClient`],
//! to which everything goes that is not for it. For what a family server decides there is the real
//! one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use http::{Request, Response};
use luminous_oidc::{HttpClient, HttpError, Limits};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

/// Where it is.
pub const FAMILY_SERVER: &str = "https://family.example.test";
/// The id of the only family it knows.
pub const FAMILY: &str = "0199b0a0-0000-7000-8000-0000000000f1";
/// The id of who asks in it.
pub const MEMBER: &str = "0199b0a0-0000-7000-8000-0000000000a1";

/// How it answers a request.
#[derive(Debug, Clone)]
pub enum Say {
    /// This, with 200.
    Json(Value),
    /// 204.
    Nothing,
    /// A problem with this status and code.
    Problem(u16, &'static str),
    /// RFC 9470: this class of authentication, at most 15 minutes ago.
    StepUp(&'static str),
    /// This status, content type and body.
    Raw(u16, &'static str, &'static str),
    /// No connection.
    Unreachable,
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct ApiRequest {
    /// The method.
    pub method: String,
    /// The path, from the first slash.
    pub path: String,
    /// The bearer token.
    pub token: String,
    /// The idempotency key.
    pub key: Option<String>,
    /// The body, null when there is none.
    pub body: Value,
}

struct Inner {
    me: Value,
    steps: BTreeMap<String, VecDeque<Say>>,
    requests: Vec<ApiRequest>,
}

/// A family server that answers what the test tells it to.
pub struct ScriptedApi {
    elsewhere: Arc<dyn HttpClient>,
    inner: Mutex<Inner>,
    arrived: watch::Sender<usize>,
    /// Answers about who asks, and about itself, wait here while the test holds them.
    gate: Semaphore,
}

/// Who asks, in no family.
#[must_use]
pub fn outside() -> Value {
    let id = "0199b0a0-0000-7000-8000-0000000000b1";
    json!({ "account": { "id": id, "name": "Ana", "email": null }, "membership": null })
}

/// Who asks, with this role in a family of this name.
#[must_use]
pub fn member_of(family: &str, role: &str) -> Value {
    let mut me = outside();
    me["membership"] = json!({
        "family": { "id": FAMILY, "name": family, "created_at_ms": 1 },
        "member_id": MEMBER,
        "role": role,
        "state": "active",
        "permissions": ["notes.read"],
    });
    me
}

impl ScriptedApi {
    /// One that knows who asks as an owner; what is not for it goes to `elsewhere`.
    #[must_use]
    pub fn new(elsewhere: Arc<dyn HttpClient>) -> Self {
        let me = member_of("The Lights", "owner");
        let inner = Inner { me, steps: BTreeMap::new(), requests: Vec::new() };
        Self {
            elsewhere,
            inner: Mutex::new(inner),
            arrived: watch::Sender::new(0),
            gate: Semaphore::new(1 << 20),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Who asks, from now on.
    pub fn set_me(&self, me: Value) {
        self.inner().me = me;
    }

    /// The next answers at `path`, in order; after them it behaves.
    pub fn script(&self, path: &str, steps: impl IntoIterator<Item = Say>) {
        self.inner().steps.entry(path.to_owned()).or_default().extend(steps);
    }

    /// Answers about who asks, and about itself, are on their way, and do not arrive, until [`Self::release`].
    pub fn hold(&self) {
        self.gate.forget_permits(1 << 20);
    }

    /// Lets them arrive.
    pub fn release(&self) {
        self.gate.add_permits(1 << 20);
    }

    /// The requests that arrived at `path`, oldest first.
    #[must_use]
    pub fn requests_to(&self, path: &str) -> Vec<ApiRequest> {
        let inner = self.inner();
        inner.requests.iter().filter(|request| request.path == path).cloned().collect()
    }

    /// All requests that arrived.
    #[must_use]
    pub fn requests(&self) -> Vec<ApiRequest> {
        self.inner().requests.clone()
    }

    /// Waits until `count` requests have arrived at `path`.
    pub async fn until_requests_to(&self, path: &str, count: usize) {
        let mut arrived = self.arrived.subscribe();
        while self.requests_to(path).len() < count {
            arrived.changed().await.unwrap();
        }
    }

    fn answer(&self, request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
        let header = |name: &str| {
            let value = request.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let token = header("authorization").unwrap_or_default();
        let arrived = ApiRequest {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            token: token.strip_prefix("Bearer ").unwrap_or_default().to_owned(),
            key: header("idempotency-key"),
            body: serde_json::from_slice(request.body()).unwrap_or(Value::Null),
        };
        let mut inner = self.inner();
        let step = inner.steps.get_mut(&arrived.path).and_then(VecDeque::pop_front);
        let step = step.unwrap_or_else(|| match arrived.path.as_str() {
            "/api/me" => Say::Json(inner.me.clone()),
            _ => Say::Nothing,
        });
        inner.requests.push(arrived);
        let count = inner.requests.len();
        drop(inner);
        self.arrived.send_replace(count);
        say(step)
    }
}

fn say(step: Say) -> Result<Response<Vec<u8>>, HttpError> {
    let answer = |status: u16, kind: &str, body: String| {
        let builder = Response::builder().status(status).header("content-type", kind);
        builder.body(body.into_bytes()).unwrap()
    };
    let problem = |status: u16, code: &str| {
        let body = json!({
            "type": format!("https://luminous.family/problems/{code}"),
            "title": "t", "status": status, "code": code, "request_id": "request-1",
        });
        answer(status, "application/problem+json", body.to_string())
    };
    Ok(match step {
        Say::Json(value) => answer(200, "application/json", value.to_string()),
        Say::Nothing => Response::builder().status(204).body(Vec::new()).unwrap(),
        Say::Problem(status, code) => problem(status, code),
        Say::StepUp(class) => {
            let mut response = problem(401, "session.step_up_required");
            let words = format!(
                "Bearer realm=\"luminous\", error=\"insufficient_user_authentication\", \
                 error_description=\"a fresh sign-in is needed\", acr_values=\"{class}\", \
                 max_age=\"900\""
            );
            response.headers_mut().insert("www-authenticate", words.parse().unwrap());
            response
        }
        Say::Raw(status, kind, body) => answer(status, kind, body.to_owned()),
        Say::Unreachable => {
            return Err(HttpError::Unreachable { reason: "connection refused".to_owned() });
        }
    })
}

#[async_trait]
impl HttpClient for ScriptedApi {
    async fn send(
        &self,
        request: Request<Vec<u8>>,
        limits: Limits,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        match request.uri().host() {
            Some(host) if host.ends_with("family.example.test") => {
                let answer = self.answer(&request);
                if ["/api/me", "/.well-known/luminous"].contains(&request.uri().path()) {
                    drop(self.gate.acquire().await.unwrap());
                }
                answer
            }
            _ => self.elsewhere.send(request, limits).await,
        }
    }
}
