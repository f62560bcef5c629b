//! What the provider says when it refuses: B2C's numbers and sentences, and how External ID and a
//! plain provider would put the same.
//!
//! Numbers and texts are those of B2C's error reference. The OAuth `error` beside them is
//! documented for some only; the rest follows RFC 6749.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// A refusal, before it is put into words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.b2c_text())]
pub(crate) enum Refusal {
    RedirectUri { uri: String, client: String },
    NoRedirectUris { client: String },
    NoClientId,
    NoScope,
    ScopeUnsupported { scope: String },
    ResponseType { value: String },
    ResponseMode { value: String },
    ClientUnknown { client: String, tenant: String },
    Prompt,
    BadInput(String),
    ScopeNeedsResource { scope: String },
    ImplicitOff,
    ChallengeRequired,
    LogoutUri { uri: String },
    NotForB2c { client: String },
    NoSession,
    SecretRequired,
    GrantExpired { now: i64, issued: i64, window_end: i64 },
    SecretWrong,
    MissingParameter(&'static str),
    SecretUnwelcome,
    Internal,
    GrantType { value: String },
    WrongPolicy { actual: String, expected: String },
    Cancelled,
    OpenidMissing,
    NothingAskedFor,
    ForgotPassword,
    AccountGone,
    GrantRevoked,
    TwoResources { scope: String },
    VerifierMismatch,
    VerifierInvalid,
    ChallengeMethod,
    NotPermitted,
    WrongClient { actual: String, expected: String },
    ProviderCancelled,
    TooManyCodes,
    ClaimsRefused { reason: &'static str },
    ClaimsUnreadable,
}

/// Which product's words to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `AADB2C…`, three lines.
    B2c,
    /// `AADSTS…`, one line, and a body with more members.
    Aadsts,
    /// RFC 6749 and nothing more.
    Plain,
}

impl Refusal {
    /// The digits after `AADB2C`.
    pub(crate) fn number(&self) -> u32 {
        match self {
            Self::RedirectUri { .. } => 90006,
            Self::NoRedirectUris { .. } => 90007,
            Self::NoClientId => 90008,
            Self::NoScope => 90010,
            Self::ScopeUnsupported { .. } => 90117,
            Self::ResponseType { .. } => 90013,
            Self::ResponseMode { .. } => 90014,
            Self::ClientUnknown { .. } => 90018,
            Self::Prompt => 90043,
            Self::BadInput(_) => 90122,
            Self::ScopeNeedsResource { .. } => 90055,
            Self::ImplicitOff => 90057,
            Self::ChallengeRequired => 99059,
            Self::LogoutUri { .. } => 90067,
            Self::NotForB2c { .. } => 90068,
            Self::NoSession => 90077,
            Self::SecretRequired => 90079,
            Self::GrantExpired { .. } => 90080,
            Self::SecretWrong => 90081,
            Self::MissingParameter(_) => 90083,
            Self::SecretUnwelcome => 90084,
            Self::Internal => 90085,
            Self::GrantType { .. } => 90086,
            Self::WrongPolicy { .. } => 90088,
            Self::Cancelled => 90091,
            Self::OpenidMissing => 90110,
            Self::NothingAskedFor => 90115,
            Self::ForgotPassword => 90118,
            Self::AccountGone => 90128,
            Self::GrantRevoked => 90129,
            Self::TwoResources { .. } => 90146,
            Self::VerifierMismatch => 90182,
            Self::VerifierInvalid => 90183,
            Self::ChallengeMethod => 90184,
            Self::NotPermitted => 90205,
            Self::WrongClient { .. } => 90279,
            Self::ProviderCancelled => 90273,
            Self::TooManyCodes => 90151,
            Self::ClaimsRefused { .. } => 90075,
            Self::ClaimsUnreadable => 90261,
        }
    }

