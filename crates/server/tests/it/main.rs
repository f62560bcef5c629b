//! The family server from outside: over HTTP, with a real database file, against the emulator.

#![expect(clippy::unwrap_used, reason = "a test that is set up wrongly shall stop there and then")]

mod config;
mod door;
mod health;
mod me;
mod program;
mod rig;
