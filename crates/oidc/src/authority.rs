//! Where a provider lives: reading an address a person typed, and the metadata URL it means.

use url::Url;

use crate::config::ConfigError;
use crate::url_rules::{Transport, host_and_port};

/// The provider, and for Azure AD B2C the policy, that people sign in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// Azure AD B2C: metadata, keys, codes and refresh tokens all belong to one policy.
    B2c {
        /// `https://TENANT.b2clogin.com/` or a custom domain.
        origin: Url,
        /// `TENANT.onmicrosoft.com` or the tenant's GUID.
        tenant: String,
        /// The user flow or custom policy, spelt as in the portal.
        policy: String,
        /// How URLs are written.
        form: UrlForm,
    },
    /// Microsoft Entra External ID: no policies, and the issuer's host is the tenant's GUID.
    ExternalId {
        /// `https://TENANT.ciamlogin.com/` or a custom domain.
        origin: Url,
        /// `TENANT.onmicrosoft.com` or the tenant's GUID.
        tenant: String,
    },
    /// Any OpenID Connect provider, by its issuer URL.
    Oidc {
        /// The issuer.
        issuer: Url,
    },
}

/// The three ways Azure AD B2C writes a policy into a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlForm {
    /// `/TENANT/POLICY/v2.0/..`
    Path,
    /// `/TENANT/v2.0/..?p=POLICY`; endpoints in the metadata carry the query too.
    Query,
    /// `/tfp/TENANT/POLICY/v2.0/..`, as MSAL writes it.
    Tfp,
}

const WELL_KNOWN: &str = ".well-known/openid-configuration";

/// What may follow the part of an address that names tenant and policy.
const TAILS: [&[&str]; 7] = [
    &["v2.0", ".well-known", "openid-configuration"],
    &["oauth2", "v2.0", "authorize"],
    &["oauth2", "v2.0", "token"],
    &["oauth2", "v2.0", "logout"],
    &["discovery", "v2.0", "keys"],
    &[".well-known", "openid-configuration"],
    &["v2.0"],
];

impl Authority {
    /// Reads an address: a B2C authority in any of its URL forms, an Entra External ID authority,
    /// any of their metadata or endpoint URLs, or a plain issuer.
    ///
    /// # Errors
    /// [`ConfigError`] naming what is missing or not allowed.
    pub fn from_address(address: &str, transport: Transport) -> Result<Self, ConfigError> {
        let url = Url::parse(address.trim()).map_err(|_| ConfigError::AddressUnreadable)?;
        if url.scheme() == "http" && !transport.allows(&url) {
            return Err(ConfigError::AddressInsecure { host: host_and_port(&url) });
        }
        if !transport.allows(&url) {
            return Err(ConfigError::AddressUnreadable);
        }
        Parts::of(&url).authority(url)
    }

    /// Where the provider describes itself (OpenID Connect Discovery section 4).
    #[must_use]
    pub fn metadata_url(&self) -> Url {
        let (base, path) = match self {
            Self::B2c { origin, tenant, policy, form } => {
                let path = match form {
                    UrlForm::Path => format!("/{tenant}/{policy}/v2.0/{WELL_KNOWN}"),
                    UrlForm::Query => format!("/{tenant}/v2.0/{WELL_KNOWN}"),
                    UrlForm::Tfp => format!("/tfp/{tenant}/{policy}/v2.0/{WELL_KNOWN}"),
                };
                (origin, path)
            }
            Self::ExternalId { origin, tenant } => (origin, format!("/{tenant}/v2.0/{WELL_KNOWN}")),
            Self::Oidc { issuer } => {
                (issuer, format!("{}/{WELL_KNOWN}", issuer.path().trim_end_matches('/')))
            }
        };
        let mut url = base.clone();
        url.set_path(&path);
        url.set_query(None);
        if let Self::B2c { policy, form: UrlForm::Query, .. } = self {
            url.query_pairs_mut().append_pair("p", policy);
        }
        url
    }

    /// The URL whose scheme, host and port are the provider's own.
    #[must_use]
    pub fn origin(&self) -> &Url {
        match self {
            Self::B2c { origin, .. } | Self::ExternalId { origin, .. } => origin,
            Self::Oidc { issuer } => issuer,
        }
    }

    /// The B2C policy, where there is one.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        match self {
            Self::B2c { policy, .. } => Some(policy),
            Self::ExternalId { .. } | Self::Oidc { .. } => None,
        }
    }

    /// The same authority with another policy; `None` where there are no policies.
    #[must_use]
    pub fn with_policy(&self, policy: &str) -> Option<Self> {
        let Self::B2c { origin, tenant, form, .. } = self else { return None };
        Some(Self::B2c {
            origin: origin.clone(),
            tenant: tenant.clone(),
            policy: policy.to_owned(),
            form: *form,
        })
    }
}

