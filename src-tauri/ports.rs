//! The real browser, keyring, network and clock behind the ports of `luminous-auth`.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use luminous_auth::{Browser, BrowserError, PlatformKeyring, Ports, SchemeProbe};
use luminous_domain::{Clock, OsEntropy};
use luminous_oidc::{HttpClient, HttpError, Limits, ReqwestClient, Trust};
use url::Url;

use crate::deep_link::SCHEME;
use crate::platform;

/// The ports over the real world. Nothing of it is touched before it is needed.
pub fn real(keyring_service: &str, clock: Arc<dyn Clock>) -> Ports {
    Ports {
        http: Arc::new(Http { client: OnceLock::new(), clock: clock.clone() }),
        browser: Arc::new(SystemBrowser),
        scheme: Arc::new(DesktopScheme),
        store: Arc::new(PlatformKeyring::new(keyring_service)),
        clock,
        entropy: Arc::new(OsEntropy),
    }
}

/// The browser the person chose for this computer. Never a webview of ours: the password belongs to
/// the provider, and Google refuses embedded browsers (RFC 8252 section 8.12).
struct SystemBrowser;

impl Browser for SystemBrowser {
    fn open(&self, url: &Url) -> Result<(), BrowserError> {
        if !may_be_opened(url) {
            return Err(BrowserError("not a web address".into()));
        }
        // The error's own words may quote the address, and with it the sign-in's state.
        open::that_detached(url.as_str()).map_err(|error| BrowserError(error.kind().to_string()))
    }
}

/// Only a web address over TLS, or the emulator's on this computer, is handed to the system.
fn may_be_opened(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.has_host(),
        "http" => matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")),
        _ => false,
    }
}

/// Whether the operating system would start this very program for our scheme.
struct DesktopScheme;

impl SchemeProbe for DesktopScheme {
    fn is_ours(&self) -> bool {
        platform::opens_scheme(SCHEME)
    }
}

/// The network. Notes how long the provider took, so that its share can be told from ours.
struct Http {
    // Made at the first request: it reads all roots of the system, which the first frame of the
    // window shall not wait for.
    client: OnceLock<ReqwestClient>,
    clock: Arc<dyn Clock>,
}

impl Http {
    fn client(&self) -> Result<&ReqwestClient, HttpError> {
        match self.client.get() {
            Some(client) => Ok(client),
            None => {
                let made = ReqwestClient::new(Trust::system())?;
                Ok(self.client.get_or_init(|| made))
            }
        }
    }
}

#[async_trait]
impl HttpClient for Http {
    async fn send(
        &self,
        request: Request<Vec<u8>>,
        limits: Limits,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let before = self.clock.elapsed();
        let answer = self.client()?.send(request, limits).await;
        let took: Duration = self.clock.elapsed().saturating_sub(before);
        let status = answer.as_ref().map_or(0, |response| response.status().as_u16());
        tracing::debug!(%method, path, status, took_us = took.as_micros() as u64, "provider");
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn u8_only_web_addresses_are_handed_to_the_system() {
        for good in ["https://tenant.b2clogin.com/x", "http://localhost:18455/x"] {
            assert!(may_be_opened(&good.parse().expect("an address")), "{good}");
        }
        for bad in [
            "http://tenant.b2clogin.com/x",
            "http://localhost.evil.example/x",
            "file:///etc/passwd",
            "smb://server/share",
            "javascript:alert(1)",
            "family.luminous.app://auth/callback",
            "data:text/html,x",
        ] {
            assert!(!may_be_opened(&bad.parse().expect("an address")), "{bad}");
        }
    }
}
