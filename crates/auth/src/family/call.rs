//! A request to the family server as a value, and its way there and back.

use std::time::Duration;

use http::{Method, Request, header};
use luminous_domain::AccessToken;
use luminous_oidc::{HttpClient, Limits};
use luminous_wire::AppError;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use url::Url;
use uuid::Uuid;

use super::answer::{self, Outcome};
use super::wishes::Wish;
use crate::error::internal;

const LIMITS: Limits = Limits { timeout: Duration::from_secs(15), max_body: 1024 * 1024 };

/// For the answer that holds everything about a person.
const LARGE: Limits = Limits { timeout: Duration::from_secs(30), max_body: 16 * 1024 * 1024 };

/// A request to the family server.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: Method,
    path: Vec<String>,
    body: Option<Vec<u8>>,
    key: Option<Uuid>,
    of_administration: bool,
    limits: Limits,
}

impl Call {
    fn new(method: Method, path: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        Self { method, path, body: None, key: None, of_administration: false, limits: LIMITS }
    }

    /// Reads.
    pub(crate) fn get(path: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Makes, or does, something.
    pub(crate) fn post(
        path: impl IntoIterator<Item = impl Into<String>>,
        body: &impl Serialize,
    ) -> Self {
        Self::new(Method::POST, path).with(body)
    }

    /// Does something that needs no more words.
    pub(crate) fn post_nothing(path: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::new(Method::POST, path)
    }

    /// Changes something.
    pub(crate) fn patch(
        path: impl IntoIterator<Item = impl Into<String>>,
        body: &impl Serialize,
    ) -> Self {
        Self::new(Method::PATCH, path).with(body)
    }

    /// Removes something.
    pub(crate) fn delete(path: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// With this body. The wire's types are plain data: they always serialise.
    pub(crate) fn with(self, body: &impl Serialize) -> Self {
        Self { body: Some(serde_json::to_vec(body).unwrap_or_default()), ..self }
    }

    /// Done once, even when it is sent again because the answer was lost.
    pub(crate) fn once(self, key: Uuid) -> Self {
        Self { key: Some(key), ..self }
    }

    pub(crate) const fn key(&self) -> Option<Uuid> {
        self.key
    }

    /// What tells this wish of the session `epoch` from others.
    pub(crate) fn wish(&self, epoch: u64) -> Wish {
        let mut digest = Sha256::new();
        digest.update(epoch.to_be_bytes());
        digest.update(self.method.as_str());
        for part in &self.path {
            digest.update([0]);
            digest.update(part);
        }
        digest.update([0, 0]);
        digest.update(self.body.as_deref().unwrap_or_default());
        digest.finalize().into()
    }

    /// For which the server wants a second factor.
    pub(crate) fn of_administration(self) -> Self {
        Self { of_administration: true, ..self }
    }

    pub(crate) const fn is_of_administration(&self) -> bool {
        self.of_administration
    }

    /// Whose answer may be large.
    pub(crate) fn large(self) -> Self {
        Self { limits: LARGE, ..self }
    }

    fn request(&self, api: &Url, token: &AccessToken) -> Result<Request<Vec<u8>>, AppError> {
        let mut url = api.clone();
        url.path_segments_mut()
            .map_err(|()| internal("the family server's address has no path"))?
            .pop_if_empty()
            .extend(&self.path);
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(url.as_str())
            .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()))
            .header(header::ACCEPT, "application/json, application/problem+json");
        if let Some(key) = self.key {
            request = request.header("idempotency-key", key.hyphenated().to_string());
        }
        if self.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        // The error would quote what could not be a header, which may be the token.
        request
            .body(self.body.clone().unwrap_or_default())
            .map_err(|_| internal("the request to the family server cannot be built"))
    }
}

/// Sends `call` with `token` to the family server at `api`.
///
/// # Errors
/// Why no verdict came.
pub(crate) async fn send(
    http: &dyn HttpClient,
    api: &Url,
    call: &Call,
    token: &AccessToken,
) -> Result<Outcome, AppError> {
    let request = call.request(api, token)?;
    let answer =
        http.send(request, call.limits).await.map_err(|error| answer::unreached(&error))?;
    answer::judge(answer)
}
