//! `luminous-server`: the family server as a program.

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // Exactly one provider of each, chosen here: without it both libraries fail at first use.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            cli::complain(&format!("the runtime cannot be started: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(cli::run(cli::Cli::parse())) {
        Ok(code) => code,
        Err(failure) => {
            cli::complain(&failure.to_string());
            failure.exit_code()
        }
    }
}
