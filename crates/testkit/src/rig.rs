//! A whole session over ports that a test holds in its hands.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use luminous_auth::{Policies, Ports, Service, Session, StateFile, Tuning};
use luminous_oidc::ProviderConfig;
use luminous_wire::{AppError, SessionSnapshot, SignInIntent, Stage};
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use crate::scripted::{CLIENT_ID, EDIT_POLICY, MFA_POLICY, RESET_POLICY};
use crate::scripted_api::FAMILY_SERVER;
use crate::{
    FakeScheme, FaultyStore, FrozenClock, HeldTime, RecordingBrowser, ScriptedApi,
    ScriptedProvider, SeededEntropy,
};

/// A session over a scripted provider, and everything it stands on.
///
/// Made in a test with `#[tokio::test(start_paused = true)]`; time moves only by
/// [`SessionRig::advance`].
pub struct SessionRig {
    /// The session under test.
    pub session: Session,
    /// Its provider.
    pub provider: Arc<ScriptedProvider>,
    /// Its family server, in front of the provider.
    pub api: Arc<ScriptedApi>,
    /// Its keyring.
    pub store: FaultyStore,
    /// Its browser.
    pub browser: RecordingBrowser,
    /// Whether the deep link is its own; at first it is.
    pub scheme: FakeScheme,
    /// Its clock.
    pub clock: Arc<FrozenClock>,
    folder: Arc<TempDir>,
    served: bool,
    given: bool,
    tuning: Tuning,
    time: HeldTime,
    restarts: u64,
}

impl SessionRig {
    /// A first start, with a working keyring. [`Session::start`] was not called yet.
    #[must_use]
    pub fn new() -> Self {
        Self::with_store(FaultyStore::new())
    }

    /// A first start with this keyring.
    #[must_use]
    pub fn with_store(store: FaultyStore) -> Self {
        // Port 0 is a free one; the fixed ports would make tests that run side by side collide.
        Self::with(store, vec![0], false)
    }

    /// A first start where a family server stands behind the provider.
    #[must_use]
    pub fn served() -> Self {
        Self::with(FaultyStore::new(), vec![0], true)
    }

    /// The same with a provider that has policies.
    #[must_use]
    pub fn with_policies() -> Self {
        let clock = Arc::new(FrozenClock::new());
        let provider = ScriptedProvider::with_policies(Arc::clone(&clock));
        Self::over(provider, clock, FaultyStore::new(), vec![0], true)
    }

    /// A first start where the loopback listener may use these ports.
    #[must_use]
    pub fn with_ports(loopback_ports: Vec<u16>) -> Self {
        Self::with(FaultyStore::new(), loopback_ports, false)
    }

    fn with(store: FaultyStore, loopback_ports: Vec<u16>, served: bool) -> Self {
        let clock = Arc::new(FrozenClock::new());
        let provider = ScriptedProvider::new(Arc::clone(&clock));
        Self::over(provider, clock, store, loopback_ports, served)
    }

    fn over(
        provider: ScriptedProvider,
        clock: Arc<FrozenClock>,
        store: FaultyStore,
        loopback_ports: Vec<u16>,
        served: bool,
    ) -> Self {
        let provider = Arc::new(provider);
        let api = Arc::new(ScriptedApi::new(Arc::clone(&provider) as _));
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let (browser, scheme) = (RecordingBrowser::default(), FakeScheme::new(true));
        let time = HeldTime::hold();
        let tuning = Tuning { loopback_ports, ..Tuning::default() };
        let ports = ports(&api, &browser, &scheme, &store, &clock, 1);
        let service = service(provider.config(), served);
        let session = open(ports, &folder, Some(service), tuning.clone());
        Self {
            session,
            provider,
            api,
            store,
            browser,
            scheme,
            clock,
            folder,
            served,
            given: true,
            tuning,
            time,
            restarts: 0,
        }
    }

    /// The state file's path.
    #[must_use]
    pub fn state_path(&self) -> PathBuf {
        self.folder.path().join("state.sqlite")
    }

    /// The program is started again: a new session over the same state file, keyring, provider and
    /// clock. [`Session::start`] was not called yet.
    pub async fn restart(&mut self) {
        self.session.shutdown().await;
        self.restarts += 1;
        self.session = self.another_process();
    }

    /// [`Self::restart`], but the program is configured as another application of the provider.
    pub async fn restart_as(&mut self, client_id: &str) {
        self.session.shutdown().await;
        self.restarts += 1;
        let config = ProviderConfig { client_id: client_id.to_owned(), ..self.provider.config() };
        self.session = self.process(config);
    }

