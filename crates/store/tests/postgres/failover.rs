//! The primary is killed under load, and its standby goes on (DB6): two real servers, and displays
//! that keep their tokens as ours do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use luminous_domain::{Clock as _, DeviceId, OsEntropy, SystemClock, Timestamp, TokenId};
use luminous_store::contract::people::Home;
use luminous_store::contract::postgres_server::{PostgresServer, ServerOptions, TestDatabase};
use luminous_store::contract::{Bench, TimeTravel};
use luminous_store::postgres::PostgresOptions;
use luminous_store::{Failure, Hint, PostgresStore, Refusal, StoreError};

/// How many displays there are, and in how many replicas they have somebody to talk to.
const WALLS: usize = 12;
const REPLICAS: usize = 2;
/// Time that passes by itself.
struct RealTime;

#[async_trait]
impl TimeTravel for RealTime {
    async fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    async fn advance(&self, _: Duration) {}
}

/// A replica with the waits of the product. It has few connections, for in a test's build each costs
/// a tenth of a second of computing (SCRAM), and all of them are made anew at once.
async fn replica(url: &str) -> Arc<Bench> {
    let options = PostgresOptions { connections: 3, ..PostgresOptions::default() };
    let store = PostgresStore::connect(url, Arc::new(OsEntropy), options).await.unwrap();
    Arc::new(Bench { store: Arc::new(store), time: Box::new(RealTime), keep: Box::new(()) })
}

/// A display: the words of its tokens, the new ones and the ones that they came of, which it keeps
/// until it has still newer ones.
struct Wall {
    name: String,
    device: DeviceId,
    token: TokenId,
    child: String,
    parent: Option<String>,
    rotations: usize,
    /// The door did not know its token. That is right only if the refresh token is unknown too.
    is_doubted: bool,
    told: Told,
    /// Set when anything was unavailable.
    noticed: Arc<AtomicBool>,
}

/// What a display met with.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Told {
    /// Answers that are 503 outside.
    unavailable: usize,
    /// Rotations that were acknowledged and lost, and made good by the parent.
    recovered: usize,
    /// The door refused a token that counts.
    wrongly_refused: usize,
    /// It would show a code now.
    lost: Vec<Refusal>,
    /// The longest that it had to try for one thing.
    longest: Duration,
}

impl Wall {
    async fn link(bench: &Bench, home: &Home, n: usize) -> Self {
        let (name, child) = (format!("wall {n}"), format!("{n}: 0"));
        let grant = bench.linked(home, &home.owner, &name, &child).await;
        let (device, token) = (grant.device.id, grant.token);
        let (parent, told, noticed) = (None, Told::default(), Arc::default());
        Self { name, device, token, child, parent, rotations: 0, is_doubted: false, told, noticed }
    }

    /// New tokens for the old ones, however long that takes, and a visit to the door with them.
    async fn rotate(&mut self, replicas: &[Arc<Bench>]) {
        let begun = SystemClock.elapsed();
        self.refresh(replicas).await;
        self.told.longest = self.told.longest.max(SystemClock.elapsed() - begun);
        let begun = SystemClock.elapsed();
        self.visit(replicas).await;
        self.told.longest = self.told.longest.max(SystemClock.elapsed() - begun);
    }

    async fn refresh(&mut self, replicas: &[Arc<Bench>]) {
        let number = self.name.trim_start_matches("wall ").to_owned();
        let mut presented = self.child.clone();
        for attempt in 0.. {
            let next = format!("{number}: {}.{attempt}", self.rotations + 1);
            let bench = &replicas[attempt % replicas.len()];
            match bench.refresh(&self.name, &presented, &next).await {
                Ok(grant) => {
                    self.told.recovered += usize::from(presented != self.child);
                    self.told.wrongly_refused +=
                        usize::from(self.is_doubted && presented == self.child);
                    self.is_doubted = false;
                    self.token = grant.token;
                    self.child = next;
                    self.parent = Some(presented);
                    self.rotations += 1;
                    return;
                }
                Err(Failure::Store(error)) => self.is_unavailable(&error),
                Err(Failure::Refused(Refusal::TokenUnknown)) if presented == self.child => {
                    presented = self.parent.clone().expect("the first tokens were lost");
                }
                Err(Failure::Refused(refusal)) => {
                    self.told.lost.push(refusal);
                    return;
                }
            }
        }
    }

    async fn visit(&mut self, replicas: &[Arc<Bench>]) {
        for attempt in 1.. {
            let store = &replicas[attempt % replicas.len()].store;
            let answer = match store.device_standing(self.device, self.token).await {
                Ok(Some(standing)) if standing.is_token_live => {
                    store.confirm_token(self.device, self.token).await
                }
                Ok(_) => {
                    self.is_doubted = true;
                    return;
                }
                Err(error) => Err(error),
            };
            match answer {
                Ok(()) => return,
                Err(error) => self.is_unavailable(&error),
            }
        }
    }

    fn is_unavailable(&mut self, error: &StoreError) {
        assert!(matches!(error, StoreError::Unavailable(_) | StoreError::Busy), "{error:?}");
        self.told.unavailable += 1;
        self.noticed.store(true, Ordering::Relaxed);
    }
}

/// A primary, its standby, replicas that know both, and displays that are linked.
struct House {
    primary: &'static PostgresServer,
    standby: PostgresServer,
    replicas: Vec<Arc<Bench>>,
    home: Home,
    walls: Vec<Wall>,
    _database: TestDatabase<'static>,
}

