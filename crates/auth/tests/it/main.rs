//! The session over ports that fail on request, and its parts through their public doors.

#![expect(clippy::unwrap_used, reason = "a test that is set up wrongly shall stop there")]

mod cold_start;
mod connect;
mod display;
mod family;
mod follow_server;
mod journey;
mod journey_policies;
mod loopback;
mod marker;
mod news;
mod policies;
mod redirect;
mod refresh;
mod sign_in;
mod sign_out;
mod state_file;
mod step_up;
mod storage;
mod tokens;
mod vault;
