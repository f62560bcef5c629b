//! The JOSE layer: compact signed tokens (RFC 7515) and public keys (RFC 7517), strictly.

mod algorithm;

pub use algorithm::Algorithm;
