//! What an answer of the family server means.

use http::{HeaderMap, Response, StatusCode, header};
use luminous_oidc::HttpError;
use luminous_wire::api::{Me, Problem};
use luminous_wire::{AppError, ErrorCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::challenge::{Challenge, challenge};

/// What an answer means.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is done; the body.
    Done(Vec<u8>),
    /// The token is not good enough any more: a refreshed one may be.
    Stale,
    /// The person ended this sign-in from elsewhere.
    Revoked,
    /// A second factor is wanted first.
    StepUp(Challenge),
    /// No.
    Refused(AppError),
}

/// The codes that mean the same to the app as to the server.
const SHARED: [ErrorCode; 18] = [
    ErrorCode::SessionStepUpRequired,
    ErrorCode::AuthzRoleMissing,
    ErrorCode::AuthzFamilyMismatch,
    ErrorCode::FamilyAlreadyMember,
    ErrorCode::FamilyLastOwner,
    ErrorCode::FamilyNameMismatch,
    ErrorCode::InviteCodeFormat,
    ErrorCode::InviteInvalid,
    ErrorCode::InviteRateLimited,
    ErrorCode::DeviceCodeFormat,
    ErrorCode::DeviceCodeInvalid,
    ErrorCode::DeviceConfirmMismatch,
    ErrorCode::DeviceRateLimited,
    ErrorCode::DeviceProximityRequired,
    ErrorCode::DeviceCapacity,
    ErrorCode::InputInvalid,
    ErrorCode::LimitReached,
    ErrorCode::ResourceNotFound,
];

/// Reads an answer.
///
/// # Errors
/// When it is no verdict of the family server: something in between answered, or it is failing.
pub(crate) fn judge(answer: Response<Vec<u8>>) -> Result<Outcome, AppError> {
    let status = answer.status();
    let kind = content_type(answer.headers());
    if status.is_success() {
        return match kind.as_str() {
            "application/json" => Ok(Outcome::Done(answer.into_body())),
            "" if answer.body().is_empty() => Ok(Outcome::Done(Vec::new())),
            _ => Err(in_between(status)),
        };
    }
    let problem = match kind.as_str() {
        "application/problem+json" => serde_json::from_slice::<Problem>(answer.body()).ok(),
        _ => None,
    };
    match problem {
        Some(problem) => verdict(status, answer.headers(), &problem),
        None => Err(no_verdict(status)),
    }
}

fn verdict(
    status: StatusCode,
    headers: &HeaderMap,
    problem: &Problem,
) -> Result<Outcome, AppError> {
    let error = to_error(status, problem);
    Ok(match status {
        StatusCode::UNAUTHORIZED => match (challenge(headers), problem.code.as_str()) {
            (Some(challenge), _) => Outcome::StepUp(challenge),
            (None, "token.revoked") => Outcome::Revoked,
            (None, code) if code.starts_with("token.") => Outcome::Stale,
            _ => Outcome::Refused(error),
        },
        _ if error.code == ErrorCode::ServerBusy => return Err(error),
        _ => Outcome::Refused(error),
    })
}

/// The server's words as the app's. Its `title` and `detail` are for developers; the words for
/// people are the window's own.
fn to_error(status: StatusCode, problem: &Problem) -> AppError {
    let code = SHARED.into_iter().find(|code| code.as_str() == problem.code);
    let code = code.unwrap_or(match status.as_u16() {
        400 | 409 | 413 | 415 | 422 => ErrorCode::InputInvalid,
        404 | 410 => ErrorCode::ResourceNotFound,
        429 | 500.. => ErrorCode::ServerBusy,
        _ => ErrorCode::ServerRefused,
    });
    let reason = name(&problem.code);
    let said = reason.as_deref().unwrap_or("something unreadable");
    AppError {
        message: format!("the family server answered `{said}` (status {})", status.as_u16()),
        reason,
        correlation_id: name(&problem.request_id),
        code,
    }
}

/// A code or an id from outside, or nothing.
fn name(text: &str) -> Option<String> {
    let fits = (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    fits.then(|| text.to_owned())
}

/// What an answer that is no word of the server's says by its status.
pub(crate) fn no_verdict(status: StatusCode) -> AppError {
    let failing = status == StatusCode::TOO_MANY_REQUESTS
        || (status.is_server_error() && status != StatusCode::NETWORK_AUTHENTICATION_REQUIRED);
    if !failing {
        return in_between(status);
    }
    let message = format!("the family server is failing (status {})", status.as_u16());
    AppError::new(ErrorCode::ServerBusy, message)
}

fn in_between(status: StatusCode) -> AppError {
    let status = status.as_u16();
    let message = format!("something else than the family server answered (status {status})");
    AppError::new(ErrorCode::NetCaptive, message)
}

/// A request that got no answer, or none that could be read.
pub(crate) fn unreached(error: &HttpError) -> AppError {
    let code = match error {
        HttpError::Insecure => ErrorCode::ConfigInvalid,
        HttpError::TooLarge { .. } => ErrorCode::ServerBusy,
        _ => ErrorCode::ServerUnreachable,
    };
    AppError::new(code, error.to_string())
}

/// The content type without its parameters, in lower case.
pub(crate) fn content_type(headers: &HeaderMap) -> String {
    let text = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = text.and_then(|text| text.split(';').next()).unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}

/// Reads a body.
///
/// # Errors
/// [`ErrorCode::ServerBusy`] when it is not what it should be; what it is instead is not quoted.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, AppError> {
    serde_json::from_slice(body).map_err(|_| unreadable())
}

