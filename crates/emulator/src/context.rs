//! Which authentication context a request asks for, where there is no policy that says so. Pure.
//!
//! The plain issuer and External ID lead to the second factor for `acr_values=mfa` (OpenID Connect
//! Core 3.1.2.1) and for a `claims` request (section 5.5) that names `mfa` or one of Entra's
//! authentication contexts `c1` to `c99`, in `acr` or `acrs`. B2C has its own policy for it.

use serde_json::Value;

use crate::realm::RealmKind;

/// The first context asked for that demands a second factor.
pub(crate) fn asked(
    kind: RealmKind,
    acr_values: Option<&str>,
    claims: Option<&str>,
) -> Option<String> {
    if matches!(kind, RealmKind::B2c(_)) {
        return None;
    }
    let values = acr_values.unwrap_or_default().split_whitespace().map(str::to_owned);
    let requested = claims.map(in_claims).unwrap_or_default();
    values.chain(requested).find(|value| demands(value))
}

/// Values of `acr` and `acrs` in a claims request; one that is no JSON asks for nothing.
fn in_claims(text: &str) -> Vec<String> {
    let request: Value = serde_json::from_str(text).unwrap_or_default();
    let tokens = ["id_token", "access_token"].into_iter().map(|token| &request[token]);
    let members = tokens.flat_map(|token| [&token["acr"], &token["acrs"]]);
    members
        .flat_map(|member| {
            let several = member["values"].as_array().into_iter().flatten();
            std::iter::once(&member["value"]).chain(several)
        })
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect()
}

fn demands(value: &str) -> bool {
    let number = value.strip_prefix('c').and_then(|digits| digits.parse::<u8>().ok());
    value == "mfa" || number.is_some_and(|number| (1..=99).contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::UrlForm;

    #[test]
    fn the_second_factor_is_asked_for_by_acr_values_or_by_a_claims_request() {
        let plain = |acr_values, claims| asked(RealmKind::Plain, acr_values, claims);
        assert_eq!(plain(Some("phr mfa"), None), Some("mfa".into()));
        let entra = r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#;
        assert_eq!(asked(RealmKind::ExternalId, None, Some(entra)), Some("c1".into()));
        let several = r#"{"id_token":{"acr":{"values":["pwd","mfa"]}}}"#;
        assert_eq!(plain(None, Some(several)), Some("mfa".into()));
    }

    #[test]
    fn other_values_other_words_and_b2c_ask_for_nothing() {
        for (acr_values, claims) in
            [(Some("pwd c0 c100 cx"), None), (None, Some("{")), (None, Some("[1]")), (None, None)]
        {
            assert_eq!(asked(RealmKind::Plain, acr_values, claims), None);
        }
        assert_eq!(asked(RealmKind::B2c(UrlForm::Path), Some("mfa"), None), None);
    }
}
