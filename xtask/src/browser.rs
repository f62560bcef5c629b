//! Finds a Chromium to stand for the system browser in tests and in the demo without a display.

use std::env;
use std::path::PathBuf;

use crate::context::{Context, Platform};
use crate::shell::{self, Line};

/// The variable that names a Chromium explicitly; children are told the one that was found.
pub const VARIABLE: &str = "CHROMIUM";

const IN_PATH: &[&str] =
    &["chromium", "google-chrome", "google-chrome-stable", "chromium-browser", "chrome"];

/// Where Chromium, Chrome or Edge install themselves outside `PATH`.
fn usual_places(platform: Platform) -> Vec<PathBuf> {
    match platform {
        Platform::Linux => Vec::new(),
        Platform::MacOs => ["Google Chrome", "Chromium", "Microsoft Edge"]
            .iter()
            .map(|name| PathBuf::from(format!("/Applications/{name}.app/Contents/MacOS/{name}")))
            .collect(),
        Platform::Windows => ["ProgramFiles", "ProgramFiles(x86)", "LOCALAPPDATA"]
            .iter()
            .filter_map(|variable| env::var_os(variable).map(PathBuf::from))
            .flat_map(|folder| {
                [r"Google\Chrome\Application\chrome.exe", r"Microsoft\Edge\Application\msedge.exe"]
                    .map(|end| folder.join(end))
            })
            .collect(),
    }
}

/// The first Chromium that is there and works: the one named by [`VARIABLE`], one in `PATH`, one
/// in the usual places, or the one Playwright has downloaded.
pub fn find(context: &Context) -> Option<PathBuf> {
    if let Some(named) = env::var_os(VARIABLE).map(PathBuf::from) {
        return named.is_file().then_some(named);
    }
    IN_PATH
        .iter()
        .filter_map(|name| shell::find(name))
        .chain(usual_places(context.platform).into_iter().filter(|place| place.is_file()))
        .find(|program| answers(context.platform, program))
        .or_else(|| playwrights_own(context))
}

/// Ubuntu's `chromium-browser` is a script that only says "install the snap" and fails, so a file
/// of the right name is not enough. On Windows `--version` opens a window; there is no such script.
fn answers(platform: Platform, program: &PathBuf) -> bool {
    platform == Platform::Windows || Line::new(program).args(["--version"]).read().is_ok()
}

fn playwrights_own(context: &Context) -> Option<PathBuf> {
    let ask = "process.stdout.write(require('playwright-core').chromium.executablePath())";
    let path = Line::new("node").args(["-e", ask]).dir(context.ui()).read().ok()?;
    Some(PathBuf::from(path)).filter(|program| program.is_file())
}

/// Lets Playwright download its Chromium and the libraries it needs, for systems whose package
/// manager has none (Ubuntu). The UI's packages must be installed.
///
/// # Errors
/// When the download fails, with the other ways to get a browser.
pub fn install(context: &Context) -> anyhow::Result<()> {
    let cli = context.ui().join("node_modules/playwright-core/cli.js");
    let mut words = vec!["install"];
    if context.platform == Platform::Linux {
        words.push("--with-deps");
    }
    words.push("chromium");
    Line::new("node").arg(&cli).args(words).dir(context.ui()).run_with_input().map_err(|cause| {
        anyhow::anyhow!(
            "{cause}. Install Google Chrome or Chromium yourself, or name one in {VARIABLE}"
        )
    })
}
