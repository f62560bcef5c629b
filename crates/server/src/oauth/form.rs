//! The form of a request (RFC 6749 section 3.2): parameters we do not know are ignored, one that is
//! there twice is refused, one without a value counts as absent.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use luminous_wire::api::{DISPLAY_CLIENT_ID, DISPLAY_SCOPE};

use super::OAuthError;

/// How many parameters a form may have; ours have five.
const MOST: usize = 32;

/// A form. It does not print, for it holds secrets.
pub(super) struct Form<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Form<'a> {
    /// Reads it.
    pub(super) fn read(headers: &HeaderMap, body: &'a [u8]) -> Result<Self, OAuthError> {
        if !is_form(headers) {
            let text = "the body must be application/x-www-form-urlencoded";
            return Err(OAuthError::Request(text.to_owned()));
        }
        let mut parameters: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(body) {
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(OAuthError::Request("a parameter is there twice".to_owned()));
            }
            if parameters.len() == MOST {
                return Err(OAuthError::Request("too many parameters".to_owned()));
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    /// A parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| &**value).filter(|value| !value.is_empty())
    }

    /// A parameter that must be there.
    pub(super) fn required(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| OAuthError::Request(format!("{name} is missing")))
    }

    /// Lets only the display through (RFC 6749 section 3.2.1).
    pub(super) fn check_client(&self) -> Result<(), OAuthError> {
        match self.required("client_id")? {
            DISPLAY_CLIENT_ID => Ok(()),
            _ => Err(OAuthError::Client),
        }
    }

    /// Lets only the one scope through, or none (RFC 6749 section 3.3).
    pub(super) fn check_scope(&self) -> Result<(), OAuthError> {
        match self.get("scope") {
            None | Some(DISPLAY_SCOPE) => Ok(()),
            Some(_) => Err(OAuthError::Scope),
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
