//! The secret of a QR, on its way from the address into a cookie.
//!
//! An address stays in the history, in a proxy's log and on the screen; a cookie that no script reads
//! and that ends with the code does not.

use std::time::Duration;

use axum::http::{HeaderMap, header};
use axum::response::Response;
use luminous_store::SecretHash;

use crate::link_codes::qr_hash;
use crate::state::AppState;
use crate::web::cookies::Cookie;
use crate::web::page::see_other;

/// No code lives longer (RFC 8628 section 5.2; ASVS 6.5.5).
const LIFETIME: Duration = Duration::from_secs(600);

/// What a camera read, as a hash.
pub(super) struct Photograph(SecretHash);

impl Photograph {
    /// The one that the browser brings along.
    pub(super) fn read(state: &AppState, headers: &HeaderMap) -> Option<Self> {
        Cookie::Photograph.text(headers, state.web().secure).and_then(qr_hash).map(Self)
    }

    pub(super) fn hash(&self) -> SecretHash {
        self.0
    }
}

/// What stands behind `qr=`: `None` where there is none of it, `Some(None)` where it is no secret.
pub(super) fn in_query(query: Option<&str>) -> Option<Option<String>> {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut secrets = pairs.filter(|(name, _)| name == "qr").map(|(_, value)| value.into_owned());
    let first = secrets.next()?;
    let only = secrets.next().is_none();
    Some(Some(first).filter(|secret| only && qr_hash(secret).is_some()))
}

/// Off to the address without it. What is no secret takes an older one away.
pub(super) fn keep(state: &AppState, secret: Option<&str>) -> Response {
    let mut response = see_other(state.web(), "/link");
    match secret {
        Some(secret) => {
            let cookie = Cookie::Photograph.give_text(secret, state.web().secure, LIFETIME);
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        None => forget(state, &mut response),
    }
    response
}

/// Takes it from the browser.
pub(super) fn forget(state: &AppState, response: &mut Response) {
    let cookie = Cookie::Photograph.take(state.web().secure);
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_secret_of_the_right_form_is_taken_from_an_address() {
        let good = "AAAAAAAAAAAAAAAAAAAA-_";
        assert_eq!(in_query(Some(&format!("qr={good}"))), Some(Some(good.to_owned())));
        for none in [None, Some(""), Some("code=K7M3QX"), Some("QR=AAAAAAAAAAAAAAAAAAAAAA")] {
            assert_eq!(in_query(none), None, "{none:?}");
        }
        for bad in
            ["qr=", "qr=short", &format!("qr={good}&qr={good}"), "qr=%0d%0aset-cookie:a=bcdef"]
        {
            assert_eq!(in_query(Some(bad)), Some(None), "{bad}");
        }
    }
}
