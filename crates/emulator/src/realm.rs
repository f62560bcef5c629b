//! An authority that exists: its issuer, its endpoints, its metadata. Pure.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::address::{self, AuthorityName, Endpoint, UrlForm};
use crate::config::{Config, IssuerForm, Policy, PolicyKind, Tenant, TenantKind};
use crate::refusal::Dialect;

/// The kind of an authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum RealmKind {
    /// A policy of a B2C tenant, reached by this form of URL.
    B2c(UrlForm),
    /// A tenant without policies.
    ExternalId,
    /// The issuer at `/oidc`.
    Plain,
}

/// An authority that exists.
#[derive(Debug, Clone)]
pub(crate) struct Realm {
    pub(crate) kind: RealmKind,
    pub(crate) tenant: Tenant,
    /// The policy in the portal's case; empty where there are none.
    pub(crate) policy: String,
    /// What happens to a person here; signing in where there are no policies.
    pub(crate) journey: PolicyKind,
    /// The tenant as the URL wrote it, lower case: metadata answers in kind.
    written: String,
    base: Url,
    issuer_form: IssuerForm,
}

/// What a grant is bound to: the tenant and the policy, however the URL was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Binding {
    pub(crate) tenant_id: String,
    pub(crate) policy: String,
    pub(crate) plain: bool,
}

impl Realm {
    /// Finds the authority that a URL names, if the configuration has it.
    pub(crate) fn resolve(name: &AuthorityName, config: &Config, base: &Url) -> Option<Self> {
        let tenants = || std::iter::once(&config.tenant).chain(&config.other_tenants);
        let find = |segment: &str, kind: TenantKind| {
            tenants().find(|tenant| tenant.kind == kind && tenant.is_named(segment)).cloned()
        };
        let (kind, tenant, policy, written) = match name {
            AuthorityName::B2c { form, tenant, policy } => {
                let known = config.policy(policy)?.clone();
                let found = find(tenant, TenantKind::B2c)?;
                (RealmKind::B2c(*form), found, known, tenant.to_ascii_lowercase())
            }
            AuthorityName::ExternalId { tenant } => {
                let found = find(tenant, TenantKind::ExternalId)?;
                // Entra answers with the GUID however it was asked (`CiamAuthority`).
                let written = found.id.clone();
                (RealmKind::ExternalId, found, Policy::new("", PolicyKind::SignUpSignIn), written)
            }
            AuthorityName::Plain => return Some(Self::plain(config, base)),
        };
        let issuer_form = config.issuer_form;
        let Policy { name: policy, kind: journey } = policy;
        Some(Self { kind, tenant, policy, journey, written, base: base.clone(), issuer_form })
    }

    /// The main tenant's first policy, path form; the plain issuer where there is no policy.
    pub(crate) fn main(config: &Config, base: &Url) -> Self {
        let name = AuthorityName::B2c {
            form: UrlForm::Path,
            tenant: config.tenant.domain.clone(),
            policy: config.policies.first().map(|first| first.name.clone()).unwrap_or_default(),
        };
        Self::resolve(&name, config, base).unwrap_or_else(|| Self::plain(config, base))
    }

    /// The main tenant's policy of this name, path form; the main authority for an unknown one.
    pub(crate) fn of_policy(policy: &str, config: &Config, base: &Url) -> Self {
        let tenant = config.tenant.domain.clone();
        let name = AuthorityName::B2c { form: UrlForm::Path, tenant, policy: policy.to_owned() };
        Self::resolve(&name, config, base).unwrap_or_else(|| Self::main(config, base))
    }

    /// The issuer at `/oidc`, with the people of the main tenant.
    pub(crate) fn plain(config: &Config, base: &Url) -> Self {
        Self {
            kind: RealmKind::Plain,
            tenant: config.tenant.clone(),
            policy: String::new(),
            journey: PolicyKind::SignUpSignIn,
            written: String::new(),
            base: base.clone(),
            issuer_form: config.issuer_form,
        }
    }

