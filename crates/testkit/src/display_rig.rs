//! A wall display over the real family server, and everything it stands on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use luminous_auth::Display;
use luminous_auth::display::{Description, Ports, Server};
use luminous_domain::{Clock as _, OsEntropy};
use luminous_oidc::Transport;
use luminous_wire::{Connection, KioskSnapshot, KioskStage};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::family_server::Owner;
use crate::{Between, FamilyServer, FaultyStore, FrozenClock, HeldTime};

/// After how many looks in which nothing was sent a display is at rest: what comes over the hub is not
/// counted.
const LOOKS: usize = 3;

/// A display. Made in a test with `#[tokio::test(start_paused = true)]`: the network is real, time
/// moves only by [`DisplayRig::pass`].
pub struct DisplayRig {
    /// The display under test.
    pub display: Display,
    /// Its server.
    pub server: FamilyServer,
    /// What lies between.
    pub between: Between,
    /// Its keyring.
    pub keyring: FaultyStore,
    /// Its clock, which runs with the server's but may be set wrong.
    pub clock: Arc<FrozenClock>,
    snapshots: watch::Receiver<KioskSnapshot>,
    folder: Arc<TempDir>,
    time: HeldTime,
}

impl DisplayRig {
    /// A first start at the usual server. [`Display::start`] was called.
    pub async fn start() -> Self {
        let rig = Self::before_start().await;
        rig.display.start();
        rig
    }

    /// The same before [`Display::start`].
    pub async fn before_start() -> Self {
        Self::at(FamilyServer::start().await)
    }

    /// The same at this server.
    #[must_use]
    pub fn at(server: FamilyServer) -> Self {
        let time = HeldTime::hold();
        let clock = Arc::new(FrozenClock::at(server.clock.now()));
        let between = Between::new(server.clock.clone());
        let keyring = FaultyStore::new();
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let display = open(&server, &between, &keyring, &clock, folder.path());
        let snapshots = display.snapshots();
        Self { display, server, between, keyring, clock, snapshots, folder, time }
    }

    /// The program ends and is opened again; not started yet.
    pub async fn reopen(&mut self) {
        self.display.shutdown().await;
        let folder = self.folder.path();
        self.display = open(&self.server, &self.between, &self.keyring, &self.clock, folder);
        self.snapshots = self.display.snapshots();
    }

    /// The program ends and starts again.
    pub async fn restart(&mut self) {
        self.reopen().await;
        self.display.start();
    }

    /// Where the display keeps its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What is shown.
    #[must_use]
    pub fn shown(&self) -> KioskSnapshot {
        self.snapshots.borrow().clone()
    }

    /// What is drawn.
    #[must_use]
    pub fn stage(&self) -> KioskStage {
        self.shown().stage
    }

    /// Waits, without any time passing, until something is shown.
    pub async fn until(&mut self, is_it: impl FnMut(&KioskSnapshot) -> bool) -> KioskSnapshot {
        self.snapshots.wait_for(is_it).await.unwrap().clone()
    }

    /// Lets time pass in steps of a second until something is shown.
    pub async fn until_in_time(
        &mut self,
        most: Duration,
        mut is_it: impl FnMut(&KioskSnapshot) -> bool,
    ) -> KioskSnapshot {
        for _ in 0..=most.as_secs() {
            let shown = self.shown();
            if is_it(&shown) {
                return shown;
            }
            self.pass(Duration::from_secs(1)).await;
        }
        let shown = self.shown();
        if is_it(&shown) {
            return shown;
        }
        panic!("not shown within {most:?}: {:?}", self.shown());
    }

    /// That the wall is up and online, within a minute: leaps of a minute cost the hub's connection,
    /// and what was missed is read within half a minute then, which may be under way now.
    ///
    /// # Panics
    /// When it is not.
    pub async fn is_at_home(&mut self) {
        let is_home = |shown: &KioskSnapshot| {
            matches!(shown.stage, KioskStage::Wall { .. })
                && matches!(shown.connection, Connection::Online)
        };
        self.until_in_time(Duration::from_secs(60), is_home).await;
    }

    /// Time passes for everybody, and what became due is done.
    pub async fn pass(&mut self, time: Duration) {
        self.settle().await;
        self.server.clock.advance(time);
        self.clock.advance(time);
        self.time.advance(time).await;
        self.settle().await;
    }

    /// Lets what is under way arrive, and what follows from it.
    pub async fn settle(&self) {
        let mut still = 0;
        while still < LOOKS {
            let sent = self.between.sent().len();
            self.time.settle().await;
            self.between.until_quiet().await;
            self.server.ping().await;
            self.time.settle().await;
            still = if self.between.sent().len() == sent { still + 1 } else { 0 };
        }
    }

    /// Waits for a code, and answers it.
    pub async fn code(&mut self) -> String {
        let shown = self.until(|shown| matches!(shown.stage, KioskStage::Code { .. })).await;
        let KioskStage::Code { user_code, .. } = shown.stage else { panic!() };
        user_code
    }

    /// Somebody types the code; answers the challenge and the number on the display.
    pub async fn claim(&mut self, owner: &Owner) -> (Value, String) {
        let code = self.code().await;
        let challenge = self.server.look_up(owner, &code).await;
        let is_claimed = |shown: &KioskSnapshot| matches!(shown.stage, KioskStage::Claimed { .. });
        let shown = self.until_in_time(Duration::from_secs(60), is_claimed).await;
        let KioskStage::Claimed { number, .. } = shown.stage else { panic!() };
        (challenge, number)
    }

    /// Somebody links the display; answers once the wall is up.
    pub async fn link(&mut self, owner: &Owner, name: &str) -> KioskSnapshot {
        let (challenge, number) = self.claim(owner).await;
        self.confirm(owner, &challenge, &number, name).await;
        self.until_wall().await
    }

    /// Somebody types the number on the display, which is right, and gives it a name.
    pub async fn confirm(&self, owner: &Owner, challenge: &Value, number: &str, name: &str) {
        let (status, answer) = self.server.confirm(owner, challenge, number, name).await;
        assert_eq!(status / 100, 2, "{answer}");
    }

    /// Waits for the wall.
    pub async fn until_wall(&mut self) -> KioskSnapshot {
        let is_wall = |shown: &KioskSnapshot| matches!(shown.stage, KioskStage::Wall { .. });
        self.until_in_time(Duration::from_secs(90), is_wall).await
    }
}

fn open(
    server: &FamilyServer,
    between: &Between,
    keyring: &FaultyStore,
    clock: &Arc<FrozenClock>,
    folder: &Path,
) -> Display {
    let ports = Ports {
        http: Arc::new(between.clone()),
        store: Arc::new(keyring.clone()),
        clock: Arc::clone(clock) as _,
        entropy: Arc::new(OsEntropy),
    };
    let server = Server { address: server.base.clone(), transport: Transport::LoopbackHttp };
    let description = Description {
        name: "kitchen-pi".to_owned(),
        model: "Raspberry Pi 5".to_owned(),
        app_version: "0.1.0".to_owned(),
    };
    Display::open(ports, folder, Some(&server), description)
}