    /// The OAuth `error` (RFC 6749 sections 4.1.2.1 and 5.2; OpenID Connect Core 3.1.2.6).
    pub(crate) fn error(&self) -> &'static str {
        match self {
            Self::Cancelled
            | Self::ForgotPassword
            | Self::ProviderCancelled
            | Self::TooManyCodes => "access_denied",
            Self::ClaimsRefused { .. } | Self::ClaimsUnreadable => "server_error",
            Self::NoSession => "interaction_required",
            Self::ClientUnknown { .. } | Self::NotForB2c { .. } | Self::NotPermitted => {
                "unauthorized_client"
            }
            Self::SecretRequired | Self::SecretWrong | Self::SecretUnwelcome => "invalid_client",
            Self::GrantExpired { .. }
            | Self::WrongPolicy { .. }
            | Self::WrongClient { .. }
            | Self::AccountGone
            | Self::GrantRevoked
            | Self::VerifierMismatch
            | Self::Internal => "invalid_grant",
            Self::NoScope
            | Self::ScopeUnsupported { .. }
            | Self::ScopeNeedsResource { .. }
            | Self::OpenidMissing
            | Self::NothingAskedFor
            | Self::TwoResources { .. } => "invalid_scope",
            Self::GrantType { .. } => "unsupported_grant_type",
            Self::ResponseType { .. } | Self::ImplicitOff => "unsupported_response_type",
            Self::RedirectUri { .. }
            | Self::NoRedirectUris { .. }
            | Self::NoClientId
            | Self::ResponseMode { .. }
            | Self::Prompt
            | Self::BadInput(_)
            | Self::ChallengeRequired
            | Self::LogoutUri { .. }
            | Self::MissingParameter(_)
            | Self::VerifierInvalid
            | Self::ChallengeMethod => "invalid_request",
        }
    }

