//! What an emulator is started with.
//!
//! Everything is a plain value: tests build it by hand, the binary from its arguments. Nothing is
//! read from the environment.

mod client;
mod connectors;
mod policy;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::address::Endpoint;
use crate::clock::{Clock, SystemClock};
use crate::realm::Realm;

pub use client::{Client, ClientKind};
pub use connectors::{ApiConnector, DEMO_EXTENSIONS_APP, TokenIssuanceStart};
pub use policy::{IdentityProvider, Policy, PolicyKind};

/// The demonstration tenant's domain.
pub const DEMO_TENANT: &str = "luminousdemo.onmicrosoft.com";
/// The demonstration tenant's GUID, as it stands in issuers.
pub const DEMO_TENANT_ID: &str = "5d2c6e0a-7f43-4b8e-9a51-1c0de5a7e001";
/// A second B2C tenant whose tokens are signed by the same key, as unrelated real tenants' are.
pub const OTHER_TENANT: &str = "otherfamily.onmicrosoft.com";
/// The second tenant's GUID.
pub const OTHER_TENANT_ID: &str = "0b7e4f19-2d65-4c3a-8e90-1c0de5a7e002";
/// A tenant shaped like Entra External ID: no policies, issuer without a trailing slash.
pub const EXTERNAL_TENANT: &str = "luminouscircle.onmicrosoft.com";
/// The External ID tenant's GUID.
pub const EXTERNAL_TENANT_ID: &str = "e3a9d2c4-6b18-4f07-b5d2-1c0de5a7e003";
/// The sign-up/sign-in policy, in the portal's case.
pub const DEMO_POLICY: &str = "B2C_1_signupsignin1";
/// A second sign-up/sign-in policy: grants of one are refused at the other (AADB2C90088).
pub const OTHER_POLICY: &str = "B2C_1_signupsignin2";
/// The password reset policy.
pub const DEMO_RESET_POLICY: &str = "B2C_1_passwordreset1";
/// The profile edit policy.
pub const DEMO_EDIT_POLICY: &str = "B2C_1_profileedit1";
/// A sign-in policy with multi-factor authentication always on.
pub const DEMO_MFA_POLICY: &str = "B2C_1_mfa1";
/// The desktop app: a public native client.
pub const DEMO_APP_CLIENT_ID: &str = "a4f1c9d2-83b7-4e56-9c0f-1c0de5a7e0a1";
/// The family API: the audience of access tokens. It signs nobody in.
pub const DEMO_API_CLIENT_ID: &str = "c7d05b3e-19f4-4a82-8d6e-1c0de5a7e0b2";
/// The family API's own pages for a phone's browser: a confidential client.
pub const DEMO_WEB_CLIENT_ID: &str = "f2b81e47-5c3d-4d19-a6b0-1c0de5a7e0c3";
/// Its secret, known to everybody: the demonstration tenant guards nothing.
pub const DEMO_WEB_CLIENT_SECRET: &str = "demo-web-secret-of-nobody";
/// A service without a person, for the client credentials grant.
pub const DEMO_DAEMON_CLIENT_ID: &str = "0d9a6f35-71c8-4be2-93f4-1c0de5a7e0d4";
/// Its secret, known to everybody.
pub const DEMO_DAEMON_CLIENT_SECRET: &str = "demo-daemon-secret-of-nobody";
/// The scope of the client credentials grant for the family API.
pub const DEMO_DAEMON_SCOPE: &str = "https://luminousdemo.onmicrosoft.com/api/.default";
/// The port that the demonstration web client's redirect URI names by itself.
pub const DEMO_WEB_PORT: u16 = 18456;
/// The scope that asks for an access token for the family API.
pub const DEMO_SCOPE: &str = "https://luminousdemo.onmicrosoft.com/api/user_impersonation";
/// The redirect URI that reaches the app through the operating system.
pub const DEMO_REDIRECT_URI: &str = "family.luminous.app://auth/callback";
/// The loopback ports whose redirect URIs are registered for the app.
pub const DEMO_LOOPBACK_PORTS: [u16; 4] = [47218, 47219, 47220, 47221];

