//! What may be asked of the audit log.

use http::HeaderMap;
use http::header::ACCEPT;
use luminous_domain::{AccountId, AuditId, Timestamp};
use luminous_store::AuditFilter;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::ApiError;

/// Lines on a page unless the caller says otherwise.
const DEFAULT_LIMIT: u32 = 50;
/// Lines on a page at most.
const MOST: u32 = 200;

/// Which lines, and in which form. What is not one of these is refused, not overlooked: a filter with
/// a slip in its name would show too much.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Only this action, or all that begin with it and a dot: `member`, `member.removed`.
    #[param(min_length = 1, max_length = 64, pattern = "^[a-z_.]+$")]
    action: Option<String>,
    /// Only what this account did.
    account: Option<AccountId>,
    /// `true`: only refusals; `false`: only what was done.
    refused: Option<bool>,
    /// Only from then on, Unix time in ms.
    #[param(minimum = 0, maximum = 253402207200000u64)]
    from: Option<i64>,
    /// Only before then, Unix time in ms.
    #[param(minimum = 0, maximum = 253402207200000u64)]
    until: Option<i64>,
    /// The page after the one whose `next` this is.
    before: Option<AuditId>,
    /// How many lines, 50 unless given. A file has all.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `json` or `csv`; stronger than `Accept`.
    #[param(pattern = "^(json|csv)$")]
    format: Option<String>,
}

impl AuditQuery {
    /// What the store is asked for.
    ///
    /// # Errors
    /// [`ApiError::Input`].
    pub fn filter(&self) -> Result<AuditFilter, ApiError> {
        let action = self.action.clone();
        if action.as_deref().is_some_and(|action| !is_action(action)) {
            return Err(ApiError::Input("action: small letters, _ and dots".to_owned()));
        }
        Ok(AuditFilter {
            action,
            account: self.account,
            refused: self.refused,
            from: instant("from", self.from)?,
            until: instant("until", self.until)?,
            before: self.before,
        })
    }

    /// How many lines a page has.
    ///
    /// # Errors
    /// [`ApiError::Input`].
    pub fn limit(&self) -> Result<u32, ApiError> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if (1..=MOST).contains(&limit) {
            Ok(limit)
        } else {
            Err(ApiError::Input(format!("limit: 1 to {MOST}")))
        }
    }

    /// Whether a file is wanted.
    ///
    /// # Errors
    /// [`ApiError::Input`] for another form.
    pub fn wants_csv(&self, headers: &HeaderMap) -> Result<bool, ApiError> {
        match self.format.as_deref() {
            Some("csv") => Ok(true),
            Some("json") => Ok(false),
            Some(_) => Err(ApiError::Input("format: json or csv".to_owned())),
            None => {
                Ok(headers.get(ACCEPT).is_some_and(|accept| names_csv_first(accept.as_bytes())))
            }
        }
    }
}

/// Whether the caller names CSV, and JSON not before it. Weights are not read: nobody who wants
/// a table asks for it in second place.
fn names_csv_first(accept: &[u8]) -> bool {
    let mut types = accept.split(|&byte| byte == b',').map(|one| {
        let end = one.iter().position(|&byte| byte == b';').unwrap_or(one.len());
        one[..end].trim_ascii()
    });
    types
        .find(|one| {
            one.eq_ignore_ascii_case(b"text/csv") || one.eq_ignore_ascii_case(b"application/json")
        })
        .is_some_and(|first| first.eq_ignore_ascii_case(b"text/csv"))
}

fn is_action(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_' | b'.'))
}

fn instant(field: &str, ms: Option<i64>) -> Result<Option<Timestamp>, ApiError> {
    let refused = || ApiError::Input(format!("{field}: Unix time in ms"));
    let Some(ms) = ms else { return Ok(None) };
    let at = Timestamp::from_millisecond(ms).map_err(|_| refused())?;
    if ms < 0 { Err(refused()) } else { Ok(Some(at)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_answered_to_who_asks_for_it_first() {
        let wants = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            AuditQuery::default().wants_csv(&headers).unwrap()
        };
        assert!(wants("text/csv"));
        assert!(wants("text/html, TEXT/CSV;q=0.9, */*"));
        assert!(!wants("application/json, text/csv"));
        assert!(!wants("*/*"));
        assert!(!AuditQuery::default().wants_csv(&HeaderMap::new()).unwrap());
    }

    #[test]
    fn what_cannot_be_a_filter_is_refused() {
        let with = |change: fn(&mut AuditQuery)| {
            let mut query = AuditQuery::default();
            change(&mut query);
            query.filter().is_ok() && query.limit().is_ok()
        };
        assert!(with(|query| query.action = Some("member.role_changed".to_owned())));
        assert!(!with(|query| query.action = Some("member%".to_owned())));
        assert!(!with(|query| query.action = Some(String::new())));
        assert!(!with(|query| query.from = Some(i64::MAX)));
        assert!(!with(|query| query.until = Some(-1)));
        assert!(!with(|query| query.limit = Some(0)));
        assert!(!with(|query| query.limit = Some(201)));
    }
}
