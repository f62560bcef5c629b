//! Whose word an answer is. Only our own server's counts: JSON in the words of OAuth or of our API,
//! with the id of the request, over a connection that proved whose it is (`HttpClient` sends plain
//! HTTP to this machine only). Everything else is silence: a failing server, a hotel's login page, a
//! proxy's 403. Silence ends nothing (F12).

use std::time::Duration;

use http::{HeaderMap, Response, StatusCode, header};
use luminous_domain::MatchNumber;
use luminous_oidc::HttpError;
use luminous_wire::api::{OAuthProblem, Problem};
use luminous_wire::{AppError, ErrorCode};
use serde::de::DeserializeOwned;

use crate::family::answer::{content_type, no_verdict, read, unreached};

/// A server that wants to be left alone for longer is not believed: it may be something in its place.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Why the server did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It said no.
    Word(Word),
    /// There is no word of it.
    Silence(Silence),
}

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) status: u16,
    /// In the words of OAuth or of our API: `authorization_pending`, `device.revoked`.
    pub(super) code: String,
    pub(super) reason: Option<String>,
    /// The number to show, with `authorization_pending`.
    pub(super) number: Option<MatchNumber>,
    /// The interval from now on, with `slow_down`.
    pub(super) interval: Option<Duration>,
    request_id: String,
}

/// Nothing of our server's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Silence {
    pub(super) error: AppError,
    pub(super) retry_after: Option<Duration>,
}

impl Word {
    /// Whether it says that the tokens are dead.
    pub(super) fn ends_tokens(&self) -> bool {
        matches!(self.status, 400 | 401) && self.code == "invalid_grant"
    }

    /// Whether it does not accept the proof, which a wrong clock may explain.
    pub(super) fn is_about_proof(&self) -> bool {
        matches!(self.code.as_str(), "invalid_dpop_proof" | "token.proof_invalid")
    }

    /// For people: the server is there and does not do it.
    pub(super) fn to_error(&self) -> AppError {
        let code = match self.is_about_proof() {
            true => ErrorCode::ClockSkew,
            false => ErrorCode::ServerRefused,
        };
        let message = format!("the family server refused (status {})", self.status);
        AppError {
            reason: Some(self.code.clone()),
            correlation_id: Some(self.request_id.clone()),
            ..AppError::new(code, message)
        }
    }
}

impl From<HttpError> for Silence {
    fn from(error: HttpError) -> Self {
        let error = match error {
            HttpError::ClockBehind => AppError::new(ErrorCode::ClockSkew, error.to_string()),
            error => unreached(&error),
        };
        Self { error, retry_after: None }
    }
}

/// Reads an answer.
///
/// # Errors
/// [`Refusal`].
pub(super) fn judge<T: DeserializeOwned>(answer: &Response<Vec<u8>>) -> Result<T, Refusal> {
    let status = answer.status();
    let is_json = content_type(answer.headers()) == "application/json";
    if status.is_success() && is_json {
        return read(answer.body()).map_err(|error| silence(error, answer.headers()));
    }
    match word(answer) {
        Some(word) if is_failing(status) => {
            let error = AppError { reason: Some(word.code.clone()), ..no_verdict(status) };
            let says =
                |what| [Some(word.code.as_str()), word.reason.as_deref()].contains(&Some(what));
            let code = match () {
                () if says("device.capacity") => ErrorCode::DeviceCapacity,
                () if says("device.rate_limited") => ErrorCode::DeviceRateLimited,
                () => error.code,
            };
            Err(silence(AppError { code, ..error }, answer.headers()))
        }
        Some(word) if status.is_client_error() => Err(Refusal::Word(word)),
        _ => Err(silence(no_verdict(status), answer.headers())),
    }
}

fn is_failing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn silence(error: AppError, headers: &HeaderMap) -> Refusal {
    let after = headers.get(header::RETRY_AFTER).and_then(|after| after.to_str().ok());
    // The other form, a date, would be compared with a clock that may be the very problem.
    let retry_after = after.and_then(|after| after.trim().parse().ok()).map(Duration::from_secs);
    let retry_after = retry_after.map(|after| after.min(LONGEST_PAUSE));
    Refusal::Silence(Silence { error, retry_after })
}

/// What our server said, if it was our server.
fn word(answer: &Response<Vec<u8>>) -> Option<Word> {
    let status = answer.status().as_u16();
    match content_type(answer.headers()).as_str() {
        "application/json" => {
            let said: OAuthProblem = serde_json::from_slice(answer.body()).ok()?;
            of_oauth(status, &said)
        }
        "application/problem+json" => {
            let said: Problem = serde_json::from_slice(answer.body()).ok()?;
            let (code, request_id) = (name(&said.code)?, name(&said.request_id)?);
            Some(Word { status, code, reason: None, number: None, interval: None, request_id })
        }
        _ => None,
    }
}

/// The words of a token endpoint, wherever they came from: by HTTP or over the hub.
pub(super) fn of_oauth(status: u16, said: &OAuthProblem) -> Option<Word> {
    Some(Word {
        status,
        code: name(&said.error)?,
        reason: said.reason.as_deref().and_then(name),
        number: said.match_number.as_deref().and_then(MatchNumber::parse),
        interval: said.interval.map(|seconds| Duration::from_secs(seconds.into())),
        request_id: said.request_id.as_deref().and_then(name)?,
    })
}