/// How an emulator behaves.
#[derive(Clone)]
pub struct Config {
    /// Where to listen. Only loopback addresses are accepted; port 0 chooses a free one.
    pub listen: SocketAddr,
    /// The tenant that the product is configured for; it also serves the plain issuer `/oidc`.
    pub tenant: Tenant,
    /// Further tenants at the same address. All share one signing key.
    pub other_tenants: Vec<Tenant>,
    /// The policies. The first is the one the product signs in with.
    pub policies: Vec<Policy>,
    /// The registered applications. All tenants know all of them.
    pub clients: Vec<Client>,
    /// Where accounts, grants and signing keys live.
    pub storage: Storage,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Which of B2C's two issuer forms tokens carry.
    pub issuer_form: IssuerForm,
    /// The claim that names the policy.
    pub policy_claim: PolicyClaim,
    /// What becomes of a refresh token that was used.
    pub refresh_mode: RefreshMode,
    /// Whether the numbers of a token response are numbers.
    pub numbers: NumberStyle,
    /// How long things are valid.
    pub lifetimes: Lifetimes,
    /// When an account is locked after wrong passwords.
    pub lockout: Lockout,
    /// When the second factor of an account is locked after wrong codes.
    pub code_lockout: Lockout,
    /// The stand-ins whose buttons the sign-in page shows.
    pub identity_providers: Vec<IdentityProvider>,
    /// What "Forgot your password?" does.
    pub password_reset: PasswordReset,
    /// Who is asked for further claims in the B2C tenants' sign-in policies.
    pub connector: Option<ApiConnector>,
    /// Who is asked for further claims in the External ID tenants.
    pub token_issuance_start: Option<TokenIssuanceStart>,
    /// After a form, answer a page that performs the redirect to a custom scheme, so that the
    /// browser tab says it may be closed. B2C itself answers a bare 302, which leaves the old page
    /// standing; so does this emulator where no page was shown.
    pub finish_page: bool,
    /// Add the issuer to redirects and say so in the metadata (RFC 9207).
    pub response_iss: bool,
    /// The secret that `POST /emulator/control` asks for; without one the route does not exist.
    pub control_secret: Option<String>,
}

impl Config {
    /// The demonstration tenant, in memory, on a free port, with the operating system's clock.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tenant: Tenant::b2c(DEMO_TENANT, DEMO_TENANT_ID),
            other_tenants: vec![
                Tenant::b2c(OTHER_TENANT, OTHER_TENANT_ID),
                Tenant::external(EXTERNAL_TENANT, EXTERNAL_TENANT_ID),
            ],
            policies: vec![
                Policy::new(DEMO_POLICY, PolicyKind::SignUpSignIn),
                Policy::new(OTHER_POLICY, PolicyKind::SignUpSignIn),
                Policy::new(DEMO_RESET_POLICY, PolicyKind::PasswordReset),
                Policy::new(DEMO_EDIT_POLICY, PolicyKind::ProfileEdit),
                Policy::new(DEMO_MFA_POLICY, PolicyKind::Mfa),
            ],
            clients: vec![
                Client::demo_app(),
                Client::demo_api(),
                Client::demo_web(DEMO_WEB_PORT),
                Client::demo_daemon(),
            ],
            storage: Storage::Memory,
            clock: Arc::new(SystemClock),
            issuer_form: IssuerForm::TenantGuid,
            policy_claim: PolicyClaim::Tfp,
            refresh_mode: RefreshMode::KeepOld,
            numbers: NumberStyle::Json,
            lifetimes: Lifetimes::default(),
            lockout: Lockout::default(),
            code_lockout: Lockout { attempts: 5, duration: Duration::from_secs(300) },
            identity_providers: IdentityProvider::ALL.to_vec(),
            password_reset: PasswordReset::HandOff,
            connector: None,
            token_issuance_start: None,
            finish_page: true,
            response_iss: false,
            control_secret: None,
        }
    }

    /// The web client of the demonstration tenant redirects to these addresses instead.
    #[must_use]
    pub fn with_web_redirects(mut self, redirect_uris: &[&str]) -> Self {
        for client in self.clients.iter_mut().filter(|client| client.id == DEMO_WEB_CLIENT_ID) {
            client.redirect_uris = redirect_uris.iter().map(|uri| (*uri).to_owned()).collect();
        }
        self
    }

    /// The policy of this name, in any case.
    #[must_use]
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.name.eq_ignore_ascii_case(name))
    }

    /// The address of all authorities, when the port to listen on is fixed.
    #[must_use]
    pub fn base_url(&self) -> Option<Url> {
        (self.listen.port() != 0).then(|| crate::emulator::base_url(self.listen.port()))
    }

    /// The variables of the other policies and of the web client, which the guide does not have.
    /// A policy that is not configured has none.
    #[must_use]
    pub fn further_environment(&self) -> Vec<(&'static str, String)> {
        let policies = [
            ("B2C_PASSWORD_RESET_POLICY", PolicyKind::PasswordReset),
            ("B2C_PROFILE_EDIT_POLICY", PolicyKind::ProfileEdit),
            ("B2C_MFA_POLICY", PolicyKind::Mfa),
        ];
        let named = policies.into_iter().filter_map(|(variable, kind)| {
            let policy = self.policies.iter().find(|policy| policy.kind == kind)?;
            Some((variable, policy.name.clone()))
        });
        let web = self.clients.iter().find_map(|client| match &client.kind {
            ClientKind::Confidential { secret } if client.id == DEMO_WEB_CLIENT_ID => Some([
                ("B2C_WEB_CLIENT_ID", client.id.clone()),
                ("B2C_WEB_CLIENT_SECRET", secret.clone()),
            ]),
            _ => None,
        });
        named.chain(web.into_iter().flatten()).collect()
    }

    /// The eight `B2C_*` variables that an app needs to sign in at an emulator with this
    /// configuration, in the order of the family's setup guide. The app is a public client, so its
    /// secret is empty.
    #[must_use]
    pub fn environment(&self, base_url: &Url) -> Vec<(&'static str, String)> {
        let realm = Realm::main(self, base_url);
        let app = self.clients.iter().find(|client| client.kind == ClientKind::Native);
        let scope = app.and_then(|app| app.granted_scopes.first().cloned());
        vec![
            ("B2C_TENANT_ID", self.tenant.domain.clone()),
            ("B2C_CLIENT_ID", app.map(|app| app.id.clone()).unwrap_or_default()),
            ("B2C_CLIENT_SECRET", String::new()),
            ("B2C_SIGNIN_POLICY", realm.policy.clone()),
            ("B2C_AUTHORITY", format!("{base_url}{}/", self.tenant.domain)),
            ("B2C_SCOPE", scope.unwrap_or_default()),
            ("B2C_JWKS_URI", realm.endpoint(Endpoint::Keys)),
            ("B2C_OPENID_CONFIG", realm.endpoint(Endpoint::Discovery)),
        ]
    }
}

