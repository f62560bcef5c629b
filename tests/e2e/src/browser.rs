//! The system browser of the desk: a real Chromium that the desktop opens addresses with.

use anyhow::Context;
use serde_json::json;

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
    /// `origin` may launch `scheme` without asking, as after "Always allow": the question itself is
    /// Chromium's own window and no page can answer it.
    pub async fn start(desk: &mut Desk, origin: &str, scheme: &str) -> anyhow::Result<Self> {
        let profile = desk.place("chromium");
        let chromium = chromium()?;
        let open = format!(
            "exec {chromium} --user-data-dir={} {} \"$1\"",
            profile.display(),
            FLAGS.join(" ")
        );
        let open = desk.add_script("open-in-browser", &open)?;
        desk.add_entry(ENTRY, &open, &["http", "https"])?;
        let port = free_port()?;
        desk.start("chromedriver", &[&format!("--port={port}")], "chromedriver.log")?;
        let mut flags: Vec<String> = FLAGS.iter().map(ToString::to_string).collect();
        flags.push(format!("--user-data-dir={}", profile.display()));
        flags.push("--window-size=1000,820".into());
        flags.push("--window-position=240,40".into());
        let options = json!({
            "binary": chromium,
            "args": flags,
            "prefs": {
                "protocol_handler": { "allowed_origin_protocol_pairs": { origin: { scheme: true } } },
                "credentials_enable_service": false,
                "profile": { "password_manager_enabled": false }
            }
        });
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

    /// Closes the tab that is looked at and goes back to the empty first one.
    pub async fn close_tab(&self) -> anyhow::Result<()> {
        self.page.close_window().await?;
        self.page.switch_to(&self.first).await
    }
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

/// The browser's program; Debian's name first.
fn chromium() -> anyhow::Result<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    ["chromium", "google-chrome", "chromium-browser"]
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
        .map(|file| file.display().to_string())
        .context("no Chromium; `cargo xtask setup` installs it")
}
