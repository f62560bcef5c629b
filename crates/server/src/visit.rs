//! A request's circumstances: its id, where it comes from, which route it met.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::extract::MatchedPath;
use http::{Extensions, HeaderValue};
use luminous_store::Network;

use crate::problem::ApiError;

/// What is known about a request beside itself. Cheap to clone; among the request's extensions.
#[derive(Debug, Clone)]
pub struct Visit(Arc<Circumstances>);

#[derive(Debug)]
struct Circumstances {
    id: HeaderValue,
    address: IpAddr,
    route: OnceLock<MatchedPath>,
}

impl Visit {
    /// A request with this id from this address.
    #[must_use]
    pub fn new(id: HeaderValue, address: IpAddr) -> Self {
        Self(Arc::new(Circumstances { id, address, route: OnceLock::new() }))
    }

    /// The request's id, also in the log and in the answer.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.id.to_str().unwrap_or_default()
    }

    /// The same as the value of a header.
    #[must_use]
    pub fn id_header(&self) -> HeaderValue {
        self.0.id.clone()
    }

    /// Where it comes from, behind trusted proxies.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.0.address
    }

    /// What kind of network that is.
    #[must_use]
    pub fn network(&self) -> Network {
        network(self.0.address)
    }

    /// The route it met, once it met one.
    #[must_use]
    pub fn route(&self) -> Option<&MatchedPath> {
        self.0.route.get()
    }

    /// That of the request with these extensions.
    ///
    /// # Errors
    /// [`ApiError::Internal`] where nobody wrote it down.
    pub(crate) fn of(extensions: &Extensions) -> Result<&Self, ApiError> {
        let none = || ApiError::Internal("a request without a visit".to_owned());
        extensions.get().ok_or_else(none)
    }

    /// Writes down which route the request with these extensions met.
    pub(crate) fn meet(extensions: &Extensions) {
        if let (Some(visit), Some(route)) = (extensions.get::<Self>(), extensions.get()) {
            // Met twice only where a router is nested in another; the outer one counts.
            let _ = visit.0.route.set(MatchedPath::clone(route));
        }
    }
}

/// What kind of network an address is of.
#[must_use]
pub fn network(address: IpAddr) -> Network {
    let address = address.to_canonical();
    let private = match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    if address.is_loopback() {
        Network::Loopback
    } else if private {
        Network::Private
    } else {
        Network::Public
    }
}

/// Makes ids that no other request of any process has: 8 random bytes, and a count.
pub(crate) struct RequestIds {
    process: u64,
    count: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(process: [u8; 8]) -> Self {
        Self { process: u64::from_le_bytes(process), count: AtomicU64::new(0) }
    }

    pub(crate) fn next(&self) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let mut text = [0; 32];
        write_hex(&mut text[..16], self.process);
        write_hex(&mut text[16..], count);
        HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("none"))
    }
}

fn write_hex(out: &mut [u8], number: u64) {
    for (at, digit) in out.iter_mut().rev().enumerate() {
        let nibble = (number >> (4 * at)) & 15;
        *digit = b"0123456789abcdef"[usize::try_from(nibble).unwrap_or_default()];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_name_the_process() {
        let ids = RequestIds::new([1, 0, 0, 0, 0, 0, 0, 0xab]);
        assert_eq!(ids.next(), "ab000000000000010000000000000000");
        assert_eq!(ids.next(), "ab000000000000010000000000000001");
    }

    #[test]
    fn networks_are_told_apart_also_when_written_as_ipv6() {
        for (address, expected) in [
            ("127.0.0.1", Network::Loopback),
            ("::1", Network::Loopback),
            ("::ffff:127.0.0.1", Network::Loopback),
            ("192.168.7.4", Network::Private),
            ("::ffff:10.0.0.1", Network::Private),
            ("fd00::1", Network::Private),
            ("fe80::1", Network::Private),
            ("8.8.8.8", Network::Public),
            ("2001:db8::1", Network::Public),
        ] {
            assert_eq!(network(address.parse().unwrap()), expected, "{address}");
        }
    }
}
