//! Whom to sign in with, and where the family is kept: everything that one address leads to.

use luminous_oidc::{Authority, ConfigError, ExpectedIssuer, ProviderConfig, Transport};
use luminous_wire::api::{Discovery, IdentityProviderHint, ProviderDiscovery};
use url::Url;

/// So many shortcuts at most; a window has no room for more.
const MOST_HINTS: usize = 8;

/// Whom to sign in with, and where the family is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The provider, with the policy that people sign in with.
    pub provider: ProviderConfig,
    /// Its other policies.
    pub policies: Policies,
    /// Identity providers behind it, offered as shortcuts.
    pub hints: Vec<IdentityProviderHint>,
    /// The base address of the family server's API; absent where there is only a provider.
    pub api: Option<Url>,
    /// Whether all of it is embedded in this program.
    pub demo: bool,
}

/// The B2C policies beside the one people sign in with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policies {
    /// Gives a new password.
    pub password_reset: Option<String>,
    /// Edits the profile.
    pub profile_edit: Option<String>,
    /// Proves a second factor.
    pub step_up: Option<String>,
}

impl From<ProviderConfig> for Service {
    /// A provider alone.
    fn from(provider: ProviderConfig) -> Self {
        let (policies, hints) = (Policies::default(), Vec::new());
        Self { provider, policies, hints, api: None, demo: false }
    }
}

impl Service {
    /// What a family server says of itself. All of it came from outside.
    ///
    /// # Errors
    /// [`ConfigError`] when an address in it may not be used, or a policy cannot be one.
    pub fn from_discovery(
        discovery: &Discovery,
        transport: Transport,
    ) -> Result<Self, ConfigError> {
        let said = &discovery.provider;
        let mut provider = ProviderConfig::from_address(&said.address, &said.client_id, transport)?;
        if !said.scopes.is_empty() {
            provider.scopes.clone_from(&said.scopes);
        }
        if !provider.scopes.iter().any(|scope| scope == "openid") {
            // Without it there is no ID token, and nobody could be told from anybody.
            provider.scopes.insert(0, "openid".to_owned());
        }
        if let Some(issuer) = &said.issuer {
            provider.expected_issuer = ExpectedIssuer::Exact(issuer.clone());
        }
        Ok(Self {
            policies: policies(said, &provider)?,
            hints: said
                .hints
                .iter()
                .filter(|hint| is_usable(hint))
                .take(MOST_HINTS)
                .cloned()
                .collect(),
            api: Some(api_address(&discovery.api, transport)?),
            demo: false,
            provider,
        })
    }
}

/// The policies, each tried on the provider's address; only B2C has any.
fn policies(said: &ProviderDiscovery, provider: &ProviderConfig) -> Result<Policies, ConfigError> {
    if !matches!(provider.authority, Authority::B2c { .. }) {
        return Ok(Policies::default());
    }
    let usable = |policy: &Option<String>| match policy {
        Some(policy) => provider.with_policy(policy).map(|_| Some(policy.clone())),
        None => Ok(None),
    };
    Ok(Policies {
        password_reset: usable(&said.password_reset_policy)?,
        profile_edit: usable(&said.profile_edit_policy)?,
        step_up: usable(&said.step_up_policy)?,
    })
}

fn api_address(text: &str, transport: Transport) -> Result<Url, ConfigError> {
    let url = Url::parse(text.trim()).map_err(|_| ConfigError::AddressUnreadable)?;
    if !transport.allows(&url) || url.query().is_some() {
        return Err(ConfigError::AddressUnreadable);
    }
    Ok(url)
}

fn is_usable(hint: &IdentityProviderHint) -> bool {
    let domain = hint.domain_hint.as_bytes();
    let domain_fits = (1..=64).contains(&domain.len())
        && domain.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(byte));
    let name = hint.name.trim();
    domain_fits && (1..=40).contains(&name.chars().count()) && !name.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discovery() -> Discovery {
        let hint = |domain: &str, name: &str| IdentityProviderHint {
            domain_hint: domain.to_owned(),
            name: name.to_owned(),
        };
        Discovery {
            version: 1,
            name: "Home".to_owned(),
            api: "https://family.example.test/luminous".to_owned(),
            provider: ProviderDiscovery {
                address: "https://t.b2clogin.com/t.onmicrosoft.com/B2C_1_susi".to_owned(),
                issuer: Some("https://t.b2clogin.com/guid/v2.0/".to_owned()),
                client_id: "client".to_owned(),
                scopes: vec!["offline_access".to_owned(), "https://t/api/x".to_owned()],
                password_reset_policy: Some("B2C_1_reset".to_owned()),
                profile_edit_policy: None,
                step_up_policy: Some("B2C_1_mfa".to_owned()),
                hints: vec![hint("google.com", "Google"), hint("a b", "Odd"), hint("x", "\u{7}")],
            },
        }
    }

    #[test]
    fn an_address_leads_to_everything() {
        let service = Service::from_discovery(&discovery(), Transport::HttpsOnly).unwrap();
        assert_eq!(service.provider.scopes, ["openid", "offline_access", "https://t/api/x"]);
        let exact = ExpectedIssuer::Exact("https://t.b2clogin.com/guid/v2.0/".to_owned());
        assert_eq!(service.provider.expected_issuer, exact);
        assert_eq!(service.policies.password_reset.as_deref(), Some("B2C_1_reset"));
        assert_eq!(service.policies.profile_edit, None);
        let hints: Vec<_> = service.hints.iter().map(|hint| hint.name.as_str()).collect();
        assert_eq!(hints, ["Google"], "what could not be a domain or a name is left out");
        assert_eq!(service.api.unwrap().as_str(), "https://family.example.test/luminous");
    }

    #[test]
    fn an_api_that_tokens_may_not_be_sent_to_is_refused() {
        for api in [
            "http://family.example.test",
            "http://localhost:8080",
            "https://u:p@family.example.test",
            "https://family.example.test/?x=1",
            "https://family.example.test/#x",
            "file:///etc",
            "family",
        ] {
            let said = Discovery { api: api.to_owned(), ..discovery() };
            assert!(Service::from_discovery(&said, Transport::HttpsOnly).is_err(), "{api}");
        }
    }

    #[test]
    fn a_policy_that_cannot_be_one_is_refused() {
        let mut said = discovery();
        said.provider.step_up_policy = Some("../evil".to_owned());
        let error = Service::from_discovery(&said, Transport::HttpsOnly).unwrap_err();
        assert_eq!(error, ConfigError::PolicyUnreadable);
    }
}
