//! The cookies: who is signed in, which browser began a sign-in, and which display's QR somebody has
//! photographed.
//!
//! All are `HttpOnly`, `SameSite=Lax` (the way back from the provider is a navigation from another
//! site, which `Strict` would not count) and carry the prefix `__Host-`, with which a browser takes
//! them only over TLS and from this very host. Over plain http, which only a development profile on
//! this machine has, prefix and `Secure` are left out: not all browsers keep such cookies there.

use std::time::Duration;

use aws_lc_rs::digest;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use luminous_domain::{Entropy, NoEntropy};
use luminous_store::SecretHash;
use zeroize::Zeroizing;

/// A cookie of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookie {
    /// Who is signed in.
    Session,
    /// Which browser began a sign-in.
    Browser,
    /// The secret of a display's QR.
    Photograph,
}

impl Cookie {
    const fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-luminous-session",
            (Self::Session, false) => "luminous-session",
            (Self::Browser, true) => "__Host-luminous-browser",
            (Self::Browser, false) => "luminous-browser",
            (Self::Photograph, true) => "__Host-luminous-photograph",
            (Self::Photograph, false) => "luminous-photograph",
        }
    }

    /// What the browser sends, if it is one well-formed value. Two of the same name mean that
    /// somebody else set one, and neither counts.
    #[must_use]
    pub fn read(self, headers: &HeaderMap, secure: bool) -> Option<CookieValue> {
        self.text(headers, secure).and_then(CookieValue::parse)
    }

    /// The same for a cookie whose value is not ours, whatever its form.
    #[must_use]
    pub fn text(self, headers: &HeaderMap, secure: bool) -> Option<&str> {
        let name = self.name(secure);
        let mut values = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        let value = values.next()?;
        if values.next().is_some() { None } else { Some(value) }
    }

    /// The header that gives it to the browser for `lifetime`.
    #[must_use]
    pub fn give(self, value: &CookieValue, secure: bool, lifetime: Duration) -> HeaderValue {
        self.set(&value.0, secure, lifetime.as_secs())
    }

    /// The same for a value that is not ours. What is no header's value gives nothing.
    #[must_use]
    pub fn give_text(self, value: &str, secure: bool, lifetime: Duration) -> HeaderValue {
        self.set(value, secure, lifetime.as_secs())
    }

    /// The header that takes it from the browser.
    #[must_use]
    pub fn take(self, secure: bool) -> HeaderValue {
        self.set("", secure, 0)
    }

    fn set(self, value: &str, secure: bool, seconds: u64) -> HeaderValue {
        let name = self.name(secure);
        let flag = if secure { "; Secure" } else { "" };
        let line =
            format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{flag}");
        // Names are ours and values are base64url, so this does not fail.
        let mut header =
            HeaderValue::from_str(&line).unwrap_or_else(|_| HeaderValue::from_static(""));
        header.set_sensitive(true);
        header
    }
}

/// 256 random bits in a cookie. Only its hash is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct CookieValue(Zeroizing<String>);

impl CookieValue {
    /// A new one.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn new(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        secret(entropy).map(Self)
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new).ok()?;
        (bytes.len() == 32).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// What the store keeps of it.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        sha256(self.0.as_bytes())
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for CookieValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CookieValue(..)")
    }
}

/// 256 random bits as 43 characters that need no escaping anywhere.
pub(super) fn secret(entropy: &dyn Entropy) -> Result<Zeroizing<String>, NoEntropy> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    entropy.fill(bytes.as_mut_slice())?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

/// SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> SecretHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use luminous_testkit::SeededEntropy;

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
        }
        headers
    }

    #[test]
    fn a_cookie_comes_back_as_it_was_given() {
        let value = CookieValue::new(&SeededEntropy::new(1)).unwrap();
        let pair = format!("other=1; __Host-luminous-session={}", value.expose());
        assert_eq!(Cookie::Session.read(&headers(&[&pair]), true), Some(value));
        assert_eq!(Cookie::Browser.read(&headers(&[&pair]), true), None);
    }

    #[test]
    fn a_cookie_without_the_prefix_does_not_count_over_tls() {
        let value = CookieValue::new(&SeededEntropy::new(1)).unwrap();
        let pair = format!("luminous-session={}", value.expose());
        assert_eq!(Cookie::Session.read(&headers(&[&pair]), true), None);
        assert_eq!(Cookie::Session.read(&headers(&[&pair]), false), Some(value));
    }

    #[test]
    fn a_cookie_that_came_twice_or_is_no_value_of_ours_does_not_count() {
        let seed = SeededEntropy::new(1);
        let (one, two) = (CookieValue::new(&seed).unwrap(), CookieValue::new(&seed).unwrap());
        let pair = |value: &str| format!("__Host-luminous-session={value}");
        let twice = [pair(one.expose()), pair(two.expose())];
        assert_eq!(Cookie::Session.read(&headers(&[&twice[0], &twice[1]]), true), None);
        assert_eq!(Cookie::Session.read(&headers(&[&twice.join("; ")]), true), None);
        for odd in ["", "abc", &"A".repeat(44), &"!".repeat(43)] {
            assert_eq!(Cookie::Session.read(&headers(&[&pair(odd)]), true), None, "{odd}");
        }
    }

    #[test]
    fn cookies_have_these_flags() {
        let value = CookieValue::new(&SeededEntropy::new(1)).unwrap();
        let show = |header: HeaderValue| header.to_str().unwrap().replace(value.expose(), "..");
        let lines = [
            show(Cookie::Session.give(&value, true, Duration::from_secs(60))),
            show(Cookie::Session.take(true)),
            show(Cookie::Browser.give(&value, false, Duration::from_secs(60))),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        __Host-luminous-session=..; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure
        __Host-luminous-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure
        luminous-browser=..; Path=/; Max-Age=60; HttpOnly; SameSite=Lax
        ");
    }
}
