//! luminous-auth