/// Reads who we are. A newer server may know permissions that this app does not: they are left out.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_me(body: &[u8]) -> Result<Me, AppError> {
    let mut value: Value = read(body)?;
    if let Some(Value::Array(permissions)) = value.pointer_mut("/membership/permissions") {
        permissions.retain(|one| {
            one.as_str().is_some_and(|text| luminous_domain::Permission::parse(text).is_some())
        });
    }
    serde_json::from_value(value).map_err(|_| unreadable())
}

fn unreadable() -> AppError {
    AppError::new(ErrorCode::ServerBusy, "the family server's answer cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, kind: &str, body: &str) -> Response<Vec<u8>> {
        let builder = Response::builder().status(status).header("content-type", kind);
        builder.body(body.as_bytes().to_vec()).unwrap()
    }

    fn problem(status: u16, code: &str) -> Response<Vec<u8>> {
        let body = format!(
            r#"{{"type":"x","title":"t","status":{status},"code":"{code}","request_id":"r-1"}}"#
        );
        answer(status, "application/problem+json; charset=utf-8", &body)
    }

    fn refusal(status: u16, code: &str) -> AppError {
        match judge(problem(status, code)) {
            Ok(Outcome::Refused(error)) | Err(error) => error,
            other => panic!("{status} {code}: {other:?}"),
        }
    }

    #[test]
    fn a_refusal_is_the_apps_own_code_and_keeps_the_id_of_the_request() {
        for code in SHARED {
            let status = if code == ErrorCode::InviteRateLimited { 429 } else { 403 };
            assert_eq!(refusal(status, code.as_str()).code, code);
        }
        let error = refusal(403, "authz.claims_unusable");
        assert_eq!(error.code, ErrorCode::ServerRefused);
        assert_eq!(error.reason.as_deref(), Some("authz.claims_unusable"));
        assert_eq!(error.correlation_id.as_deref(), Some("r-1"));
    }

    #[test]
    fn what_the_server_says_of_its_own_store_is_not_about_our_keyring() {
        for (status, code) in
            [(503, "store.locked"), (503, "keys.unavailable"), (429, "limit.rate")]
        {
            assert_eq!(refusal(status, code).code, ErrorCode::ServerBusy, "{code}");
        }
        assert_eq!(refusal(409, "new.code").code, ErrorCode::InputInvalid);
        assert_eq!(refusal(404, "new.code").code, ErrorCode::ResourceNotFound);
    }

    #[test]
    fn a_page_of_something_in_between_is_never_a_verdict() {
        for status in [200, 302, 401, 403, 404, 511] {
            let error = judge(answer(status, "text/html", "<h1>Hotel</h1>")).unwrap_err();
            assert_eq!(error.code, ErrorCode::NetCaptive, "{status}");
        }
        for status in [429, 500, 502, 503] {
            let error = judge(answer(status, "text/html", "<h1>nginx</h1>")).unwrap_err();
            assert_eq!(error.code, ErrorCode::ServerBusy, "{status}");
        }
        let error = judge(answer(401, "application/problem+json", "{}")).unwrap_err();
        assert_eq!(error.code, ErrorCode::NetCaptive);
    }

    #[test]
    fn v21_only_the_servers_own_words_end_a_sign_in() {
        assert!(matches!(judge(problem(401, "token.revoked")), Ok(Outcome::Revoked)));
        assert!(matches!(judge(problem(401, "token.stale")), Ok(Outcome::Stale)));
        assert!(matches!(judge(problem(401, "token.invalid")), Ok(Outcome::Stale)));
        assert!(matches!(judge(problem(403, "token.revoked")), Ok(Outcome::Refused(_))));
    }

    #[test]
    fn u4_free_text_from_the_server_goes_no_further() {
        let error = refusal(400, "<b>x</b>");
        assert_eq!(error.reason, None);
        assert!(!error.message.contains('<'), "{error:?}");
    }

    #[test]
    fn a_permission_of_the_future_does_not_hide_who_we_are() {
        let body = r#"{"account":{"id":"0199b0a0-0000-7000-8000-000000000001","name":"Ana","email":null,"new":1},
            "membership":{"family":{"id":"0199b0a0-0000-7000-8000-000000000002","name":"F","created_at_ms":1},
            "member_id":"0199b0a0-0000-7000-8000-000000000003","role":"owner",
            "state":"active","permissions":["notes.read","moon.land"]}}"#;
        let me = read_me(body.as_bytes()).unwrap();
        let permissions = me.membership.unwrap().permissions;
        assert_eq!(permissions, [luminous_domain::Permission::NotesRead]);
        assert_eq!(read_me(b"[]").unwrap_err().code, ErrorCode::ServerBusy);
    }
}
