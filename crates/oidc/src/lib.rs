//! Who somebody is, according to an OpenID provider.
//!
//! Typed configuration ([`config`], [`variables`]), discovery in the shapes of Azure AD B2C, Entra
//! External ID and plain OpenID Connect ([`discovery`]), the provider's keys ([`keys`]), strict
//! tokens ([`jose`]), who they are about ([`identity`]), and proofs of who holds a key ([`dpop`]). The app verifies ID tokens with it, the
//! server access tokens.
//! It is not a client: it builds no sign-in URL, exchanges no code and stores nothing
//! (`luminous-auth` does). It knows neither Tauri nor axum. Start reading at [`Provider`].

pub mod authority;
pub mod bearer;
mod claims;
pub mod config;
pub mod discovery;
pub mod dpop;
mod flight;
pub mod http;
pub mod identity;
mod issuer;
pub mod jose;
mod json;
pub mod keys;
mod metadata;
mod provider;
pub mod token;
pub mod url_rules;
pub mod variables;
mod verify;

pub use self::http::{HttpClient, HttpError, Limits, ReqwestClient, Trust};
pub use authority::{Authority, UrlForm};
pub use bearer::bearer_token;
pub use config::{
    AudienceRule, ClaimNames, ConfigError, ExpectedIssuer, PolicyRule, ProviderConfig,
};
pub use discovery::{DiscoveryError, MetadataWarning, ProviderMetadata};
pub use dpop::{DpopError, DpopKey, JudgedProof};
pub use identity::{AccessClaims, Caller, Identity};
pub use jose::Algorithm;
pub use keys::{KeysError, KeysProblem, KeysReport};
pub use provider::{IdTokenExpectation, Provider, VerifyError};
pub use token::{Malformation, Origin, TokenError};
pub use url_rules::Transport;
pub use variables::{ConfigWarning, WarningReason};