    /// The exact issuer of this authority's tokens.
    pub(crate) fn issuer(&self) -> String {
        let (base, id) = (&self.base, &self.tenant.id);
        match (self.kind, self.issuer_form) {
            (RealmKind::B2c(_), IssuerForm::TenantGuid) => format!("{base}{id}/v2.0/"),
            (RealmKind::B2c(_), IssuerForm::Tfp) => {
                format!("{base}tfp/{id}/{}/v2.0/", self.policy_lower())
            }
            // The host of an External ID issuer is the tenant's GUID, not the host that was asked.
            (RealmKind::ExternalId, _) => {
                let port = self.base.port().map(|port| format!(":{port}")).unwrap_or_default();
                format!("{}://{id}.localhost{port}/{id}/v2.0", self.base.scheme())
            }
            (RealmKind::Plain, _) => format!("{base}oidc"),
        }
    }

    /// The URL of an endpoint, in the form that this authority was asked in, lower case.
    pub(crate) fn endpoint(&self, endpoint: Endpoint) -> String {
        let (base, written, policy) = (&self.base, &self.written, self.policy_lower());
        let tail = address::tail(endpoint);
        match self.kind {
            RealmKind::B2c(UrlForm::Path) => format!("{base}{written}/{policy}/{tail}"),
            RealmKind::B2c(UrlForm::Query) => format!("{base}{written}/{tail}?p={policy}"),
            RealmKind::B2c(UrlForm::Tfp) => format!("{base}tfp/{written}/{policy}/{tail}"),
            RealmKind::ExternalId => format!("{base}{written}/{tail}"),
            RealmKind::Plain => format!("{base}oidc/{}", address::plain_tail(endpoint)),
        }
    }

    /// Whose words refusals use.
    pub(crate) fn dialect(&self) -> Dialect {
        match self.kind {
            RealmKind::B2c(_) => Dialect::B2c,
            RealmKind::ExternalId => Dialect::Aadsts,
            RealmKind::Plain => Dialect::Plain,
        }
    }

    pub(crate) fn policy_lower(&self) -> String {
        self.policy.to_ascii_lowercase()
    }

    pub(crate) fn binding(&self) -> Binding {
        Binding {
            tenant_id: self.tenant.id.clone(),
            policy: self.policy.clone(),
            plain: self.kind == RealmKind::Plain,
        }
    }