/// A directory of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its domain, `something.onmicrosoft.com`.
    pub domain: String,
    /// Its GUID, lower case.
    pub id: String,
    /// Which product it imitates.
    pub kind: TenantKind,
}

impl Tenant {
    /// A B2C tenant.
    #[must_use]
    pub fn b2c(domain: &str, id: &str) -> Self {
        Self { domain: domain.into(), id: id.into(), kind: TenantKind::B2c }
    }

    /// An Entra External ID tenant.
    #[must_use]
    pub fn external(domain: &str, id: &str) -> Self {
        Self { domain: domain.into(), id: id.into(), kind: TenantKind::ExternalId }
    }

    /// Whether a URL segment names this tenant: by domain or by GUID, in any case.
    #[must_use]
    pub fn is_named(&self, segment: &str) -> bool {
        self.domain.eq_ignore_ascii_case(segment) || self.id.eq_ignore_ascii_case(segment)
    }
}

/// Which product a tenant imitates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantKind {
    /// Azure AD B2C: everything is per policy.
    B2c,
    /// Entra External ID: no policies, version 2.0 tokens, AADSTS errors.
    ExternalId,
}

/// Where accounts, grants and signing keys live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// Gone with the process.
    Memory,
    /// In one SQLite file, made when missing.
    File(PathBuf),
}

/// B2C's two issuer forms (`configure-tokens.md`). Both end in a slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssuerForm {
    /// `{host}/{tenant GUID}/v2.0/`, the default: one issuer for all policies.
    TenantGuid,
    /// `{host}/tfp/{tenant GUID}/{policy}/v2.0/`, the form OIDC discovery would ask for.
    Tfp,
}

/// The claim that names the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyClaim {
    /// `tfp`, the default.
    Tfp,
    /// `acr`, of old tenants and custom policies.
    Acr,
}

/// What becomes of a refresh token that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshMode {
    /// It stays valid, as at B2C and Entra.
    KeepOld,
    /// It is spent; presenting it again revokes the whole family (RFC 9700 section 4.14.2).
    Strict,
    /// It stays valid until its successor is used, then presenting it revokes the family.
    ConfirmByUse,
}

/// Whether the numbers of a token response are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberStyle {
    /// JSON numbers.
    Json,
    /// Strings of digits, as legacy policies send (`SendTokenResponseBodyWithJsonNumbers`).
    Strings,
}

/// How long things are valid (`configure-tokens.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// An access token.
    pub access_token: Duration,
    /// An ID token.
    pub id_token: Duration,
    /// An authorization code.
    pub code: Duration,
    /// A refresh token, counted anew for each successor.
    pub refresh_token: Duration,
    /// All successors of one sign-in together.
    pub refresh_window: Duration,
    /// A code that was mailed to prove an address.
    pub mailed_code: Duration,
    /// The browser's own session.
    pub session: Duration,
    /// A sign-in page that nobody has finished.
    pub interaction: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            access_token: Duration::from_secs(3600),
            id_token: Duration::from_secs(3600),
            code: Duration::from_secs(600),
            refresh_token: Duration::from_secs(14 * 86_400),
            refresh_window: Duration::from_secs(90 * 86_400),
            mailed_code: Duration::from_secs(600),
            session: Duration::from_secs(86_400),
            interaction: Duration::from_secs(3600),
        }
    }
}

/// When an account is locked after wrong passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lockout {
    /// How many wrong passwords in a row lock it.
    pub attempts: u32,
    /// For how long.
    pub duration: Duration,
}

impl Default for Lockout {
    fn default() -> Self {
        Self { attempts: 10, duration: Duration::from_secs(60) }
    }
}

/// What "Forgot your password?" does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordReset {
    /// The link hands AADB2C90118 to the app, which is to run the reset policy.
    HandOff,
    /// There is no link.
    Absent,
}
