//! A wall display as it hangs in a kitchen, but for its keyring, which is one in memory: a fake that
//! outlives the display's restarts.

use std::sync::Arc;
use std::time::Duration;

use luminous_auth::Display;
use luminous_auth::display::{Description, Ports, Server};
use luminous_domain::{OsEntropy, SystemClock};
use luminous_oidc::{ReqwestClient, Transport, Trust};
use luminous_testkit::FaultyStore;
use luminous_wire::api::WallView;
use luminous_wire::{Connection, KioskSnapshot, KioskStage};
use tempfile::TempDir;
use tokio::sync::watch;

/// How long a display may take to anything while replicas come and go: its own waits, several times.
const PATIENCE: Duration = Duration::from_secs(120);

/// One display.
pub struct Wall {
    /// The program, while it runs.
    running: Option<Running>,
    keyring: FaultyStore,
    server: Server,
    folder: TempDir,
}

struct Running {
    display: Display,
    snapshots: watch::Receiver<KioskSnapshot>,
}

impl Wall {
    /// One that was just taken out of its box, and switched on.
    pub fn new(base: &str) -> Self {
        let server = Server { address: base.to_owned(), transport: Transport::LoopbackHttp };
        let (keyring, folder) = (FaultyStore::new(), tempfile::tempdir().unwrap());
        let mut wall = Self { running: None, keyring, server, folder };
        wall.switch_on();
        wall
    }

    /// The program ends.
    pub async fn switch_off(&mut self) {
        if let Some(running) = self.running.take() {
            running.display.shutdown().await;
        }
    }

    /// The program starts, unless it runs: it needs other tokens at once.
    pub fn switch_on(&mut self) {
        if self.running.is_none() {
            let display = open(&self.keyring, &self.server, &self.folder);
            self.running = Some(Running { snapshots: display.snapshots(), display });
        }
    }

    /// The code on the screen.
    pub async fn code(&mut self) -> Option<String> {
        self.until(|shown| match &shown.stage {
            KioskStage::Code { user_code, .. } => Some(user_code.clone()),
            _ => None,
        })
        .await
    }

    /// The number on the screen.
    pub async fn number(&mut self) -> Option<String> {
        self.until(|shown| match &shown.stage {
            KioskStage::Claimed { number, .. } => Some(number.clone()),
            _ => None,
        })
        .await
    }

    /// Whether it gets home: is linked, and at the server.
    pub async fn is_home(&mut self) -> bool {
        let is_home = |shown: &KioskSnapshot| match shown.stage {
            KioskStage::Welcome { .. } => Some(()),
            KioskStage::Wall { .. } if shown.connection == Connection::Online => Some(()),
            _ => None,
        };
        self.until(is_home).await.is_some()
    }

    /// Whether it comes to show what is looked for, and is at the server.
    pub async fn shows(&mut self, is_it: impl Fn(&WallView) -> bool) -> bool {
        let shows = |shown: &KioskSnapshot| match &shown.stage {
            KioskStage::Wall { wall, .. } if shown.connection == Connection::Online => {
                is_it(wall).then_some(())
            }
            _ => None,
        };
        self.until(shows).await.is_some()
    }

    /// Whether it is still linked, as far as it knows.
    pub fn is_linked(&self) -> bool {
        let stage = self.running.as_ref().map(|running| running.snapshots.borrow().stage.clone());
        matches!(stage, Some(KioskStage::Wall { .. } | KioskStage::Welcome { .. }))
    }

    async fn until<T>(&mut self, look: impl Fn(&KioskSnapshot) -> Option<T>) -> Option<T> {
        let snapshots = &mut self.running.as_mut()?.snapshots;
        let shown = snapshots.wait_for(|shown| look(shown).is_some());
        let shown = tokio::time::timeout(PATIENCE, shown).await.ok()?.ok()?;
        look(&shown)
    }
}

fn open(keyring: &FaultyStore, server: &Server, folder: &TempDir) -> Display {
    let ports = Ports {
        http: Arc::new(ReqwestClient::new(Trust::system()).unwrap()),
        store: Arc::new(keyring.clone()),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
    };
    let description = Description {
        name: "kitchen-pi".to_owned(),
        model: "Raspberry Pi 5".to_owned(),
        app_version: "0.1.0".to_owned(),
    };
    let display = Display::open(ports, folder.path(), Some(server), description);
    display.start();
    display
}
