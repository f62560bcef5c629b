//! The port through which the provider is asked, and its one real client.
//!
//! The port is a single bounded request: no redirects, no cookies, no retries, no decompression.
//! Whoever asks says how long and how much it may take, because a provider that is slow or huge
//! must cost its own request only.

use std::error::Error as StdError;
use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use crate::url_rules::is_loopback;

/// Sends one request and reads the whole answer, within limits.
#[async_trait]
pub trait HttpClient: Send + Sync {
    /// Sends `request` and answers whatever came back, redirects and error statuses included.
    ///
    /// # Errors
    /// [`HttpError`] when no complete answer came within `limits`.
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        limits: Limits,
    ) -> Result<http::Response<Vec<u8>>, HttpError>;
}

/// How long an exchange may take, and how much may come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From the first byte sent to the last byte read.
    pub timeout: Duration,
    /// The largest body accepted, in bytes, counted as it arrives.
    pub max_body: usize,
}

/// Why no answer came. Never holds a URL, a header or a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No connection: name not found, refused, reset, network down.
    #[error("the host cannot be reached: {reason}")]
    Unreachable {
        /// What the operating system or the resolver said.
        reason: String,
    },
    /// The other side could not prove who it is.
    #[error("the connection cannot be trusted: {reason}")]
    Tls {
        /// What the TLS library said.
        reason: String,
    },
    /// The other side's certificate begins in the future: this computer's clock is behind, as that of a
    /// small computer without a battery is until the network has told it the time (F10).
    #[error("the server's certificate is not valid yet by this computer's clock")]
    ClockBehind,
    /// The time was up.
    #[error("no complete answer in time")]
    Timeout,
    /// More came than was asked for.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The cap, in bytes.
        limit: usize,
    },
    /// What came is not HTTP, or ended too early; or the request could not be built.
    #[error("the exchange broke off: {reason}")]
    Malformed {
        /// What the HTTP library said.
        reason: String,
    },
    /// Plain HTTP to another machine, which this client never sends.
    #[error("plain http goes to this machine only")]
    Insecure,
}

/// Whom TLS connections are trusted by.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// PEM bundles trusted beside the operating system's own roots, for a private CA.
    pub extra_roots_pem: Vec<Vec<u8>>,
}

impl Trust {
    /// The operating system's roots only.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }
}

/// The real client, on `reqwest` with `rustls`.
#[derive(Debug, Clone)]
pub struct ReqwestClient {
    outside: reqwest::Client,
    // A proxy set for the outside world cannot reach a listener of this machine.
    loopback: reqwest::Client,
}

impl ReqwestClient {
    /// A client that trusts what `trust` says.
    ///
    /// # Errors
    /// [`HttpError::Tls`] when a root is not readable PEM or the system has no usable roots.
    pub fn new(trust: Trust) -> Result<Self, HttpError> {
        let mut roots = Vec::new();
        for pem in trust.extra_roots_pem {
            roots.extend(reqwest::Certificate::from_pem_bundle(&pem).map_err(tls)?);
        }
        let builder = || {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .tls_certs_merge(roots.clone())
        };
        Ok(Self {
            outside: builder().build().map_err(tls)?,
            loopback: builder().no_proxy().build().map_err(tls)?,
        })
    }

    async fn exchange(
        &self,
        request: http::Request<Vec<u8>>,
        max_body: usize,
    ) -> Result<http::Response<Vec<u8>>, HttpError> {
        let request = reqwest::Request::try_from(request).map_err(classify)?;
        let client = self.client_for(request.url())?;
        let mut answer = client.execute(request).await.map_err(classify)?;
        let mut response = http::Response::new(Vec::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        // The announced length only spares the reading; the count below is what holds.
        if answer.content_length().is_some_and(|length| length > max_body as u64) {
            return Err(HttpError::TooLarge { limit: max_body });
        }
        while let Some(chunk) = answer.chunk().await.map_err(classify)? {
            if response.body().len() + chunk.len() > max_body {
                return Err(HttpError::TooLarge { limit: max_body });
            }
            response.body_mut().extend_from_slice(&chunk);
        }
        Ok(response)
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, HttpError> {
        match (url.scheme(), is_loopback(url)) {
            ("http" | "https", true) => Ok(&self.loopback),
            ("https", false) => Ok(&self.outside),
            _ => Err(HttpError::Insecure),
        }
    }
}

#[async_trait]
impl HttpClient for ReqwestClient {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        limits: Limits,
    ) -> Result<http::Response<Vec<u8>>, HttpError> {
        tokio::time::timeout(limits.timeout, self.exchange(request, limits.max_body))
            .await
            .unwrap_or(Err(HttpError::Timeout))
    }
}

fn tls(error: reqwest::Error) -> HttpError {
    HttpError::Tls { reason: innermost(&error.without_url()) }
}

fn classify(error: reqwest::Error) -> HttpError {
    let error = error.without_url();
    let reason = innermost(&error);
    if error.is_timeout() {
        HttpError::Timeout
    } else if let Some(error) = tls_error(&error) {
        if is_not_valid_yet(error) { HttpError::ClockBehind } else { HttpError::Tls { reason } }
    } else if error.is_connect() {
        HttpError::Unreachable { reason }
    } else {
        HttpError::Malformed { reason }
    }
}

fn innermost(error: &dyn StdError) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// `io::Error` hides its payload from `source()`, so it is opened by hand.
fn tls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let found = error.downcast_ref().or_else(|| inner.and_then(|inner| tls_error(inner)));
        if found.is_some() {
            return found;
        }
        next = error.source();
    }
    None
}

const fn is_not_valid_yet(error: &rustls::Error) -> bool {
    use rustls::CertificateError::{NotValidYet, NotValidYetContext};
    matches!(error, rustls::Error::InvalidCertificate(NotValidYet | NotValidYetContext { .. }))
}
