//! The servers under measurement, each a process of its own on the first core.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use luminous_emulator::{
    DEMO_API_CLIENT_ID, DEMO_APP_CLIENT_ID, DEMO_POLICY, DEMO_TENANT, Emulator,
};
use tempfile::TempDir;

/// The argument that makes this program the bare server, and the variables it reads.
pub const BARE: &str = "--serve-bare";
const BARE_PORT: &str = "BARE_PORT";
const BARE_BODY: &str = "BARE_BODY";

/// A server under measurement.
pub trait Server {
    /// Where it listens.
    fn address(&self) -> SocketAddr;
}

/// A process that ends with the measurement.
struct Running {
    child: Child,
    address: SocketAddr,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which the measurement then said.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    async fn start(command: &mut Command, address: SocketAddr) -> anyhow::Result<Self> {
        let child = command.stdin(Stdio::null()).spawn().context("a server does not start")?;
        let mut running = Self { child, address };
        for _ in 0..300 {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                return Ok(running);
            }
            if let Some(status) = running.child.try_wait()? {
                bail!("a server ended at once: {status}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("a server does not listen at {address}");
    }
}

/// The product.
pub struct Luminous {
    running: Running,
    folder: TempDir,
}

/// A route that looks at nothing.
pub struct Bare(Running);

/// The guide's service.
pub struct FastApi(Running);

impl Server for Luminous {
    fn address(&self) -> SocketAddr {
        self.running.address
    }
}

impl Server for Bare {
    fn address(&self) -> SocketAddr {
        self.0.address
    }
}

impl Server for FastApi {
    fn address(&self) -> SocketAddr {
        self.0.address
    }
}

impl Luminous {
    /// As shipped, over the emulator, without the limits that a load test is there to meet.
    pub async fn start(emulator: &Emulator) -> anyhow::Result<Self> {
        let address = free_address()?;
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("luminous.toml");
        std::fs::write(&config, configuration(emulator, address, folder.path()))?;
        let mut command = on_first_core(Path::new(env!("CARGO_BIN_EXE_luminous-server")));
        command.arg("serve").arg("--config").arg(&config);
        let log = std::fs::File::create(folder.path().join("log"))?;
        command.stderr(log.try_clone()?).stdout(log);
        let running = Running::start(&mut command, address).await?;
        Ok(Self { running, folder })
    }

    /// What `/api/me` answers to the holder of `token`.
    pub async fn body(&self, token: &str) -> anyhow::Result<String> {
        let address = format!("http://{}/api/me", self.running.address);
        let answer = reqwest::Client::new().get(address).bearer_auth(token).send().await?;
        let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        ensure!(answer.status().is_success(), "not answered: {}\n{}", answer.status(), log());
        Ok(answer.text().await?)
    }

    /// The memory it has now, in MB.
    pub fn resident_mb(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.running.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()).context("no VmRSS")?;
        Ok(kilobytes.parse::<f64>()? * 1024.0 / 1e6)
    }
}

fn configuration(emulator: &Emulator, address: SocketAddr, folder: &Path) -> String {
    let folder = folder.display();
    let provider = format!("{}{DEMO_TENANT}/{DEMO_POLICY}/", emulator.base_url());
    format!(
        r#"
profile = "dev"
listen = "{address}"
public_url = "http://localhost:{port}"
key_file = "{folder}/key"
log_filter = "warn"

[displays]
signing_keys_file = "{folder}/signing-keys.json"

[store]
sqlite = "{folder}/luminous.sqlite"

[limits]
per_address_per_minute = 0
per_account_per_minute = 0

[[issuers]]
address = "{provider}"
audiences = ["{DEMO_API_CLIENT_ID}"]
app_client_id = "{DEMO_APP_CLIENT_ID}"
"#,
        port = address.port()
    )
}

impl Bare {
    /// Answers `body` to everybody.
    pub async fn start(body: &str) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut command = on_first_core(&std::env::current_exe()?);
        command.arg(BARE).env(BARE_PORT, address.port().to_string()).env(BARE_BODY, body);
        Ok(Self(Running::start(&mut command, address).await?))
    }
}

/// The bare server's whole life.
pub async fn serve_bare() -> anyhow::Result<()> {
    let port: u16 = std::env::var(BARE_PORT)?.parse()?;
    let body: &'static str = std::env::var(BARE_BODY)?.leak();
    let me = get(move || async move { ([(CONTENT_TYPE, "application/json")], body) });
    let router = axum::Router::new().route("/api/me", me);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    Ok(axum::serve(listener, router).await?)
}

impl FastApi {
    /// The guide's service over the emulator's policy, with a cache that forgets after so long.
    pub async fn start(emulator: &Emulator, cache_seconds: u32) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut command = on_first_core(&python()?.join("bin/uvicorn"));
        command
            .args(["service:app", "--no-access-log", "--log-level", "warning", "--port"])
            .arg(address.port().to_string())
            .current_dir(source())
            .env("B2C_OPENID_CONFIG", emulator.metadata_url())
            .env("B2C_CLIENT_ID", DEMO_API_CLIENT_ID)
            .env("CACHE_SECONDS", cache_seconds.to_string());
        Ok(Self(Running::start(&mut command, address).await?))
    }
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/api/fastapi")
}

/// The virtual environment of the guide's service, made when it is missing.
fn python() -> anyhow::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fastapi");
    if !folder.join("bin/uvicorn").is_file() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let requirements = source().join("requirements.txt");
        run(Command::new(folder.join("bin/pip"))
            .args(["install", "--quiet", "--requirement"])
            .arg(requirements))?;
    }
    Ok(folder)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("{command:?} does not start"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}

/// Leaves the first core to whoever is measured.
pub fn keep_to_core(core: u32) -> anyhow::Result<()> {
    let ourselves = std::process::id().to_string();
    run(Command::new("taskset").args(["-cp", &core.to_string(), &ourselves]).stdout(Stdio::null()))
}

fn on_first_core(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(program);
    command
}

/// An address of this machine that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
