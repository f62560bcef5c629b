//! Whether a form comes from a page of ours.
//!
//! Two checks that fail apart: the form repeats a token that only a page of this session could show
//! (HMAC of the session's cookie with a key of the server, so nothing more is kept), and what the
//! browser says of itself (`Sec-Fetch-Site`, `Origin`) does not name another site.

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use super::cookies::CookieValue;

/// Makes and checks the tokens of forms.
pub struct Guard {
    key: hmac::Key,
    origin: String,
}

impl Guard {
    /// For the pages of `origin`, with a key that is for nothing else.
    #[must_use]
    pub fn new(key: &[u8; 32], origin: &str) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), origin: origin.to_owned() }
    }

    /// What the forms of this session carry.
    #[must_use]
    pub fn token(&self, session: &CookieValue) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, session.expose().as_bytes()))
    }

    /// Whether `token` is this session's.
    #[must_use]
    pub fn is_ours(&self, token: &str, session: &CookieValue) -> bool {
        bool::from(self.token(session).as_bytes().ct_eq(token.as_bytes()))
    }

    /// Whether the browser says that the request comes from a page of ours. What it does not say is
    /// not held against it; the token is asked for all the same.
    #[must_use]
    pub fn is_from_here(&self, headers: &HeaderMap) -> bool {
        let says = |name: &str, ours: &str| {
            headers.get_all(name).iter().all(|value| value.as_bytes() == ours.as_bytes())
        };
        says("sec-fetch-site", "same-origin") && says(header::ORIGIN.as_str(), &self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};
    use luminous_testkit::SeededEntropy;

    fn guard(key: u8) -> Guard {
        Guard::new(&[key; 32], "https://family.example")
    }

    #[test]
    fn a_token_is_good_for_one_session_of_one_server() {
        let seed = SeededEntropy::new(7);
        let (ana, ben) = (CookieValue::new(&seed).unwrap(), CookieValue::new(&seed).unwrap());
        let guard = guard(1);
        let token = guard.token(&ana);
        assert!(guard.is_ours(&token, &ana));
        assert!(!guard.is_ours(&token, &ben));
        assert!(!guard.is_ours("", &ana));
        assert!(!super::tests::guard(2).is_ours(&token, &ana));
        assert!(!token.contains(ana.expose()));
    }

    #[test]
    fn a_browser_that_names_another_site_is_believed() {
        let guard = guard(1);
        let from = |pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|&(name, value)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            });
            guard.is_from_here(&pairs.collect())
        };
        assert!(from(&[]));
        assert!(from(&[("origin", "https://family.example"), ("sec-fetch-site", "same-origin")]));
        for origin in ["https://evil.example", "null", "http://family.example", ""] {
            assert!(!from(&[("origin", origin)]), "{origin}");
        }
        for site in ["cross-site", "same-site", "none"] {
            assert!(!from(&[("sec-fetch-site", site)]), "{site}");
        }
    }
}
