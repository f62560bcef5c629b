//! What a provider says when it refuses, and what that means for the person.

use luminous_wire::{AppError, ErrorCode};

/// A provider's refusal, from a redirect or from its token endpoint.
///
/// The OAuth `error` decides; Microsoft's own number (`AADB2C90118`) only refines it, because
/// Microsoft warns that the numbers may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderWords {
    /// OAuth's `error`.
    pub error: String,
    /// Microsoft's number, `AADB2C90118` or `AADSTS65004`, found in the description.
    pub number: Option<String>,
    /// For the provider's support.
    pub correlation_id: Option<String>,
}

impl ProviderWords {
    /// Reads `error` and what is recognised in `error_description`; the description itself is
    /// dropped, because it is free text from outside that can hold anything.
    #[must_use]
    pub fn new(error: &str, description: &str) -> Self {
        let known = error.len() <= 64
            && error.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        Self {
            error: if known { error.to_owned() } else { "unreadable".to_owned() },
            number: number(description),
            correlation_id: correlation_id(description),
        }
    }

    fn number_is(&self, any_of: &[&str]) -> bool {
        self.number.as_deref().is_some_and(|number| any_of.contains(&number))
    }

    /// What an error redirect means (RFC 6749 section 4.1.2.1, OpenID Connect Core 3.1.2.6).
    #[must_use]
    pub fn redirect_code(&self) -> ErrorCode {
        match self.error.as_str() {
            "access_denied" if self.number_is(&["AADB2C90118"]) => ErrorCode::RedirectPasswordReset,
            // Cancelled on B2C's page, cancelled at the social provider, consent declined.
            "access_denied"
                if self.number.is_none()
                    || self.number_is(&["AADB2C90091", "AADB2C90273", "AADSTS65004"]) =>
            {
                ErrorCode::RedirectCancelled
            }
            "server_error" | "temporarily_unavailable" => ErrorCode::ProviderBusy,
            "invalid_request"
            | "unauthorized_client"
            | "unsupported_response_type"
            | "invalid_scope"
            | "invalid_client" => ErrorCode::ProviderConfig,
            _ if self.is_busy() => ErrorCode::ProviderBusy,
            _ if self.is_config() => ErrorCode::ProviderConfig,
            _ => ErrorCode::RedirectRefused,
        }
    }

    /// Whether Microsoft's number says "our fault, come back later".
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.number_is(&["AADB2C90035", "AADB2C90048", "AADB2C90085", "AADB2C90244"])
    }

    /// Whether Microsoft's number says that the registration is wrong.
    #[must_use]
    pub fn is_config(&self) -> bool {
        const NUMBERS: &[&str] = &[
            "AADB2C90006",
            "AADB2C90007",
            "AADB2C90008",
            "AADB2C90010",
            "AADB2C90018",
            "AADB2C90055",
            "AADB2C90068",
            "AADB2C90079",
            "AADB2C90083",
            "AADB2C90084",
            "AADB2C90086",
            "AADB2C90110",
            "AADB2C90115",
            "AADB2C90117",
            "AADB2C90146",
            "AADB2C90205",
            "AADB2C99059",
            "AADSTS50011",
            "AADSTS700016",
        ];
        self.number_is(NUMBERS)
    }

    /// The error for people.
    #[must_use]
    pub fn to_error(&self, code: ErrorCode) -> AppError {
        AppError {
            code,
            message: format!("the provider answered `{}`", self.error),
            reason: Some(self.number.clone().unwrap_or_else(|| self.error.clone())),
            correlation_id: self.correlation_id.clone(),
        }
    }
}

fn number(description: &str) -> Option<String> {
    ["AADB2C", "AADSTS"].iter().find_map(|family| {
        let rest = description.split_once(family)?.1;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).take(10).collect();
        (!digits.is_empty()).then(|| format!("{family}{digits}"))
    })
}

/// B2C writes `Correlation ID: {guid}`, Entra `Correlation ID: {guid}` or `correlation_id` in JSON.
fn correlation_id(description: &str) -> Option<String> {
    let rest = description.split_once("Correlation ID:")?.1.trim_start();
    let id: String =
        rest.chars().take_while(|c| c.is_ascii_hexdigit() || *c == '-').take(36).collect();
    (id.len() == 36).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANCELLED: &str = "AADB2C90091: The user has cancelled entering self-asserted \
        information.\r\nCorrelation ID: f4d2a2a5-8b5f-4f53-a2f5-7d5a2b0f7b3e\r\nTimestamp: \
        2026-11-22 12:00:00Z\r\n";

    #[test]
    fn r9_cancel_is_quiet_and_keeps_the_correlation_id() {
        let words = ProviderWords::new("access_denied", CANCELLED);
        assert_eq!(words.redirect_code(), ErrorCode::RedirectCancelled);
        assert_eq!(words.number.as_deref(), Some("AADB2C90091"));
        assert_eq!(words.correlation_id.as_deref(), Some("f4d2a2a5-8b5f-4f53-a2f5-7d5a2b0f7b3e"));
    }

    #[test]
    fn r9_the_oauth_error_decides_and_the_number_only_refines() {
        let cases = [
            ("access_denied", "AADB2C90118: forgotten", ErrorCode::RedirectPasswordReset),
            ("access_denied", "", ErrorCode::RedirectCancelled),
            ("access_denied", "AADB2C90128: gone", ErrorCode::RedirectRefused),
            ("invalid_request", "AADB2C90118: odd", ErrorCode::ProviderConfig),
            ("invalid_request", "AADB2C90006: redirect URI", ErrorCode::ProviderConfig),
            ("server_error", "AADB2C90091: odd", ErrorCode::ProviderBusy),
            ("weird", "AADB2C90085: internal", ErrorCode::ProviderBusy),
            ("interaction_required", "AADB2C90077: no session", ErrorCode::RedirectRefused),
        ];
        for (error, description, expected) in cases {
            let words = ProviderWords::new(error, description);
            assert_eq!(words.redirect_code(), expected, "{error} {description}");
        }
    }

    #[test]
    fn u4_free_text_from_the_provider_goes_no_further() {
        let words = ProviderWords::new("<script>alert(1)</script>", "<img src=x onerror=alert(1)>");
        let shown = format!("{:?}", words.to_error(words.redirect_code()));
        assert!(!shown.contains("script") && !shown.contains("img"), "{shown}");
    }
}
