//! What happens to every request before and after its route: an id, the limits, a deadline, a net
//! for panics; then the problem document, the security headers and the figures.
//!
//! One layer by hand instead of a stack of ten: each of those would cost an allocation and a hop for
//! every request.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Limited;
use hyper::body::Body as _;
use ipnet::IpNet;
use tower::ServiceExt as _;

use crate::limits::RateLimit;
use crate::networks::subscriber;
use crate::problem::{ApiError, Refused};
use crate::state::AppState;
use crate::visit::{RequestIds, Visit};
use crate::web;

/// The header that carries the id of a request, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What a request meets first. Cheap to clone.
#[derive(Clone)]
pub struct Front(Arc<Shared>);

struct Shared {
    router: Router,
    state: AppState,
    ids: RequestIds,
    addresses: RateLimit<IpAddr>,
    deadline: Duration,
    is_https: bool,
}

impl Front {
    /// In front of `router`.
    #[must_use]
    pub fn new(router: Router, state: AppState) -> Self {
        let mut process = [0; 8];
        // Ids that are not unique beyond this process do no harm.
        let _ = state.entropy().fill(&mut process);
        let limits = &state.config().limits;
        Self(Arc::new(Shared {
            addresses: RateLimit::per_minute(limits.per_address_per_minute),
            deadline: Duration::from_secs(limits.request_seconds),
            ids: RequestIds::new(process),
            is_https: state.config().is_https(),
            router,
            state,
        }))
    }

    /// Answers one request that `peer` sent.
    ///
    /// # Errors
    /// Never: every failure is an answer.
    pub async fn answer(
        &self,
        peer: IpAddr,
        mut request: Request<Body>,
    ) -> Result<Response, Infallible> {
        let begun = self.0.state.clock().elapsed();
        let visit = self.visit(peer, request.headers());
        let method = request.method().clone();
        let audience = Audience::of(&request);
        request.extensions_mut().insert(visit.clone());
        let request = self.limit_body(request);
        let mut response = self.work(&visit, begun, request).await;
        self.finish(&visit, audience, &mut response);
        let took = self.0.state.clock().elapsed().saturating_sub(begun);
        self.note(&visit, &method, response.status(), took);
        Ok(response)
    }

    fn visit(&self, peer: IpAddr, headers: &HeaderMap) -> Visit {
        let proxies = &self.0.state.config().trusted_proxies;
        if !is_trusted(proxies, peer) {
            return Visit::new(self.0.ids.next(), peer);
        }
        let id = headers.get(REQUEST_ID).filter(|id| is_id(id)).cloned();
        let id = id.unwrap_or_else(|| self.0.ids.next());
        Visit::new(id, client_behind(proxies, peer, headers))
    }

    /// Lets nobody read more of the body than is allowed. Most requests have none.
    fn limit_body(&self, request: Request<Body>) -> Request<Body> {
        if request.body().is_end_stream() {
            return request;
        }
        let most = self.0.state.config().limits.body_bytes;
        request.map(|body| Body::new(Limited::new(body, most)))
    }

    /// The route's own answer, unless a limit or a failure comes first.
    async fn work(&self, visit: &Visit, now: Duration, request: Request<Body>) -> Response {
        if let Err(wait) = self.0.addresses.count(&subscriber(visit.address()), now) {
            return ApiError::RateLimited { retry_after_s: wait.as_secs() + 1 }.into_response();
        }
        let in_flight = InFlight::enter(&self.0.state.meters().in_flight);
        let most = self.0.state.config().limits.concurrent_requests as u64;
        if in_flight.before >= most {
            return ApiError::Overloaded.into_response();
        }
        let route = AssertUnwindSafe(self.0.router.clone().oneshot(request)).catch_unwind();
        match tokio::time::timeout(self.0.deadline, route).await {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(never))) => match never {},
            // The panic hook has logged what it was; its text may hold anything.
            Ok(Err(_)) => ApiError::Internal("a handler panicked".to_owned()).into_response(),
            Err(_) => ApiError::Timeout.into_response(),
        }
    }

    fn finish(&self, visit: &Visit, audience: Audience, response: &mut Response) {
        let refused = response.extensions_mut().remove().map(|Refused(error)| error);
        let is_bare = audience != Audience::Hub && is_bare_error(response);
        let bare = || is_bare.then(|| of_status(response.status()));
        if let Some(error) = refused.or_else(bare) {
            error.render(visit.id(), response);
            if let Audience::Page(language) = audience {
                web::dress(&self.0.state, language, (visit.id(), &error), response);
            }
        }
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, visit.id_header());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self.0.is_https {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
        }
        if !matches!(audience, Audience::Page(_)) {
            headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
            headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NOTHING);
        }
    }

    fn note(&self, visit: &Visit, method: &Method, status: StatusCode, took: Duration) {
        let route = visit.route().map_or("unmatched", |route| route.as_str());
        self.0.state.meters().answered(method, route, status, took);
        // The path is not logged: only patterns are known to hold no id and no secret.
        tracing::debug!(
            request_id = visit.id(), %method, route, status = status.as_u16(),
            took_us = took.as_micros(), "answered"
        );
    }
}

