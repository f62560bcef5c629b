//! Where the tenant asks for further claims before it issues a token.

use std::time::Duration;

use url::Url;

/// B2C's API connector at the step "Before including application claims in token".
///
/// It runs in the sign-in policies only, and only when a person signs in: "When using refresh
/// tokens […] the token will include the values evaluated during the initial authentication"
/// (`b2c/add-api-connector-token-enrichment.md`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiConnector {
    /// Where to POST.
    pub url: Url,
    /// User name of HTTP Basic authentication.
    pub username: String,
    /// Its password.
    pub password: String,
    /// What custom attributes start with in the request: `extension_` and the id of the tenant's
    /// extensions app without dashes, then `_`. Answers may use it or the short form `extension_`.
    pub attribute_prefix: String,
    /// How long to wait for an answer.
    pub timeout: Duration,
    /// Ask again at each refresh, as a custom policy's refresh journey can
    /// (`RefreshTokenUserJourneyId`). User flows do not.
    pub at_refresh: bool,
}

impl ApiConnector {
    /// A connector as a user flow has it: ten seconds, silent at refresh.
    #[must_use]
    pub fn new(url: Url, username: &str, password: &str) -> Self {
        Self {
            url,
            username: username.into(),
            password: password.into(),
            attribute_prefix: format!("extension_{DEMO_EXTENSIONS_APP}_"),
            timeout: Duration::from_secs(10),
            at_refresh: false,
        }
    }
}

/// The id of the demonstration tenant's extensions app, without dashes.
pub const DEMO_EXTENSIONS_APP: &str = "6e1f0c9a4b7d4e52a8c31c0de5a7e0e5";

/// External ID's custom authentication extension for the event `TokenIssuanceStart`.
///
/// Whether Entra calls it at a refresh is not stated by its documentation. Inferred: it does, for
/// the event is "a token is about to be issued".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenIssuanceStart {
    /// Where to POST.
    pub url: Url,
    /// The audience of the bearer token that comes along: the application (client) id that the
    /// extension is registered with.
    pub audience: String,
    /// How long to wait for an answer; Entra gives it two seconds and tries once more.
    pub timeout: Duration,
    /// Ask again at each refresh.
    pub at_refresh: bool,
}

impl TokenIssuanceStart {
    /// An extension as Entra has it.
    #[must_use]
    pub fn new(url: Url, audience: &str) -> Self {
        Self { url, audience: audience.into(), timeout: Duration::from_secs(2), at_refresh: true }
    }
}
