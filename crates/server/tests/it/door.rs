//! Who comes in and who does not: tokens, claims, roles, step-up.

mod cache;
mod claims;
mod limits;
pub mod secrets;
mod step_up;
mod tokens;
mod trust;