const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Counts a request while it is worked on, whatever becomes of it.
struct InFlight<'a> {
    count: &'a AtomicU64,
    before: u64,
}

impl<'a> InFlight<'a> {
    fn enter(count: &'a AtomicU64) -> Self {
        Self { count, before: count.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether it is one of the pages for browsers, which bring headers of their own, and whose
/// refusals are pages too.
fn is_page(path: &str) -> bool {
    const PAGES: [&str; 8] =
        ["", "assets", "callback", "join", "link", "login", "logout", "signed-out"];
    path.split('/').nth(1).is_some_and(|first| PAGES.contains(&first))
}

fn is_trusted(proxies: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    proxies.iter().any(|proxy| proxy.contains(&address))
}

/// The address nearest to us that is no trusted proxy: each proxy appends whom it heard from, and
/// what stands before that anybody may have written.
fn client_behind(proxies: &[IpNet], peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let mut nearest = peer;
    for value in headers.get_all(FORWARDED_FOR).iter().rev() {
        for hop in value.to_str().unwrap_or_default().rsplit(',') {
            let Some(hop) = hop_of(hop.trim()) else { return nearest };
            nearest = hop;
            if !is_trusted(proxies, hop) {
                return nearest;
            }
        }
    }
    nearest
}

/// The address of a hop. Some proxies write its port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
fn hop_of(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().map(|hop| hop.ip());
    bare.parse().or_else(|_| with_port()).ok()
}

fn is_id(id: &HeaderValue) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (8..=64).contains(&id.len()) && id.as_bytes().iter().all(plain)
}

/// Who reads an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    /// A person, in this language.
    Page(web::Language),
    /// A client of SignalR: bare statuses and texts are Microsoft's, and what its clients know.
    Hub,
    /// A program.
    Api,
}

impl Audience {
    fn of(request: &Request<Body>) -> Self {
        let path = request.uri().path();
        if is_page(path) {
            Self::Page(web::Language::of(request.headers()))
        } else if path.starts_with("/hubs/") {
            Self::Hub
        } else {
            Self::Api
        }
    }
}

/// Whether a response is a refusal of the framework's own, in plain text or without any.
fn is_bare_error(response: &Response) -> bool {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    (status.is_client_error() || status.is_server_error())
        && kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"))
}

fn of_status(status: StatusCode) -> ApiError {
    match status {
        StatusCode::NOT_FOUND => ApiError::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ApiError::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ApiError::MediaType,
        status if status.is_client_error() => {
            ApiError::Input("the request is not what it must be".to_owned())
        }
        status => ApiError::Internal(format!("a bare {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(forwarded: &'static str) -> IpAddr {
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        headers.insert(FORWARDED_FOR, HeaderValue::from_static(forwarded));
        client_behind(&proxies, "10.0.0.1".parse().unwrap(), &headers)
    }

    #[test]
    fn a_hop_may_be_written_with_its_port() {
        for (forwarded, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("203.0.113.9, 192.0.2.1:4711, 10.0.0.2:80", "192.0.2.1"),
            ("203.0.113.9, nonsense:80, 10.0.0.2", "10.0.0.2"),
            ("192.0.2.1:99999", "10.0.0.1"),
        ] {
            assert_eq!(client(forwarded), expected.parse::<IpAddr>().unwrap(), "{forwarded}");
        }
    }
}
