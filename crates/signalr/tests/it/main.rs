//! The protocol over real sockets on loopback: both halves, and each against hand-written frames.

mod client;
mod codec;
mod foreign;
mod fuzz;
mod held;
mod house;
mod raw;
mod slow;
mod times;
mod wire;
