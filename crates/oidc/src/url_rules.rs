//! Which URLs may be asked at all.

use url::{Host, Url};

/// Whether `url` points at this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Which schemes the provider may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// `https` only.
    #[default]
    HttpsOnly,
    /// `https`, and `http` to this machine: for the emulator, never for production.
    LoopbackHttp,
}

impl Transport {
    /// Whether `url` has a scheme this transport allows, names a host, and carries neither user
    /// information nor a fragment.
    #[must_use]
    pub fn allows(self, url: &Url) -> bool {
        let scheme = match url.scheme() {
            "https" => true,
            "http" => self == Self::LoopbackHttp && is_loopback(url),
            _ => false,
        };
        scheme
            && url.host().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
    }
}

/// `host` or `host:port` where the port is not the scheme's own; what an allow-list is written in.
#[must_use]
pub fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