/// The path of an address, taken apart.
struct Parts {
    tfp: bool,
    segments: Vec<String>,
    policy_in_query: Option<String>,
}

impl Parts {
    fn of(url: &Url) -> Self {
        let mut segments: Vec<String> = url
            .path_segments()
            .into_iter()
            .flatten()
            .filter(|segment| !segment.is_empty())
            .map(str::to_owned)
            .collect();
        for tail in TAILS {
            let at = segments.len().saturating_sub(tail.len());
            if segments[at..].iter().eq(tail) {
                segments.truncate(at);
                break;
            }
        }
        let tfp = segments.first().is_some_and(|first| first.eq_ignore_ascii_case("tfp"));
        if tfp {
            segments.remove(0);
        }
        let policy_in_query =
            url.query_pairs().find(|(name, _)| name == "p").map(|(_, value)| value.into_owned());
        Self { tfp, segments, policy_in_query }
    }

    fn authority(self, url: Url) -> Result<Authority, ConfigError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        if is_b2c_host(&host) || self.tfp || self.names_a_policy() {
            return self.b2c(&url);
        }
        if is_external_id_host(&host) || self.is_entra_tenant(&host) {
            return self.external_id(&url, &host);
        }
        if url.query().is_some() {
            return Err(ConfigError::AddressUnreadable);
        }
        let issuer = match url.path().strip_suffix(WELL_KNOWN) {
            None => url,
            Some(path) => {
                let mut issuer = url.clone();
                issuer.set_path(path.trim_end_matches('/'));
                issuer
            }
        };
        Ok(Authority::Oidc { issuer })
    }

    fn names_a_policy(&self) -> bool {
        self.policy_in_query.is_some() || self.segments.get(1).is_some_and(|name| is_policy(name))
    }

    fn is_entra_tenant(&self, host: &str) -> bool {
        let [tenant] = self.segments.as_slice() else { return false };
        (is_guid(tenant) || tenant.ends_with(".onmicrosoft.com"))
            && !host.starts_with("login.microsoftonline.")
    }

    fn b2c(self, url: &Url) -> Result<Authority, ConfigError> {
        let form = match (self.tfp, &self.policy_in_query) {
            (true, _) => UrlForm::Tfp,
            (false, Some(_)) => UrlForm::Query,
            (false, None) => UrlForm::Path,
        };
        let mut segments = self.segments.into_iter();
        let tenant = segments.next().ok_or(ConfigError::TenantMissing)?;
        let policy = match (self.policy_in_query, segments.next()) {
            (Some(policy), None) | (None, Some(policy)) => policy,
            (None, None) => return Err(ConfigError::PolicyMissing),
            (Some(_), Some(_)) => return Err(ConfigError::AddressUnreadable),
        };
        if segments.next().is_some() {
            return Err(ConfigError::AddressUnreadable);
        }
        if !is_policy(&policy) {
            return Err(ConfigError::PolicyUnreadable);
        }
        Ok(Authority::B2c { origin: origin_of(url), tenant, policy, form })
    }

    fn external_id(self, url: &Url, host: &str) -> Result<Authority, ConfigError> {
        let tenant = match self.segments.as_slice() {
            [tenant] => tenant.clone(),
            [] => {
                let name = host.split('.').next().unwrap_or_default();
                if is_guid(name) { name.to_owned() } else { format!("{name}.onmicrosoft.com") }
            }
            _ => return Err(ConfigError::AddressUnreadable),
        };
        Ok(Authority::ExternalId { origin: origin_of(url), tenant })
    }
}

/// `url` reduced to scheme, host and port.
pub(crate) fn origin_of(url: &Url) -> Url {
    let mut origin = url.clone();
    origin.set_path("/");
    origin.set_query(None);
    origin.set_fragment(None);
    origin
}

/// The clouds that host Azure AD B2C.
pub(crate) fn is_b2c_host(host: &str) -> bool {
    ["com", "cn", "us", "de"].iter().any(|top| {
        host.strip_suffix(top)
            .and_then(|rest| rest.strip_suffix('.'))
            .and_then(|rest| rest.strip_suffix("b2clogin"))
            .is_some_and(|rest| rest.ends_with('.'))
    })
}

pub(crate) fn is_external_id_host(host: &str) -> bool {
    host.ends_with(".ciamlogin.com")
}

/// Whether `name` can be a B2C policy: `B2C_1_NAME` (user flow) or `B2C_1A_NAME` (custom policy),
/// in any case.
#[must_use]
pub fn is_policy(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let rest = name.strip_prefix("b2c_1_").or_else(|| name.strip_prefix("b2c_1a_"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    })
}

/// Whether `text` is a GUID in its usual 8-4-4-4-12 form.
#[must_use]
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
