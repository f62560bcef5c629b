//! What a person or CI types: `cargo xtask setup | test | demo | bench | bundle | bindings | vectors`.
//!
//! It runs other programs and says what they did. It is compiled first on a fresh machine, so it
//! has few dependencies and none of the product's crates.
//! Start reading at [`Command`] below, then at the module of the command; [`stage`] runs a list of
//! steps, [`shell`] runs one program.

#![expect(clippy::print_stdout, reason = "printing to the terminal is what this program does")]

mod apt;
mod bench;
mod bindings;
mod browser;
mod bundle;
mod context;
mod demo;
mod deny;
mod e2e;
mod needs;
mod peers;
mod setup;
mod shell;
mod stage;
mod test;
mod tools;
mod ui;
mod vectors;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::context::Context;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Everything one does with this repository")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing on this machine: system packages, cargo tools, the UI's packages
    Setup {
        /// Install system packages without asking first
        #[arg(long)]
        yes: bool,
    },
    /// Set up, then check everything: format, lints, types, tests, browser, real window, licences
    Test {
        /// The inner loop: format, lints and tests without the app, the browser and the window
        #[arg(long)]
        fast: bool,
    },
    /// Start the app with the built-in identity emulator, or drive it where there is no display
    Demo,
    /// Measure, each figure as a ratio taken in one run
    Bench,
    /// Build the release app and the packages of this platform
    Bundle,
    /// Write the TypeScript of the wire types into the UI
    Bindings,
    /// Judge the token verifier by a folder of Wycheproof JOSE files
    Vectors {
        /// The folder with `json_web_signature.json` and its siblings
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let context = Context::find();
    match command {
        Command::Setup { yes } => setup::run(&context.saying_yes(yes)),
        Command::Test { fast: true } => test::fast(&context),
        Command::Test { fast: false } => test::everything(&context),
        Command::Demo => demo::run(&context),
        Command::Bench => bench::run(&context),
        Command::Bundle => bundle::run(&context),
        Command::Bindings => bindings::write(&context),
        Command::Vectors { folder } => vectors::run(&folder),
    }
}
