//! One of three replicas is killed again and again while displays are linked and refreshed (the
//! store's half of DB8). A killed one answers nobody any more and its connections are cut in the
//! middle of whatever they did; what the database made of that is not known to anybody.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use luminous_domain::OsEntropy;
use luminous_store::contract::Bench;
use luminous_store::contract::displays::{device_code, thumbprint};
use luminous_store::contract::faulty_link::FaultyLink;
use luminous_store::contract::people::Home;
use luminous_store::contract::postgres_server::{PostgresServer, TestDatabase, bench};
use luminous_store::postgres::PostgresOptions;
use luminous_store::{Failure, LinkState, PostgresStore, Redeemed, Refusal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const WALLS: usize = 8;
const REFRESHES: usize = 4;
/// A replica is killed each time that so many things were done.
const CALM: usize = 8;

/// A replica and its only way to the database.
struct Replica {
    bench: Bench,
    is_dead: watch::Sender<bool>,
    link: RefCell<Option<FaultyLink>>,
}

impl Replica {
    async fn start(first: &Bench) -> Rc<Self> {
        let database: &TestDatabase<'static> = first.keep.downcast_ref().unwrap();
        let link = FaultyLink::to(PostgresServer::shared().address()).await;
        let url = database.url_at(link.address());
        // Few, for in a test's build each costs a tenth of a second of computing (SCRAM).
        let options = PostgresOptions { connections: 2, ..PostgresOptions::default() };
        let store = PostgresStore::connect(&url, Arc::new(OsEntropy), options).await.unwrap();
        let time = Box::new(database.stopped_time().await);
        let bench = Bench { store: Arc::new(store), time, keep: Box::new(()) };
        let (is_dead, _) = watch::channel(false);
        Rc::new(Self { bench, is_dead, link: RefCell::new(Some(link)) })
    }

    fn kill(&self) {
        drop(self.link.take());
        self.is_dead.send_replace(true);
    }
}

/// Three replicas, one or another of which is just dying.
struct Cluster {
    replicas: RefCell<Vec<Rc<Replica>>>,
    done: Cell<usize>,
    /// How many calls never got an answer.
    unanswered: Cell<usize>,
    killed: Cell<usize>,
}

impl Cluster {
    /// Asks one replica after the other until one answers; says whether that was the first one.
    async fn ask<T>(
        &self,
        call: impl AsyncFn(&Bench) -> Result<T, Failure>,
    ) -> (Result<T, Refusal>, bool) {
        for attempt in 0.. {
            let turn = (self.done.get() + attempt) % 3;
            let replica = Rc::clone(&self.replicas.borrow()[turn]);
            let mut is_dead = replica.is_dead.subscribe();
            let answer = tokio::select! {
                answer = call(&replica.bench) => answer,
                _ = is_dead.wait_for(|dead| *dead) => {
                    self.unanswered.set(self.unanswered.get() + 1);
                    continue;
                }
            };
            match answer {
                Ok(answer) => {
                    self.done.set(self.done.get() + 1);
                    return (Ok(answer), attempt == 0);
                }
                Err(Failure::Refused(refusal)) => return (Err(refusal), attempt == 0),
                Err(Failure::Store(_)) => {}
            }
        }
        unreachable!("there is always another replica");
    }

    /// Kills one after the other, and starts another in its place, until all walls are through.
    async fn kill_and_start(&self, first: &Bench, walls: &[JoinHandle<()>]) {
        let mut next = CALM;
        while !walls.iter().all(JoinHandle::is_finished) {
            if self.done.get() < next {
                tokio::task::yield_now().await;
                continue;
            }
            let victim = self.killed.get() % 3;
            let replica = Rc::clone(&self.replicas.borrow()[victim]);
            replica.kill();
            self.killed.set(self.killed.get() + 1);
            let new = Replica::start(first).await;
            self.replicas.borrow_mut()[victim] = new;
            next = self.done.get() + CALM;
        }
    }

    /// A display and its person, from the code to the fourth refresh.
    async fn link(&self, home: &Home, wall: usize) {
        let name = format!("wall {wall}");
        let (word, link) = self.shows_a_code(&name).await;
        let claim = self.ask(async |b| b.claim(home, &home.owner, &word).await).await.0.unwrap();
        let yes = async |b: &Bench| {
            let yes = b.yes(home, &home.owner, &claim).await;
            b.store.confirm_link(&yes, &home.owner.act()).await
        };
        if let (Err(refusal), is_first) = self.ask(yes).await {
            // The first answer was lost: it is linked already.
            assert!(!is_first && refusal == Refusal::LinkInvalid, "{refusal:?}");
            let stands = async |b: &Bench| Ok(b.store.link_state(link).await?);
            assert_eq!(self.ask(stands).await.0, Ok(Some(LinkState::Linked)));
        }
        let mut token = self.redeems(&name, &word).await;
        for n in 0..REFRESHES {
            token = self.refreshes(&name, &token, n).await;
        }
    }

    /// One that was not answered may be there all the same: another one then, and another code.
    async fn shows_a_code(&self, name: &str) -> (String, luminous_domain::LinkId) {
        let attempt = Cell::new(0);
        let begin = async |b: &Bench| {
            attempt.set(attempt.get() + 1);
            let word = format!("{name}: {}", attempt.get());
            let new = b.new_link(name, &word).await;
            Ok((word, b.store.begin_link(&new).await?.id))
        };
        self.ask(begin).await.0.unwrap()
    }

    #[expect(clippy::panic, reason = "another answer is the failure this looks for")]
    async fn redeems(&self, name: &str, word: &str) -> String {
        let attempt = Cell::new(0);
        let redeem = async |b: &Bench| {
            attempt.set(attempt.get() + 1);
            let token = format!("{name}: token {}", attempt.get());
            let redemption = b.redemption(name, word, &token).await;
            assert_eq!(redemption.device_code, device_code(word));
            let answer = b.store.redeem_link(&redemption).await?;
            let Redeemed::Done(grant) = answer else { panic!("{answer:?}") };
            Ok((token, grant))
        };
        let (token, grant) = self.ask(redeem).await.0.unwrap();
        self.comes_to_the_door(&grant).await;
        token
    }

    async fn refreshes(&self, name: &str, token: &str, n: usize) -> String {
        let attempt = Cell::new(0);
        let refresh = async |b: &Bench| {
            attempt.set(attempt.get() + 1);
            let next = format!("{name}: token {n}.{}", attempt.get());
            let grant = b.refresh(name, token, &next).await?;
            Ok((next, grant))
        };
        let (next, grant) = self.ask(refresh).await.0.unwrap();
        self.comes_to_the_door(&grant).await;
        next
    }

    async fn comes_to_the_door(&self, grant: &luminous_store::DeviceGrant) {
        let (device, token) = (grant.device.id, grant.token);
        let come = async |b: &Bench| {
            let standing = b.store.device_standing(device, token).await?;
            assert!(standing.is_some_and(|standing| standing.is_token_live));
            Ok(b.store.confirm_token(device, token).await?)
        };
        self.ask(come).await.0.unwrap();
    }
}

#[tokio::test]
async fn replicas_that_are_killed_one_after_the_other_fail_no_link_and_fork_no_tokens() {
    let first = bench().await;
    let home = first.home("ada").await;
    let replicas = vec![
        Replica::start(&first).await,
        Replica::start(&first).await,
        Replica::start(&first).await,
    ];
    let cluster = Rc::new(Cluster {
        replicas: RefCell::new(replicas),
        done: Cell::new(0),
        unanswered: Cell::new(0),
        killed: Cell::new(0),
    });
    let local = tokio::task::LocalSet::new();
    let mut walls = Vec::new();
    for wall in 0..WALLS {
        let (cluster, home) = (Rc::clone(&cluster), home.clone());
        walls.push(local.spawn_local(async move { cluster.link(&home, wall).await }));
    }
    local.run_until(cluster.kill_and_start(&first, &walls)).await;
    for wall in walls {
        local.run_until(wall).await.unwrap();
    }
    assert!(cluster.killed.get() >= 5, "{} killed", cluster.killed.get());
    assert!(cluster.unanswered.get() > 0, "nobody met with it");

    assert_eq!(first.store.devices(home.family).await.unwrap().len(), WALLS);
    let database: &TestDatabase<'static> = first.keep.downcast_ref().unwrap();
    let client = database.client().await;
    for (sql, expected) in [
        // One family of tokens for each display: one root, and each has one child at most.
        ("SELECT count(*) FROM device_tokens WHERE parent IS NULL", WALLS),
        ("SELECT count(DISTINCT device_id) FROM device_tokens WHERE parent IS NULL", WALLS),
        ("SELECT count(*) FROM device_tokens WHERE spent_at IS NULL", WALLS),
        ("SELECT count(*) FROM device_tokens", WALLS * (1 + REFRESHES)),
        ("SELECT count(*) FROM audit WHERE action = 'device.linked'", WALLS),
        ("SELECT count(*) FROM audit WHERE action = 'device.signed_in'", WALLS),
        ("SELECT count(*) FROM audit WHERE action = 'device.token_reused'", 0),
    ] {
        let count: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
        assert_eq!(usize::try_from(count).unwrap(), expected, "{sql}");
    }
    let key = thumbprint("wall 0");
    let place = "SELECT count(*) FROM displays WHERE key = $1";
    let count: i64 = client.query_one(place, &[&key.as_slice()]).await.unwrap().get(0);
    assert_eq!(count, 1);
}
