//! The family server from outside: over HTTP, with a real database file, against the emulator.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that is set up wrongly shall stop there and then"
)]

mod audit;
mod browser;
mod config;
mod connectors;
mod devices;
mod discovery;
mod display;
mod door;
mod export;
mod families;
mod front;
mod health;
mod home;
mod hub;
mod invites;
mod link;
mod link_page;
mod matrix;
mod me;
mod members;
mod notes;
mod oauth;
mod openapi;
mod program;
mod rig;
mod sessions;
mod wall;
mod web;
