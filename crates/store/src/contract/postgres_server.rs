//! A PostgreSQL server of the tests' own: real, empty, on this machine only, and gone afterwards.
//!
//! [`PostgresServer::shared`] is one for a whole test run, also where each test is a process of its
//! own (nextest); [`PostgresServer::start`] is one for a single test that must stop it or needs other
//! settings. A keeper, which is a shell, outlives whoever started the server and removes it, however
//! they end.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that is set up wrongly stops there")]

mod standby;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::{CommandExt as _, parent_id};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use luminous_domain::{Entropy as _, OsEntropy, Timestamp};
use tokio_postgres::{Client, NoTls};

use super::{Bench, TimeTravel};
use crate::PostgresStore;
use crate::postgres::{PostgresOptions, migrate};

const USER: &str = "luminous";
/// Where Debian and Ubuntu put it: one folder for each major version.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Waits until nobody holds the other end, or until the process `$3` is gone, then clears away.
const KEEPER: &str = r#"
if [ "$3" = 0 ]; then cat; else
    while kill -0 "$3" 2>/dev/null || [ -d "/proc/$3" ]; do sleep 1; done
fi
"$1/pg_ctl" -D "$2/data" -m immediate stop
rm -rf "$2" "$2.lock"
"#;

/// How a server of one's own differs from the shared one.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// More settings, `name=value`.
    pub settings: Vec<String>,
    /// Certificate and key in PEM, for TLS.
    pub tls: Option<(String, String)>,
}

/// A running server.
#[derive(Debug)]
pub struct PostgresServer {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    password: String,
    /// What it was started with.
    settings: String,
    /// The keeper of a server of one's own; it ends when its input does.
    keeper: Option<Child>,
}

