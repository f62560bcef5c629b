//! What comes back from the browser: hostile bytes in, a typed answer out.
//!
//! Anybody can send such a link: another program through the deep link, any web page through the
//! loopback port. So the shape is checked here strictly and without any knowledge of a pending
//! sign-in; whether one asked for it is `pending.rs`'s question.

use luminous_domain::AuthorizationCode;
use luminous_wire::ErrorCode;
use url::Url;

use crate::provider_error::ProviderWords;

/// The redirect URI of the deep link, as it is registered with the provider. The scheme is a
/// reverse domain name (RFC 8252 section 7.1), the path ends with no slash.
pub const DEEP_LINK: &str = "family.luminous.app://auth/callback";

/// The path of the loopback redirect URI.
pub const LOOPBACK_PATH: &str = "/auth/callback";

/// Longest redirect looked at, in bytes. B2C's codes are 1-2 KiB.
pub const LONGEST: usize = 64 * 1024 - 1;

/// The redirect URI of the loopback listener on `port`: `localhost` by name, because the Azure
/// portal does not register `http://127.0.0.1`.
#[must_use]
pub fn loopback_uri(port: u16) -> String {
    format!("http://localhost:{port}{LOOPBACK_PATH}")
}

/// A well-formed answer to some authorization request (RFC 6749 section 4.1.2).
#[derive(Debug)]
pub struct Redirect {
    /// The redirect URI it came in on, without its query.
    pub endpoint: String,
    /// `state`; absent in answers that no request of ours can have caused.
    pub state: Option<String>,
    /// `iss` (RFC 9207), when the provider sends it.
    pub issuer: Option<String>,
    /// What the provider says.
    pub answer: Answer,
}

/// What the provider says.
#[derive(Debug)]
pub enum Answer {
    /// Yes: here is the code.
    Code(AuthorizationCode),
    /// No, and why.
    Refused(ProviderWords),
}

/// Why bytes are not a redirect of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// More than [`LONGEST`] bytes.
    #[error("the redirect is longer than {LONGEST} bytes")]
    TooLong,
    /// Not a URL: not ASCII (RFC 3986 section 2), a control character or blank, a bad escape.
    #[error("the redirect is not a URL")]
    NotAUrl,
    /// A URL, but not of our redirect URI.
    #[error("the redirect goes to another address")]
    OtherAddress,
    /// Carries a fragment; we ask for `response_mode=query`.
    #[error("the redirect has a fragment")]
    Fragment,
    /// A parameter twice (RFC 6749 section 3.1 forbids it).
    #[error("the redirect has a parameter twice")]
    Duplicate {
        /// Whether it is `state`.
        state: bool,
    },
    /// Neither a code nor an error, or both.
    #[error("the redirect has neither a code nor an error, or both")]
    NoAnswer,
}

impl RedirectError {
    /// The code for people.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Duplicate { state: true } => ErrorCode::RedirectStateMismatch,
            _ => ErrorCode::RedirectMalformed,
        }
    }
}

/// Reads a deep link.
///
/// Scheme and host are compared without regard to case (RFC 3986 sections 3.1 and 3.2.2), the path
/// exactly; user information and a port are refused.
///
/// # Errors
/// [`RedirectError`] for everything that is not a redirect of ours. Never panics.
pub fn parse_redirect(raw: &[u8]) -> Result<Redirect, RedirectError> {
    let text = url_text(raw)?;
    let (address, query) = split(text)?;
    if !address.eq_ignore_ascii_case(DEEP_LINK) || !address.ends_with("/callback") {
        return Err(RedirectError::OtherAddress);
    }
    parse_query(DEEP_LINK.to_owned(), query)
}

/// Reads the request target of a request to the loopback listener on `port`.
///
/// # Errors
/// As [`parse_redirect`].
pub fn parse_loopback(port: u16, target: &[u8]) -> Result<Redirect, RedirectError> {
    let text = url_text(target)?;
    let (path, query) = split(text)?;
    if path != LOOPBACK_PATH {
        return Err(RedirectError::OtherAddress);
    }
    parse_query(loopback_uri(port), query)
}

fn url_text(raw: &[u8]) -> Result<&str, RedirectError> {
    if raw.len() > LONGEST {
        return Err(RedirectError::TooLong);
    }
    if !raw.iter().all(u8::is_ascii_graphic) {
        return Err(RedirectError::NotAUrl);
    }
    std::str::from_utf8(raw).map_err(|_| RedirectError::NotAUrl)
}

fn split(text: &str) -> Result<(&str, &str), RedirectError> {
    if text.contains('#') {
        return Err(RedirectError::Fragment);
    }
    Ok(text.split_once('?').unwrap_or((text, "")))
}

/// The parameters this crate reads. Unknown ones are ignored (RFC 6749 section 4.1.2), except that
/// they, too, may come only once.
#[derive(Default)]
struct Parameters {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    iss: Option<String>,
}

fn parse_query(endpoint: String, query: &str) -> Result<Redirect, RedirectError> {
    let mut names = std::collections::HashSet::new();
    let mut found = Parameters::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        if !names.insert(name.clone()) {
            return Err(RedirectError::Duplicate { state: name == "state" });
        }
        let slot = match name.as_str() {
            "state" => &mut found.state,
            "code" => &mut found.code,
            "error" => &mut found.error,
            "error_description" => &mut found.error_description,
            "iss" => &mut found.iss,
            _ => continue,
        };
        *slot = Some(value).filter(|value| !value.is_empty());
    }
    let answer = match (found.code, found.error) {
        (Some(code), None) => Answer::Code(AuthorizationCode::new(code)),
        (None, Some(error)) => {
            let description = found.error_description.unwrap_or_default();
            Answer::Refused(ProviderWords::new(&error, &description))
        }
        _ => return Err(RedirectError::NoAnswer),
    };
    Ok(Redirect { endpoint, state: found.state, issuer: found.iss, answer })
}

/// Undoes `application/x-www-form-urlencoded`, strictly: a broken escape, a NUL or a byte sequence
/// that is not UTF-8 is an error, where `form_urlencoded` would let it pass or replace it.
fn decode(text: &str) -> Result<String, RedirectError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = hex(rest.next())?;
                high << 4 | hex(rest.next())?
            }
            other => other,
        });
    }
    if bytes.contains(&0) {
        return Err(RedirectError::NotAUrl);
    }
    String::from_utf8(bytes).map_err(|_| RedirectError::NotAUrl)
}

fn hex(digit: Option<u8>) -> Result<u8, RedirectError> {
    let value = digit.and_then(|digit| char::from(digit).to_digit(16));
    value.and_then(|value| u8::try_from(value).ok()).ok_or(RedirectError::NotAUrl)
}

/// `url` without what must not be logged: its query and fragment.
#[must_use]
pub fn without_query(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    bare.into()
}
