//! The credential of an API request (RFC 6750 section 2.1).

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use luminous_domain::AccessToken;

use crate::token::{Malformation, TokenError};

/// The access token in the `Authorization` header.
///
/// The header is the only place looked at: a token in the query or in a form (RFC 6750 sections
/// 2.2 and 2.3) ends in logs and histories, so it counts as missing. The scheme is spelt `Bearer`:
/// our own clients do, and a second spelling is one more way past a filter in front of us.
///
/// # Errors
/// [`TokenError::Missing`] without the header or with another scheme; [`TokenError::Malformed`]
/// with two headers, with the scheme in another case, or with anything but one token after it.
pub fn bearer_token(headers: &HeaderMap) -> Result<AccessToken, TokenError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(TokenError::Missing)?;
    if values.next().is_some() {
        return Err(Malformation::Credential.into());
    }
    let (scheme, token) = split(value).ok_or(Malformation::Credential)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(TokenError::Missing);
    }
    if scheme != "Bearer" || token.is_empty() || !token.bytes().all(is_token_byte) {
        return Err(Malformation::Credential.into());
    }
    Ok(AccessToken::new(token))
}

fn split(value: &HeaderValue) -> Option<(&str, &str)> {
    let text = value.to_str().ok()?;
    Some(text.split_once(' ').unwrap_or((text, "")))
}

/// `b64token` of RFC 6750 section 2.1.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(values: &[&str]) -> Result<String, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).expect("a header value"));
        }
        bearer_token(&headers).map(|token| token.expose().to_owned()).map_err(|e| e.code())
    }

    #[test]
    fn v22_one_bearer_credential_is_taken() {
        assert_eq!(code(&["Bearer a.b.c"]), Ok("a.b.c".to_owned()));
    }

    #[test]
    fn v22_the_scheme_in_another_case_is_malformed() {
        assert_eq!(code(&["bearer a.b.c"]), Err("token.malformed"));
        assert_eq!(code(&["BEARER a.b.c"]), Err("token.malformed"));
    }

    #[test]
    fn v22_a_missing_or_basic_authorization_is_a_missing_token() {
        assert_eq!(code(&[]), Err("token.missing"));
        assert_eq!(code(&["Basic dXNlcjpwYXNz"]), Err("token.missing"));
        assert_eq!(code(&["DPoP a.b.c"]), Err("token.missing"));
    }

    #[test]
    fn v22_two_credentials_or_a_broken_one_are_malformed() {
        for values in [
            &["Bearer a.b.c", "Bearer a.b.c"][..],
            &["Bearer a.b.c, Bearer d.e.f"],
            &["Bearer a.b.c d"],
            &["Bearer  a.b.c"],
            &["Bearer "],
            &["Bearer"],
            &["Bearer a.b.\u{e9}"],
        ] {
            assert_eq!(code(values), Err("token.malformed"), "{values:?}");
        }
    }

    #[test]
    fn v22_a_token_in_the_query_or_in_a_form_is_never_looked_at() {
        let request = http::Request::post("https://api.example/me?access_token=a.b.c")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("access_token=a.b.c")
            .expect("a request");
        let refused = bearer_token(request.headers()).map(|_| ()).map_err(|e| e.code());
        assert_eq!(refused, Err("token.missing"));
    }
}
