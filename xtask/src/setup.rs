//! `cargo xtask setup`: from a machine with only Rust and Node to one that can run everything.
//!
//! Says nothing and changes nothing when all is there, which takes well under a second.

use std::io::{Write as _, stdin, stdout};

use anyhow::{Context as _, bail};

use crate::apt;
use crate::browser;
use crate::context::{Context, Platform};
use crate::needs::{self, Need};
use crate::shell::{self, Line};
use crate::tools::{DENY, NEXTEST};
use crate::ui;

/// Sets the machine up for everything.
///
/// # Errors
/// When something is missing that this command may not or cannot install, with what to do.
pub fn run(context: &Context) -> anyhow::Result<()> {
    everything(context)?;
    println!("Everything is here. Next: `cargo xtask demo` or `cargo xtask test`.");
    Ok(())
}

/// The same, for other commands that need all of it.
///
/// # Errors
/// As [`run`].
pub fn everything(context: &Context) -> anyhow::Result<()> {
    product(context)?;
    a_browser(context)?;
    NEXTEST.install(context)?;
    DENY.install(context)
}

/// What the app itself and its demo need: system packages, the UI's packages and, where the demo
/// may have to drive itself, a browser.
///
/// # Errors
/// As [`run`].
pub fn product(context: &Context) -> anyhow::Result<()> {
    match context.platform {
        Platform::Linux => linux(context)?,
        Platform::MacOs => mac_os()?,
        Platform::Windows => windows()?,
    }
    ui::install(context)?;
    if context.platform == Platform::Linux {
        a_browser(context)?;
    }
    Ok(())
}

fn a_browser(context: &Context) -> anyhow::Result<()> {
    let driver = context.platform != Platform::Linux || shell::find("chromedriver").is_some();
    if driver && browser::find(context).is_some() {
        return Ok(());
    }
    consent(context, "  Chrome for Testing, its driver and the libraries they need\n")?;
    browser::install(context)
}

fn linux(context: &Context) -> anyhow::Result<()> {
    let missing = needs::missing(context, needs::LINUX);
    if missing.is_empty() {
        return Ok(());
    }
    if !apt::is_here() {
        bail!(
            "these are missing (by the names of their Debian packages); install your \
             distribution's own:\n{}",
            needs::listed(&missing)
        );
    }
    consent(context, &needs::listed(&missing))?;
    apt::update(&packages(&missing))?;
    // Ubuntu's Chromium is a snap, which is no browser for tests: `a_browser` gets another one.
    let offered: Vec<Need> = missing
        .into_iter()
        .filter(|need| !need.package.starts_with("chromium") || apt::offers(need.package))
        .collect();
    if !offered.is_empty() {
        apt::install(&packages(&offered))?;
    }
    let still = needs::missing(context, &offered);
    if !still.is_empty() {
        bail!("installed, but still not found:\n{}", needs::listed(&still));
    }
    Ok(())
}

fn packages(needs: &[Need]) -> Vec<&'static str> {
    needs.iter().map(|need| need.package).collect()
}

fn mac_os() -> anyhow::Result<()> {
    let tools = Line::new("xcode-select").args(["-p"]).read();
    tools.map(|_| ()).context(
        "Apple's command line tools are missing: run `xcode-select --install`, then this again",
    )
}

/// WebView2 is part of Windows 11 and kept up to date on Windows 10; only the compiler may lack,
/// and without one this program could not have been built. cmake and nasm are not needed.
fn windows() -> anyhow::Result<()> {
    if shell::find("node").is_none() {
        bail!("Node.js is missing: install version 20.19 or newer from nodejs.org");
    }
    Ok(())
}

/// Asks once when a person is there; without one the command itself is the consent.
fn consent(context: &Context, what: &str) -> anyhow::Result<()> {
    println!("To be installed on this machine:\n{what}");
    if !context.asks {
        return Ok(());
    }
    print!("Install them now? [Y/n] ");
    stdout().flush()?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    if agrees(&answer) {
        return Ok(());
    }
    bail!("nothing was installed; `cargo xtask setup` asks again");
}

/// Enter alone is yes, as the capital letter says; the end of input is no.
fn agrees(answer: &str) -> bool {
    answer.ends_with('\n') && matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enter_and_yes_agree_and_everything_else_does_not() {
        for yes in ["\n", "y\n", "Yes\r\n"] {
            assert!(agrees(yes), "{yes:?}");
        }
        for no in ["", "n\n", "no\n", "perhaps\n", "y"] {
            assert!(!agrees(no), "{no:?}");
        }
    }
}
