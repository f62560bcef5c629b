//! `/.well-known/luminous`: what a client needs to know, from one address.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// What this server is and whom it trusts. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Discovery {
    /// The version of this document: 1.
    pub version: u32,
    /// What the installation calls itself.
    pub name: String,
    /// The base address of the API, without a trailing slash.
    pub api: String,
    /// Whom to sign in with.
    pub provider: ProviderDiscovery,
}

/// Whom to sign in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderDiscovery {
    /// The authority's address, for B2C with the sign-up/sign-in policy.
    pub address: String,
    /// The exact issuer, when the server knows it already.
    pub issuer: Option<String>,
    /// The application (client) id of the desktop app.
    pub client_id: String,
    /// What to ask for at sign-in.
    pub scopes: Vec<String>,
    /// The B2C policy that gives a new password.
    pub password_reset_policy: Option<String>,
    /// The B2C policy that edits the profile.
    pub profile_edit_policy: Option<String>,
    /// The B2C policy that proves a second factor.
    pub step_up_policy: Option<String>,
    /// Providers to offer as a shortcut.
    pub hints: Vec<IdentityProviderHint>,
}

/// An identity provider behind the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IdentityProviderHint {
    /// What `domain_hint` is: `google.com`.
    pub domain_hint: String,
    /// What people call it: `Google`.
    pub name: String,
}
