//! The windows: how each is made, what it may show, where it may go.

use std::path::Path;

use luminous_wire::{KioskSnapshot, SessionSnapshot, Settings, Theme};
use serde::Serialize;
use tauri::utils::config::Color;
use tauri::webview::NewWindowResponse;
use tauri::{
    AppHandle, LogicalPosition, LogicalSize, Manager, Monitor, Runtime, WebviewUrl, WebviewWindow,
    WebviewWindowBuilder,
};
use url::Url;

use crate::cli::{Frame, Side};

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
    frame: Frame,
) -> anyhow::Result<WebviewWindow<R>> {
    let window = WebviewWindowBuilder::new(app, MAIN, WebviewUrl::App("index.html".into()))
        .title("Luminous")
        .inner_size(960.0, 680.0)
        .min_inner_size(420.0, 560.0)
        .background_color(background(start.settings.theme))
        .initialization_script(start_script(start)?)
        .on_navigation(is_our_own_page)
        .on_new_window(|_, _| NewWindowResponse::Deny);
    let window = match frame {
        Frame::Usual => window,
        Frame::Sized(size) => window.inner_size(size.width.into(), size.height.into()),
        Frame::Beside(side) => on_one_side(window, app.primary_monitor()?, side),
    };
    Ok(window.build()?)
}

/// Opens a wall display's window: the whole screen and above everything else, or an ordinary window
/// where the frame says so. What the browser behind it keeps goes into `folder`.
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
    frame: Frame,
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
    let window = match frame {
        Frame::Usual => whole_screen(window, app.primary_monitor()?),
        Frame::Sized(size) => window.inner_size(size.width.into(), size.height.into()),
        Frame::Beside(side) => on_one_side(window, app.primary_monitor()?, side),
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

fn on_one_side<'a, R: Runtime>(
    window: WebviewWindowBuilder<'a, R, AppHandle<R>>,
    monitor: Option<Monitor>,
    side: Side,
) -> WebviewWindowBuilder<'a, R, AppHandle<R>> {
    let Some(monitor) = monitor else { return window };
    let (area, scale) = (monitor.work_area(), monitor.scale_factor());
    let (place, size) = half(area.position.to_logical(scale), area.size.to_logical(scale), side);
    window.inner_size(size.width, size.height).position(place.x, place.y)
}

/// The room around windows beside each other, in logical pixels.
const GAP: f64 = 24.0;

/// The height of a title bar, which does not count as the window's own.
const TITLE: f64 = 40.0;

/// No window beside another needs to be larger.
const LARGEST: LogicalSize<f64> = LogicalSize { width: 960.0, height: 640.0 };

/// Place and size of one of two equal windows, beside each other in the middle of this area.
fn half(
    place: LogicalPosition<f64>,
    size: LogicalSize<f64>,
    side: Side,
) -> (LogicalPosition<f64>, LogicalSize<f64>) {
    let width = LARGEST.width.min((size.width - 3.0 * GAP) / 2.0);
    let height = LARGEST.height.min(size.height - 2.0 * GAP - TITLE);
    let left = place.x + (size.width - 2.0 * width - GAP) / 2.0;
    let x = match side {
        Side::Left => left,
        Side::Right => left + width + GAP,
    };
    let y = place.y + (size.height - height - TITLE) / 2.0;
    (LogicalPosition { x, y }, LogicalSize { width, height })
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

/// Runs before the page's own script. It is data: JSON is a subset of JavaScript expressions. The page
/// may take it away.
fn start_script(start: &impl Serialize) -> anyhow::Result<String> {
    let json = serde_json::to_string(start)?;
    Ok(format!(
        "Object.defineProperty(window, '__LUMINOUS_START__', \
         {{ value: Object.freeze({json}), configurable: true }});"
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

    #[test]
    fn two_windows_stand_beside_each_other_within_any_screen() {
        for (width, height) in
            [(1280.0, 720.0), (1366.0, 768.0), (1920.0, 1080.0), (3840.0, 2160.0)]
        {
            // Below a panel, and right of a screen that is not the first one.
            let (place, screen) =
                (LogicalPosition::new(100.0, 32.0), LogicalSize::new(width, height));
            let (left, size) = half(place, screen, Side::Left);
            let (right, same) = half(place, screen, Side::Right);
            assert_eq!((size, left.y), (same, right.y), "they are equal");
            assert!(left.x >= place.x + GAP - 0.5, "{left:?}");
            assert!(left.x + size.width + GAP <= right.x, "{left:?} covers {right:?}");
            assert!(right.x + size.width <= place.x + width - GAP + 0.5, "{right:?} sticks out");
            assert!(left.y >= place.y && left.y + TITLE + size.height <= place.y + height);
            assert!(size.width >= 420.0 && size.height >= 560.0, "{size:?} is too small");
        }
    }

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
