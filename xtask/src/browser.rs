//! Finds a Chromium to stand for the system browser in tests and in the demo without a display.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::context::{Context, Platform};
use crate::shell::{self, Line};
use crate::tools;

/// The variable that names a Chromium explicitly; children are told the one that was found.
pub const VARIABLE: &str = "CHROMIUM";

const IN_PATH: &[&str] = &["chromium", "google-chrome", "google-chrome-stable", "chromium-browser"];

/// What fetches a browser where the package manager has none; the last that runs on Node 20.
const FETCHER: &str = "@puppeteer/browsers@2.9.0";

/// Where Chrome, Chromium or Edge install themselves outside `PATH`.
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

/// The first Chromium that is there and works: the one named by [`VARIABLE`], else one in `PATH`,
/// else one in the usual places.
pub fn find(context: &Context) -> Option<PathBuf> {
    if let Some(named) = env::var_os(VARIABLE).map(PathBuf::from) {
        return named.is_file().then_some(named);
    }
    IN_PATH
        .iter()
        .filter_map(|name| shell::find(name))
        .chain(usual_places(context.platform).into_iter().filter(|place| place.is_file()))
        .find(|program| answers(context.platform, program))
}

/// Ubuntu's `chromium-browser` is a script that only says "install the snap" and fails, so a file
/// of the right name is not enough. On Windows `--version` opens a window; there is no such script.
fn answers(platform: Platform, program: &Path) -> bool {
    platform == Platform::Windows || Line::new(program).args(["--version"]).read().is_ok()
}

/// Gets Chrome for Testing and its driver into `target/tools`, for a Linux whose package manager
/// has no Chromium (Ubuntu has only the snap, which reads no other folder than its own).
///
/// # Errors
/// On other systems, and when the download fails.
pub fn install(context: &Context) -> anyhow::Result<()> {
    if context.platform != Platform::Linux {
        bail!("no Chromium was found: install Google Chrome, or name a Chromium in {VARIABLE}");
    }
    // Playwright knows by heart which libraries Chromium needs on each release of Ubuntu.
    let playwright = context.ui().join("node_modules/playwright-core/cli.js");
    Line::new("node").arg(playwright).args(["install-deps", "chromium"]).run_with_input()?;
    for (product, program) in
        [("chrome@stable", "chromium"), ("chromedriver@stable", "chromedriver")]
    {
        fetch(product, program)
            .with_context(|| format!("install Chromium yourself, or name one in {VARIABLE}"))?;
    }
    Ok(())
}

fn fetch(product: &str, program: &str) -> anyhow::Result<()> {
    let (folder, bin) = (tools::folder().join("browser"), tools::folder().join("bin"));
    std::fs::create_dir_all(&bin)?;
    println!("Downloading {product} into target/tools");
    let line = Line::new("npx").args(["--yes", FETCHER, "install", product, "--path"]).arg(folder);
    let place = installed_at(&line.read()?).context("the download did not say where it is")?;
    Ok(Line::new("ln").args(["-sfn".into(), place, bin.join(program)]).run()?)
}

/// The last line it prints is `chrome@130.0.6723.58 /the/place/it/went`.
fn installed_at(answer: &str) -> Option<PathBuf> {
    let (_, place) = answer.lines().rfind(|line| line.contains('@'))?.split_once(' ')?;
    Some(PathBuf::from(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_download_is_read_from_the_last_line_and_may_hold_spaces() {
        let answer =
            "Downloading chrome 130\nchrome@130.0.6723.58 /my house/chrome-linux64/chrome\n";
        assert_eq!(installed_at(answer), Some("/my house/chrome-linux64/chrome".into()));
        assert_eq!(installed_at("nothing\n"), None);
    }
}
