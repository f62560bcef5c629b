//! Whose tokens are believed, and what is asked of us while they are issued.

use std::net::IpAddr;
use std::path::PathBuf;

use luminous_oidc::{
    AudienceRule, ConfigError as AddressError, ExpectedIssuer, ProviderConfig, Transport,
};

use url::Host;

use super::macros::settings;
use super::{ConfigError, Profile};

settings! {
    /// Whose tokens are believed: one identity provider, and for Azure AD B2C its sign-in policy
    /// and the one that proves a second factor.
    IssuerSettings {
        /// The authority's address; for B2C with the sign-up/sign-in policy.
        address: String = String::new(),
            "\"https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_signupsignin1\"";
        /// The exact issuer. Without it, it is learnt at the first contact and kept while the
        /// server runs.
        issuer: Option<String> = None,
            "#\"https://contoso.b2clogin.com/00000000-0000-0000-0000-000000000000/v2.0/\"";
        /// The application (client) ids of the API: the audience of access tokens.
        audiences: Vec<String> = Vec::new(), "[\"11111111-1111-1111-1111-111111111111\"]";
        /// Applications whose tokens are believed (`azp`); none named means any.
        clients: Vec<String> = Vec::new(), "[\"22222222-2222-2222-2222-222222222222\"]";
        /// The application (client) id of the desktop app.
        app_client_id: String = String::new(), "\"22222222-2222-2222-2222-222222222222\"";
        /// What the app asks for at sign-in.
        scopes: Vec<String> = Vec::new(),
            "[\"openid\", \"offline_access\", \"https://contoso.onmicrosoft.com/api/user_impersonation\"]";
        /// The application (client) id of this server's own sign-in for browsers.
        web_client_id: Option<String> = None, "#\"33333333-3333-3333-3333-333333333333\"";
        /// The file that holds that application's secret.
        web_client_secret_file: Option<PathBuf> = None, "#\"/run/secrets/luminous-web-client\"";
        /// The B2C policy that proves a second factor. Without one, `amr` must say `mfa`.
        step_up_policy: Option<String> = None, "#\"B2C_1_mfa1\"";
        /// The B2C policy that gives a new password.
        password_reset_policy: Option<String> = None, "#\"B2C_1_passwordreset1\"";
        /// The B2C policy that edits the profile.
        profile_edit_policy: Option<String> = None, "#\"B2C_1_profileedit1\"";
        /// Hosts that the provider's metadata may name beside its own.
        allowed_hosts: Vec<String> = Vec::new(), "[]";
        /// Names the family's id may have among the claims; the first one present counts.
        family_claims: Vec<String> = vec!["family_id".into(), "extension_family_id".into()],
            "[\"family_id\", \"extension_family_id\"]";
        /// The same for the role in it.
        role_claims: Vec<String> = vec!["role".into(), "extension_role".into()],
            "[\"role\", \"extension_role\"]";
        /// Providers behind this one, to be offered as a shortcut.
        hints: Vec<Hint> = Vec::new(), "";
    }

    /// A provider behind the provider.
    Hint {
        /// What `domain_hint` is.
        domain_hint: String = String::new(), "\"google.com\"";
        /// What people call it.
        name: String = String::new(), "\"Google\"";
    }

    /// What the identity provider asks us while it issues a token.
    ConnectorSettings {
        /// The user name that a B2C API connector presents (HTTP Basic).
        b2c_username: Option<String> = None, "#\"b2c\"";
        /// The file that holds its password.
        b2c_password_file: Option<PathBuf> = None, "#\"/run/secrets/luminous-b2c-connector\"";
        /// What stands before the names of the claims answered to B2C: `extension_` and the
        /// b2c-extensions-app's id without hyphens and `_`; or just `extension_`.
        b2c_claim_prefix: String = "extension_".to_owned(), "\"extension_\"";
        /// The application id (audience) that Entra's TokenIssuanceStart event calls us as.
        entra_audience: Option<String> = None, "#\"44444444-4444-4444-4444-444444444444\"";
        /// The application that calls; Microsoft's own, unless a test says otherwise.
        entra_caller: String = "99045fe1-7639-4a75-9d4a-577b6ca3810f".to_owned(),
            "\"99045fe1-7639-4a75-9d4a-577b6ca3810f\"";
    }
}

impl IssuerSettings {
    /// Whether the settings make a provider, and one that `profile` allows.
    pub(super) fn check(&self, at: usize, profile: Profile) -> Result<(), ConfigError> {
        let wrong = |field: &str, problem: &str| {
            Err(ConfigError::new(format!("issuers[{at}].{field}"), problem))
        };
        if self.address.is_empty() {
            return wrong("address", "it is missing");
        }
        if self.app_client_id.is_empty() {
            return wrong("app_client_id", "it is missing");
        }
        if self.audiences.is_empty() {
            return wrong("audiences", "at least one is needed");
        }
        if let Err(error) = self.provider(profile) {
            return wrong("address", &error.to_string());
        }
        if profile == Profile::Prod && self.is_of_this_machine() {
            return wrong("address", "an issuer of this machine needs profile = \"dev\"");
        }
        if self.step_up(profile).is_err() {
            return wrong("step_up_policy", "it is not a policy of this provider");
        }
        if self.web_client_id.is_some() != self.web_client_secret_file.is_some() {
            return wrong("web_client_secret_file", "it goes together with web_client_id");
        }
        Ok(())
    }

    /// However it is written: what is refused here is wider than what plain http is allowed for.
    fn is_of_this_machine(&self) -> bool {
        let Ok(url) = url::Url::parse(&self.address) else { return false };
        match url.host() {
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                name == "localhost" || name.ends_with(".localhost")
            }
            Some(Host::Ipv4(address)) => is_here(address.into()),
            Some(Host::Ipv6(address)) => is_here(address.into()),
            None => false,
        }
    }

    /// What verifies access tokens of the sign-in policy.
    ///
    /// # Errors
    /// When the address is not one.
    pub fn provider(&self, profile: Profile) -> Result<ProviderConfig, AddressError> {
        let transport = match profile {
            Profile::Prod => Transport::HttpsOnly,
            Profile::Dev => Transport::LoopbackHttp,
        };
        let mut config =
            ProviderConfig::from_address(&self.address, &self.app_client_id, transport)?;
        config.audiences = AudienceRule {
            accepted: self.audiences.clone(),
            shared: false,
            clients: self.clients.clone(),
        };
        if let Some(issuer) = &self.issuer {
            config.expected_issuer = ExpectedIssuer::Exact(issuer.clone());
        }
        config.allowed_hosts.clone_from(&self.allowed_hosts);
        config.claim_names.family_id.clone_from(&self.family_claims);
        config.claim_names.role.clone_from(&self.role_claims);
        Ok(config)
    }

    /// What verifies access tokens of the step-up policy, where there is one.
    ///
    /// # Errors
    /// When it is not a policy, or the provider has none.
    pub fn step_up(&self, profile: Profile) -> Result<Option<ProviderConfig>, AddressError> {
        let Some(policy) = &self.step_up_policy else { return Ok(None) };
        self.provider(profile)?.with_policy(policy).map(Some)
    }
}

/// Whether connecting there stays on this machine; the unspecified address does.
fn is_here(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified()
}
