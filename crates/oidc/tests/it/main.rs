//! The crate from outside: tokens (V), keys and discovery (K), configuration, the real client.
//!
//! Most of it runs against [`fake::World`], a provider made of values, so that time is virtual and
//! every request is counted. `emulator` and `client` speak real HTTP on loopback.

mod addresses;
mod client;
mod dpop;
mod emulator;
mod fake;
mod fuzz;
mod identity;
mod key_sets;
mod keys;
mod metadata;
mod signer;
mod tokens;
mod variables;
