//! The windows: how each is made, what it may show, where it may go.

use std::path::Path;

use luminous_wire::{KioskSnapshot, SessionSnapshot, Settings, Theme};
use serde::Serialize;
use tauri::utils::config::Color;
use tauri::webview::NewWindowResponse;
use tauri::{
    AppHandle, Manager, Monitor, Runtime, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
};
use url::Url;

use crate::cli::WindowSize;

/// The label of the family member's window; its capability carries the same name.
pub const MAIN: &str = "main";

/// The label of a wall display's window; its capability carries the same name.
pub const KIOSK: &str = "kiosk";

/// What a page needs for its first frame, so that it never has to ask before it can draw.
#[derive(Debug, Serialize)]
pub struct Start<T> {
    /// Everything as it stands.
    pub snapshot: T,
    /// Language and theme.
    pub settings: Settings,
}

/// Opens the family member's window.
///
/// # Errors
/// When the window system refuses.
pub fn open_main<R: Runtime>(
    app: &AppHandle<R>,
    start: &Start<SessionSnapshot>,
) -> anyhow::Result<WebviewWindow<R>> {
    let window = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title("Luminous")
        .inner_size(960.0, 680.0)
        .min_inner_size(420.0, 560.0)
        .background_color(background(start.settings.theme))
        .initialization_script(start_script(start)?)
        .on_navigation(is_our_own_page)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .build()?;
    Ok(window)
}

/// Opens a wall display's window: the whole screen and above everything else, or, with `size`, an
/// ordinary window. What the browser behind it keeps goes into `folder`.
///
/// What is dropped on it is taken by the window and not by the page, as Tauri does unless told
/// otherwise: a page would go where a dropped link leads (X2).
///
/// # Errors
/// When the window system refuses.
pub fn open_kiosk<R: Runtime>(
    app: &AppHandle<R>,
    start: &Start<KioskSnapshot>,
    folder: &Path,
    size: Option<WindowSize>,
) -> anyhow::Result<WebviewWindow<R>> {
    let window = WebviewWindowBuilder::new(app, KIOSK, WebviewUrl::App("kiosk.html".into()))
        .title("Luminous")
        .data_directory(folder.to_owned())
        .background_color(background(Theme::Dark))
        .initialization_script(start_script(start)?)
        .zoom_hotkeys_enabled(false)
        .devtools(false)
        .on_navigation(is_our_own_page)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false);
    let window = match size {
        Some(size) => window.inner_size(f64::from(size.width), f64::from(size.height)),
        None => whole_screen(window, app.primary_monitor()?),
    };
    Ok(window.build()?)
}

fn whole_screen<'a, R: Runtime>(
    window: WebviewWindowBuilder<'a, R, AppHandle<R>>,
    monitor: Option<Monitor>,
) -> WebviewWindowBuilder<'a, R, AppHandle<R>> {
    let window = window
        .decorations(false)
        .always_on_top(true)
        .visible_on_all_workspaces(true)
        .minimizable(false)
        .maximizable(false)
        .fullscreen(true);
    let Some(monitor) = monitor else { return window };
    // "Fullscreen" is a wish to the window manager, and a bare display has none.
    let size = monitor.size().to_logical::<f64>(monitor.scale_factor());
    window.inner_size(size.width, size.height).position(0.0, 0.0).resizable(false)
}

/// Shows the window above the others, as after a redirect or a second start.
pub fn bring_to_front<R: Runtime>(app: &AppHandle<R>) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    for step in [window.unminimize(), window.show(), window.set_focus()] {
        if let Err(error) = step {
            tracing::debug!(%error, "the window system did not bring the window to the front");
        }
    }
}

/// The colour under the page until it has drawn, so that nothing flashes.
fn background(theme: Theme) -> Color {
    match theme {
        Theme::Dark => Color(0x12, 0x1a, 0x1c, 0xff),
        Theme::Light | Theme::System => Color(0xfb, 0xf7, 0xf0, 0xff),
    }
}

/// Runs before the page's own script. It is data: JSON is a subset of JavaScript expressions.
fn start_script(start: &impl Serialize) -> anyhow::Result<String> {
    let json = serde_json::to_string(start)?;
    Ok(format!(
        "Object.defineProperty(window, '__LUMINOUS_START__', {{ value: Object.freeze({json}) }});"
    ))
}

/// The window shows our own pages and nothing else, whatever a script in it asks for.
fn is_our_own_page(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        // Windows cannot serve a custom scheme to a page; WebView2 maps ours to this host.
        "http" | "https" => cfg!(windows) && url.host_str() == Some("tauri.localhost"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goes(address: &str) -> bool {
        is_our_own_page(&address.parse().expect("an address"))
    }

    #[test]
    fn u5_the_window_goes_nowhere_but_to_our_own_pages() {
        assert!(goes("tauri://localhost/index.html"));
        for elsewhere in [
            "https://evil.example/",
            "http://localhost:18455/",
            "data:text/html,hello",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "about:blank",
            "blob:https://evil.example/x",
            "tauri://evil.example/",
        ] {
            assert!(!goes(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn u6_a_host_that_only_looks_like_ours_is_foreign() {
        for lookalike in [
            "http://app.evil.example/",
            "http://tauri.localhost.evil.example/",
            "https://tauri.localhost.evil.example/",
            "tauri://localhost.evil.example/",
            "http://evil.example/tauri.localhost",
        ] {
            assert!(!goes(lookalike), "{lookalike}");
        }
    }
}
