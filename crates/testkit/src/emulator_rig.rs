//! A session over the real emulator, real HTTP and a browser that walks the pages.

use std::sync::Arc;

use luminous_auth::{Policies, Ports, Service, Session, StateFile, Tuning};
use luminous_domain::{Clock as _, OsEntropy, SystemClock};
use luminous_emulator::{
    Config, DEMO_APP_CLIENT_ID, DEMO_EDIT_POLICY, DEMO_MFA_POLICY, DEMO_POLICY, DEMO_RESET_POLICY,
    DEMO_TENANT, Emulator,
};
use luminous_oidc::{ProviderConfig, ReqwestClient, Transport, Trust};
use luminous_wire::{SessionSnapshot, SignInIntent, Stage};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use url::Url;

use crate::following::{Person, Visit};
use crate::scripted_api::FAMILY_SERVER;
use crate::{FakeScheme, FaultyStore, FollowingBrowser, FrozenClock, ScriptedApi};

/// A session over the real emulator. Both live on one frozen clock; the network is real.
pub struct EmulatorRig {
    /// The provider.
    pub emulator: Emulator,
    /// The session under test.
    pub session: Session,
    /// The person's browser.
    pub browser: FollowingBrowser,
    /// The keyring.
    pub store: FaultyStore,
    /// Everybody's clock.
    pub clock: Arc<FrozenClock>,
    /// A family server that is a fake; the session asks it only in [`EmulatorRig::served`].
    pub api: Arc<ScriptedApi>,
    ports: Ports,
    service: Option<Service>,
    folder: TempDir,
    delivery: JoinHandle<()>,
    arrived: Arc<tokio::sync::Mutex<tokio::sync::mpsc::UnboundedReceiver<String>>>,
}

impl EmulatorRig {
    /// A first start at an emulator like this one; Ana makes an account when a page asks her who
    /// she is. [`Session::start`] was called.
    pub async fn start(config: Config) -> Self {
        Self::start_with(config, Some(None)).await
    }

    /// The same before the first connection: nobody has told the app of a provider yet.
    pub async fn unconnected(config: Config) -> Self {
        Self::start_with(config, None).await
    }

    /// The same with a family server behind the provider.
    pub async fn served(config: Config) -> Self {
        let api = FAMILY_SERVER.parse().unwrap();
        Self::start_with(config, Some(Some(api))).await
    }

    /// `connection` is where the family server is, if the app is connected at all.
    async fn start_with(config: Config, connection: Option<Option<Url>>) -> Self {
        // Now, because the emulator's `Date` headers come from its HTTP library and say so.
        let clock = Arc::new(FrozenClock::at(SystemClock.now()));
        let emulator_clock = Arc::clone(&clock);
        let config = Config { clock: Arc::new(move || emulator_clock.now()), ..config };
        let emulator = Emulator::start(config).await.unwrap();
        let ana = Person {
            email: "ana@example.test".to_owned(),
            password: "correct horse 7 battery".to_owned(),
            name: "Ana".to_owned(),
        };
        let (browser, arrived) = FollowingBrowser::new(ana, Visit::SignUp);
        browser.set_clock(Arc::clone(&clock) as _);
        let store = FaultyStore::new();
        let network = Arc::new(ReqwestClient::new(Trust::system()).unwrap());
        let api = Arc::new(ScriptedApi::new(network));
        let ports = Ports {
            http: Arc::clone(&api) as _,
            browser: Arc::new(browser.clone()),
            scheme: Arc::new(FakeScheme::new(true)),
            store: Arc::new(store.clone()),
            clock: Arc::clone(&clock) as _,
            entropy: Arc::new(OsEntropy),
        };
        let address = format!("{}{DEMO_TENANT}/{DEMO_POLICY}", emulator.base_url());
        let provider =
            ProviderConfig::from_address(&address, DEMO_APP_CLIENT_ID, Transport::LoopbackHttp)
                .unwrap();
        let service = connection.map(|api| Service {
            policies: Policies {
                password_reset: Some(DEMO_RESET_POLICY.to_owned()),
                profile_edit: Some(DEMO_EDIT_POLICY.to_owned()),
                step_up: Some(DEMO_MFA_POLICY.to_owned()),
            },
            api,
            demo: true,
            ..provider.into()
        });
        let folder = tempfile::tempdir().unwrap();
        let arrived = Arc::new(tokio::sync::Mutex::new(arrived));
        let session = open(&ports, &folder, &service);
        let delivery = deliver(session.clone(), Arc::clone(&arrived));
        session.start().await;
        Self {
            emulator,
            session,
            browser,
            store,
            clock,
            api,
            ports,
            service,
            folder,
            delivery,
            arrived,
        }
    }

    /// The program is started again; redirects go to the new session from now on.
    pub async fn restart(&mut self) {
        self.session.shutdown().await;
        self.session = self.another_process();
        self.delivery.abort();
        self.delivery = deliver(self.session.clone(), Arc::clone(&self.arrived));
        self.session.start().await;
    }

    /// A second process of the same person. [`Session::start`] was not called yet.
    #[must_use]
    pub fn another_process(&self) -> Session {
        open(&self.ports, &self.folder, &self.service)
    }

    /// A program of its own, whose configuration names `server`. [`Session::start`] was not called
    /// yet.
    #[must_use]
    pub fn configured(&self, server: &str) -> Session {
        let transport = Transport::LoopbackHttp;
        let server = Some(server.to_owned());
        let tuning = Tuning { loopback_ports: vec![0], transport, server };
        let file = StateFile::in_memory().unwrap();
        Session::open_with(self.ports.clone(), file, None, tuning)
    }

    /// The latest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> SessionSnapshot {
        self.session.snapshots().borrow().clone()
    }

    /// Waits for a snapshot that fits.
    pub async fn until(&self, fits: impl Fn(&SessionSnapshot) -> bool) -> SessionSnapshot {
        self.session.snapshots().wait_for(|snapshot| fits(snapshot)).await.unwrap().clone()
    }

    /// Begins a sign-in and waits until it is over, one way or another.
    pub async fn sign_in(&self) -> SessionSnapshot {
        self.session.begin_sign_in(SignInIntent::SignIn, None).await.unwrap();
        let goes_on =
            |stage: &Stage| matches!(stage, Stage::WaitingForBrowser { .. } | Stage::Finishing);
        self.until(|snapshot| !goes_on(&snapshot.stage)).await
    }
}

fn open(ports: &Ports, folder: &TempDir, service: &Option<Service>) -> Session {
    let file = StateFile::open(&folder.path().join("state.sqlite")).unwrap();
    let transport = Transport::LoopbackHttp;
    let tuning = Tuning { loopback_ports: vec![0], transport, ..Tuning::default() };
    Session::open_with(ports.clone(), file, service.clone(), tuning)
}

/// Hands what leaves the browser to the session, as the operating system does.
fn deliver(
    session: Session,
    arrived: Arc<tokio::sync::Mutex<tokio::sync::mpsc::UnboundedReceiver<String>>>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        while let Some(redirect) = arrived.lock().await.recv().await {
            session.redirect_received(redirect.as_bytes());
        }
    })
}
