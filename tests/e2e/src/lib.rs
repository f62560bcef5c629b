//! The real app under a virtual display, with a real browser, keyring and WebDriver.
//!
//! `demo` drives the journey the README promises and keeps its pictures; `test` proves what only
//! real parts can prove. `cargo xtask` builds everything first and calls this. Linux only: nothing
//! like WebKitWebDriver and a private keyring can be had on the other systems.

#![cfg(target_os = "linux")]

mod app;
mod bench;
mod browser;
mod cases;
mod clipboard;
mod desk;
mod hands;
mod journey;
mod package;
mod peers;
mod provider;
mod report;
mod screen;
mod secrets;
mod wait;
mod webdriver;
mod words;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::package::{Build, Package, Place};

#[derive(Parser)]
struct Options {
    /// The project's folder.
    #[arg(long, default_value = ".")]
    project: PathBuf,
    /// The folder cargo builds into.
    #[arg(long, default_value = "target")]
    target: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Drives the journey and keeps a picture of each screen under `target/demo/`.
    Demo,
    /// Runs the cases, or those whose name contains a word.
    Test {
        /// Part of a case's name.
        only: Option<String>,
    },
    /// Lets software of others at the emulator and the server.
    Peers {
        /// The virtual environment with schemathesis in it.
        #[arg(long)]
        python: PathBuf,
    },
    /// Measures the release build beside a bare window.
    Bench,
}

/// Does what the command line says.
///
/// # Errors
/// When the package cannot be made, or a step or a case is not what it says.
#[tokio::main]
pub async fn run() -> anyhow::Result<()> {
    let options = Options::parse();
    // The HTTP client below shares its TLS provider with the app's.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let place =
        Place { project: options.project.canonicalize()?, target: options.target.canonicalize()? };
    match options.what {
        What::Demo => {
            let package = Package::make(&place, Build::Debug)?;
            journey::run(&package, &place.target.join("demo")).await
        }
        What::Test { only } => {
            let package = Package::make(&place, Build::Debug)?;
            cases::run(&package, &place, only.as_deref()).await
        }
        What::Peers { python } => peers::run(&place, &python).await,
        What::Bench => {
            let package = Package::make(&place, Build::Release)?;
            bench::run(&package, &place).await
        }
    }
}
