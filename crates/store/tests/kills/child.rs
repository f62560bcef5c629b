//! The other process.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use luminous_domain::{
    AccountId, Clock as _, Entropy as _, ObjectId, OsEntropy, PersonKey, SystemClock, TenantId,
    Timestamp, TokenId, WebSessionId,
};
use luminous_store::contract::{Bench, TimeTravel};
use luminous_store::{
    Account, Act, Actor, Arrival, Network, NewWebSession, SqliteStore, Store, StoreError,
};

/// Which part this process plays; without it, it is the test.
pub const PART: &str = "LUMINOUS_STORE_CHILD";
/// The file or folder that the part is about.
const PLACE: &str = "LUMINOUS_STORE_PLACE";

/// This program once more, to play `part` at `place`.
pub fn command(part: &str, place: &Path) -> Command {
    dressed(Command::new(std::env::current_exe().unwrap()), part, place)
}

/// As [`command`], but `script` runs first in a shell, which ends in `exec "$0"`.
pub fn after_script(launch: &[&str], script: &str, part: &str, place: &Path) -> Command {
    let mut command = Command::new(launch[0]);
    command.args(&launch[1..]).args(["sh", "-ec", script]);
    command.arg(std::env::current_exe().unwrap());
    dressed(command, part, place)
}

fn dressed(mut command: Command, part: &str, place: &Path) -> Command {
    command.env(PART, part).env(PLACE, place).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// Plays `part`.
pub fn play(part: &str) {
    let place = PathBuf::from(std::env::var_os(PLACE).unwrap());
    match part {
        "write" => runtime().block_on(write(&place)),
        "refresh" => runtime().block_on(refresh(&place)),
        "hold" => hold(&place),
        "migrate" => drop(SqliteStore::migrate(&place).unwrap()),
        "full" => runtime().block_on(super::disk::fill(&place)),
        "read-only" => super::disk::open_read_only(&place),
        other => panic!("no such part: {other}"),
    }
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

pub fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Arc::new(SystemClock), Arc::new(OsEntropy)).unwrap()
}

/// Somebody to write for.
pub async fn somebody(store: &dyn Store) -> Account {
    let arrival = Arrival {
        id: AccountId::new(SystemClock.now(), &OsEntropy).unwrap(),
        person: PersonKey { tenant: TenantId::new("t"), object: ObjectId::new("o") },
        name: "Ada".into(),
        email: None,
        network: Network::Loopback,
    };
    store.arrive(&arrival).await.unwrap().account
}

/// Opens a session, as a sign-in does.
pub async fn sign_in(store: &dyn Store, account: &Account) -> Result<WebSessionId, StoreError> {
    let mut token = [0; 32];
    OsEntropy.fill(&mut token).unwrap();
    let hour = std::time::Duration::from_secs(3600);
    let new = NewWebSession {
        id: WebSessionId::new(SystemClock.now(), &OsEntropy).unwrap(),
        token,
        account: account.id,
        user_agent: "a browser".into(),
        auth_time: None,
        is_email_unverified: false,
        idle: hour,
        lifetime: hour,
    };
    let actor = Actor::Account { id: account.id, name: account.name.clone() };
    let act = Act { actor, network: Network::Loopback };
    store.open_session(&new, None, &act).await.map(|session| session.id)
}

/// Says `line` to the parent, at once.
pub fn say(line: impl std::fmt::Display) {
    writeln!(std::io::stdout().lock(), "{line}").unwrap();
}

/// Signs in without end, from eight tasks, and says which sign-ins were acknowledged.
async fn write(path: &Path) {
    let store = Arc::new(open(path));
    let account = somebody(&*store).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, account) = (Arc::clone(&store), account.clone());
        tasks.spawn(async move {
            loop {
                say(sign_in(&*store, &account).await.unwrap());
            }
        });
    }
    tasks.join_all().await;
}

/// The time of the day, which nobody sets.
struct Today;

#[async_trait]
impl TimeTravel for Today {
    async fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    async fn advance(&self, _by: std::time::Duration) {}
}

/// A store with what the contract suite has for trying it.
pub fn bench(path: &Path) -> Bench {
    Bench { store: Arc::new(open(path)), time: Box::new(Today), keep: Box::new(()) }
}

/// A word that never was.
pub fn word() -> String {
    TokenId::new(SystemClock.now(), &OsEntropy).unwrap().to_string()
}

/// Links eight displays, refreshes their tokens without end, and says which were acknowledged: the
/// display, and what its refresh token is made of.
async fn refresh(path: &Path) {
    let bench = Arc::new(bench(path));
    let home = bench.home(&word()).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (bench, wall) = (Arc::clone(&bench), word());
        let mut token = word();
        bench.linked(&home, &home.owner, &wall, &token).await;
        tasks.spawn(async move {
            loop {
                say(format!("{wall} {token}"));
                let next = word();
                bench.refresh(&wall, &token, &next).await.unwrap();
                token = next;
            }
        });
    }
    tasks.join_all().await;
}

/// Locks the database until the parent closes our standard input.
fn hold(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
    say("held");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}