impl PostgresServer {
    /// The server of this test run, started by whichever test comes first.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start; the message says which.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(|| match std::env::var("NEXTEST_RUN_ID") {
            Ok(run) => Self::of_run(&run),
            Err(_) => Self::start_in(in_memory(&random_hex()), &ServerOptions::default(), 0),
        })
    }

    /// A server of one's own on the disk, until it is dropped.
    ///
    /// # Panics
    /// As [`PostgresServer::shared`].
    #[must_use]
    pub fn start(options: &ServerOptions) -> Self {
        let folder = std::env::temp_dir().join(format!("luminous-postgres-{}", random_hex()));
        Self::start_in(folder, options, 0)
    }

    /// Each test of the run is a process; the runner is the parent of all of them.
    fn of_run(run: &str) -> Self {
        let folder = in_memory(run);
        let lock = fs::File::create(folder.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        if let Some((user, group)) = server_user() {
            // So that the keeper can remove it from a sticky folder.
            chown(folder.with_extension("lock"), Some(user), Some(group)).unwrap();
        }
        let Ok(ready) = fs::read_to_string(folder.join("ready")) else {
            let server = Self::start_in(folder, &ServerOptions::default(), parent_id());
            let ready = format!("{} {}", server.port, server.password);
            fs::write(server.folder.join("ready"), ready).unwrap();
            return server;
        };
        let (port, password) = ready.split_once(' ').unwrap();
        Self {
            programs: programs(),
            folder,
            port: port.parse().unwrap(),
            password: password.to_owned(),
            settings: String::new(),
            keeper: None,
        }
    }

    /// `owner` is the process that the server lives as long as; 0 is this value.
    fn start_in(folder: PathBuf, options: &ServerOptions, owner: u32) -> Self {
        Self::begin(folder, random_hex(), options, owner, Self::init)
    }

    /// `fill` makes its data.
    fn begin(
        folder: PathBuf,
        password: String,
        options: &ServerOptions,
        owner: u32,
        fill: impl FnOnce(&Self),
    ) -> Self {
        let mut server = Self {
            programs: programs(),
            folder,
            port: 0,
            password,
            settings: String::new(),
            keeper: None,
        };
        server.make_folder(options);
        server.keep(owner);
        fill(&server);
        // A port that was free a moment ago may be taken; nobody else's server answers then, for
        // ours does not start.
        for _ in 0..5 {
            server.port = free_port();
            server.settings = server.settings(options);
            if server.launch() {
                return server;
            }
        }
        let log = fs::read_to_string(server.folder.join("log")).unwrap_or_default();
        panic!("PostgreSQL does not start: {log}");
    }

    /// As root, PostgreSQL refuses to work: it then belongs to the user of the package.
    fn command(&self, program: &str) -> Command {
        // An absolute path stays what it is.
        let mut command = Command::new(self.programs.join(program));
        if let Some((user, group)) = server_user() {
            command.uid(user).gid(group);
        }
        // The folder of the test may not be open to that user.
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn make_folder(&self, options: &ServerOptions) {
        fs::create_dir(&self.folder).unwrap();
        let (certificate, key) = options.tls.clone().unwrap_or_default();
        let files =
            [("password", &self.password), ("server.crt", &certificate), ("server.key", &key)];
        let mut paths = vec![self.folder.clone()];
        for (name, text) in files {
            paths.push(self.folder.join(name));
            fs::write(self.folder.join(name), text).unwrap();
        }
        for path in paths {
            let mode = if path.is_dir() { 0o700 } else { 0o600 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            if let Some((user, group)) = server_user() {
                chown(&path, Some(user), Some(group)).unwrap();
            }
        }
    }

    fn keep(&mut self, owner: u32) {
        let mut shell = self.command("/bin/sh");
        shell.args(["-c", KEEPER, "keeper"]).arg(&self.programs).arg(&self.folder);
        shell.arg(owner.to_string()).process_group(0);
        if owner == 0 {
            shell.stdin(Stdio::piped());
        }
        let keeper = shell.spawn().unwrap();
        self.keeper = (owner == 0).then_some(keeper);
    }

    fn init(&self) {
        let made = self
            .command("initdb")
            .arg("-D")
            .arg(self.folder.join("data"))
            .args(["-U", USER, "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync"])
            .arg(format!("--pwfile={}", self.folder.join("password").display()))
            .args(["--encoding=UTF8", "--locale=C"])
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    }

    fn settings(&self, options: &ServerOptions) -> String {
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", self.folder.display()),
            format!("port={}", self.port),
            "max_connections=200".to_owned(),
            "wal_level=minimal".to_owned(),
            "max_wal_senders=0".to_owned(),
        ];
        if options.tls.is_some() {
            settings.push("ssl=on".to_owned());
            for (name, file) in [("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key")] {
                settings.push(format!("{name}={}", self.folder.join(file).display()));
            }
        }
        settings.extend(options.settings.iter().cloned());
        let settings: Vec<_> = settings.iter().map(|setting| format!("-c {setting}")).collect();
        settings.join(" ")
    }

    fn launch(&self) -> bool {
        self.control(&["-w", "-t", "30", "-o", &self.settings, "start"])
    }

    fn control(&self, arguments: &[&str]) -> bool {
        let mut command = self.command("pg_ctl");
        command.arg("-D").arg(self.folder.join("data")).arg("-l").arg(self.folder.join("log"));
        command.args(arguments).status().unwrap().success()
    }

    /// Stops it as a crash would: nothing is brought to an end, the next start recovers from the log.
    pub fn crash(&self) {
        assert!(self.control(&["-m", "immediate", "stop"]));
    }

    /// Starts it again after [`PostgresServer::crash`].
    pub fn resume(&self) {
        assert!(self.launch());
    }

    /// The address it listens at.
    #[must_use]
    pub fn address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// A new, empty database.
    pub async fn create_database(&self) -> TestDatabase<'_> {
        let name = format!("t_{}", random_hex());
        let client = self.client("postgres").await;
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        TestDatabase { server: self, name }
    }

    async fn client(&self, database: &str) -> Client {
        let folder = self.folder.to_str().unwrap();
        let mut config = tokio_postgres::Config::new();
        config.host_path(folder).port(self.port).user(USER).dbname(database);
        let (client, connection) = config.connect(NoTls).await.unwrap();
        tokio::spawn(async move { drop(connection.await) });
        client
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            drop(keeper.wait());
        }
    }
}

/// A database of one test; dropped with this value.
#[derive(Debug)]
pub struct TestDatabase<'a> {
    server: &'a PostgresServer,
    name: String,
}