    /// [`Self::restart`], but from now on nobody says whom to sign in with, except perhaps a
    /// configuration that names the family `server`.
    pub async fn restart_at(&mut self, server: Option<&str>) {
        self.given = false;
        self.tuning.server = server.map(str::to_owned);
        self.restart().await;
    }

    /// What the family server says of itself, with what is behind it.
    #[must_use]
    pub fn discovery(&self) -> Value {
        json!({
            "version": 1,
            "name": "Home",
            "api": FAMILY_SERVER,
            "provider": {
                "address": self.provider.address(),
                "issuer": null,
                "client_id": CLIENT_ID,
                "scopes": ["openid"],
                "password_reset_policy": null,
                "profile_edit_policy": null,
                "step_up_policy": null,
                "hints": [],
            },
        })
    }

    /// A second process of the same person: its own session, everything outside shared.
    #[must_use]
    pub fn another_process(&self) -> Session {
        self.process(self.provider.config())
    }

    fn process(&self, config: ProviderConfig) -> Session {
        let seed = 1000 + self.restarts;
        let ports = ports(&self.api, &self.browser, &self.scheme, &self.store, &self.clock, seed);
        let service = self.given.then(|| service(config, self.served));
        open(ports, &self.folder, service, self.tuning.clone())
    }

    /// The latest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> SessionSnapshot {
        self.session.snapshots().borrow().clone()
    }

    /// What the keyring holds of sign-ins, by name.
    #[must_use]
    pub fn stored_sign_in(&self) -> BTreeMap<String, Vec<Vec<u8>>> {
        let names = self.store.names().into_iter().filter(|name| name.starts_with("session."));
        names.map(|name| (name.clone(), self.store.values(&name))).collect()
    }

    /// Waits for a snapshot that fits.
    pub async fn until(&self, fits: impl Fn(&SessionSnapshot) -> bool) -> SessionSnapshot {
        self.session.snapshots().wait_for(|snapshot| fits(snapshot)).await.unwrap().clone()
    }

    /// Both clocks move, and tokio's timers with them.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.time.advance(by).await;
    }

    /// Begins a sign-in and answers the link the browser was given.
    pub async fn begin(&self) -> Url {
        self.session.begin_sign_in(SignInIntent::SignIn, None).await.unwrap();
        Url::parse(&self.session.sign_in_link().unwrap()).unwrap()
    }

    /// A whole sign-in through the deep link.
    ///
    /// # Errors
    /// What [`Session::redirect`] says.
    pub async fn try_sign_in(&self) -> Result<(), AppError> {
        let link = self.begin().await;
        let redirect = self.provider.authorize(&link);
        self.session.redirect(redirect.as_bytes()).await
    }

    /// A whole sign-in that must succeed.
    pub async fn sign_in(&self) {
        self.try_sign_in().await.unwrap();
        assert!(matches!(self.snapshot().stage, Stage::SignedIn { .. }));
    }
}

impl Default for SessionRig {
    fn default() -> Self {
        Self::new()
    }
}

fn service(config: ProviderConfig, served: bool) -> Service {
    let api = served.then(|| Url::parse(FAMILY_SERVER).unwrap());
    let policies = match config.authority.policy() {
        Some(_) => Policies {
            password_reset: Some(RESET_POLICY.to_owned()),
            profile_edit: Some(EDIT_POLICY.to_owned()),
            step_up: Some(MFA_POLICY.to_owned()),
        },
        None => Policies::default(),
    };
    Service { api, policies, ..config.into() }
}

fn open(ports: Ports, folder: &TempDir, service: Option<Service>, tuning: Tuning) -> Session {
    let file = StateFile::open(&folder.path().join("state.sqlite")).unwrap();
    Session::open_with(ports, file, service, tuning)
}

fn ports(
    http: &Arc<ScriptedApi>,
    browser: &RecordingBrowser,
    scheme: &FakeScheme,
    store: &FaultyStore,
    clock: &Arc<FrozenClock>,
    seed: u64,
) -> Ports {
    Ports {
        http: Arc::clone(http) as _,
        browser: Arc::new(browser.clone()),
        scheme: Arc::new(scheme.clone()),
        store: Arc::new(store.clone()),
        clock: Arc::clone(clock) as _,
        entropy: Arc::new(SeededEntropy::new(seed)),
    }
}
