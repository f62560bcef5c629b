//! Software of others that must work with the server as it is: Microsoft's sign-in library, and a
//! tester that reads nothing but the OpenAPI document. They live in `tests/peers`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::context::Context;
use crate::shell::Line;
use crate::{e2e, tools, ui};

/// Installs what they are made of.
///
/// # Errors
/// Without Node or Python, or when npm or pip fails.
pub fn install(context: &Context) -> anyhow::Result<()> {
    ui::install_packages(context, &folder(context)).context("the peers from npm")?;
    let list = folder(context).join("requirements.txt");
    let wanted = fs::read_to_string(&list)?;
    let installed = python().join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    Line::new("python3").args(["-m", "venv", "--clear"]).arg(python()).run()?;
    let pip = python().join("bin/pip");
    Line::new(pip).args(["install", "--quiet", "--requirement"]).arg(&list).run()?;
    Ok(fs::copy(&list, &installed).map(|_| ())?)
}

/// Starts the emulator and the server as programs, and lets the peers at them. They must be built.
///
/// # Errors
/// When a peer finds a fault.
pub fn run(context: &Context) -> anyhow::Result<()> {
    install(context)?;
    e2e::drive(context, &["peers", "--python", &python().display().to_string()])
}

fn folder(context: &Context) -> PathBuf {
    context.root.join("tests/peers")
}

/// The virtual environment of the peer that is written in Python.
fn python() -> PathBuf {
    tools::folder().join("peers")
}