    /// B2C's sentence, without its number.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::RedirectUri { uri, client } => format!(
                "The redirect URI '{uri}' provided in the request is not registered for the client id '{client}'."
            ),
            Self::NoRedirectUris { client } => format!(
                "The application associated with client id '{client}' has no registered redirect URIs."
            ),
            Self::NoClientId => "The request does not contain a client ID parameter.".into(),
            Self::NoScope => "The request does not contain a scope parameter.".into(),
            Self::ScopeUnsupported { scope } => {
                format!("The scope '{scope}' provided in the request is not supported.")
            }
            Self::ResponseType { value } => format!(
                "The requested response type '{value}' provided in the request is not supported."
            ),
            Self::ResponseMode { value } => format!(
                "The requested response mode '{value}' provided in the request is not supported."
            ),
            Self::ClientUnknown { client, tenant } => format!(
                "The client id '{client}' specified in the request is not registered in tenant '{tenant}'."
            ),
            Self::Prompt => "The prompt included in the request contains invalid values. Expected 'none', 'login', 'consent' or 'select_account'.".into(),
            Self::BadInput(name) => format!(
                "Input for '{name}' received in the request has failed HTTP request validation. Ensure that the input does not contain characters such as < or &."
            ),
            Self::ScopeNeedsResource { scope } => format!(
                "The scope '{scope}' provided in request must specify a resource, such as 'https://example.com/calendar.read'."
            ),
            Self::ImplicitOff => {
                "The provided application is not configured to allow the OAuth Implicit flow.".into()
            }
            Self::ChallengeRequired => "The supplied request must present a code_challenge.".into(),
            Self::LogoutUri { uri } => format!(
                "The post logout redirect URI '{uri}' has an invalid format. Specify an https based URL such as 'https://example.com/return' or for native clients use the IETF native client URI 'urn:ietf:wg:oauth:2.0:oob'."
            ),
            Self::NotForB2c { client } => format!(
                "The provided application with ID '{client}' is not valid against this service. Please use an application created via the B2C portal and try again."
            ),
            Self::NoSession => "User does not have an existing session and request prompt parameter has a value of 'None'.".into(),
            Self::SecretRequired => {
                "Clients must send a client_secret when redeeming a confidential grant.".into()
            }
            Self::GrantExpired { now, issued, window_end } => format!(
                "The provided grant has expired. Please re-authenticate and try again. Current time: {now}, Grant issued time: {issued}, Grant sliding window expiration time: {window_end}."
            ),
            Self::SecretWrong => "The specified client_secret does not match the expected value for this client. Please correct the client_secret and try again.".into(),
            Self::MissingParameter(name) => {
                format!("The request is missing required parameter: {name}.")
            }
            Self::SecretUnwelcome => {
                "Public clients should not send a client_secret when redeeming a publicly acquired grant.".into()
            }
            Self::Internal => {
                "The service has encountered an internal error. Please reauthenticate and try again.".into()
            }
            Self::GrantType { value } => {
                format!("The supplied grant_type [{value}] is not supported.")
            }
            Self::WrongPolicy { actual, expected } => format!(
                "The provided grant has not been issued for this endpoint. Actual Value : {actual} and Expected Value : {expected}"
            ),
            Self::Cancelled => "The user has cancelled entering self-asserted information.".into(),
            Self::OpenidMissing => "The scope parameter must include 'openid' when requesting a response_type that includes 'id_token'.".into(),
            Self::NothingAskedFor => "When requesting the 'code' response_type, the scope parameter must include a resource or client ID for access tokens, and 'openid' for ID tokens. Additionally include 'offline_access' for refresh tokens.".into(),
            Self::ForgotPassword => "The user has forgotten their password.".into(),
            Self::AccountGone => "The account associated with this grant no longer exists. Please reauthenticate and try again.".into(),
            Self::GrantRevoked => {
                "The provided grant has been revoked. Please reauthenticate and try again.".into()
            }
            Self::TwoResources { scope } => format!(
                "The scope '{scope}' provided in request specifies more than one resource for an access token, which is not supported."
            ),
            Self::VerifierMismatch => {
                "The supplied code_verifier does not match associated code_challenge".into()
            }
            Self::VerifierInvalid => "The supplied code_verifier is invalid".into(),
            Self::ChallengeMethod => {
                "The supplied code_challenge_method is not supported. Supported values are S256".into()
            }
            Self::NotPermitted => "This application does not have sufficient permissions against this web resource to perform the operation.".into(),
            Self::WrongClient { actual, expected } => format!(
                "The provided client id '{actual}' does not match the client id '{expected}' that issued the grant."
            ),
            Self::ProviderCancelled => "An invalid response was received : 'Error: access_denied,Error Description: The user cancelled the sign-in at the identity provider.'".into(),
            Self::TooManyCodes => {
                "User has exceeded the maximum number for retries for multi-factor authentication.".into()
            }
            Self::ClaimsRefused { reason } => format!(
                "The claims exchange 'PreTokenIssuance' specified in step '7' returned HTTP error response with Code '{}' and Reason '{reason}'.",
                reason.replace(' ', "")
            ),
            Self::ClaimsUnreadable => "The claims exchange 'PreTokenIssuance' specified in step '7' returned HTTP error response that could not be parsed.".into(),
        }
    }

    fn b2c_text(&self) -> String {
        format!("AADB2C{}: {}", self.number(), self.text())
    }

    /// The AADSTS number that Entra answers in the same situation.
    fn aadsts_number(&self) -> u32 {
        match self {
            Self::RedirectUri { .. } | Self::NoRedirectUris { .. } => 50011,
            Self::NoClientId | Self::MissingParameter(_) | Self::NoScope => 900_144,
            Self::ClientUnknown { .. } | Self::NotForB2c { .. } => 700_016,
            Self::NoSession => 50058,
            Self::SecretRequired => 7_000_218,
            Self::SecretWrong => 7_000_215,
            Self::SecretUnwelcome => 700_025,
            Self::GrantExpired { .. } => 700_082,
            Self::GrantRevoked | Self::AccountGone => 50173,
            Self::GrantType { .. } => 70003,
            Self::ResponseType { .. } | Self::ImplicitOff => 700_054,
            Self::VerifierMismatch | Self::VerifierInvalid => 50148,
            Self::ChallengeRequired | Self::ChallengeMethod => 9_002_325,
            Self::Cancelled | Self::ForgotPassword | Self::ProviderCancelled => 65004,
            Self::TooManyCodes => 500_121,
            // "Non-retryable error has occurred": what a person sees when an extension fails.
            Self::ClaimsRefused { .. } | Self::ClaimsUnreadable => 1_100_001,
            Self::WrongPolicy { .. } | Self::WrongClient { .. } | Self::Internal => 70000,
            Self::ScopeUnsupported { .. }
            | Self::ScopeNeedsResource { .. }
            | Self::OpenidMissing
            | Self::NothingAskedFor
            | Self::TwoResources { .. }
            | Self::NotPermitted => 70011,
            Self::ResponseMode { .. }
            | Self::Prompt
            | Self::BadInput(_)
            | Self::LogoutUri { .. } => 90023,
        }
    }

    /// The status of the token endpoint. B2C says 400 to everything.
    pub(crate) fn status(&self, dialect: Dialect) -> u16 {
        match (dialect, self.error()) {
            (Dialect::B2c, _) => 400,
            (_, "invalid_client") => 401,
            _ => 400,
        }
    }
}

