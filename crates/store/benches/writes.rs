//! How many credentials are written in a second, each on the disk before it is answered: sessions
//! opened by many tasks, as sign-ins do, and tokens of as many displays, refreshed one after the
//! other.
//!
//! `cargo bench -p luminous-store --bench writes [-- sqlite | postgres]` prints the figure and its
//! bar, and fails when the bar is missed. PostgreSQL must be installed for its half.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use luminous_domain::{Clock as _, OsEntropy, SystemClock, Timestamp, WebSessionId};
use luminous_store::contract::people::hash;
use luminous_store::contract::postgres_server::{PostgresServer, ServerOptions};
use luminous_store::contract::{Bench, TimeTravel};
use luminous_store::{
    Account, Act, Actor, Arrival, Network, NewWebSession, PostgresStore, SqliteStore, Store,
};

/// Sign-ins under way at once.
const TASKS: usize = 64;
/// Displays of a family.
const DISPLAYS: usize = 32;
/// Sessions in all, and then refreshes.
const WRITES: usize = 6_400;

#[tokio::main]
async fn main() -> ExitCode {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    let mut met = true;
    if wants("sqlite") {
        met &= sqlite().await;
    }
    if wants("postgres") {
        met &= postgres().await;
    }
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn sqlite() -> bool {
    let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).expect("a folder");
    let path = folder.path().join("family.db");
    let store = SqliteStore::open(&path, Arc::new(SystemClock), Arc::new(OsEntropy));
    let store = Arc::new(store.expect("SQLite opens"));
    let met = both("SQLite, synchronous=FULL", store.clone(), 400.0).await;
    luminous_store::Health::close(&*store).await;
    met
}

async fn postgres() -> bool {
    let server = PostgresServer::start(&ServerOptions::default());
    let database = server.create_database().await.migrated().await;
    let options = luminous_store::postgres::PostgresOptions::default();
    let store = PostgresStore::connect(&database.url(), Arc::new(OsEntropy), options).await;
    let store = Arc::new(store.expect("PostgreSQL answers"));
    let met = both("PostgreSQL, fsync=on", store.clone(), 1_000.0).await;
    luminous_store::Health::close(&*store).await;
    met
}

async fn both(name: &str, store: Arc<dyn Store>, bar: f64) -> bool {
    let signed_in = sign_ins(name, Arc::clone(&store), bar).await;
    refreshes(name, store, bar).await && signed_in
}

/// The time of the day, which nobody sets.
struct Today;

#[async_trait]
impl TimeTravel for Today {
    async fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    async fn advance(&self, _by: Duration) {}
}

/// Each display rotates its tokens, which uses the ones it has.
async fn refreshes(name: &str, store: Arc<dyn Store>, bar: f64) -> bool {
    let bench = Arc::new(Bench { store, time: Box::new(Today), keep: Box::new(()) });
    let mut walls = Vec::new();
    for family in 0..TASKS / DISPLAYS {
        let home = bench.home(&format!("family {family}")).await;
        for n in 0..DISPLAYS {
            let wall = format!("{family} {n}");
            bench.linked(&home, &home.owner, &wall, &format!("{wall} 0")).await;
            walls.push(wall);
        }
    }
    let began = SystemClock.elapsed();
    let mut tasks = tokio::task::JoinSet::new();
    for wall in walls {
        let bench = Arc::clone(&bench);
        tasks.spawn(async move {
            for n in 0..WRITES / TASKS {
                let (old, new) = (format!("{wall} {n}"), format!("{wall} {}", n + 1));
                bench.refresh(&wall, &old, &new).await.expect("other tokens");
            }
        });
    }
    tasks.join_all().await;
    verdict(name, "display refreshes", SystemClock.elapsed().saturating_sub(began), bar)
}

async fn sign_ins(name: &str, store: Arc<dyn Store>, bar: f64) -> bool {
    let account = somebody(&*store).await;
    let began = SystemClock.elapsed();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let (store, account) = (Arc::clone(&store), account.clone());
        tasks.spawn(async move {
            for n in 0..WRITES / TASKS {
                sign_in(&*store, &account, &format!("{task} {n}")).await;
            }
        });
    }
    tasks.join_all().await;
    verdict(name, "credential writes", SystemClock.elapsed().saturating_sub(began), bar)
}

/// Prints the figure and its bar; whether it was met.
fn verdict(name: &str, what: &str, took: Duration, bar: f64) -> bool {
    let rate = f64::from(u32::try_from(WRITES).unwrap_or(u32::MAX)) / took.as_secs_f64();
    let verdict = if rate >= bar { "met" } else { "MISSED" };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{name}: {rate:.0} {what}/s, bar {bar:.0}: {verdict}").expect("standard output");
    rate >= bar
}

async fn somebody(store: &dyn Store) -> Account {
    let arrival = Arrival {
        id: luminous_domain::AccountId::new(SystemClock.now(), &OsEntropy).expect("entropy"),
        person: luminous_store::contract::people::key("ada"),
        name: "Ada".to_owned(),
        email: None,
        network: Network::Private,
    };
    store.arrive(&arrival).await.expect("an account").account
}

async fn sign_in(store: &dyn Store, account: &Account, word: &str) {
    let new = NewWebSession {
        id: WebSessionId::new(SystemClock.now(), &OsEntropy).expect("entropy"),
        token: hash(word),
        account: account.id,
        user_agent: "a browser".to_owned(),
        auth_time: None,
        is_email_unverified: false,
        idle: Duration::from_secs(1800),
        lifetime: Duration::from_secs(3600),
    };
    let actor = Actor::Account { id: account.id, name: account.name.clone() };
    let act = Act { actor, network: Network::Private };
    store.open_session(&new, None, &act).await.expect("a session");
}
