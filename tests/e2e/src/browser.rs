//! The system browser of the desk: a real Chromium that the desktop opens addresses with.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::{Map, Value, json};

use crate::app::free_port;
use crate::desk::Desk;
use crate::wait::until;
use crate::webdriver::Session;

/// The desktop entry under which Chromium is the desk's browser.
pub const ENTRY: &str = "desk-browser";

/// Chromium with a window on the desk's display.
pub struct Browser {
    /// The tab that is looked at.
    pub page: Session,
    first: String,
}

impl Browser {
    /// Starts Chromium and makes it what the desk opens web addresses with.
    ///
    /// `origins` may launch `scheme` without asking, as after "Always allow": the question itself is
    /// Chromium's own window and no page can answer it.
    pub async fn start(desk: &mut Desk, origins: &[&str], scheme: &str) -> anyhow::Result<Self> {
        let profile = desk.place("chromium");
        let chromium = chromium()?;
        let open = format!(
            "exec {chromium} --user-data-dir={} {} \"$1\"",
            profile.display(),
            FLAGS.join(" ")
        );
        let open = desk.add_script("open-in-browser", &open)?;
        desk.add_entry(ENTRY, &open, &["http", "https"])?;
        allow_scheme(&profile, origins, scheme)?;
        // Started as a person's browser is, not by the driver: a browser of the driver's own does
        // not take addresses from a second start.
        let debugger = format!("127.0.0.1:{}", free_port()?);
        let (_, debug_port) = debugger.rsplit_once(':').context("a port")?;
        let started = [
            format!("--user-data-dir={}", profile.display()),
            format!("--remote-debugging-port={debug_port}"),
            "--window-size=1000,820".into(),
            "--window-position=240,40".into(),
            "about:blank".into(),
        ];
        let words: Vec<&str> =
            FLAGS.iter().copied().chain(started.iter().map(String::as_str)).collect();
        desk.start(&chromium, &words, "chromium.log")?;
        let port = free_port()?;
        desk.start("chromedriver", &[&format!("--port={port}")], "chromedriver.log")?;
        let options = json!({ "debuggerAddress": debugger });
        let page = Session::begin(port, json!({ "goog:chromeOptions": options })).await?;
        let first = page.windows().await?.into_iter().next().context("Chromium has no tab")?;
        Ok(Self { page, first })
    }

    /// Goes to the tab that somebody just opened from outside.
    pub async fn take_new_tab(&self) -> anyhow::Result<()> {
        until("a new tab in the system browser", || async {
            let tabs = self.page.windows().await?;
            match tabs.into_iter().find(|tab| *tab != self.first) {
                Some(tab) => {
                    self.page.switch_to(&tab).await?;
                    Ok(Some(()))
                }
                None => Ok(None),
            }
        })
        .await
    }

    /// Waits until there are so many tabs, the empty first one included.
    pub async fn see_tabs(&self, count: usize) -> anyhow::Result<()> {
        until(&format!("{count} tabs in the system browser"), || async {
            Ok((self.page.windows().await?.len() >= count).then_some(()))
        })
        .await
    }

    /// Closes the tab that is looked at and goes back to the empty first one.
    pub async fn close_tab(&self) -> anyhow::Result<()> {
        self.page.close_window().await?;
        self.page.switch_to(&self.first).await
    }
}

/// Writes the profile's answer to "may this site open the app?": always.
fn allow_scheme(profile: &Path, origins: &[&str], scheme: &str) -> anyhow::Result<()> {
    let folder = profile.join("Default");
    fs::create_dir_all(&folder)?;
    let allowed: Map<String, Value> =
        origins.iter().map(|origin| ((*origin).to_owned(), json!({ scheme: true }))).collect();
    let preferences = json!({
        "protocol_handler": { "allowed_origin_protocol_pairs": allowed },
        "credentials_enable_service": false,
        "profile": { "password_manager_enabled": false }
    });
    Ok(fs::write(folder.join("Preferences"), preferences.to_string())?)
}

/// As root, without a GPU, and without calls to hosts of its own.
const FLAGS: &[&str] = &[
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-search-engine-choice-screen",
    "--password-store=basic",
];

/// The browser's program: the one `CHROMIUM` names, or one in `PATH`, Debian's name first.
fn chromium() -> anyhow::Result<String> {
    if let Ok(named) = std::env::var("CHROMIUM") {
        return Ok(named);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    ["chromium", "google-chrome", "chromium-browser"]
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
        .map(|file| file.display().to_string())
        .context("no Chromium; `cargo xtask setup` installs it")
}
