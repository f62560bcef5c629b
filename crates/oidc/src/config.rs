//! Everything this crate must be told about a provider, as values.
//!
//! Made from an address a person typed ([`ProviderConfig::from_address`]), from environment
//! variables ([`ProviderConfig::from_variables`], in [`crate::variables`]) or by hand.

use url::Url;

use crate::authority::{Authority, is_policy};
use crate::issuer;
use crate::jose::Algorithm;
use crate::url_rules::{Transport, host_and_port};

/// One provider, and for Azure AD B2C one of its policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderConfig {
    /// Where it lives.
    pub authority: Authority,
    /// Our application (client) id there; the audience of ID tokens.
    pub client_id: String,
    /// What is asked for at sign-in, `openid` included.
    pub scopes: Vec<String>,
    /// What `iss` must be; apart from the metadata URL, which for B2C never matches it.
    pub expected_issuer: ExpectedIssuer,
    /// Which schemes are allowed.
    pub transport: Transport,
    /// Hosts (`host` or `host:port`) the metadata may name beside the authority's own and the
    /// issuer's.
    pub allowed_hosts: Vec<String>,
    /// Which policies a token may come from.
    pub policies: PolicyRule,
    /// Who access tokens must be for, when this config verifies them.
    pub audiences: AudienceRule,
    /// Under which names custom claims arrive.
    pub claim_names: ClaimNames,
    /// Which signature algorithms count. Never taken from a token or from the metadata.
    pub algorithms: Vec<Algorithm>,
}

/// What `iss` must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedIssuer {
    /// Exactly this, byte for byte, a trailing slash included.
    Exact(String),
    /// Not known yet (a B2C issuer holds the tenant's GUID): the metadata's issuer is taken at
    /// first contact if it has the shape this authority must have, and pinned from then on. Persist
    /// [`crate::Provider::pinned_issuer`] and use [`ExpectedIssuer::Exact`] the next time.
    Discovered,
}

/// Which B2C policies a token may come from.
///
/// All policies of a tenant can share one issuer and one key, so signature and issuer do not tell
/// the sign-in policy from the password-reset one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyRule {
    /// The provider has no policies.
    None,
    /// One of these, compared without regard to case.
    OneOf(Vec<String>),
}

/// Who an access token must be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudienceRule {
    /// Accepted values of `aud`.
    pub accepted: Vec<String>,
    /// Whether `aud` may also name somebody else besides.
    pub shared: bool,
    /// Accepted values of `azp`, the application the token was given to; empty means any.
    pub clients: Vec<String>,
}

/// The names custom claims arrive under; the first one present counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimNames {
    /// Application roles, a list.
    pub roles: Vec<String>,
    /// The role within the family.
    pub role: Vec<String>,
    /// The family.
    pub family_id: Vec<String>,
}

impl Default for ClaimNames {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            roles: names(&["roles"]),
            role: names(&["role", "extension_role"]),
            family_id: names(&["family_id", "extension_family_id"]),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The address is not a URL we can use.
    #[error("the provider's address is not an https URL this app understands")]
    AddressUnreadable,
    /// Plain http.
    #[error("plain http is not allowed for {host}")]
    AddressInsecure {
        /// The host.
        host: String,
    },
    /// A B2C address without its tenant.
    #[error("the address of an Azure AD B2C tenant must name the tenant")]
    TenantMissing,
    /// A B2C address without a policy.
    #[error("the address of an Azure AD B2C tenant must name a policy such as B2C_1_signupsignin1")]
    PolicyMissing,
    /// Not a B2C policy name.
    #[error("a policy's name starts with B2C_1_ or B2C_1A_")]
    PolicyUnreadable,
    /// This provider has no policies.
    #[error("this provider has no policies")]
    PolicyUnsupported,
    /// No client id.
    #[error("the application (client) id is missing")]
    ClientIdMissing,
    /// A variable is not set, or blank.
    #[error("{variable} is not set")]
    VariableMissing {
        /// Its name.
        variable: &'static str,
    },
    /// A variable still holds the example's value.
    #[error("{variable} still holds the example's value")]
    VariablePlaceholder {
        /// Its name.
        variable: &'static str,
    },
    /// A variable's value cannot be used.
    #[error("{variable} cannot be used: {problem}")]
    VariableInvalid {
        /// Its name.
        variable: &'static str,
        /// What is wrong.
        problem: Box<ConfigError>,
    },
    /// Two variables say different things.
    #[error("{variable} contradicts {other}")]
    VariablesContradict {
        /// The one.
        variable: &'static str,
        /// The other.
        other: &'static str,
    },
    /// The emulator's plain http outside development.
    #[error("{variable} is plain http, which needs LUMINOUS_PROFILE=dev")]
    ProfileNotDev {
        /// The variable that holds the URL.
        variable: &'static str,
    },
}

