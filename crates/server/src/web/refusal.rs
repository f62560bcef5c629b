//! What a provider means when it sends the browser back without a code, and what it says at its
//! token endpoint (RFC 6749 sections 4.1.2.1 and 5.2).

/// A provider's refusal. The free text that came along is dropped: it can hold anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRefusal {
    /// OAuth's `error`.
    pub error: String,
    /// Microsoft's number, such as `AADB2C90118`.
    pub number: Option<String>,
}

/// What it means for the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// They forgot their password and shall get a new one (AADB2C90118).
    ForgotPassword,
    /// They changed their mind.
    Cancelled,
    /// The provider cannot just now.
    Busy,
    /// Something else; the log has the code.
    Other,
}

impl ProviderRefusal {
    /// Reads `error` and, in `error_description`, only Microsoft's number.
    #[must_use]
    pub fn new(error: &str, description: &str) -> Self {
        let known = error.len() <= 64
            && error.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        let error = if known { error } else { "unreadable" };
        Self { error: error.to_owned(), number: number(description) }
    }

    /// OAuth's `error` decides and Microsoft's number only refines it, because Microsoft warns that
    /// the numbers may change (R9).
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        match (self.error.as_str(), self.number.as_deref()) {
            ("access_denied", Some("AADB2C90118")) => Meaning::ForgotPassword,
            ("access_denied", None | Some("AADB2C90091" | "AADB2C90273" | "AADSTS65004")) => {
                Meaning::Cancelled
            }
            ("server_error" | "temporarily_unavailable", _)
            | (_, Some("AADB2C90035" | "AADB2C90048" | "AADB2C90085" | "AADB2C90244")) => {
                Meaning::Busy
            }
            _ => Meaning::Other,
        }
    }

    /// What the log calls it.
    #[must_use]
    pub fn code(&self) -> &str {
        self.number.as_deref().unwrap_or(&self.error)
    }
}

fn number(description: &str) -> Option<String> {
    ["AADB2C", "AADSTS"].iter().find_map(|family| {
        let rest = description.split_once(family)?.1;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).take(10).collect();
        (!digits.is_empty()).then(|| format!("{family}{digits}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r9_the_oauth_error_decides_and_the_number_only_refines() {
        for (error, description, meaning) in [
            ("access_denied", "AADB2C90118: forgotten", Meaning::ForgotPassword),
            ("access_denied", "AADB2C90091: cancelled", Meaning::Cancelled),
            ("access_denied", "AADB2C90273: cancelled at Google", Meaning::Cancelled),
            ("access_denied", "", Meaning::Cancelled),
            ("access_denied", "AADB2C90128: gone", Meaning::Other),
            ("invalid_request", "AADB2C90118: odd", Meaning::Other),
            ("server_error", "AADB2C90091: odd", Meaning::Busy),
            ("weird", "AADB2C90085: internal", Meaning::Busy),
            ("interaction_required", "AADB2C90077: no session", Meaning::Other),
        ] {
            assert_eq!(
                ProviderRefusal::new(error, description).meaning(),
                meaning,
                "{error} {description}"
            );
        }
    }

    #[test]
    fn u4_free_text_from_the_provider_goes_no_further() {
        let refusal = ProviderRefusal::new("<script>", "<img src=x> AADB2C90118<b>");
        assert_eq!(
            refusal,
            ProviderRefusal { error: "unreadable".into(), number: Some("AADB2C90118".into()) }
        );
    }
}