    /// The metadata document. Like B2C's captures it names neither PKCE methods nor endpoints for
    /// revocation, introspection or devices.
    pub(crate) fn metadata(&self, response_iss: bool) -> Value {
        let mut document = json!({
            "issuer": self.issuer(),
            "authorization_endpoint": self.endpoint(Endpoint::Authorize),
            "token_endpoint": self.endpoint(Endpoint::Token),
            "end_session_endpoint": self.endpoint(Endpoint::Logout),
            "jwks_uri": self.endpoint(Endpoint::Keys),
            "response_modes_supported": ["query", "fragment", "form_post"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "claims_supported": self.claims_supported(),
        });
        if self.kind != RealmKind::Plain {
            document["response_types_supported"] = json!([
                "code",
                "code id_token",
                "code token",
                "code id_token token",
                "id_token",
                "id_token token",
                "token",
                "token id_token"
            ]);
        } else {
            document["subject_types_supported"] = json!(["public"]);
            document["code_challenge_methods_supported"] = json!(["S256"]);
        }
        if self.kind != RealmKind::ExternalId && response_iss {
            document["authorization_response_iss_parameter_supported"] = json!(true);
        }
        if !matches!(self.kind, RealmKind::B2c(_)) {
            document["scopes_supported"] = json!(["openid", "profile", "email", "offline_access"]);
        }
        document
    }

    fn claims_supported(&self) -> Value {
        match self.kind {
            RealmKind::B2c(_) => json!([
                "oid",
                "sub",
                "newUser",
                "name",
                "emails",
                "idp",
                "tfp",
                "iss",
                "iat",
                "exp",
                "aud",
                "acr",
                "nonce",
                "auth_time"
            ]),
            RealmKind::ExternalId => json!([
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "acr",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
                "at_hash",
                "c_hash",
                "email"
            ]),
            RealmKind::Plain => json!([
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "nonce",
                "at_hash",
                "name",
                "email",
                "email_verified",
                "preferred_username"
            ]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        DEMO_POLICY, DEMO_TENANT, DEMO_TENANT_ID, EXTERNAL_TENANT, EXTERNAL_TENANT_ID,
    };

    fn realm(name: &AuthorityName, issuer_form: IssuerForm) -> Option<Realm> {
        let config = Config { issuer_form, ..Config::demo() };
        Realm::resolve(name, &config, &Url::parse("http://localhost:1234").unwrap())
    }

    fn b2c(form: UrlForm, tenant: &str, policy: &str) -> AuthorityName {
        AuthorityName::B2c { form, tenant: tenant.into(), policy: policy.into() }
    }

    #[test]
    fn the_two_issuer_forms_end_in_a_slash_and_carry_the_guid() {
        let name = b2c(UrlForm::Path, DEMO_TENANT, DEMO_POLICY);
        let guid = realm(&name, IssuerForm::TenantGuid).unwrap().issuer();
        assert_eq!(guid, format!("http://localhost:1234/{DEMO_TENANT_ID}/v2.0/"));
        let tfp = realm(&name, IssuerForm::Tfp).unwrap().issuer();
        let expected =
            format!("http://localhost:1234/tfp/{DEMO_TENANT_ID}/b2c_1_signupsignin1/v2.0/");
        assert_eq!(tfp, expected);
    }

    #[test]
    fn endpoints_answer_in_the_form_that_was_asked_in_lower_case() {
        let lower = "b2c_1_signupsignin1";
        for (form, expected) in [
            (UrlForm::Path, format!("{DEMO_TENANT}/{lower}/oauth2/v2.0/token")),
            (UrlForm::Query, format!("{DEMO_TENANT}/oauth2/v2.0/token?p={lower}")),
            (UrlForm::Tfp, format!("tfp/{DEMO_TENANT}/{lower}/oauth2/v2.0/token")),
        ] {
            let name = b2c(form, "LuminousDemo.onmicrosoft.com", "b2c_1_SIGNUPSIGNIN1");
            let found = realm(&name, IssuerForm::TenantGuid).unwrap();
            let url = found.endpoint(Endpoint::Token);
            assert_eq!(url, format!("http://localhost:1234/{expected}"));
            assert_eq!(found.policy, DEMO_POLICY);
        }
    }

    #[test]
    fn an_external_id_issuer_has_the_guid_as_host_and_no_slash_at_the_end() {
        let name = AuthorityName::ExternalId { tenant: EXTERNAL_TENANT.into() };
        let found = realm(&name, IssuerForm::TenantGuid).unwrap();
        let id = EXTERNAL_TENANT_ID;
        assert_eq!(found.issuer(), format!("http://{id}.localhost:1234/{id}/v2.0"));
    }

    #[test]
    fn the_plain_issuer_is_its_own_url() {
        let found = realm(&AuthorityName::Plain, IssuerForm::TenantGuid).unwrap();
        assert_eq!(found.issuer(), "http://localhost:1234/oidc");
    }

    #[test]
    fn unknown_tenants_and_policies_and_the_wrong_kind_do_not_exist() {
        for name in [
            b2c(UrlForm::Path, "nobody.onmicrosoft.com", DEMO_POLICY),
            b2c(UrlForm::Path, DEMO_TENANT, "B2C_1_none"),
            b2c(UrlForm::Path, EXTERNAL_TENANT, DEMO_POLICY),
            AuthorityName::ExternalId { tenant: DEMO_TENANT.into() },
        ] {
            assert!(realm(&name, IssuerForm::TenantGuid).is_none(), "{name:?}");
        }
    }
}
