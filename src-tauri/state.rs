//! What lives as long as the app: the session, and the task that shows it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use luminous_auth::{Service, Session, StateFile, Tuning};
use luminous_domain::{Clock, SystemClock, Timestamp};
use luminous_wire::{AppError, ErrorCode, SessionSnapshot};
use tauri::async_runtime::{self, JoinHandle};
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager, Runtime};
use tokio::sync::Notify;

use crate::cli::Options;
use crate::config::Profile;
#[cfg(feature = "demo")]
use crate::demo::Demo;
use crate::windows::{self, Start};
use crate::{deep_link, ports};

/// The longest the session waits for the window's first frame before it asks keyring and network.
const FIRST_FRAME: Duration = Duration::from_millis(1500);

/// What the commands share.
pub struct AppState {
    /// The session: all there is to know and to do about sign-in.
    pub session: Session,
    clock: Arc<dyn Clock>,
    watcher: Mutex<Option<JoinHandle<()>>>,
    drawn: Arc<Notify>,
    #[cfg(feature = "demo")]
    demo: Mutex<Option<Demo>>,
}

impl AppState {
    /// Wraps a session for the commands.
    #[must_use]
    pub fn new(session: Session, clock: Arc<dyn Clock>) -> Self {
        Self {
            session,
            clock,
            watcher: Mutex::new(None),
            drawn: Arc::default(),
            #[cfg(feature = "demo")]
            demo: Mutex::new(None),
        }
    }

    /// The whole truth about the session now.
    #[must_use]
    pub fn snapshot(&self) -> SessionSnapshot {
        self.session.snapshots().borrow().clone()
    }

    /// Sends the snapshot now and after each change. A window that loads anew replaces its channel.
    pub fn watch(&self, channel: Channel<SessionSnapshot>) {
        let mut snapshots = self.session.snapshots();
        let task = async_runtime::spawn(async move {
            loop {
                let snapshot = snapshots.borrow_and_update().clone();
                if channel.send(snapshot).is_err() || snapshots.changed().await.is_err() {
                    return;
                }
            }
        });
        let before = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).replace(task);
        if let Some(before) = before {
            before.abort();
        }
    }

    /// Hands an untrusted redirect to the session.
    pub fn redirect_received(&self, address: &[u8]) {
        tracing::info!(elapsed_ms = self.elapsed_ms(), "redirect received");
        self.session.redirect_received(address);
    }

    /// Notes that the window has drawn a screen; tests and benchmarks read it from the log.
    pub fn screen_drawn(&self, screen: &str) {
        let known =
            screen.len() <= 32 && screen.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if known {
            tracing::info!(screen, elapsed_ms = self.elapsed_ms(), "screen drawn");
            self.drawn.notify_one();
        }
    }

    /// Now, for the name of a file.
    #[must_use]
    pub fn today(&self) -> Timestamp {
        self.clock.now()
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Opens the session and the window, and lets the slow parts follow behind them.
///
/// # Errors
/// When the app's folders or the window cannot be had.
pub fn start<R: Runtime>(app: &AppHandle<R>, options: &Options) -> anyhow::Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    tracing::debug!(elapsed = ?clock.elapsed(), "starting");
    let profile = Profile::choose(app, options)?;
    let (file, damage) = StateFile::open_or_set_aside(&profile.state_file(), clock.now())?;
    if let Some(damage) = damage {
        tracing::error!(%damage, "the state file was set aside; the sign-in begins anew");
    }
    let ports = ports::real(&profile.keyring_service, clock.clone());
    #[cfg(feature = "demo")]
    let demo = options
        .demo
        .then(|| {
            async_runtime::block_on(Demo::start(
                &profile.data_folder,
                options.demo_port,
                clock.clone(),
            ))
        })
        .transpose()?;
    let service = profile.provider.map(Service::from);
    #[cfg(feature = "demo")]
    let service = demo.as_ref().map(|demo| demo.service.clone()).or(service);
    let transport = profile.transport;
    let tuning = Tuning { server: profile.server, transport, ..Tuning::default() };
    let session = Session::open_with(ports, file, service, tuning);
    if let Some(mistake) = profile.mistake {
        session.warn(AppError::new(ErrorCode::ConfigInvalid, mistake.to_string()));
    }
    let state = AppState::new(session.clone(), clock);
    #[cfg(feature = "demo")]
    let state = AppState { demo: Mutex::new(demo), ..state };
    let start = Start { snapshot: state.snapshot(), settings: session.settings() };
    app.manage(state);
    windows::open_main(app, &start)?;
    come_back_after_the_browser(app.clone(), &session);
    let drawn = app.state::<AppState>().drawn.clone();
    async_runtime::spawn(async move {
        // The first frame has the processor for itself. It shows what is known already; a window
        // that is never drawn, because it is hidden, is not waited for.
        let _ = tokio::time::timeout(FIRST_FRAME, drawn.notified()).await;
        session.start().await;
    });
    deep_link::listen(app)
}

/// The window comes to the front when the browser has given an answer, and only then: a forged
/// redirect and a wait that ran out of time or was given up leave the person where they are.
fn come_back_after_the_browser<R: Runtime>(app: AppHandle<R>, session: &Session) {
    let mut answers = session.answers();
    async_runtime::spawn(async move {
        while answers.changed().await.is_ok() {
            windows::bring_to_front(&app);
        }
    });
}

/// Lets the session write what it still holds, but never keeps the app from quitting.
pub fn stop<R: Runtime>(app: &AppHandle<R>) {
    let Some(state) = app.try_state::<AppState>() else { return };
    let session = state.session.clone();
    async_runtime::block_on(async move { session.shutdown().await });
    #[cfg(feature = "demo")]
    let demo = state.demo.lock().unwrap_or_else(PoisonError::into_inner).take();
    #[cfg(feature = "demo")]
    if let Some(demo) = demo {
        async_runtime::block_on(async move { demo.stop().await });
    }
}
