//! The two routes: negotiation, and the upgrade to a WebSocket. Statuses and texts are Microsoft's.

use std::borrow::Cow;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ORIGIN};
use http::request::Parts;
use http::{Method, StatusCode};

use super::live::Taken;
use super::{ConnectionId, Handler, Hub, HubSettings, queue, socket};
use crate::negotiation::{Negotiation, TEXT, Transport, WEB_SOCKETS};

/// The newest version of negotiation.
const NEWEST: i32 = 1;

/// The ticket that a request presents: `Authorization: Bearer`, or `access_token` in the query, which is
/// what browsers do whose WebSockets carry no headers.
#[must_use]
pub fn presented_ticket(parts: &Parts) -> Option<Cow<'_, str>> {
    let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| {
        let (scheme, ticket) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| Cow::Borrowed(ticket.trim()))
    });
    bearer.or_else(|| asked(parts, "access_token"))
}

/// A value of the query. ASP.NET takes its names in any case.
fn asked<'a>(parts: &'a Parts, name: &str) -> Option<Cow<'a, str>> {
    let query = parts.uri.query()?;
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

pub(super) async fn negotiate<H: Handler>(hub: Hub<H>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if parts.method != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    if let Some(refusal) = refuse_at_the_door(&hub.0.settings, &parts) {
        return refusal;
    }
    let ticket = presented_ticket(&parts);
    let caller = match hub.0.handler.admit(&parts, ticket.as_deref()).await {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into_response(),
    };
    let version = match version(asked(&parts, "negotiateVersion").as_deref()) {
        Ok(version) => version,
        Err(error) => return answer(&Negotiation { error: Some(error), ..Negotiation::default() }),
    };
    let settings = &hub.0.settings;
    let Ok(id) = ConnectionId::random(settings.entropy.as_ref()) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let sealed = hub.0.handler.seal(&caller);
    let token = hub.0.key.seal(id, settings.clock.now(), &sealed);
    answer(&invitation(version, id, token))
}

fn version(asked: Option<&str>) -> Result<i32, String> {
    let version: i32 = asked
        .unwrap_or("0")
        .trim()
        .parse()
        .map_err(|_| "The client requested a non-integer protocol version.".to_owned())?;
    if version < 0 {
        return Err(format!(
            "The client requested version '{version}', but the server does not support this version."
        ));
    }
    Ok(version.min(NEWEST))
}

/// In version 0 the connection id is the token.
fn invitation(version: i32, id: ConnectionId, token: String) -> Negotiation {
    let (id, token) = if version == 0 { (token, None) } else { (id.to_string(), Some(token)) };
    let transport =
        Transport { transport: WEB_SOCKETS.to_owned(), transfer_formats: vec![TEXT.to_owned()] };
    Negotiation {
        negotiate_version: Some(version),
        connection_id: Some(id),
        connection_token: token,
        available_transports: Some(vec![transport]),
        ..Negotiation::default()
    }
}