impl TestDatabase<'_> {
    /// Where it is, by TCP.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(self.server.address())
    }

    /// Where it is, for those who go through somebody at `address`.
    #[must_use]
    pub fn url_at(&self, address: std::net::SocketAddr) -> String {
        format!("postgres://{USER}:{}@{address}/{}", self.server.password, self.name)
    }

    /// A connection past the store, to look and to meddle.
    pub async fn client(&self) -> Client {
        self.server.client(&self.name).await
    }

    /// Brings the schema up.
    pub async fn migrated(self) -> Self {
        migrate(&self.url(), &PostgresOptions::default()).await.unwrap();
        self
    }

    /// A replica: a store of its own on this database. Patient, for a test machine may be slow.
    pub async fn store(&self) -> PostgresStore {
        let wait = Duration::from_secs(20);
        let options = PostgresOptions {
            connection_wait: wait,
            statement_wait: wait,
            call_wait: wait,
            ..PostgresOptions::default()
        };
        PostgresStore::connect(&self.url(), Arc::new(OsEntropy), options).await.unwrap()
    }

    /// Stops the database's time.
    pub async fn stop_time(&self) -> StoppedTime {
        let client = self.client().await;
        client
            .batch_execute(
                "CREATE TABLE stopped_time AS SELECT luminous_now() AS now; \
                 CREATE OR REPLACE FUNCTION luminous_now() RETURNS bigint LANGUAGE sql VOLATILE \
                 AS 'SELECT now FROM stopped_time'",
            )
            .await
            .unwrap();
        StoppedTime { client }
    }

    /// Another hand on the time that was stopped.
    pub async fn stopped_time(&self) -> StoppedTime {
        StoppedTime { client: self.client().await }
    }
}

impl Drop for TestDatabase<'_> {
    fn drop(&mut self) {
        let (folder, port) = (&self.server.folder, self.server.port.to_string());
        let mut command = self.server.command("dropdb");
        command.arg("-h").arg(folder).args(["-p", &port, "-U", USER, "--force", &self.name]);
        drop(command.status());
    }
}

/// Time in one database, which moves only when told to: the schema's clock is replaced there.
#[derive(Debug)]
pub struct StoppedTime {
    client: Client,
}

#[async_trait]
impl TimeTravel for StoppedTime {
    async fn now(&self) -> Timestamp {
        let row = self.client.query_one("SELECT now FROM stopped_time", &[]).await.unwrap();
        Timestamp::from_millisecond(row.get(0)).unwrap()
    }

    async fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap();
        self.client.execute("UPDATE stopped_time SET now = now + $1", &[&by]).await.unwrap();
    }
}

/// An empty PostgreSQL store for one case of the suite.
pub async fn bench() -> Bench {
    let database = PostgresServer::shared().create_database().await.migrated().await;
    let time = database.stop_time().await;
    let store = database.store().await;
    Bench { store: Arc::new(store), time: Box::new(time), keep: Box::new(database) }
}

/// The same store at `count` replicas. All have the same time; the first keeps the database.
pub async fn benches(count: usize) -> Vec<Arc<Bench>> {
    let first = bench().await;
    let mut replicas = Vec::new();
    for _ in 1..count {
        let database: &TestDatabase<'static> = first.keep.downcast_ref().unwrap();
        replicas.push(Arc::new(Bench {
            store: Arc::new(database.store().await),
            time: Box::new(database.stopped_time().await),
            keep: Box::new(()),
        }));
    }
    replicas.insert(0, Arc::new(first));
    replicas
}

/// A folder that costs no disk its time: the shared server makes a database for each test. What is
/// durable is tried on a server of one's own, which is on the disk.
fn in_memory(name: &str) -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let root = if memory.is_dir() { memory } else { std::env::temp_dir() };
    root.join(format!("luminous-postgres-{name}"))
}

/// The newest installed version's programs.
fn programs() -> PathBuf {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(VERSIONS)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            path.join("bin/initdb").exists().then(|| (version, path.join("bin")))
        })
        .collect();
    versions.sort_unstable();
    let Some((_, newest)) = versions.pop() else {
        panic!("no PostgreSQL in {VERSIONS}: install the package `postgresql`");
    };
    newest
}

/// User and group of the package, if we are root.
fn server_user() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    root.then(|| {
        let users = fs::read_to_string("/etc/passwd").unwrap();
        let line = users.lines().find(|line| line.starts_with("postgres:"));
        let fields: Vec<_> = line.expect("no user postgres").split(':').collect();
        (fields[2].parse().unwrap(), fields[3].parse().unwrap())
    })
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn random_hex() -> String {
    let mut bytes = [0; 12];
    OsEntropy.fill(&mut bytes).unwrap();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
