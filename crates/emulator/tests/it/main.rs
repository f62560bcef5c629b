//! The emulator over real HTTP.

mod authorities;
mod authorize;
mod client;
mod control;
mod faults;
mod keys;
mod lies;
mod logout;
mod pages;
mod refresh;
mod storage;
mod token;
