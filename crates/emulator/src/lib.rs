//! A B2C-shaped identity provider for development, demonstrations and tests.
//!
//! It imitates an Azure AD B2C tenant closely enough that a client which works here works there:
//! policies to sign in, reset a password, edit a profile and show a second factor, per-policy
//! discovery in all URL forms, both issuer forms, B2C's token responses and error texts, keys
//! without `alg`, refresh tokens in three modes, claims from an API connector. A tenant
//! shaped like Entra External ID and a plain OpenID Connect issuer at `/oidc` run on the same
//! engine. On request it lies, so that a client's defences can be tested over real HTTP.
//!
//! It is not a provider for production: it speaks plain HTTP, it listens on this machine only, its
//! mail is shown instead of sent, and its Google, Apple and Microsoft are pages that believe
//! whatever they are told.
//! It depends on no other crate of the product, so that its bugs and the client's cannot cancel
//! each other out.
//!
//! Start reading at [`Config`] (what it can be), [`Emulator`] (running one) and [`Control`] (what
//! a test can do behind the client's back). Inside, the rules are pure modules (`address`, `realm`,
//! `scope`, `pkce`, `authorize`, `context`, `journey`, `family`, `tokens`, `enrich`, `answer`,
//! `refusal`); `store` keeps things, `http` is the thin outside.
//!
//! ```no_run
//! # async fn demo() -> Result<(), luminous_emulator::StartError> {
//! use luminous_emulator::{Config, Emulator, Times, TokenLie};
//!
//! let emulator = Emulator::start(Config::demo()).await?;
//! emulator.control().lie(TokenLie::WrongNonce, Times::Next(1));
//! println!("{}", emulator.metadata_url());
//! emulator.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod accounts;
mod address;
mod answer;
mod authorize;
mod clock;
mod config;
mod context;
mod control;
mod emulator;
mod engine;
mod enrich;
mod family;
mod http;
mod interaction;
mod journey;
mod jwt;
mod keys;
mod lies;
mod listen;
mod mailbox;
mod pkce;
mod random;
mod realm;
mod refusal;
mod scope;
mod second_factor;
mod store;
mod tokens;
mod words;

pub use accounts::AccountError;
pub use address::Endpoint;
pub use clock::{Clock, SystemClock};
pub use config::{
    ApiConnector, Client, ClientKind, Config, DEMO_API_CLIENT_ID, DEMO_APP_CLIENT_ID,
    DEMO_DAEMON_CLIENT_ID, DEMO_DAEMON_CLIENT_SECRET, DEMO_DAEMON_SCOPE, DEMO_EDIT_POLICY,
    DEMO_EXTENSIONS_APP, DEMO_LOOPBACK_PORTS, DEMO_MFA_POLICY, DEMO_POLICY, DEMO_REDIRECT_URI,
    DEMO_RESET_POLICY, DEMO_SCOPE, DEMO_TENANT, DEMO_TENANT_ID, DEMO_WEB_CLIENT_ID,
    DEMO_WEB_CLIENT_SECRET, DEMO_WEB_PORT, EXTERNAL_TENANT, EXTERNAL_TENANT_ID, IdentityProvider,
    IssuerForm, Lifetimes, Lockout, NumberStyle, OTHER_POLICY, OTHER_TENANT, OTHER_TENANT_ID,
    PasswordReset, Policy, PolicyClaim, PolicyKind, RefreshMode, Storage, Tenant, TenantKind,
    TokenIssuanceStart,
};
pub use control::{Command, Control, ControlError};
pub use emulator::{Emulator, StartError};
pub use engine::{Event, RequestLine};
pub use jwt::{Signing, TokenSpec};
pub use keys::KeyError;
pub use lies::{Fault, KeysLie, MetadataLie, RedirectLie, ResponseLie, Times, TokenLie};
pub use listen::ListenError;
pub use mailbox::Mail;
pub use store::{StoreError, User};
