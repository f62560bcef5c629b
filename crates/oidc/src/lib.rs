//! luminous-oidc
