//! Who a verified token is about.

use luminous_domain::{PersonKey, Timestamp};

/// A person, as a verified token describes them. All text came from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The one key of the person: tenant and object id.
    pub person: PersonKey,
    /// `iss`.
    pub issuer: String,
    /// `sub`, as it came; it keys nobody.
    pub subject: String,
    /// Display name.
    pub name: Option<String>,
    /// `emails[0]`, else `email`; for display only, it keys nobody.
    pub email: Option<String>,
    /// Whether the token says that the address was not verified (`email_verified`). Most say nothing.
    pub is_email_unverified: bool,
    /// Application roles.
    pub roles: Vec<String>,
    /// The role within the family, as claimed; what counts is the server's own membership.
    pub role: Option<String>,
    /// The family, as claimed.
    pub family_id: Option<String>,
    /// Whether a claim for `role` or `family_id` is there and is not a text. What the two say then
    /// cannot be used, which is another thing than their absence.
    pub family_claims_unusable: bool,
    /// The B2C policy the token came from, as spelt there.
    pub policy: Option<String>,
    /// `idp`, the identity provider's own name; absent for a local account.
    pub identity_provider: Option<String>,
    /// When the person last proved who they are.
    pub auth_time: Option<Timestamp>,
    /// How they did (RFC 8176).
    pub amr: Vec<String>,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`.
    pub expires_at: Timestamp,
}

/// What a verified access token allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessClaims {
    /// On whose behalf.
    pub caller: Caller,
    /// What was granted: `scp`, or `scope`.
    pub scopes: Vec<String>,
    /// The application the token was given to (`azp`, or `client_id`).
    pub client: Option<String>,
}

/// On whose behalf a request is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A person.
    Person(Box<Identity>),
    /// An application by itself (client credentials). It is nobody's account.
    Daemon {
        /// Its `sub`.
        subject: String,
        /// Its application roles.
        roles: Vec<String>,
    },
}
