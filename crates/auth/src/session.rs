//! The session: the one thing the app holds.
//!
//! All state is one value behind a mutex that is never held across an await (`state.rs`); each
//! operation is one linear async function in the file of its name. What an operation learned while
//! it waited counts only if the session it began with is still the one that stands: every sign-in
//! and sign-out begins a new *epoch*, and a result of an earlier one is dropped (F14, F15). Writing
//! to the vault is serialised with signing out by a gate of its own, so that no refresh can store a
//! token after the sign-out erased it.

mod answer;
mod connect;
mod family;
mod follow_server;
mod locks;
mod news;
mod perform;
mod policies;
mod record;
mod refresh;
mod sign_in;
mod sign_out;
mod standing;
mod state;
mod step_up;
mod storage;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use luminous_domain::{Clock, Entropy};
use luminous_oidc::{ExpectedIssuer, HttpClient, Provider, Transport};
use luminous_wire::{AppError, ErrorCode, FamilyNews, SessionSnapshot, Settings};
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::task::AbortHandle;

use crate::error::internal;
use crate::family::Wishes;
use crate::loopback;
use crate::ports::{Browser, OpenStore, SchemeProbe};
use crate::service::Service;
use crate::state_file::StateFile;
use crate::vault::Vault;
use state::{Connected, State, Who};

/// What the session needs from its surroundings.
#[derive(Clone)]
pub struct Ports {
    /// Reaches the provider.
    pub http: Arc<dyn HttpClient>,
    /// The person's browser.
    pub browser: Arc<dyn Browser>,
    /// Whether the deep link comes to us.
    pub scheme: Arc<dyn SchemeProbe>,
    /// The keyring.
    pub store: Arc<dyn OpenStore>,
    /// Time. Waiting is done on tokio's timer.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// What tests and unusual installations set differently.
#[derive(Debug, Clone)]
pub struct Tuning {
    /// The ports of the loopback listener, in the order they are tried; each must be registered
    /// with the provider.
    pub loopback_ports: Vec<u16>,
    /// Which schemes an address typed by a person, or named by a family server, may have.
    pub transport: Transport,
    /// The family server that the configuration names, so that nobody is asked for it.
    pub server: Option<String>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            loopback_ports: loopback::PORTS.to_vec(),
            transport: Transport::HttpsOnly,
            server: None,
        }
    }
}

/// Redirects that may wait for [`Session::start`]; more is somebody's flood.
const MOST_WAITING_REDIRECTS: usize = 16;

/// News that a slow listener may leave unheard; whoever lags behind reads everything anew.
const MOST_UNHEARD_NEWS: usize = 64;

/// How long a refresh that is under way may hold up the end of the program.
const PARTING: Duration = Duration::from_secs(3);

/// A session, shared by all who hold a clone of it.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

struct Inner {
    ports: Ports,
    tuning: Tuning,
    /// Whether the state file told whom to sign in with.
    restored: bool,
    file: StateFile,
    vault: Vault,
    state: Mutex<State>,
    snapshots: watch::Sender<SessionSnapshot>,
    /// How many answers of the browser were taken.
    answers: watch::Sender<u64>,
    /// What the family's hub told.
    news: broadcast::Sender<FamilyNews>,
    /// Somebody began to listen to it.
    news_wanted: Notify,
    redirects: mpsc::Sender<Vec<u8>>,
    waiting_redirects: Mutex<Option<mpsc::Receiver<Vec<u8>>>>,
    /// Whether what an earlier process left pending was read, or given up.
    pending_read: watch::Sender<bool>,
    /// Serialises what changes the vault.
    gate: tokio::sync::Mutex<()>,
    /// Serialises the writing of what is pending.
    pending_turn: tokio::sync::Mutex<()>,
    flight: Mutex<Option<refresh::Flight>>,
    /// What the family server was asked to make and has not answered yet.
    wishes: Mutex<Wishes>,
    /// One step-up is begun at a time, however many acts ask for one.
    step_up_turn: tokio::sync::Mutex<()>,
    /// Wakes the refresher after anything that changes when it is due.
    refresh_changed: Notify,
    /// Wakes the storage watch after anything that changes what it waits for.
    storage_changed: Notify,
    tasks: Mutex<Vec<AbortHandle>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("snapshot", &*self.inner.snapshots.borrow()).finish()
    }
}

