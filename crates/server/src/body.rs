//! What comes in a request beside its credentials, read strictly.

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::problem::ApiError;
use crate::state::AppState;

/// A JSON body. What is wrong with it is said by the name of the field, never with its value.
#[derive(Debug, Clone, Copy)]
pub struct Body<T>(pub T);

/// The query, the same way.
#[derive(Debug, Clone, Copy)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Self::Rejection> {
        if !is_json(request.headers()) {
            return Err(ApiError::MediaType);
        }
        let bytes =
            Bytes::from_request(request, state).await.map_err(|rejection| refuse(&rejection))?;
        // serde would also fill a struct from an array, by position.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(ApiError::Input("the body is not a JSON object".to_owned()));
        }
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let syntax = !error.inner().is_data();
            if syntax {
                ApiError::Input("the body is not JSON".to_owned())
            } else {
                explain(&error.path().to_string(), &error.inner().to_string())
            }
        })?;
        reader.end().map_err(|_| ApiError::Input("the body is more than JSON".to_owned()))?;
        Ok(Self(value))
    }
}

impl<T: DeserializeOwned> FromRequestParts<AppState> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        _state: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        let reader =
            serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(reader)
            .map(Self)
            .map_err(|error| explain(&error.path().to_string(), &error.inner().to_string()))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

fn refuse(rejection: &BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::TooLarge
    } else {
        ApiError::Input("the body broke off".to_owned())
    }
}

/// Names the field. serde's own words may quote the value, so only names are taken from them.
fn explain(path: &str, message: &str) -> ApiError {
    let named = |after: &str| {
        let name = message.strip_prefix(after)?.split('`').next()?;
        is_plain(name).then(|| name.to_owned())
    };
    let text = if message.starts_with("unknown field") {
        match named("unknown field `") {
            Some(name) => format!("there is no field `{name}`"),
            None => "there is a field that does not belong".to_owned(),
        }
    } else if let Some(name) = named("missing field `") {
        format!("the field `{name}` is missing")
    } else if let Some(name) = named("duplicate field `") {
        format!("the field `{name}` is there twice")
    } else if is_plain(path) {
        format!("the field `{path}` is not what it must be")
    } else {
        "a value is not what it must be".to_owned()
    };
    ApiError::Input(text)
}

/// Whether a name from outside may be repeated in an answer.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=40).contains(&name.len()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_by_the_name_of_the_field_and_never_by_its_value() {
        for (path, message, expected) in [
            (".", "unknown field `familyId`, expected `name`", "there is no field `familyId`"),
            (".", "unknown field `<b>x`, expected `name`", "there is a field that does not belong"),
            (".", "missing field `name` at line 1 column 2", "the field `name` is missing"),
            (
                "hours",
                "invalid type: string \"s3cret\"",
                "the field `hours` is not what it must be",
            ),
            ("role", "unknown variant `s3cret`", "the field `role` is not what it must be"),
            (".", "invalid type: sequence", "a value is not what it must be"),
        ] {
            assert_eq!(explain(path, message), ApiError::Input(expected.to_owned()));
        }
    }
}