impl ConfigError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "config.invalid"
    }
}

impl ProviderConfig {
    /// The configuration an address and a client id mean, with what is usual for its provider.
    ///
    /// # Errors
    /// [`ConfigError`] naming what is missing or not allowed.
    pub fn from_address(
        address: &str,
        client_id: &str,
        transport: Transport,
    ) -> Result<Self, ConfigError> {
        let client_id = client_id.trim();
        if client_id.is_empty() {
            return Err(ConfigError::ClientIdMissing);
        }
        Ok(Self::new(Authority::from_address(address, transport)?, client_id, transport))
    }

    /// What is usual for `authority`: RS256 only, the audience ourselves, the issuer discovered.
    #[must_use]
    pub fn new(authority: Authority, client_id: &str, transport: Transport) -> Self {
        let mut scopes = vec!["openid", "offline_access"];
        match authority {
            // B2C gives no access token unless an API's scope or the client id itself is asked for.
            Authority::B2c { .. } => scopes.push(client_id),
            Authority::ExternalId { .. } | Authority::Oidc { .. } => {
                scopes.extend(["profile", "email"]);
            }
        }
        Self {
            client_id: client_id.to_owned(),
            scopes: scopes.into_iter().map(str::to_owned).collect(),
            expected_issuer: ExpectedIssuer::Discovered,
            transport,
            allowed_hosts: Vec::new(),
            policies: authority.policy().map_or(PolicyRule::None, PolicyRule::only),
            audiences: AudienceRule::only(client_id),
            claim_names: ClaimNames::default(),
            algorithms: vec![Algorithm::Rs256],
            authority,
        }
    }

    /// The same application at the same tenant under another policy, for password reset and
    /// profile editing.
    ///
    /// # Errors
    /// [`ConfigError::PolicyUnsupported`] where there are no policies,
    /// [`ConfigError::PolicyUnreadable`] when `policy` cannot be one.
    pub fn with_policy(&self, policy: &str) -> Result<Self, ConfigError> {
        let authority = self.authority.with_policy(policy).ok_or(ConfigError::PolicyUnsupported)?;
        if !is_policy(policy) {
            return Err(ConfigError::PolicyUnreadable);
        }
        let expected_issuer = match &self.expected_issuer {
            ExpectedIssuer::Exact(exact) => {
                ExpectedIssuer::Exact(issuer::under_policy(exact, policy))
            }
            ExpectedIssuer::Discovered => ExpectedIssuer::Discovered,
        };
        let policies = PolicyRule::only(policy);
        Ok(Self { authority, expected_issuer, policies, ..self.clone() })
    }

    /// Where the provider describes itself.
    #[must_use]
    pub fn metadata_url(&self) -> Url {
        self.authority.metadata_url()
    }

    /// The host people see in their browser.
    #[must_use]
    pub fn host(&self) -> &str {
        self.authority.origin().host_str().unwrap_or_default()
    }

    /// Whether the provider at `issuer` may have something at `url`: an allowed scheme, and a host
    /// and port of the authority, of the issuer or of `allowed_hosts`.
    #[must_use]
    pub fn allows(&self, url: &Url, issuer: &str) -> bool {
        let place = host_and_port(url);
        let issuer = Url::parse(issuer).ok();
        self.transport.allows(url)
            && (place == host_and_port(self.authority.origin())
                || issuer.is_some_and(|issuer| place == host_and_port(&issuer))
                || self.allowed_hosts.contains(&place))
    }
}

impl PolicyRule {
    /// This one policy.
    #[must_use]
    pub fn only(policy: &str) -> Self {
        Self::OneOf(vec![policy.to_owned()])
    }

    /// Whether a token that names `policy` may be accepted.
    #[must_use]
    pub fn allows(&self, policy: &str) -> bool {
        match self {
            Self::None => true,
            Self::OneOf(policies) => policies.iter().any(|one| one.eq_ignore_ascii_case(policy)),
        }
    }
}

impl AudienceRule {
    /// This one audience and nobody besides, whatever the application.
    #[must_use]
    pub fn only(audience: &str) -> Self {
        Self { accepted: vec![audience.to_owned()], shared: false, clients: Vec::new() }
    }
}
