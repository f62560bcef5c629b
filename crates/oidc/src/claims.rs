//! The claims of one token, typed (RFC 7519 section 4).

use luminous_domain::Timestamp;

use crate::json::{Json, Object};
use crate::token::{Malformation, TokenError};

/// A token's claims. Reading one that is not what it must be is an error that names it.
pub(crate) struct Claims<'a>(Object<'a>);

impl<'a> Claims<'a> {
    /// Reads the payload of a token.
    pub(crate) fn parse(payload: &'a [u8]) -> Result<Self, TokenError> {
        Ok(Self(Object::parse(payload).map_err(|_| Malformation::Json)?))
    }

    /// Whether the claim is there, whatever it is.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.has(name)
    }

    /// Whether the claim is there and is not a text.
    pub(crate) fn is_no_text(&self, name: &str) -> bool {
        !matches!(self.0.get(name), None | Some(Json::Null | Json::Text(_)))
    }

    /// Whether the claim says no, as JSON does or as a text: providers send either.
    pub(crate) fn denies(&self, name: &str) -> bool {
        match self.0.get(name) {
            Some(Json::Bool(says)) => !says,
            Some(Json::Text(text)) => text.eq_ignore_ascii_case("false"),
            _ => false,
        }
    }

    /// A text that may be absent.
    pub(crate) fn text(&self, claim: &'static str) -> Result<Option<&str>, TokenError> {
        match self.0.get(claim) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(TokenError::ClaimInvalid { claim }),
        }
    }

    /// A text that must be there and not be empty.
    pub(crate) fn required(&self, claim: &'static str) -> Result<&str, TokenError> {
        self.text(claim)?.filter(|text| !text.is_empty()).ok_or(TokenError::ClaimInvalid { claim })
    }

    /// A point in time, in whole seconds since 1970.
    ///
    /// RFC 7519 allows a fraction, and JSON allows whole numbers to be written `1.7e9`: a float
    /// without a fraction is accepted, one with a fraction is not, for no provider sends one.
    pub(crate) fn time(&self, claim: &'static str) -> Result<Option<Timestamp>, TokenError> {
        let invalid = TokenError::ClaimInvalid { claim };
        let seconds = match self.0.get(claim) {
            None => return Ok(None),
            Some(Json::Integer(seconds)) => *seconds,
            Some(Json::Float(seconds)) => whole(*seconds).ok_or(invalid.clone())?,
            Some(_) => return Err(invalid),
        };
        if seconds < 0 {
            return Err(invalid);
        }
        Timestamp::from_second(seconds).map(Some).map_err(|_| invalid)
    }

    /// Words separated by spaces, or a list of texts (`scp` comes as either).
    pub(crate) fn words(&self, claim: &'static str) -> Result<Option<Vec<String>>, TokenError> {
        match self.0.get(claim) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Text(text)) => {
                Ok(Some(text.split_ascii_whitespace().map(str::to_owned).collect()))
            }
            Some(Json::List(items)) => {
                let words = items.iter().map(|item| item.as_text().map(str::to_owned));
                words.collect::<Option<_>>().map(Some).ok_or(TokenError::ClaimInvalid { claim })
            }
            Some(_) => Err(TokenError::ClaimInvalid { claim }),
        }
    }

    /// `aud`: one text, or a list of texts.
    pub(crate) fn audiences(&self) -> Option<Vec<&str>> {
        match self.0.get("aud")? {
            Json::Text(one) => Some(vec![one]),
            Json::List(items) => items.iter().map(Json::as_text).collect(),
            _ => None,
        }
    }

    /// The texts of a claim that only describes: one text or a list; whatever else is in it does
    /// not count, for it is worth refusing nobody.
    pub(crate) fn descriptive(&self, name: &str) -> Vec<String> {
        match self.0.get(name) {
            Some(Json::Text(text)) => vec![text.to_string()],
            Some(Json::List(items)) => {
                items.iter().filter_map(Json::as_text).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The one text of a descriptive claim, if it is one and not empty.
    pub(crate) fn description(&self, name: &str) -> Option<String> {
        self.0.get(name)?.as_text().filter(|text| !text.is_empty()).map(str::to_owned)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "whole and far below 2^53, checked here")]
fn whole(seconds: f64) -> Option<i64> {
    (seconds.fract() == 0.0 && seconds.abs() < 1e15).then_some(seconds as i64)
}
