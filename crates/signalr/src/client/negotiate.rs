//! Negotiation, with the redirects that other hubs answer it with.

use std::time::Duration;

use url::Url;

use super::{ClientPort, Lost};
use crate::negotiation::{Negotiation, TEXT, WEB_SOCKETS};

/// Microsoft's clients follow a hundred.
const MOST_REDIRECTS: usize = 8;
const MOST_BYTES: usize = 64 * 1024;
/// A hub that wants to be left alone for longer is not believed.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Where the WebSocket is and what opens it.
pub(super) struct Route {
    pub(super) address: Url,
    pub(super) bearer: Option<String>,
}

/// A failed attempt, and how long the hub wants to be left alone.
pub(super) struct Failed {
    pub(super) why: Lost,
    pub(super) not_before: Duration,
}

impl<E: Into<Lost>> From<E> for Failed {
    fn from(why: E) -> Self {
        Self { why: why.into(), not_before: Duration::ZERO }
    }
}

pub(super) async fn negotiate<P: ClientPort>(port: &P, start: Route) -> Result<Route, Failed> {
    let mut route = start;
    for _ in 0..=MOST_REDIRECTS {
        let answer = port.post(&negotiation_of(&route.address), route.bearer.as_deref()).await?;
        if answer.status != 200 {
            let not_before = answer.retry_after.unwrap_or_default().min(LONGEST_PAUSE);
            return Err(Failed { why: Lost::Status(answer.status), not_before });
        }
        match read(&answer.body)? {
            Negotiation { error: Some(error), .. } => return Err(Lost::Refused(error).into()),
            Negotiation { url: Some(url), access_token, .. } => {
                route = redirected(route, &url, access_token)?;
            }
            said => return Ok(with_id(route, said)?),
        }
    }
    Err(Lost::TooManyRedirects.into())
}

fn read(body: &[u8]) -> Result<Negotiation, Lost> {
    let object = body.len() <= MOST_BYTES && body.trim_ascii_start().starts_with(b"{");
    if !object {
        return Err(Lost::Negotiation);
    }
    serde_json::from_slice(body).map_err(|_| Lost::Negotiation)
}

/// The hub's address with `/negotiate` behind its path, and the version asked for.
fn negotiation_of(hub: &Url) -> Url {
    let mut address = hub.clone();
    address.set_path(&format!("{}/negotiate", hub.path().trim_end_matches('/')));
    if !hub.query_pairs().any(|(key, _)| key == "negotiateVersion") {
        address.query_pairs_mut().append_pair("negotiateVersion", "1");
    }
    address
}

/// Our own ticket goes nowhere but to its own origin, and never from `https` to less.
fn redirected(from: Route, to: &str, bearer: Option<String>) -> Result<Route, Lost> {
    let address = Url::parse(to).map_err(|_| Lost::BadRedirect)?;
    let fits = match address.scheme() {
        "https" => true,
        "http" => from.address.scheme() == "http",
        _ => false,
    };
    if !fits {
        return Err(Lost::BadRedirect);
    }
    let same_origin = from.address.origin() == address.origin();
    let bearer = bearer.or(from.bearer.filter(|_| same_origin));
    Ok(Route { address, bearer })
}

fn with_id(mut route: Route, said: Negotiation) -> Result<Route, Lost> {
    let takes_text = |transport: &crate::negotiation::Transport| {
        transport.transport == WEB_SOCKETS
            && transport.transfer_formats.iter().any(|format| format == TEXT)
    };
    if !said.available_transports.unwrap_or_default().iter().any(takes_text) {
        return Err(Lost::NoWebSockets);
    }
    // Version 0 knows no token: there the id is the secret.
    let version = said.negotiate_version.unwrap_or(0);
    let id = if version > 0 { said.connection_token } else { said.connection_id };
    let id = id.filter(|id| !id.is_empty()).ok_or(Lost::Negotiation)?;
    route.address.query_pairs_mut().append_pair("id", &id);
    Ok(route)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect("an address")
    }

    #[test]
    fn the_query_of_the_hub_stays_when_negotiating() {
        let asked = |hub| negotiation_of(&url(hub)).to_string();
        assert_eq!(asked("https://a/hub"), "https://a/hub/negotiate?negotiateVersion=1");
        assert_eq!(asked("https://a/hub/?x=1"), "https://a/hub/negotiate?x=1&negotiateVersion=1");
        let azure = "https://a/client/negotiate?hub=h&negotiateVersion=1";
        assert_eq!(asked("https://a/client?hub=h&negotiateVersion=1"), azure);
    }

    #[test]
    fn a_redirect_never_carries_our_ticket_elsewhere_nor_leaves_https() {
        let from = || Route { address: url("https://a/hub"), bearer: Some("ours".to_owned()) };
        let to = |address, bearer: Option<&str>| {
            redirected(from(), address, bearer.map(str::to_owned)).map(|route| route.bearer)
        };
        assert_eq!(to("https://b/hub", None), Ok(None));
        assert_eq!(to("https://b/hub", Some("theirs")), Ok(Some("theirs".to_owned())));
        assert_eq!(to("https://a/other", None), Ok(Some("ours".to_owned())));
        for bad in ["http://a/hub", "wss://a/hub", "file:///etc/passwd", "hub"] {
            assert_eq!(to(bad, Some("theirs")), Err(Lost::BadRedirect), "{bad}");
        }
    }
}