/// A refusal with the moment and the correlation id it is reported under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) refusal: Refusal,
    pub(crate) dialect: Dialect,
    pub(crate) correlation: Uuid,
    pub(crate) at: Timestamp,
}

impl Report {
    /// `error_description`, with the line ends that B2C puts into it.
    pub(crate) fn description(&self) -> String {
        let at = self.at.strftime("%Y-%m-%d %H:%M:%SZ");
        let correlation = self.correlation;
        match self.dialect {
            Dialect::B2c => format!(
                "{}\r\nCorrelation ID: {correlation}\r\nTimestamp: {at}\r\n",
                self.refusal.b2c_text()
            ),
            Dialect::Aadsts => format!(
                "AADSTS{}: {} Trace ID: {correlation} Correlation ID: {correlation} Timestamp: {at}",
                self.refusal.aadsts_number(),
                self.refusal.text()
            ),
            Dialect::Plain => self.refusal.text(),
        }
    }

    /// The code a person would search for.
    pub(crate) fn code(&self) -> String {
        match self.dialect {
            Dialect::B2c => format!("AADB2C{}", self.refusal.number()),
            Dialect::Aadsts => format!("AADSTS{}", self.refusal.aadsts_number()),
            Dialect::Plain => self.refusal.error().to_owned(),
        }
    }

    /// The body of the token endpoint.
    pub(crate) fn body(&self) -> Value {
        let mut body =
            json!({ "error": self.refusal.error(), "error_description": self.description() });
        if self.dialect == Dialect::Aadsts {
            body["error_codes"] = json!([self.refusal.aadsts_number()]);
            body["timestamp"] = json!(self.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
            body["trace_id"] = json!(self.correlation);
            body["correlation_id"] = json!(self.correlation);
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(dialect: Dialect) -> Report {
        Report {
            refusal: Refusal::ForgotPassword,
            dialect,
            correlation: Uuid::nil(),
            at: Timestamp::constant(1_520_218_175, 0),
        }
    }

    #[test]
    fn a_b2c_description_has_three_lines_that_end_in_crlf() {
        assert_eq!(
            report(Dialect::B2c).description(),
            "AADB2C90118: The user has forgotten their password.\r\n\
             Correlation ID: 00000000-0000-0000-0000-000000000000\r\n\
             Timestamp: 2018-03-05 02:49:35Z\r\n"
        );
    }

    #[test]
    fn an_external_id_body_repeats_the_code_and_the_correlation_id() {
        let body = report(Dialect::Aadsts).body();
        assert_eq!(body["error"], "access_denied");
        assert_eq!(body["error_codes"], json!([65004]));
        assert_eq!(body["correlation_id"], "00000000-0000-0000-0000-000000000000");
        assert!(body["error_description"].as_str().unwrap().starts_with("AADSTS65004: "));
    }

    #[test]
    fn a_plain_provider_says_only_what_the_rfc_asks() {
        let body = report(Dialect::Plain).body();
        assert_eq!(body.as_object().unwrap().len(), 2);
        assert_eq!(body["error"], "access_denied");
    }
}
