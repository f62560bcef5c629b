//! The servers: the program as shipped, each replica a process of its own, on one PostgreSQL.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use luminous_domain::FamilyId;
use luminous_emulator::{
    Config, DEMO_API_CLIENT_ID, DEMO_APP_CLIENT_ID, DEMO_POLICY, DEMO_TENANT, Emulator,
};
use luminous_store::contract::postgres_server::{PostgresServer, ServerOptions, TestDatabase};
use luminous_wire::api::FamilyEvent;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

const PROGRAM: &str = env!("CARGO_BIN_EXE_luminous-server");

/// Replicas, and what they share.
pub struct House {
    /// The identity provider.
    pub emulator: Emulator,
    /// Where the replicas are; a replica that is started again is where it was.
    pub addresses: Vec<SocketAddr>,
    replicas: Vec<Replica>,
    database: TestDatabase<'static>,
    _folder: TempDir,
}

struct Replica {
    process: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl House {
    /// Starts so many replicas. They are known by the address `public`, or else that of the first.
    pub async fn start(count: usize, public: Option<SocketAddr>) -> Self {
        let emulator = Emulator::start(Config::demo()).await.unwrap();
        // Both live as long as this program: its keeper ends the one, and with it the other.
        let server = Box::leak(Box::new(PostgresServer::start(&ServerOptions::default())));
        let database = server.create_database().await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("postgres-url"), database.url()).unwrap();
        let addresses: Vec<_> = (0..count).map(|_| free_address()).collect();
        let text = configuration(&emulator, public.unwrap_or(addresses[0]), folder.path());
        std::fs::write(folder.path().join("server.toml"), text).unwrap();
        for words in [&["key"][..], &["keys", "rotate"], &["migrate"]] {
            let done = command(folder.path(), words).output().await.unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
        let starting = addresses.iter().map(|address| Replica::start(*address, folder.path()));
        let replicas = futures_util::future::join_all(starting).await;
        Self { emulator, addresses, replicas, database, _folder: folder }
    }

    /// Kills a replica (SIGKILL) and starts it again.
    pub async fn kill_and_start(&mut self, number: usize) {
        let replica = &mut self.replicas[number];
        replica.process.kill().await.unwrap();
        *replica = Replica::start(replica.address, &replica.folder).await;
    }

    /// What the database has of a family's events, the oldest first.
    pub async fn events(&self, family: FamilyId) -> Vec<FamilyEvent> {
        let sql = "SELECT seq, kind, subject, reason FROM events \
            WHERE family_id = $1::text::uuid ORDER BY seq";
        let client = self.database.client().await;
        let rows = client.query(sql, &[&family.to_string()]).await.unwrap();
        let events = rows.iter().map(|row| FamilyEvent {
            seq: u64::try_from(row.get::<_, i64>(0)).unwrap(),
            kind: row.get(1),
            resource: row.get(2),
            reason: row.get(3),
        });
        events.collect()
    }

    /// What the database counts.
    pub async fn count(&self, sql: &str) -> usize {
        let row = self.database.client().await.query_one(sql, &[]).await.unwrap();
        usize::try_from(row.get::<_, i64>(0)).unwrap()
    }
}

impl Replica {
    /// Starts it, and waits until it listens.
    async fn start(address: SocketAddr, folder: &Path) -> Self {
        let log = folder.join(format!("replica-{}.log", address.port()));
        let errors = std::fs::File::options().append(true).create(true).open(&log).unwrap();
        let mut command = command(folder, &["serve"]);
        command.args(["--listen", &address.to_string()]);
        command.stdout(Stdio::piped()).stderr(errors).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap();
        assert!(line.is_some(), "{}", std::fs::read_to_string(&log).unwrap());
        Self { process, address, folder: folder.to_owned() }
    }
}

fn command(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().stdin(Stdio::null());
    command.args(words).arg("--config").arg(folder.join("server.toml"));
    command
}

/// Without the limits that a load is there to meet; tokens live as shortly as they may.
fn configuration(emulator: &Emulator, public: SocketAddr, folder: &Path) -> String {
    let folder = folder.display();
    let provider = format!("{}{DEMO_TENANT}/{DEMO_POLICY}/", emulator.base_url());
    format!(
        r#"
profile = "dev"
public_url = "{public}"
key_file = "{folder}/key"
log_filter = "warn"

[store]
postgres_url_file = "{folder}/postgres-url"

[displays]
signing_keys_file = "{folder}/signing-keys.json"
access_minutes = 1
codes_per_address_per_hour = 0

[limits]
per_address_per_minute = 0
per_account_per_minute = 0

[[issuers]]
address = "{provider}"
audiences = ["{DEMO_API_CLIENT_ID}"]
app_client_id = "{DEMO_APP_CLIENT_ID}"
"#,
        public = base(public),
    )
}

/// How somebody is reached over HTTP.
pub fn base(address: SocketAddr) -> String {
    format!("http://localhost:{}", address.port())
}

/// An address of this machine that was free a moment ago.
fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}
