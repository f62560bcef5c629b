//! The real app window, driven through WebKitWebDriver.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::json;

use crate::desk::Desk;
use crate::wait::until;
use crate::webdriver::Session;

/// A window of the app, started by WebKitWebDriver.
pub struct App {
    /// The page in the window.
    pub page: Session,
    log: PathBuf,
}

impl App {
    /// Starts `program` with `arguments` in the desk. One driver process serves one window.
    pub async fn start(
        desk: &mut Desk,
        program: &Path,
        arguments: &[&str],
        log: &str,
    ) -> anyhow::Result<Self> {
        let port = free_port()?;
        desk.set("TAURI_WEBVIEW_AUTOMATION", "true");
        desk.set("LUMINOUS_LOG", "trace");
        let started =
            desk.start("WebKitWebDriver", &[&format!("--port={port}"), "--host=127.0.0.1"], log);
        desk.set("TAURI_WEBVIEW_AUTOMATION", "");
        started?;
        let options = json!({ "binary": program, "args": arguments });
        let page = Session::begin(port, json!({ "webkitgtk:browserOptions": options })).await?;
        Ok(Self { page, log: desk.place(log) })
    }

    /// Waits for a screen of the app, by the name it gives itself.
    pub async fn see_screen(&self, name: &str) -> anyhow::Result<()> {
        let css = format!("[data-screen=\"{name}\"]");
        self.page.find(&css).await.with_context(|| format!("the app shows no {name}")).map(drop)
    }

    /// Presses the button of an action, by the name it carries.
    pub async fn press(&self, action: &str) -> anyhow::Result<()> {
        self.page.click(&format!("[data-action=\"{action}\"]")).await
    }

    /// Everything the app has said so far.
    pub fn log(&self) -> anyhow::Result<String> {
        Ok(fs::read_to_string(&self.log)?)
    }

    /// Closes the window as a person would, and waits until the program is gone.
    pub async fn quit(self, program: &Path) -> anyhow::Result<()> {
        // The driver answers with an error when the page is gone before it could say so.
        let _ = self.page.close_window().await;
        until("the app to quit", || async { Ok(running(program)?.is_empty().then_some(())) })
            .await?;
        let _ = self.page.end().await;
        Ok(())
    }
}

/// The processes that run `program` now.
pub fn running(program: &Path) -> anyhow::Result<Vec<i32>> {
    let program = fs::canonicalize(program)?;
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if fs::read_link(entry.path().join("exe")).is_ok_and(|exe| exe == program) {
            found.push(id);
        }
    }
    Ok(found)
}

/// A port of this computer that nobody uses now.
pub fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
