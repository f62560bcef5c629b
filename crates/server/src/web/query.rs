//! What a browser brings back from the provider: hostile until its state is found to be ours.

use luminous_domain::AuthorizationCode;

use super::refusal::ProviderRefusal;

/// A callback's query, read.
#[derive(Debug)]
pub struct Callback {
    /// What must be the state of a sign-in under way.
    pub state: String,
    /// Who says so (RFC 9207).
    pub issuer: Option<String>,
    /// What they say.
    pub answer: Result<AuthorizationCode, ProviderRefusal>,
}

impl Callback {
    /// Reads it; `None` when it answers nothing: no state, no code and no error, both of them, or
    /// anything twice (RFC 6749 section 3.1).
    #[must_use]
    pub fn parse(query: &str) -> Option<Self> {
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
        let one = |name: &str| {
            let mut values = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| &**value);
            match (values.next(), values.next()) {
                (_, Some(_)) => Err(()),
                (value, None) => Ok(value.filter(|value| !value.is_empty())),
            }
        };
        let (state, issuer) = (one("state").ok()??, one("iss").ok()?);
        let answer = match (one("code").ok()?, one("error").ok()?) {
            (Some(code), None) => Ok(AuthorizationCode::new(code)),
            (None, Some(error)) => {
                let description = one("error_description").ok()?.unwrap_or_default();
                Err(ProviderRefusal::new(error, description))
            }
            _ => return None,
        };
        Some(Self { state: state.to_owned(), issuer: issuer.map(str::to_owned), answer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_or_an_error_with_a_state_is_an_answer() {
        let callback = Callback::parse("state=s&code=c%2Bd&iss=https%3A%2F%2Fi").unwrap();
        assert_eq!((callback.state.as_str(), callback.issuer.as_deref()), ("s", Some("https://i")));
        assert_eq!(callback.answer.unwrap().expose(), "c+d");
        let refused = Callback::parse("state=s&error=access_denied&error_description=AADB2C90118");
        let number = refused.unwrap().answer.unwrap_err().number;
        assert_eq!(number.as_deref(), Some("AADB2C90118"));
    }

    #[test]
    fn r3_anything_missing_or_twice_is_no_answer() {
        for query in [
            "",
            "code=c",
            "state=&code=c",
            "state=s",
            "state=s&code=",
            "state=s&state=s&code=c",
            "state=s&code=c&code=c",
            "state=s&code=c&error=access_denied",
            "state=s&code=c&iss=a&iss=b",
        ] {
            assert!(Callback::parse(query).is_none(), "{query}");
        }
    }
}