fn answer(negotiation: &Negotiation) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    match serde_json::to_string(negotiation) {
        Ok(body) => (headers, body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A page of another origin may not use a browser's credentials or network here (P8), and nobody may
/// come while we go.
fn refuse_at_the_door(settings: &HubSettings, parts: &Parts) -> Option<Response> {
    if settings.shutdown.is_cancelled() {
        return Some(StatusCode::SERVICE_UNAVAILABLE.into_response());
    }
    let mut origins = parts.headers.get_all(ORIGIN).iter();
    let known = |origin: &http::HeaderValue| {
        settings.origins.iter().any(|known| known.as_bytes() == origin.as_bytes())
    };
    (!origins.all(known)).then(|| StatusCode::FORBIDDEN.into_response())
}

pub(super) async fn connect<H: Handler>(hub: Hub<H>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if let Some(refusal) = refuse_at_the_door(&hub.0.settings, &parts) {
        return refusal;
    }
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let Ok(upgrade) = upgrade else {
        return refuse_other_transports(&hub, &parts);
    };
    let (present, caller) = match enter(&hub, &parts).await {
        Ok(entered) => entered,
        Err(refusal) => return *refusal,
    };
    let limits = hub.0.settings.limits;
    // The buffers are what an idle connection costs. What is a little too long is still read, so that it
    // can be answered with 1009 rather than a reset.
    let upgrade = upgrade
        .read_buffer_size(512)
        .write_buffer_size(0)
        .max_write_buffer_size(queue::MOST_BYTES * 2)
        .max_message_size(limits.record * 2)
        .max_frame_size(limits.record * 2);
    upgrade.on_upgrade(move |web_socket| async move {
        socket::serve(&present.hub.0, web_socket, present.id, caller).await;
    })
}

/// Holds an id as long as somebody is on the way to it or there, also if the upgrade fails.
struct Present<H: Handler> {
    hub: Hub<H>,
    id: ConnectionId,
    _task: tokio_util::task::task_tracker::TaskTrackerToken,
}

impl<H: Handler> Present<H> {
    fn new(hub: &Hub<H>, id: ConnectionId) -> Self {
        Self { hub: hub.clone(), id, _task: hub.0.tasks.token() }
    }
}

impl<H: Handler> Drop for Present<H> {
    fn drop(&mut self) {
        self.hub.0.live.release(self.id);
    }
}

/// Who comes: the one whom the connection token names, or whoever the handler admits here and now. The
/// refusal is boxed because it is large and rare.
async fn enter<H: Handler>(
    hub: &Hub<H>,
    parts: &Parts,
) -> Result<(Present<H>, H::Caller), Box<Response>> {
    let now = hub.0.settings.clock.now().as_second();
    let token = asked(parts, "id").filter(|id| !id.is_empty());
    let Some(token) = token else {
        let ticket = presented_ticket(parts);
        let admitted = hub.0.handler.admit(parts, ticket.as_deref()).await;
        let caller = admitted.map_err(|refusal| Box::new(refusal.into_response()))?;
        let id = ConnectionId::random(hub.0.settings.entropy.as_ref())
            .map_err(|_| Box::new(StatusCode::INTERNAL_SERVER_ERROR.into_response()))?;
        hub.0.live.take(id, now + 1, now);
        return Ok((Present::new(hub, id), caller));
    };
    let opened = hub.0.key.open(&token).ok_or_else(unknown)?;
    // Another replica may have said when it expires.
    let expires = opened.expires.saturating_add_unsigned(hub.0.settings.apart.as_secs());
    let present = match hub.0.live.take(opened.id, expires, now) {
        Taken::Now => Present::new(hub, opened.id),
        Taken::Before => return Err(Box::new(StatusCode::CONFLICT.into_response())),
        Taken::Expired => return Err(unknown()),
    };
    let caller = hub.0.handler.open(&opened.sealed).ok_or_else(unknown)?;
    match hub.0.handler.claim(opened.id).await {
        Ok(true) => Ok((present, caller)),
        Ok(false) => Err(Box::new(StatusCode::CONFLICT.into_response())),
        Err(refusal) => Err(Box::new(refusal.into_response())),
    }
}

fn unknown() -> Box<Response> {
    Box::new((StatusCode::NOT_FOUND, "No Connection with that ID").into_response())
}

/// Long polling, server-sent events and whatever else is no WebSocket.
fn refuse_other_transports<H: Handler>(hub: &Hub<H>, parts: &Parts) -> Response {
    if ![Method::GET, Method::POST, Method::DELETE].contains(&parts.method) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let Some(token) = asked(parts, "id").filter(|id| !id.is_empty()) else {
        return (StatusCode::BAD_REQUEST, "Connection ID required").into_response();
    };
    if hub.0.key.open(&token).is_none() {
        return *unknown();
    }
    match parts.method {
        Method::POST => (
            StatusCode::METHOD_NOT_ALLOWED,
            "POST requests are not allowed for WebSocket connections.",
        )
            .into_response(),
        Method::DELETE => {
            (StatusCode::BAD_REQUEST, "Cannot terminate this connection using the DELETE endpoint.")
                .into_response()
        }
        _ => (StatusCode::NOT_FOUND, "LongPolling transport not supported by this end point type")
            .into_response(),
    }
}
