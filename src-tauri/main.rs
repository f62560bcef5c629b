//! The desktop app's entry: parse, prepare the process, run.

// A release on Windows must not open a console beside the window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use luminous_app::{cli::Options, logging, platform};

fn main() -> anyhow::Result<()> {
    let options = Options::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    logging::begin();
    platform::forbid_memory_dumps();
    luminous_app::use_one_crypto_provider();
    luminous_app::run(options)
}
