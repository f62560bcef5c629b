//! Asking the family server, with a proof of the display's key on every request.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Method, Request, header};
use luminous_domain::{AccessToken, Clock, Entropy};
use luminous_oidc::dpop::{self, DpopKey};
use luminous_oidc::{HttpClient, Limits};
use serde::de::DeserializeOwned;
use url::{Url, form_urlencoded};

use super::answer::{Refusal, Silence, judge};
use super::lock;
use super::time::ServerTime;
use crate::error::internal;

const LIMITS: Limits = Limits { timeout: Duration::from_secs(10), max_body: 512 * 1024 };

/// The family server, as one display asks it. Shared with the task that follows its hubs.
pub(super) struct Server {
    address: Url,
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    key: DpopKey,
    /// What time it is there.
    time: Mutex<ServerTime>,
}

/// A request to be.
struct Ask<'a> {
    method: Method,
    url: Url,
    form: Option<String>,
    access: Option<&'a AccessToken>,
}

impl Server {
    pub(super) fn new(ports: &super::Ports, address: Url, key: DpopKey, time: ServerTime) -> Self {
        Self {
            address,
            http: Arc::clone(&ports.http),
            clock: Arc::clone(&ports.clock),
            entropy: Arc::clone(&ports.entropy),
            key,
            time: Mutex::new(time),
        }
    }

    pub(super) const fn address(&self) -> &Url {
        &self.address
    }

    /// What is known of its time.
    pub(super) fn time(&self) -> ServerTime {
        lock(&self.time).clone()
    }

    pub(super) fn http(&self) -> &dyn HttpClient {
        &*self.http
    }

    /// The address of `path` at the server.
    pub(super) fn at(&self, path: &str) -> Url {
        let mut url = self.address.clone();
        let place = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&place);
        url
    }

    /// Posts a form to an endpoint of OAuth.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(super) async fn form<T: DeserializeOwned>(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<T, Refusal> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let url = self.at(path);
        self.ask(&Ask { method: Method::POST, url, form: Some(form), access: None }).await
    }

    /// Reads from the API.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        access: &AccessToken,
    ) -> Result<T, Refusal> {
        let url = self.at(path);
        self.ask(&Ask { method: Method::GET, url, form: None, access: Some(access) }).await
    }

    /// Posts nothing to the API.
    ///
    /// # Errors
    /// [`Refusal`].
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        access: &AccessToken,
    ) -> Result<T, Refusal> {
        let url = self.at(path);
        self.ask(&Ask { method: Method::POST, url, form: None, access: Some(access) }).await
    }

    /// A proof for a `POST` to `path` that is not sent as one: over the hub.
    ///
    /// # Errors
    /// [`Refusal::Silence`] when it cannot be made.
    pub(super) fn proof_for(&self, path: &str) -> Result<String, Refusal> {
        self.proof(&Method::POST, &self.at(path), None)
    }

    /// A second time with the right time, when the first one told it (F9).
    async fn ask<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, Refusal> {
        let (result, moved) = self.ask_once(ask).await;
        match result {
            Err(Refusal::Word(word)) if word.is_about_proof() && moved => {
                self.ask_once(ask).await.0
            }
            result => result,
        }
    }

    /// The answer, and whether it told another time than was thought.
    async fn ask_once<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> (Result<T, Refusal>, bool) {
        let request = match self.request(ask) {
            Ok(request) => request,
            Err(refusal) => return (Err(refusal), false),
        };
        let answer = match self.http.send(request, LIMITS).await {
            Ok(answer) => answer,
            Err(error) => return (Err(Refusal::Silence(error.into())), false),
        };
        let result = judge(&answer);
        let is_ours = !matches!(result, Err(Refusal::Silence(_)));
        let moved = is_ours && lock(&self.time).note(answer.headers(), &*self.clock);
        (result, moved)
    }

    fn request(&self, ask: &Ask<'_>) -> Result<Request<Vec<u8>>, Refusal> {
        let proof = self.proof(&ask.method, &ask.url, ask.access)?;
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(ask.url.as_str())
            .header(header::ACCEPT, "application/json, application/problem+json")
            .header(dpop::HEADER, proof);
        if let Some(access) = ask.access {
            request = request.header(header::AUTHORIZATION, format!("DPoP {}", access.expose()));
        }
        if ask.form.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        // The error would quote what could not be a header, which may be the token.
        let body = ask.form.clone().unwrap_or_default().into_bytes();
        request.body(body).map_err(|_| broken("the request cannot be built"))
    }

    fn proof(
        &self,
        method: &Method,
        url: &Url,
        access: Option<&AccessToken>,
    ) -> Result<String, Refusal> {
        let now = self.time().guess(&*self.clock);
        self.key
            .proof(method, url, access, now, &*self.entropy)
            .map_err(|_| broken("no proof of the key can be made"))
    }
}

fn broken(what: &str) -> Refusal {
    Refusal::Silence(Silence { error: internal(what), retry_after: None })
}
