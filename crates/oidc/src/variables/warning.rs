//! What is said about a variable that could be understood, but not as it stands.

use std::fmt;

/// A variable that could be understood, but not as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigWarning {
    /// Its name.
    pub variable: &'static str,
    /// What it holds; absent for a secret and for a variable that is not set.
    pub given: Option<String>,
    /// What was meant and is used.
    pub meant: String,
    /// What is wrong with it.
    pub reason: WarningReason,
}

/// What is wrong with a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WarningReason {
    /// An application on people's machines has no secret.
    #[error("an app on people's machines has no secret; it is ignored and not kept")]
    SecretIgnored,
    /// Metadata and keys of Azure AD B2C belong to one policy.
    #[error("metadata and keys belong to one policy; without it the address does not exist")]
    PolicyLeftOut,
    /// The address says it already.
    #[error("the authority ends before the policy, which has its own variable")]
    MoreThanTheAuthority,
    /// `TENANT.onmicrosoft.com.b2clogin.com` and the like.
    #[error("there is no such host")]
    HostMisspelt,
    /// The address has no scheme.
    #[error("an address starts with https://")]
    SchemeLeftOut,
    /// The variable is not set, and another says it.
    #[error("not set; taken from another variable")]
    Derived,
    /// A tenant's domain or a policy without the part all of them have.
    #[error("part of the name is missing")]
    NameIncomplete,
    /// The address is somewhere else than the provider.
    #[error("it is not at the authority; what the provider's own metadata says is used")]
    Elsewhere,
    /// Without an API's scope or the client id as scope, Azure AD B2C gives no access token.
    #[error("these scopes bring no access token")]
    NoAccessToken,
    /// No token was ever issued by this address.
    #[error("no token has this issuer; the one in the provider's metadata is used")]
    IssuerNeverIssued,
    /// Entra External ID has no policies.
    #[error("this provider has no policies; it is ignored")]
    PolicyUnused,
}

impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, given, meant, reason } = self;
        write!(f, "{variable}: {reason}")?;
        if let Some(given) = given {
            write!(f, " (given: {given})")?;
        }
        if !meant.is_empty() {
            write!(f, "; used: {meant}")?;
        }
        Ok(())
    }
}
