//! What lives as long as the app: the session, and the task that shows it.

use std::sync::Arc;
#[cfg(feature = "demo")]
use std::sync::{Mutex, PoisonError};

use luminous_auth::{Service, Session, StateFile, Tuning};
use luminous_domain::{Clock, SystemClock, Timestamp};
use luminous_wire::{AppError, ErrorCode, FamilyNews, FamilyPart, SessionSnapshot};
use tauri::ipc::Channel;
use tauri::{AppHandle, Manager, Runtime, async_runtime};
use tokio::sync::broadcast::error::RecvError;

use crate::cli::Options;
use crate::config::Profile;
#[cfg(feature = "demo")]
use crate::demo::Demo;
use crate::page::{Page, Watcher};
use crate::windows::{self, Start};
use crate::{deep_link, ports};

/// What the commands share.
pub struct AppState {
    /// The session: all there is to know and to do about sign-in.
    pub session: Session,
    clock: Arc<dyn Clock>,
    watcher: Watcher,
    family_watcher: Watcher,
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
            watcher: Watcher::default(),
            family_watcher: Watcher::default(),
            #[cfg(feature = "demo")]
            demo: Mutex::new(None),
        }
    }

    /// The whole truth about the session now.
    #[must_use]
    pub fn snapshot(&self) -> SessionSnapshot {
        self.session.snapshots().borrow().clone()
    }

    /// Sends the snapshot now and after each change.
    pub fn watch(&self, channel: Channel<SessionSnapshot>) {
        self.watcher.follow(self.session.snapshots(), channel);
    }

    /// Sends what happens in the family from now on. A window that did not keep up reads everything
    /// anew.
    pub fn watch_family(&self, channel: Channel<FamilyNews>) {
        let mut news = self.session.news();
        self.family_watcher.replace(async move {
            loop {
                let told = match news.recv().await {
                    Ok(told) => told,
                    Err(RecvError::Lagged(_)) => {
                        FamilyNews::Changed { parts: FamilyPart::ALL.to_vec() }
                    }
                    Err(RecvError::Closed) => return,
                };
                if channel.send(told).is_err() {
                    return;
                }
            }
        });
    }

    /// Hands an untrusted redirect to the session.
    pub fn redirect_received(&self, address: &[u8]) {
        let elapsed_ms = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(elapsed_ms, "redirect received");
        self.session.redirect_received(address);
    }

    /// Now, for the name of a file.
    #[must_use]
    pub fn today(&self) -> Timestamp {
        self.clock.now()
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
    let page = Page::new(clock.clone());
    let first_frame = page.first_frame();
    app.manage(page);
    let state = AppState::new(session.clone(), clock);
    #[cfg(feature = "demo")]
    let state = AppState { demo: Mutex::new(demo), ..state };
    let start = Start { snapshot: state.snapshot(), settings: session.settings() };
    app.manage(state);
    windows::open_main(app, &start, options.frame())?;
    come_back_after_the_browser(app.clone(), &session);
    async_runtime::spawn(async move {
        first_frame.await;
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
