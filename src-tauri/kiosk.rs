//! `luminous kiosk`: the screen on the wall.
//!
//! An instance of its own: another identifier than the desktop app's, so that its window, folder and
//! keyring entries are its own and both may run on one computer. It takes no deep link, signs nobody
//! in, and ends only when the system asks for it: its window cannot be closed (X1).

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use luminous_auth::Display;
use luminous_auth::display::{Description, Ports};
use luminous_domain::{Clock, SystemClock};
use luminous_wire::{KioskSnapshot, Settings};
use sha2::{Digest as _, Sha256};
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager, RunEvent, Runtime, WindowEvent, async_runtime};

use crate::cli::{Frame, KioskOptions};
use crate::config::KioskProfile;
use crate::page::{Page, Watcher};
use crate::windows::{self, Start};
use crate::{ending, platform, ports};

/// Who the kiosk is to the operating system: its D-Bus name, folders and keyring entries.
pub const IDENTIFIER: &str = "family.luminous.kiosk";

/// What the kiosk's commands share.
pub struct KioskState {
    /// The display: its key, its link, its wall.
    pub display: Display,
    watcher: Watcher,
}

impl KioskState {
    /// Wraps a display for the commands.
    #[must_use]
    pub fn new(display: Display) -> Self {
        Self { display, watcher: Watcher::default() }
    }

    /// The whole truth about the display now.
    #[must_use]
    pub fn snapshot(&self) -> KioskSnapshot {
        self.display.snapshots().borrow().clone()
    }

    /// Sends the snapshot now and after each change.
    pub fn watch(&self, channel: Channel<KioskSnapshot>) {
        self.watcher.follow(self.display.snapshots(), channel);
    }
}

/// Fills the screen and stays until the system ends it.
///
/// # Errors
/// When the window system refuses, or the display cannot keep its own files.
pub fn run(options: KioskOptions) -> anyhow::Result<()> {
    let mut context = crate::context();
    context.config_mut().identifier = identifier(&options)?;
    let may_be_closed = options.frame() != Frame::Usual;
    let app = crate::with_commands(tauri::Builder::default())
        // A second start of the same display has nothing to do: the first one has the screen.
        .plugin(tauri_plugin_single_instance::init(|_, _, _| {}))
        .setup(move |app| {
            if let Err(error) = start(app.handle(), &options) {
                tracing::error!("Luminous cannot start: {error:#}");
                app.handle().cleanup_before_exit();
                std::process::exit(1);
            }
            Ok(())
        })
        .build(context)?;
    ending::when_asked(app.handle());
    app.run(move |app, event| match event {
        RunEvent::WindowEvent { event: WindowEvent::CloseRequested { api, .. }, .. }
            if !may_be_closed =>
        {
            api.prevent_close();
        }
        RunEvent::Exit => stop(app),
        _ => {}
    });
    Ok(())
}

/// One identity for each display: the usual one, the demo's, and one for each folder that is named.
fn identifier(options: &KioskOptions) -> anyhow::Result<String> {
    #[cfg(feature = "demo")]
    if options.demo {
        return Ok(format!("{IDENTIFIER}.demo"));
    }
    match &options.data {
        None => Ok(IDENTIFIER.to_owned()),
        Some(folder) => identifier_of(folder),
    }
}

/// The same for all names of one folder, and fit for a name on D-Bus.
fn identifier_of(folder: &Path) -> anyhow::Result<String> {
    let cannot = || format!("cannot keep anything in {}", folder.display());
    std::fs::create_dir_all(folder).with_context(cannot)?;
    let folder = folder.canonicalize().with_context(cannot)?;
    let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
    let short: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    // No part of a D-Bus name begins with a digit.
    Ok(format!("{IDENTIFIER}.d{short}"))
}

/// Opens the display and its window, and lets the slow parts follow behind the first frame.
fn start<R: Runtime>(app: &AppHandle<R>, options: &KioskOptions) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let profile = KioskProfile::choose(app, options)?;
    let ports = ports::real(&profile.keyring_service, clock.clone());
    let ports =
        Ports { http: ports.http, store: ports.store, clock: ports.clock, entropy: ports.entropy };
    let folder = &profile.data_folder;
    let display = Display::open(ports, folder, profile.server.as_ref(), description(app));
    let state = KioskState::new(display.clone());
    let start = Start { snapshot: state.snapshot(), settings: Settings::default() };
    app.manage(state);
    let page = Page::new(clock);
    let first_frame = page.first_frame();
    app.manage(page);
    let window = windows::open_kiosk(app, &start, &folder.join("window"), options.frame())?;
    platform::keep_on_the_wall(&window);
    async_runtime::spawn(async move {
        first_frame.await;
        display.start();
    });
    Ok(())
}

/// What the display says of itself to whoever is asked to take it in.
fn description<R: Runtime>(app: &AppHandle<R>) -> Description {
    let fitting = |text: String, most: usize| text.trim().chars().take(most).collect::<String>();
    let name = platform::host_name().map(|name| fitting(name, 60)).filter(|name| !name.is_empty());
    let model = platform::model().map(|model| fitting(model, 60)).filter(|model| !model.is_empty());
    Description {
        name: name.unwrap_or_else(|| "Luminous display".to_owned()),
        model: model
            .unwrap_or_else(|| format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
        app_version: fitting(app.package_info().version.to_string(), 30),
    }
}

/// Lets the display store what it still holds, but never keeps the program from ending.
fn stop<R: Runtime>(app: &AppHandle<R>) {
    let Some(state) = app.try_state::<KioskState>() else { return };
    let display = state.display.clone();
    async_runtime::block_on(async move { display.shutdown().await });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_folder_is_a_display_of_its_own_and_each_of_its_names_is_the_same_display() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        let first = identifier_of(&one).expect("an identity");
        assert_eq!(identifier_of(&one.join("../one/.")).expect("an identity"), first);
        assert_ne!(identifier_of(&other).expect("an identity"), first);
    }

    #[test]
    fn an_identity_is_a_name_that_d_bus_takes() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = identifier_of(folder.path()).expect("an identity");
        let fits = |part: &str| {
            part.starts_with(|first: char| first.is_ascii_alphabetic())
                && part.chars().all(|symbol| symbol.is_ascii_alphanumeric())
        };
        assert!(name.split('.').all(fits), "{name}");
        assert_ne!(name, crate::context::<tauri::Wry>().config().identifier);
    }
}
