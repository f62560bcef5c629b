//! The other process.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use luminous_domain::{
    AccountId, Clock as _, Entropy as _, ObjectId, OsEntropy, PersonKey, SystemClock, TenantId,
    WebSessionId,
};
use luminous_store::{
    Account, Accounts as _, Act, Actor, Arrival, Network, NewWebSession, SqliteStore, StoreError,
    WebSessions as _,
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
pub async fn somebody(store: &SqliteStore) -> Account {
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
pub async fn sign_in(store: &SqliteStore, account: &Account) -> Result<WebSessionId, StoreError> {
    let mut token = [0; 32];
    OsEntropy.fill(&mut token).unwrap();
    let hour = std::time::Duration::from_secs(3600);
    let new = NewWebSession {
        id: WebSessionId::new(SystemClock.now(), &OsEntropy).unwrap(),
        token,
        account: account.id,
        user_agent: "a browser".into(),
        auth_time: None,
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
    let account = somebody(&store).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, account) = (Arc::clone(&store), account.clone());
        tasks.spawn(async move {
            loop {
                say(sign_in(&store, &account).await.unwrap());
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
