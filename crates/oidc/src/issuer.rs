//! The shapes an issuer may have, and what can be read from them.

use luminous_domain::TenantId;
use url::Url;

use crate::authority::{Authority, is_guid};
use crate::url_rules::is_loopback;

/// An issuer, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IssuerShape<'a> {
    /// `https://HOST/GUID/v2.0/`: shared by all policies of the tenant.
    B2cTenant {
        /// The tenant.
        tenant: &'a str,
    },
    /// `https://HOST/tfp/GUID/POLICY/v2.0/`: one policy's own.
    B2cPolicy {
        /// The tenant.
        tenant: &'a str,
        /// The policy, lower-case.
        policy: &'a str,
    },
    /// `https://GUID.ciamlogin.com/GUID/v2.0`, without a slash at the end; on this machine
    /// `http://GUID.localhost:PORT/GUID/v2.0`.
    ExternalId {
        /// The tenant.
        tenant: &'a str,
    },
    /// Anything else.
    Plain,
}

impl<'a> IssuerShape<'a> {
    /// The tenant's GUID, where the issuer has one.
    pub(crate) fn tenant(self) -> Option<&'a str> {
        match self {
            Self::B2cTenant { tenant }
            | Self::B2cPolicy { tenant, .. }
            | Self::ExternalId { tenant } => Some(tenant),
            Self::Plain => None,
        }
    }
}

/// The directory of the people whom `issuer` knows: its tenant's GUID, else itself.
pub(crate) fn directory(issuer: &str) -> TenantId {
    match shape(issuer).tenant() {
        Some(tenant) => TenantId::new(tenant.to_ascii_lowercase()),
        None => TenantId::new(issuer),
    }
}

/// Takes `issuer` apart by its path; whether its host may be trusted is another question.
pub(crate) fn shape(issuer: &str) -> IssuerShape<'_> {
    let path = issuer.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    let Some((host, path)) = path else { return IssuerShape::Plain };
    let segments: Vec<&str> = path.split('/').collect();
    match segments.as_slice() {
        [tenant, "v2.0", ""] if is_guid(tenant) => IssuerShape::B2cTenant { tenant },
        ["tfp", tenant, policy, "v2.0", ""] if is_guid(tenant) => {
            IssuerShape::B2cPolicy { tenant, policy }
        }
        [tenant, "v2.0"] if is_guid(tenant) && is_external_id_host(host, tenant) => {
            IssuerShape::ExternalId { tenant }
        }
        _ => IssuerShape::Plain,
    }
}

fn is_external_id_host(host: &str, tenant: &str) -> bool {
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let family = name.strip_prefix(tenant);
    family == Some(".ciamlogin.com") || family == Some(".localhost")
}

/// Whether `issuer` is one that `authority` can have, for the first contact.
pub(crate) fn fits(authority: &Authority, issuer: &str) -> bool {
    let same_origin = |origin: &Url| {
        issuer.strip_prefix(origin.as_str()).is_some_and(|path| !path.contains(['?', '#', '\\']))
    };
    let same_tenant = |configured: &str, guid: &str| {
        !is_guid(configured) || configured.eq_ignore_ascii_case(guid)
    };
    match (authority, shape(issuer)) {
        (Authority::B2c { origin, tenant, .. }, IssuerShape::B2cTenant { tenant: guid }) => {
            same_origin(origin) && same_tenant(tenant, guid)
        }
        (
            Authority::B2c { origin, tenant, policy, .. },
            IssuerShape::B2cPolicy { tenant: guid, policy: issuing },
        ) => {
            same_origin(origin) && same_tenant(tenant, guid) && policy.eq_ignore_ascii_case(issuing)
        }
        (Authority::ExternalId { origin, tenant }, IssuerShape::ExternalId { tenant: guid }) => {
            issuer == external_id_issuer(origin, guid) && same_tenant(tenant, guid)
        }
        (Authority::Oidc { issuer: configured }, _) => {
            // `Url` always ends a bare host in a slash; a person may write one or not.
            issuer.trim_end_matches('/') == configured.as_str().trim_end_matches('/')
        }
        _ => false,
    }
}

/// The one issuer an External ID tenant has, whatever the host that was asked.
fn external_id_issuer(origin: &Url, guid: &str) -> String {
    match origin.port() {
        Some(port) if is_loopback(origin) => {
            format!("{}://{guid}.localhost:{port}/{guid}/v2.0", origin.scheme())
        }
        _ => format!("https://{guid}.ciamlogin.com/{guid}/v2.0"),
    }
}

/// `issuer` as another policy of the same tenant has it: the policy's own form names the policy,
/// the tenant's form does not.
pub(crate) fn under_policy(issuer: &str, policy: &str) -> String {
    match shape(issuer) {
        IssuerShape::B2cPolicy { tenant, policy: old } => issuer.replace(
            &format!("/tfp/{tenant}/{old}/"),
            &format!("/tfp/{tenant}/{}/", policy.to_ascii_lowercase()),
        ),
        _ => issuer.to_owned(),
    }
}
