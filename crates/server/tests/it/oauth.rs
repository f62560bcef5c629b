//! The authorization server for displays: codes, tokens, keys, and who learns what of them.

mod authorization;
mod door;
mod grants;
mod keys;
mod proofs;
mod refresh;
mod secrets;
mod services;
