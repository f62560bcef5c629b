//! The protocol over real sockets on loopback: both halves, and each against hand-written frames.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test whose other half does not answer shall stop there and then"
)]

mod client;
mod codec;
mod foreign;
mod fuzz;
mod held;
mod house;
mod raw;
mod secure;
mod slow;
mod times;
mod wire;
