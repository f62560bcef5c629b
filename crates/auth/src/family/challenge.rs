//! "Prove once more who you are": the challenge of RFC 9470, read from `WWW-Authenticate`.

use std::time::Duration;

use http::{HeaderMap, header};

/// How old the proof may be when the challenge does not say.
const USUAL_AGE: Duration = Duration::from_secs(900);
/// A proof is never kept longer than this.
const MOST_AGE: Duration = Duration::from_secs(3600);

/// What the family server wants proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// The first of `acr_values`: a policy, or a class of authentication.
    pub acr_values: Option<String>,
    /// How long ago the person may have proved it.
    pub max_age: Duration,
}

/// The challenge in an answer's headers, if there is one.
pub(crate) fn challenge(headers: &HeaderMap) -> Option<Challenge> {
    let texts = headers.get_all(header::WWW_AUTHENTICATE).iter();
    texts.filter_map(|text| text.to_str().ok()).find_map(read)
}

fn read(text: &str) -> Option<Challenge> {
    let (scheme, rest) = text.trim_start().split_once(' ')?;
    let parameters = scheme.eq_ignore_ascii_case("bearer").then(|| parameters(rest))?;
    let value = |name: &str| {
        let mut found = parameters.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    };
    (value("error")? == "insufficient_user_authentication").then(|| Challenge {
        acr_values: value("acr_values").and_then(first_class),
        max_age: value("max_age")
            .and_then(|seconds| seconds.parse().ok())
            .map_or(USUAL_AGE, Duration::from_secs)
            .min(MOST_AGE),
    })
}

/// It goes into a URL and is compared with policies: nothing else than a name may come from outside.
fn first_class(values: &str) -> Option<String> {
    let first = values.split_ascii_whitespace().next()?;
    let fits = first.len() <= 128
        && first.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte));
    fits.then(|| first.to_owned())
}

/// `name="value", name=value` (RFC 9110 section 11.2). What cannot be read ends the list.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let Some((value, after)) = value_of(after) else { break };
        found.push((name.trim().to_owned(), value));
        rest = after.trim_start().trim_start_matches(',');
    }
    found
}

fn value_of(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[index + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        headers.insert(header::WWW_AUTHENTICATE, text.parse().unwrap());
        challenge(&headers)
    }

    #[test]
    fn u9_the_challenge_says_what_to_prove_and_how_lately() {
        let text = r#"Bearer realm="luminous", error="insufficient_user_authentication", error_description="a \"fresh\" one, please", acr_values="B2C_1_mfa1 other", max_age="900""#;
        let expected = Challenge {
            acr_values: Some("B2C_1_mfa1".to_owned()),
            max_age: Duration::from_secs(900),
        };
        assert_eq!(of(text), Some(expected));
    }

    #[test]
    fn what_is_missing_or_odd_has_a_safe_meaning() {
        let bare = of("bearer error=insufficient_user_authentication").unwrap();
        assert_eq!(bare, Challenge { acr_values: None, max_age: USUAL_AGE });
        let odd = of(
            r#"Bearer error="insufficient_user_authentication", acr_values="a&b=c", max_age="99999999""#,
        );
        assert_eq!(odd, Some(Challenge { acr_values: None, max_age: MOST_AGE }));
    }

    #[test]
    fn nothing_else_is_such_a_challenge() {
        for text in [
            "Bearer",
            "Bearer realm=\"x\"",
            r#"Bearer error="invalid_token", error_description="insufficient_user_authentication""#,
            r#"Basic error="insufficient_user_authentication""#,
            r#"Bearer error="insufficient_user_authentication"#,
            r#"Bearer =,=,"=\"#,
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
