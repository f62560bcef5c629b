//! Where a browser goes after signing in: a page of ours and nothing else (RFC 9700 section 4.11).

/// Longer than any address of ours.
const LONGEST: usize = 512;

/// Addresses that only make sense on the way: going there after signing in would go round in circles.
const ON_THE_WAY: [&str; 3] = ["/login", "/callback", "/logout"];

/// A local path, with or without a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// The front page.
    #[must_use]
    pub fn home() -> Self {
        Self("/".to_owned())
    }

    /// Reads what a link asks for; `None` when it is not plainly a path of this server. Browsers
    /// read `//host`, `/\host` and both with tabs inside as another host, so none of these pass.
    #[must_use]
    pub fn parse(asked: &str) -> Option<Self> {
        let plain = asked.len() <= LONGEST
            && asked.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\#\"<>".contains(&byte));
        let local = asked.starts_with('/') && !asked.starts_with("//");
        let path = asked.split('?').next().unwrap_or_default();
        // What a browser makes of `/x/..//host` stays here, but need not be understood to be refused.
        let simple = !path.contains("//") && !path.split('/').any(|segment| segment == "..");
        let arrives = !ON_THE_WAY.iter().any(|way| {
            path.strip_prefix(way).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        (plain && local && simple && arrives).then(|| Self(asked.to_owned()))
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_ours_is_where_one_may_return_to() {
        for path in ["/", "/join", "/link", "/link?c=abc-123_%20x", "/loginish"] {
            assert_eq!(ReturnTo::parse(path).unwrap().as_str(), path);
        }
    }

    #[test]
    fn what_could_be_read_as_another_place_is_refused() {
        let long = format!("/{}", "a".repeat(LONGEST));
        for asked in [
            "",
            "join",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/..//evil.example",
            "/a/../b",
            "https://evil.example",
            "https:evil.example",
            "javascript:alert(1)",
            " /join",
            "/join\r\nset-cookie: a=b",
            "/join#fragment",
            "/j\u{f6}in",
            "/login",
            "/login?return_to=/login",
            "/callback",
            "/logout/everywhere",
            &long,
        ] {
            assert_eq!(ReturnTo::parse(asked), None, "{asked:?}");
        }
    }
}