/// A word or an id from outside, or nothing.
fn name(text: &str) -> Option<String> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::strategy::Strategy as _;
    use serde_json::Value;

    use super::*;

    fn answer(status: u16, kind: &str, body: &str) -> Response<Vec<u8>> {
        let builder = Response::builder().status(status).header("content-type", kind);
        builder.body(body.as_bytes().to_vec()).unwrap()
    }

    fn judged(status: u16, kind: &str, body: &str) -> Refusal {
        judge::<Value>(&answer(status, kind, body)).unwrap_err()
    }

    const GRANT: &str = r#"{"error":"invalid_grant","reason":"revoked","request_id":"r-1"}"#;

    #[test]
    fn f12_only_our_servers_own_invalid_grant_ends_tokens() {
        for status in [400, 401] {
            let Refusal::Word(word) = judged(status, "application/json; charset=utf-8", GRANT)
            else {
                panic!("{status}")
            };
            assert!(word.ends_tokens());
            assert_eq!(word.reason.as_deref(), Some("revoked"));
        }
        let others = [
            (200, "text/html", "<h1>Hotel</h1>"),
            (302, "text/html", ""),
            (400, "text/html", "<h1>Bad Request</h1>"),
            (400, "application/json", r#"{"error":"invalid_grant"}"#),
            (400, "application/json", "{}"),
            (400, "text/plain", GRANT),
            (403, "text/html", "<h1>Proxy</h1>"),
            (407, "text/html", ""),
            (429, "application/json", GRANT),
            (500, "application/json", GRANT),
            (502, "text/html", "<h1>nginx</h1>"),
            (503, "application/json", r#"{"error":"temporarily_unavailable","request_id":"r-1"}"#),
            (511, "text/html", "<h1>Sign in</h1>"),
        ];
        for (status, kind, body) in others {
            let refusal = judged(status, kind, body);
            assert!(matches!(refusal, Refusal::Silence(_)), "{status} {kind} {body}: {refusal:?}");
        }
        let pending = r#"{"error":"authorization_pending","request_id":"r-1"}"#;
        for (status, body) in [(400, pending), (403, GRANT)] {
            let Refusal::Word(word) = judged(status, "application/json", body) else { panic!() };
            assert!(!word.ends_tokens(), "{status} {body}");
        }
    }

    #[test]
    fn f10_a_clock_that_makes_the_certificate_one_of_the_future_is_called_wrong() {
        let said = |error| Silence::from(error).error.code;
        assert_eq!(said(HttpError::ClockBehind), ErrorCode::ClockSkew);
        let expired = HttpError::Tls { reason: "expired".to_owned() };
        assert_eq!(said(expired), ErrorCode::ServerUnreachable);
    }

    #[test]
    fn u4_free_text_from_outside_is_no_word() {
        let body = r#"{"error":"<b>invalid_grant</b>","request_id":"r-1"}"#;
        assert!(matches!(judged(400, "application/json", body), Refusal::Silence(_)));
    }

    #[test]
    fn a_full_server_says_so_and_when_to_come_back() {
        let body =
            r#"{"type":"x","title":"t","status":503,"code":"device.capacity","request_id":"r"}"#;
        let mut answer = answer(503, "application/problem+json", body);
        answer.headers_mut().insert(header::RETRY_AFTER, "7".parse().unwrap());
        let Err(Refusal::Silence(silence)) = judge::<Value>(&answer) else { panic!() };
        assert_eq!(silence.error.code, ErrorCode::DeviceCapacity);
        assert_eq!(silence.retry_after, Some(Duration::from_secs(7)));
    }

    #[test]
    fn a_display_that_asked_for_too_many_codes_hears_that() {
        let body = r#"{"error":"slow_down","reason":"device.rate_limited","request_id":"r"}"#;
        let Refusal::Silence(silence) = judged(429, "application/json", body) else { panic!() };
        assert_eq!(silence.error.code, ErrorCode::DeviceRateLimited);
    }

    #[test]
    fn nothing_makes_a_display_wait_for_ever() {
        let mut answer = answer(503, "text/html", "");
        let far = u64::MAX.to_string();
        answer.headers_mut().insert(header::RETRY_AFTER, far.parse().unwrap());
        let Err(Refusal::Silence(silence)) = judge::<Value>(&answer) else { panic!() };
        assert_eq!(silence.retry_after, Some(LONGEST_PAUSE));
    }

    proptest::proptest! {
        #[test]
        fn fuzz_problem_bodies_end_nothing_unless_they_are_our_servers_own_word(
            status in 100_u16..600,
            kind in "application/json|application/problem\\+json|text/html|[ -~]{0,20}",
            body in proptest::prop_oneof![
                proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
                "\\{\"(error|code)\":\"(invalid_grant|device.revoked|[a-z_.]{0,12})\"(,\"request_id\":(\"[a-z0-9]{0,6}\"|[0-9]))?(,\"reason\":\"[ -~]{0,6}\")?\\}"
                    .prop_map(String::into_bytes),
            ],
        ) {
            let mut answer = Response::new(body.clone());
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            if let Ok(kind) = kind.parse() {
                answer.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            if let Err(Refusal::Word(word)) = judge::<Value>(&answer) && word.ends_tokens() {
                let said: Value = serde_json::from_slice(&body).unwrap();
                proptest::prop_assert!(matches!(status, 400 | 401));
                proptest::prop_assert!(kind.starts_with("application/"));
                proptest::prop_assert!(
                    said["error"] == "invalid_grant" || said["code"] == "invalid_grant"
                );
                proptest::prop_assert!(said["request_id"].as_str().is_some_and(|id| !id.is_empty()));
            }
        }
    }
}