async fn house() -> House {
    // For the whole program, so that tasks may hold it; the keeper still removes it.
    let primary = Box::leak(Box::new(PostgresServer::start(&ServerOptions::replicated())));
    let database = primary.create_database().await.migrated().await;
    let standby = primary.follow();
    let url = database.url_with(&standby);
    let mut replicas = Vec::new();
    for _ in 0..REPLICAS {
        replicas.push(replica(&url).await);
    }
    let home = replicas[0].home("ada").await;
    let mut walls = Vec::new();
    for n in 0..WALLS {
        walls.push(Wall::link(&replicas[n % REPLICAS], &home, n).await);
    }
    House { primary, standby, replicas, home, walls, _database: database }
}

impl House {
    /// All displays rotate at once, each `times` times.
    async fn rotate(&mut self, times: usize) {
        let mut running = tokio::task::JoinSet::new();
        for mut wall in std::mem::take(&mut self.walls) {
            let replicas = self.replicas.clone();
            running.spawn(async move {
                for _ in 0..times {
                    wall.rotate(&replicas).await;
                }
                wall
            });
        }
        self.walls = running.join_all().await;
    }

    /// All displays rotate again and again while the primary dies and the standby is promoted, and
    /// once more.
    async fn rotate_and_fail_over(&mut self) {
        let (done, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let noticed = Arc::new(AtomicBool::new(false));
        let mut running = tokio::task::JoinSet::new();
        for mut wall in std::mem::take(&mut self.walls) {
            let replicas = self.replicas.clone();
            let (done, is_over) = (Arc::clone(&done), Arc::clone(&is_over));
            wall.noticed = Arc::clone(&noticed);
            running.spawn(async move {
                loop {
                    let is_last = is_over.load(Ordering::Relaxed);
                    wall.rotate(&replicas).await;
                    done.fetch_add(1, Ordering::Relaxed);
                    if is_last {
                        return wall;
                    }
                }
            });
        }
        while done.load(Ordering::Relaxed) < WALLS {
            tokio::task::yield_now().await;
        }
        self.primary.kill();
        // What is short enough the store repeats by itself; this is not.
        while !noticed.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
        tokio::task::block_in_place(|| self.standby.promote());
        is_over.store(true, Ordering::Relaxed);
        self.walls = running.join_all().await;
    }

    fn fail_over(&self) {
        self.primary.kill();
        self.standby.promote();
    }

    /// A figure, not a test: how long somebody could not write (DB6 allows 15 s).
    #[expect(clippy::print_stdout, reason = "the figure is for people")]
    fn say_how_long(&self) {
        println!("the longest anybody had to try: {:?}", self.told().longest);
    }

    /// What all of them met with.
    fn told(&self) -> Told {
        let mut all = Told::default();
        for wall in &self.walls {
            all.unavailable += wall.told.unavailable;
            all.recovered += wall.told.recovered;
            all.wrongly_refused += wall.told.wrongly_refused;
            all.lost.extend(&wall.told.lost);
            all.longest = all.longest.max(wall.told.longest);
        }
        all
    }

    /// Hints go on as well, and everybody is told that it is another server.
    async fn hears(&self, mut hints: tokio::sync::broadcast::Receiver<Hint>) {
        // What is said before everybody listens again is heard of by that alone.
        heard(&mut hints, |hint| hint == Hint::Rewound).await;
        let note = self.replicas[0].note(&self.home, &self.home.owner, "after", None).await;
        note.unwrap();
        let family = self.home.family;
        let seq = self.replicas[0].store.events_after(family, 0, 1).await.unwrap().latest;
        heard(&mut hints, |hint| hint == Hint::Family { family, seq }).await;
    }
}

async fn heard(hints: &mut tokio::sync::broadcast::Receiver<Hint>, is_it: impl Fn(Hint) -> bool) {
    let hearing = async { while !is_it(hints.recv().await.expect("hints go on")) {} };
    tokio::time::timeout(Duration::from_secs(60), hearing).await.expect("not heard");
}

/// Nothing is acknowledged that the standby does not have: nothing at all is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db6_with_a_synchronous_standby_the_death_of_the_primary_under_load_loses_nothing() {
    let mut house = house().await;
    house.primary.wait_for_standbys().await;
    house.rotate(2).await;
    let calm = house.told();
    assert_eq!((calm.unavailable, calm.recovered, calm.lost.len()), (0, 0, 0));
    let hints = house.replicas[1].store.hints();

    house.rotate_and_fail_over().await;
    let told = house.told();
    assert!(told.unavailable > 0, "nobody noticed");
    assert_eq!((told.recovered, told.wrongly_refused), (0, 0), "{told:?}");
    assert_eq!(told.lost, []);
    house.say_how_long();
    house.rotate(2).await;
    assert_eq!((house.told().recovered, house.told().lost), (0, Vec::new()));
    house.hears(hints).await;
}

/// What was acknowledged in the last moment is lost, and each display goes back to the tokens it
/// kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn db6_with_an_asynchronous_standby_lost_rotations_are_made_good_and_no_display_is_lost() {
    let mut house = house().await;
    house.rotate(2).await;
    // A display rotates twice an hour: the standby has had all but the last rotation.
    house.primary.replicated().await;
    house.primary.stop_replicating().await;
    house.rotate(1).await;
    let hints = house.replicas[1].store.hints();
    house.fail_over();

    house.rotate(1).await;
    let told = house.told();
    assert_eq!(told.recovered, WALLS, "{told:?}");
    assert_eq!((told.wrongly_refused, told.lost), (0, Vec::new()));
    house.say_how_long();
    house.rotate(2).await;
    let told = house.told();
    assert_eq!((told.recovered, told.wrongly_refused, told.lost), (WALLS, 0, Vec::new()));
    house.hears(hints).await;
}