impl Session {
    /// A session from what the state file knows. Fast and synchronous, asks neither the keyring
    /// nor the network, and needs no tokio runtime: the first snapshot already shows the home of a
    /// known account. `service` goes before the one of the first connection.
    #[must_use]
    pub fn open(ports: Ports, file: StateFile, service: Option<Service>) -> Self {
        Self::open_with(ports, file, service, Tuning::default())
    }

    /// [`Session::open`] with other settings than the usual.
    #[must_use]
    pub fn open_with(
        ports: Ports,
        file: StateFile,
        service: Option<Service>,
        tuning: Tuning,
    ) -> Self {
        let given = service.is_some();
        let service = service.or_else(|| connect::saved_service(&file, &tuning));
        let restored = !given && service.is_some();
        let provider = service.map(|service| connected(&ports, service));
        let state = State {
            connecting: provider.is_none() && tuning.server.is_some(),
            changeable: !given && tuning.server.is_none(),
            configured: tuning.server.clone(),
            ..State::new(provider, Who::known_to(&file))
        };
        let (redirects, waiting) = mpsc::channel(MOST_WAITING_REDIRECTS);
        let inner = Inner {
            vault: Vault::new(Arc::clone(&ports.store)),
            ports,
            tuning,
            restored,
            file,
            snapshots: watch::Sender::new(state.snapshot(0)),
            state: Mutex::new(state),
            answers: watch::Sender::new(0),
            news: broadcast::Sender::new(MOST_UNHEARD_NEWS),
            news_wanted: Notify::new(),
            redirects,
            waiting_redirects: Mutex::new(Some(waiting)),
            pending_read: watch::Sender::new(false),
            gate: tokio::sync::Mutex::default(),
            pending_turn: tokio::sync::Mutex::default(),
            flight: Mutex::default(),
            wishes: Mutex::default(),
            step_up_turn: tokio::sync::Mutex::default(),
            refresh_changed: Notify::new(),
            storage_changed: Notify::new(),
            tasks: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The snapshots: the current one at once, then each change.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<SessionSnapshot> {
        self.inner.snapshots.subscribe()
    }

    /// Changes with each answer of the browser that was taken: the person is done there.
    #[must_use]
    pub fn answers(&self) -> watch::Receiver<u64> {
        self.inner.answers.subscribe()
    }

    /// Opens the vault, continues the sign-in that is stored there, and keeps it fresh from now on.
    /// Returns when the vault has answered, or after its deadline; the first refresh goes on behind.
    pub async fn start(&self) {
        self.load().await;
        let waiting = lock(&self.inner.waiting_redirects).take();
        if let Some(waiting) = waiting {
            let session = self.clone();
            self.spawn(async move { session.follow_redirects(waiting).await });
            let session = self.clone();
            self.spawn(async move { session.keep_fresh().await });
            let session = self.clone();
            self.spawn(async move { session.watch_storage().await });
            let session = self.clone();
            self.spawn(async move { session.follow_family().await });
            self.follow_server();
        }
    }

    /// Follows redirects as they come. One that may belong to a sign-in which only a silent keyring
    /// knows of waits for the keyring, or until the person gives it up.
    async fn follow_redirects(&self, mut waiting: mpsc::Receiver<Vec<u8>>) {
        let mut pending_read = self.inner.pending_read.subscribe();
        let mut held: Vec<Vec<u8>> = Vec::new();
        loop {
            let all_known = *pending_read.borrow_and_update();
            if all_known {
                held.drain(..).for_each(|raw| self.follow(raw));
            }
            tokio::select! {
                raw = waiting.recv() => match raw {
                    None => return,
                    Some(raw) if all_known || !self.may_be_of_the_past(&raw) => self.follow(raw),
                    Some(raw) if held.len() < MOST_WAITING_REDIRECTS => held.push(raw),
                    Some(_) => tracing::warn!("a redirect was dropped: too many at once"),
                },
                // The sender lives as long as `self`.
                _ = pending_read.changed(), if !all_known => {}
            }
        }
    }

    fn may_be_of_the_past(&self, raw: &[u8]) -> bool {
        crate::redirect::parse_redirect(raw)
            .is_ok_and(|redirect| !self.state().pending.awaits(&redirect))
    }

    fn follow(&self, raw: Vec<u8>) {
        let session = self.clone();
        tokio::spawn(async move {
            if let Err(error) = session.redirect(&raw).await {
                tracing::info!(code = %error.code, "a redirect was not followed");
            }
        });
    }

    /// Takes a redirect as the operating system handed it over: at a cold start, also before
    /// [`Session::start`], or from a second instance. Hostile input: judged later, off this thread.
    pub fn redirect_received(&self, raw: &[u8]) {
        let raw = raw[..raw.len().min(crate::redirect::LONGEST + 1)].to_vec();
        if self.inner.redirects.try_send(raw).is_err() {
            tracing::warn!("a redirect was dropped: too many at once");
        }
    }

    /// What the person chose about the window.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.inner.file.settings().unwrap_or_else(|error| {
            tracing::warn!(%error, "the settings cannot be read");
            Settings::default()
        })
    }

    /// Keeps what the person chose.
    ///
    /// # Errors
    /// [`luminous_wire::ErrorCode::Internal`] when the state file cannot be written.
    pub fn save_settings(&self, settings: Settings) -> Result<(), AppError> {
        self.inner.file.save_settings(settings).map_err(internal)
    }

    /// Shows a problem that came up before the session did: a configuration that cannot be used.
    pub fn warn(&self, problem: AppError) {
        self.update(|state| state.problem = Some(problem));
    }

    /// Stops all waiting and listening. Does not wait for the keyring.
    pub async fn shutdown(&self) {
        for task in lock(&self.inner.tasks).drain(..) {
            task.abort();
        }
        // A refresh that is under way may hold the only copy of a rotated token: let it finish, but
        // a provider that does not answer must not keep the program from ending.
        let flight = lock(&self.inner.flight).clone();
        if let Some(flight) = flight {
            let _ = tokio::time::timeout(PARTING, flight.landed()).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.inner.state)
    }

    /// Changes the state and tells everybody who looks.
    fn update<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let value = change(&mut state);
        self.inner.snapshots.send_if_modified(|shown| {
            let next = state.snapshot(shown.revision);
            let changed = next != *shown;
            if changed {
                *shown = SessionSnapshot { revision: shown.revision.wrapping_add(1), ..next };
            }
            changed
        });
        drop(state);
        self.inner.refresh_changed.notify_one();
        self.inner.storage_changed.notify_one();
        value
    }

    fn provider(&self) -> Result<Arc<Provider>, AppError> {
        self.provider_under(None)
    }

    /// The provider under `policy`, or under the one people sign in with.
    fn provider_under(&self, policy: Option<&str>) -> Result<Arc<Provider>, AppError> {
        let mut state = self.state();
        let connecting = state.connecting;
        let Some(connected) = &mut state.provider else { return Err(no_provider(connecting)) };
        let Some(policy) = policy else { return Ok(Arc::clone(&connected.provider)) };
        if let Some(provider) = connected.under.get(policy) {
            return Ok(Arc::clone(provider));
        }
        let main = &connected.provider;
        let mut config = main.config().clone();
        if let Some(issuer) = main.pinned_issuer() {
            config.expected_issuer = ExpectedIssuer::Exact(issuer);
        }
        let config = config
            .with_policy(policy)
            .map_err(|error| AppError::new(ErrorCode::ConfigInvalid, error.to_string()))?;
        let ports = &self.inner.ports;
        let provider =
            Arc::new(Provider::new(config, Arc::clone(&ports.http), Arc::clone(&ports.clock)));
        connected.under.insert(policy.to_owned(), Arc::clone(&provider));
        Ok(provider)
    }

    fn service(&self) -> Result<Service, AppError> {
        let state = self.state();
        let service = state.provider.as_ref().map(|one| one.service.clone());
        service.ok_or_else(|| no_provider(state.connecting))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let handle = tokio::spawn(task).abort_handle();
        let mut tasks = lock(&self.inner.tasks);
        tasks.retain(|task| !task.is_finished());
        tasks.push(handle.clone());
        handle
    }
}

/// A lock whose holder panicked guards a value that is replaced as a whole: it is fit for use.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connected(ports: &Ports, service: Service) -> Connected {
    let config = service.provider.clone();
    let provider = Provider::new(config, Arc::clone(&ports.http), Arc::clone(&ports.clock));
    Connected { provider: Arc::new(provider), under: BTreeMap::new(), service }
}

fn no_provider(connecting: bool) -> AppError {
    match connecting {
        true => AppError::new(ErrorCode::ServerUnreachable, "the family server has not answered"),
        false => AppError::new(ErrorCode::ConfigInvalid, "there is no provider yet"),
    }
}
