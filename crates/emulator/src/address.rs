//! Which authority and endpoint a URL names. Pure: a path and a `p` parameter in, a name out.
//!
//! B2C answers in three forms (`b2clogin.md`): the policy as a path segment, the policy as `?p=`,
//! and the path form behind `/tfp/`.

use serde::{Deserialize, Serialize};

/// An endpoint that every authority has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// The metadata document.
    Discovery,
    /// Where the browser goes.
    Authorize,
    /// Where codes and refresh tokens are redeemed.
    Token,
    /// Where the browser signs out.
    Logout,
    /// The signing keys.
    Keys,
}

/// How a B2C URL names its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UrlForm {
    /// `/{tenant}/{policy}/…`
    Path,
    /// `/{tenant}/…?p={policy}`
    Query,
    /// `/tfp/{tenant}/{policy}/…`
    Tfp,
}

/// An authority as a URL names it; whether it exists is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorityName {
    /// A policy of a B2C tenant.
    B2c {
        /// The form of the URL.
        form: UrlForm,
        /// Domain or GUID, as written.
        tenant: String,
        /// The policy, as written.
        policy: String,
    },
    /// A tenant without policies.
    ExternalId {
        /// Domain or GUID, as written.
        tenant: String,
    },
    /// The plain OpenID Connect issuer at `/oidc`.
    Plain,
}

/// Reads a request's path and its `p` parameter.
pub fn parse(path: &str, p: Option<&str>) -> Option<(AuthorityName, Endpoint)> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    match segments.as_slice() {
        ["oidc", rest @ ..] => Some((AuthorityName::Plain, plain_endpoint(rest)?)),
        ["tfp", tenant, policy, rest @ ..] => {
            Some((b2c(UrlForm::Tfp, tenant, policy), endpoint(rest)?))
        }
        [tenant, rest @ ..] if endpoint(rest).is_some() => {
            let name = match p {
                Some(policy) => b2c(UrlForm::Query, tenant, policy),
                None => AuthorityName::ExternalId { tenant: (*tenant).to_owned() },
            };
            Some((name, endpoint(rest)?))
        }
        [tenant, policy, rest @ ..] => Some((b2c(UrlForm::Path, tenant, policy), endpoint(rest)?)),
        _ => None,
    }
}

fn b2c(form: UrlForm, tenant: &str, policy: &str) -> AuthorityName {
    AuthorityName::B2c { form, tenant: tenant.to_owned(), policy: policy.to_owned() }
}

fn endpoint(rest: &[&str]) -> Option<Endpoint> {
    match rest {
        ["v2.0", ".well-known", "openid-configuration"] => Some(Endpoint::Discovery),
        ["oauth2", "v2.0", "authorize"] => Some(Endpoint::Authorize),
        ["oauth2", "v2.0", "token"] => Some(Endpoint::Token),
        ["oauth2", "v2.0", "logout"] => Some(Endpoint::Logout),
        ["discovery", "v2.0", "keys"] => Some(Endpoint::Keys),
        _ => None,
    }
}

fn plain_endpoint(rest: &[&str]) -> Option<Endpoint> {
    match rest {
        [".well-known", "openid-configuration"] => Some(Endpoint::Discovery),
        ["authorize"] => Some(Endpoint::Authorize),
        ["token"] => Some(Endpoint::Token),
        ["logout"] => Some(Endpoint::Logout),
        ["keys"] => Some(Endpoint::Keys),
        _ => None,
    }
}

/// The tail of an endpoint's path, after the authority.
pub(crate) fn tail(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Discovery => "v2.0/.well-known/openid-configuration",
        Endpoint::Authorize => "oauth2/v2.0/authorize",
        Endpoint::Token => "oauth2/v2.0/token",
        Endpoint::Logout => "oauth2/v2.0/logout",
        Endpoint::Keys => "discovery/v2.0/keys",
    }
}

/// The tail of an endpoint of the plain issuer.
pub(crate) fn plain_tail(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Discovery => ".well-known/openid-configuration",
        Endpoint::Authorize => "authorize",
        Endpoint::Token => "token",
        Endpoint::Logout => "logout",
        Endpoint::Keys => "keys",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(form: UrlForm) -> AuthorityName {
        b2c(form, "t.onmicrosoft.com", "B2C_1_a")
    }

    #[test]
    fn the_policy_may_stand_in_the_path_in_the_query_or_behind_tfp() {
        let path = "/t.onmicrosoft.com/B2C_1_a/oauth2/v2.0/token";
        assert_eq!(parse(path, None), Some((name(UrlForm::Path), Endpoint::Token)));
        let query = "/t.onmicrosoft.com/oauth2/v2.0/token";
        assert_eq!(parse(query, Some("B2C_1_a")), Some((name(UrlForm::Query), Endpoint::Token)));
        let tfp = "/tfp/t.onmicrosoft.com/B2C_1_a/oauth2/v2.0/token";
        assert_eq!(parse(tfp, None), Some((name(UrlForm::Tfp), Endpoint::Token)));
    }

    #[test]
    fn a_policy_in_the_path_wins_over_one_in_the_query() {
        let path = "/t.onmicrosoft.com/B2C_1_a/discovery/v2.0/keys";
        assert_eq!(parse(path, Some("B2C_1_b")), Some((name(UrlForm::Path), Endpoint::Keys)));
    }

    #[test]
    fn a_tenant_without_a_policy_is_external_id() {
        let external = AuthorityName::ExternalId { tenant: "t.onmicrosoft.com".into() };
        let path = "/t.onmicrosoft.com/v2.0/.well-known/openid-configuration";
        assert_eq!(parse(path, None), Some((external, Endpoint::Discovery)));
    }

    #[test]
    fn the_plain_issuer_lives_under_oidc() {
        let path = "/oidc/.well-known/openid-configuration";
        assert_eq!(parse(path, None), Some((AuthorityName::Plain, Endpoint::Discovery)));
        assert_eq!(parse("/oidc/token", None), Some((AuthorityName::Plain, Endpoint::Token)));
    }

    #[test]
    fn anything_else_is_nothing() {
        for path in ["/", "", "/x", "/oidc", "/t/p/oauth2/token", "/t/p/q/oauth2/v2.0/token", "//"]
        {
            assert_eq!(parse(path, None), None, "{path}");
        }
    }
}
