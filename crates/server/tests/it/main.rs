//! The family server from outside: over HTTP, with a real database file, against the emulator.

mod config;
mod door;
mod health;
mod me;
mod program;
mod rig;
