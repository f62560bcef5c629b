//! The servers under measurement: the program as shipped, each a process of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use luminous_emulator::{
    DEMO_API_CLIENT_ID, DEMO_APP_CLIENT_ID, DEMO_POLICY, DEMO_TENANT, Emulator,
};
use luminous_store::contract::postgres_server::{PostgresServer, ServerOptions};
use tempfile::TempDir;

/// One process of the server.
pub struct Replica {
    child: Child,
    /// Where it is reached.
    pub base: String,
}

/// Replicas that share a database, and what they share beside it.
pub struct House {
    /// Them.
    pub replicas: Vec<Replica>,
    folder: TempDir,
}

/// Where the server keeps things.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A file, one replica.
    Sqlite,
    /// A real PostgreSQL with `fsync`, and so many replicas.
    Postgres {
        /// How many.
        replicas: usize,
    },
}

impl House {
    /// Starts them, without the limits that a load test is there to meet.
    pub async fn start(emulator: &Emulator, database: Database) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let count = match database {
            Database::Sqlite => 1,
            Database::Postgres { replicas } => {
                postgres(folder.path()).await?;
                replicas
            }
        };
        let addresses = (0..count).map(|_| free_address()).collect::<Result<Vec<_>, _>>()?;
        // Displays know one address of all replicas; a proxy in front would choose. Here the caller
        // does, so each is told the first one's name.
        let public = format!("http://localhost:{}", addresses[0].port());
        let mut house = Self { replicas: Vec::new(), folder };
        for (number, address) in addresses.iter().enumerate() {
            let config = configuration(emulator, *address, &public, house.folder.path(), database);
            house.add(number, *address, config).await?;
        }
        Ok(house)
    }

    async fn add(
        &mut self,
        number: usize,
        address: SocketAddr,
        text: String,
    ) -> anyhow::Result<()> {
        let folder = self.folder.path();
        let config = folder.join(format!("replica-{number}.toml"));
        std::fs::write(&config, text)?;
        let program = Path::new(env!("CARGO_BIN_EXE_luminous-server"));
        if number == 0 && folder.join("postgres-url").exists() {
            for words in [&["key"][..], &["keys", "rotate"], &["migrate"]] {
                run(Command::new(program).args(words).arg("--config").arg(&config))?;
            }
        }
        let log = std::fs::File::create(folder.join(format!("replica-{number}.log")))?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--config").arg(&config).stdin(Stdio::null());
        let child = command.stderr(log.try_clone()?).stdout(log).spawn()?;
        let base = format!("http://localhost:{}", address.port());
        self.replicas.push(Replica { child, base });
        for _ in 0..300 {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let log = std::fs::read_to_string(folder.join(format!("replica-{number}.log")))?;
        bail!("a server does not listen at {address}: {log}");
    }
}

impl House {
    /// The name all replicas are known by.
    pub fn public(&self) -> &str {
        &self.replicas[0].base
    }
}

impl Replica {
    /// The memory it has now, in bytes.
    pub fn resident(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
        Ok(kilobytes.parse::<f64>()? * 1024.0)
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // It may have ended by itself, which the measurement then said.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A PostgreSQL on the disk, for as long as this program runs, and the file that names it.
async fn postgres(folder: &Path) -> anyhow::Result<()> {
    let server = Box::leak(Box::new(PostgresServer::start(&ServerOptions::default())));
    // Dropped, it would be gone.
    let database = Box::leak(Box::new(server.create_database().await));
    std::fs::write(folder.join("postgres-url"), database.url())?;
    Ok(())
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{command:?} does not start"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

fn configuration(
    emulator: &Emulator,
    address: SocketAddr,
    public: &str,
    folder: &Path,
    database: Database,
) -> String {
    let folder = folder.display();
    let provider = format!("{}{DEMO_TENANT}/{DEMO_POLICY}/", emulator.base_url());
    let database = match database {
        Database::Sqlite => format!("sqlite = \"{folder}/luminous.sqlite\""),
        Database::Postgres { .. } => format!("postgres_url_file = \"{folder}/postgres-url\""),
    };
    format!(
        r#"
profile = "dev"
listen = "{address}"
public_url = "{public}"
key_file = "{folder}/key"
log_filter = "warn"
trusted_proxies = ["127.0.0.0/8", "::1/128"]

[store]
{database}

[displays]
signing_keys_file = "{folder}/signing-keys.json"
codes = 100000
codes_per_address_per_hour = 0

[limits]
per_address_per_minute = 0
per_account_per_minute = 0
connections = 20000
hub_connections = 20000

[[issuers]]
address = "{provider}"
audiences = ["{DEMO_API_CLIENT_ID}"]
app_client_id = "{DEMO_APP_CLIENT_ID}"
"#
    )
}

/// An address of this machine that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
