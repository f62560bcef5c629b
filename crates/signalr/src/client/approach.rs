//! One attempt: ticket, negotiation, WebSocket, handshake.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WireError, Message as Carried};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config};
use url::{Host, Url};

use super::negotiate::{Failed, Route, negotiate};
use super::{ClientPort, ClientSettings, Lost};
use crate::codec::{HandshakeRequest, HandshakeResponse, ProtocolError, Records};

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A connection whose handshake is done, with what may have come right behind it.
pub(super) struct Arrived {
    pub(super) socket: Socket,
    pub(super) records: Records,
}

pub(super) async fn approach<P: ClientPort>(
    settings: &ClientSettings,
    port: &P,
) -> Result<Arrived, Failed> {
    let attempt = async {
        let start = Route { address: settings.hub.clone(), bearer: port.ticket().await? };
        let route = if settings.skip_negotiation { start } else { negotiate(port, start).await? };
        let mut socket = Box::pin(open(settings, route)).await?;
        let handshake = shake_hands(settings, &mut socket);
        let records =
            timeout(settings.timing.handshake, handshake).await.unwrap_or(Err(Lost::Late))?;
        Ok(Arrived { socket, records })
    };
    timeout(settings.attempt, attempt).await.unwrap_or_else(|_| Err(Lost::Late.into()))
}

async fn open(settings: &ClientSettings, route: Route) -> Result<Socket, Lost> {
    let secure = route.address.scheme() == "https";
    let unreachable = |error: &dyn std::fmt::Display| Lost::Unreachable(error.to_string());
    let stream = dial(&route.address).await?;
    let connector = match secure {
        true => Connector::Rustls(match &settings.tls {
            Some(tls) => Arc::clone(tls),
            None => system_trust().map_err(|error| unreachable(&error))?,
        }),
        false => Connector::Plain,
    };
    let request = request(&route, secure).map_err(|error| of_error(error, settings))?;
    let config = WebSocketConfig::default()
        .read_buffer_size(4096)
        .write_buffer_size(0)
        .max_message_size(Some(settings.limits.record))
        .max_frame_size(Some(settings.limits.record));
    client_async_tls_with_config(request, stream, Some(config), Some(connector))
        .await
        .map(|(socket, _)| socket)
        .map_err(|error| of_error(error, settings))
}

async fn dial(address: &Url) -> Result<TcpStream, Lost> {
    let unreachable = |error: std::io::Error| Lost::Unreachable(error.to_string());
    let port = address.port_or_known_default().unwrap_or(443);
    let stream = match address.host() {
        Some(Host::Domain(name)) => TcpStream::connect((name, port)).await,
        Some(Host::Ipv4(ip)) => TcpStream::connect((ip, port)).await,
        Some(Host::Ipv6(ip)) => TcpStream::connect((ip, port)).await,
        None => return Err(Lost::Unreachable("the address has no host".to_owned())),
    };
    let stream = stream.map_err(unreachable)?;
    // Messages are small and somebody waits for each.
    stream.set_nodelay(true).map_err(unreachable)?;
    Ok(stream)
}

fn request(route: &Route, secure: bool) -> Result<Request<()>, WireError> {
    let mut address = route.address.clone();
    // From http(s) to ws(s) this cannot fail: all four are special schemes.
    let _ = address.set_scheme(if secure { "wss" } else { "ws" });
    let mut request = address.as_str().into_client_request()?;
    if let Some(bearer) = &route.bearer {
        let mut value = HeaderValue::try_from(format!("Bearer {bearer}"))
            .map_err(|error| WireError::HttpFormat(error.into()))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

/// The operating system's authorities, read once.
fn system_trust() -> Result<Arc<rustls::ClientConfig>, rustls::Error> {
    static TRUST: OnceLock<Arc<rustls::ClientConfig>> = OnceLock::new();
    if let Some(trust) = TRUST.get() {
        return Ok(Arc::clone(trust));
    }
    let mut roots = rustls::RootCertStore::empty();
    // What cannot be read is not trusted.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::clone(TRUST.get_or_init(|| Arc::new(config))))
}

async fn shake_hands(settings: &ClientSettings, socket: &mut Socket) -> Result<Records, Lost> {
    let limits = settings.limits;
    let request = Carried::Text(HandshakeRequest::json().encode().into());
    socket.send(request).await.map_err(|error| of_error(error, settings))?;
    let mut records = Records::new(limits.record);
    loop {
        if let Some(record) = records.next()? {
            return match HandshakeResponse::decode(&record, limits)?.error {
                Some(error) if !error.is_empty() => Err(Lost::Handshake(error)),
                _ => Ok(records),
            };
        }
        let came = socket.next().await;
        if let Some(chunk) = taken(came, settings)? {
            records.add(chunk)?;
        }
    }
}

/// The text of what came, if it is text.
pub(super) fn taken(
    came: Option<Result<Carried, WireError>>,
    settings: &ClientSettings,
) -> Result<Option<Bytes>, Lost> {
    match came {
        Some(Ok(Carried::Text(text))) => Ok(Some(text.into())),
        Some(Ok(Carried::Binary(_))) => Err(ProtocolError::Binary.into()),
        Some(Ok(Carried::Ping(_) | Carried::Pong(_) | Carried::Frame(_))) => Ok(None),
        Some(Ok(Carried::Close(_))) | None => Err(Lost::Broken),
        Some(Err(error)) => Err(of_error(error, settings)),
    }
}

fn of_error(error: WireError, settings: &ClientSettings) -> Lost {
    match error {
        WireError::Http(answer) => Lost::Upgrade(answer.status().as_u16()),
        WireError::Capacity(_) => ProtocolError::TooLong(settings.limits.record).into(),
        WireError::Utf8(error) => ProtocolError::Malformed(error).into(),
        WireError::Protocol(_) | WireError::ConnectionClosed | WireError::AlreadyClosed => {
            Lost::Broken
        }
        // Never the request itself: it holds the ticket.
        WireError::Url(_) | WireError::HttpFormat(_) => {
            Lost::Unreachable("the address or the ticket is no such thing".to_owned())
        }
        other => Lost::Unreachable(other.to_string()),
    }
}
