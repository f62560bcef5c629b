//! `/.well-known/luminous`: what a family server says of itself.

use std::time::Duration;

use http::{Request, header};
use luminous_oidc::{HttpClient, HttpError, Limits, Transport};
use luminous_wire::api::Discovery;
use luminous_wire::{AppError, ErrorCode};
use url::Url;

use super::answer::{content_type, unreached};

const LIMITS: Limits = Limits { timeout: Duration::from_secs(10), max_body: 64 * 1024 };

/// The document's version that this app reads.
const VERSION: u32 = 1;

/// The address a person typed, as it is meant: `https://` where no scheme was typed, without query
/// and without a slash at the end of a path.
///
/// # Errors
/// [`ErrorCode::ConfigInvalid`] when it cannot be one, or is not safe.
pub fn address(typed: &str, transport: Transport) -> Result<Url, AppError> {
    let typed = typed.trim();
    let text = match typed.contains("://") {
        true => typed.to_owned(),
        false => format!("https://{typed}"),
    };
    let invalid = || {
        let message = "the family server's address is not an https address";
        AppError::new(ErrorCode::ConfigInvalid, message)
    };
    let mut url = Url::parse(&text).map_err(|_| invalid())?;
    if !transport.allows(&url) {
        return Err(invalid());
    }
    url.set_query(None);
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// Asks the server at `address`, one of [`address`]'s.
///
/// # Errors
/// [`ErrorCode::ServerUnreachable`] and [`ErrorCode::ServerBusy`] when there is no answer now,
/// [`ErrorCode::ServerNotLuminous`] for any other answer than the document: a redirect too, because
/// whoever can redirect could send the sign-in elsewhere.
pub async fn ask(http: &dyn HttpClient, address: &Url) -> Result<Discovery, AppError> {
    let place = format!("{}/.well-known/luminous", address.as_str().trim_end_matches('/'));
    let request = Request::get(place).header(header::ACCEPT, "application/json");
    let request = request.body(Vec::new()).map_err(|_| not_luminous(0))?;
    let answer = http.send(request, LIMITS).await.map_err(|error| match error {
        HttpError::TooLarge { .. } | HttpError::Malformed { .. } => not_luminous(0),
        other => unreached(&other),
    })?;
    let status = answer.status().as_u16();
    if status == 429 || status >= 500 {
        let message = format!("the family server is failing (status {status})");
        return Err(AppError::new(ErrorCode::ServerBusy, message));
    }
    if status != 200 || content_type(answer.headers()) != "application/json" {
        return Err(not_luminous(status));
    }
    let said: Discovery =
        serde_json::from_slice(answer.body()).map_err(|_| not_luminous(status))?;
    match said.version {
        VERSION => Ok(said),
        _ => Err(not_luminous(status)),
    }
}

fn not_luminous(status: u16) -> AppError {
    let message = format!("what is at the address is not a family server (status {status})");
    AppError::new(ErrorCode::ServerNotLuminous, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_host_means_https() {
        for (typed, meant) in [
            (" family.example.test ", "https://family.example.test/"),
            ("family.example.test:8443/home/", "https://family.example.test:8443/home"),
            ("https://family.example.test/?x=1", "https://family.example.test/"),
            ("localhost:18456", "https://localhost:18456/"),
        ] {
            assert_eq!(address(typed, Transport::HttpsOnly).unwrap().as_str(), meant, "{typed}");
        }
        let local = address("http://localhost:18456", Transport::LoopbackHttp).unwrap();
        assert_eq!(local.as_str(), "http://localhost:18456/");
    }

    #[test]
    fn what_is_no_safe_address_is_refused() {
        for typed in [
            "",
            "not an address",
            "http://family.example.test",
            "http://localhost:18456",
            "https://u:p@family.example.test",
            "u:p@family.example.test",
            "javascript:alert(1)",
            "javascript://x/%0aalert(1)",
            "file:///etc/passwd",
            "https://x/#y",
        ] {
            let error = address(typed, Transport::HttpsOnly).unwrap_err();
            assert_eq!(error.code, ErrorCode::ConfigInvalid, "{typed}");
        }
    }
}
