//! Software of others at the emulator and the server, both as programs: Microsoft's library signs
//! in and calls the API; openid-client links a display, which Microsoft's SignalR client follows;
//! schemathesis tries what the OpenAPI document allows and what it does not,
//! without a token, as an owner, as a child and as somebody in no family.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::app::free_port;
use crate::package::Place;
use crate::wait::until;

/// These end what the other tries need: they come last, one by one.
const ENDINGS: &[&str] = &["leave_family", "delete_family", "sign_out_everywhere"];

/// Runs the peers, one after the other.
pub async fn run(place: &Place, python: &Path) -> anyhow::Result<()> {
    let house = House::open(place).await?;
    house.msal().await?;
    step("MSAL for Node signed up at the emulator, called the API, and refreshed");
    house.link().await?;
    step("openid-client linked a display by RFC 8628 with DPoP; Microsoft's SignalR followed it");
    let document = house.folder.path().join("openapi.json");
    fs::write(&document, house.server_says(&["openapi"]).await?)?;
    let tester = Tester { house: &house, python, document };
    let nowhere = "00000000-0000-7000-8000-000000000000";
    tester.run("no token", None, nowhere, false).await?;
    let outside = house.token("Otto").await?;
    tester.run("somebody outside", Some(&outside), nowhere, false).await?;
    let owner = house.token("Olga").await?;
    let family = house.create_family(&owner).await?;
    // The first one is older than the family, and only good for being told so.
    let owner = house.token("Olga").await?;
    tester.run("an owner with a second factor", Some(&owner), &family, false).await?;
    tester.run("the same owner, on the way out", Some(&owner), &family, true).await?;
    Ok(())
}

/// Says what has been seen to work.
#[expect(clippy::print_stdout, reason = "the transcript is what the person asked for")]
fn step(what: &str) {
    println!("  {what}");
}

/// The emulator and the server, as programs with data of their own.
struct House {
    folder: TempDir,
    programs: PathBuf,
    peers: PathBuf,
    provider: String,
    api: String,
    http: reqwest::Client,
    _running: [Child; 2],
}

impl House {
    async fn open(place: &Place) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let programs = place.target.join("debug");
        let (provider_port, api_port) = (free_port()?, free_port()?);
        let provider = format!("http://localhost:{provider_port}");
        let api = format!("http://localhost:{api_port}");
        fs::write(folder.path().join("control"), "secret of this run")?;
        let log = |name: &str| {
            fs::OpenOptions::new().create(true).append(true).open(folder.path().join(name))
        };
        let emulator = Command::new(programs.join("luminous-emulator"))
            .args(["serve", "--listen", &format!("127.0.0.1:{provider_port}")])
            .arg("--control-secret-file")
            .arg(folder.path().join("control"))
            .stdout(log("emulator.log")?)
            .stderr(log("emulator.log")?)
            .kill_on_drop(true)
            .spawn()
            .context("the emulator does not start")?;
        let config = folder.path().join("server.toml");
        fs::write(&config, configuration(&provider, &api, api_port, folder.path()))?;
        let server = Command::new(programs.join("luminous-server"))
            .args(["serve", "--config"])
            .arg(&config)
            .stdout(log("server.log")?)
            .stderr(log("server.log")?)
            .kill_on_drop(true)
            .spawn()
            .context("the server does not start")?;
        let house = Self {
            folder,
            programs,
            peers: place.project.join("tests/peers"),
            provider,
            api,
            http: reqwest::Client::new(),
            _running: [emulator, server],
        };
        until("the server to be ready", || async {
            let answer = house.http.get(format!("{}/readyz", house.api)).send().await?;
            Ok(answer.status().is_success().then_some(()))
        })
        .await?;
        Ok(house)
    }

    /// What a command of the server's program prints.
    async fn server_says(&self, words: &[&str]) -> anyhow::Result<Vec<u8>> {
        let program = self.programs.join("luminous-server");
        let output = Command::new(program).args(words).output().await?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout)
    }

    async fn msal(&self) -> anyhow::Result<()> {
        let (certificate, key) =
            (self.folder.path().join("peer.crt"), self.folder.path().join("peer.key"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
            .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .await
            .context("openssl does not start")?;
        ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let status = Command::new("node")
            .arg("msal.mjs")
            .args([&self.provider, &self.api])
            .args([&certificate, &key])
            .env("NODE_EXTRA_CA_CERTS", &certificate)
            .current_dir(&self.peers)
            .status()
            .await
            .context("node does not start")?;
        ensure!(status.success(), "MSAL for Node found a fault");
        Ok(())
    }

    async fn link(&self) -> anyhow::Result<()> {
        let family = self.create_family(&self.token("Lina").await?).await?;
        // The first one is older than the family.
        let token = self.token("Lina").await?;
        let status = Command::new("node")
            .arg("link.mjs")
            .args([&self.api, &token, &family])
            .current_dir(&self.peers)
            .status()
            .await
            .context("node does not start")?;
        ensure!(status.success(), "openid-client or SignalR found a fault");
        Ok(())
    }

    /// A fresh token that proves a second factor, for a person who is made at the first call.
    async fn token(&self, name: &str) -> anyhow::Result<String> {
        let email = format!("{}@example.test", name.to_lowercase());
        let password = "correct horse 7 battery";
        let made = json!({
            "command": "create_user", "email": email, "name": name, "password": password
        });
        // The second call finds them there.
        let _ = self.control(&made).await;
        let wanted = json!({ "command": "access_token", "email": email, "policy": "B2C_1_mfa1" });
        let answer = self.control(&wanted).await?;
        Ok(answer["access_token"].as_str().context("no token")?.to_owned())
    }

    async fn control(&self, command: &Value) -> anyhow::Result<Value> {
        let answer = self
            .http
            .post(format!("{}/emulator/control", self.provider))
            .header("x-emulator-control", "secret of this run")
            .json(command)
            .send()
            .await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Answers the family's id.
    async fn create_family(&self, token: &str) -> anyhow::Result<String> {
        let answer = self
            .http
            .post(format!("{}/api/families", self.api))
            .bearer_auth(token)
            .json(&json!({ "name": "The Tested" }))
            .send()
            .await?;
        ensure!(answer.status().as_u16() == 201, "no family: {}", answer.status());
        let me: Value = answer.json().await?;
        let id = me["membership"]["family"]["id"].as_str();
        Ok(id.context("a family without an id")?.to_owned())
    }
}

fn configuration(provider: &str, api: &str, port: u16, folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"
profile = "dev"
listen = "127.0.0.1:{port}"
public_url = "{api}"
key_file = "{folder}/key"

[displays]
signing_keys_file = "{folder}/signing-keys.json"

[store]
sqlite = "{folder}/luminous.sqlite"

[limits]
per_address_per_minute = 0
per_account_per_minute = 0

[[issuers]]
address = "{provider}/luminousdemo.onmicrosoft.com/B2C_1_signupsignin1/"
audiences = ["c7d05b3e-19f4-4a82-8d6e-1c0de5a7e0b2"]
app_client_id = "a4f1c9d2-83b7-4e56-9c0f-1c0de5a7e0a1"
step_up_policy = "B2C_1_mfa1"
"#
    )
}

/// The tester that knows the OpenAPI document and nothing else.
struct Tester<'a> {
    house: &'a House,
    python: &'a Path,
    document: PathBuf,
}

impl Tester<'_> {
    /// Tries every operation but those that end what the others need, or only those.
    async fn run(
        &self,
        who: &str,
        token: Option<&str>,
        family: &str,
        endings: bool,
    ) -> anyhow::Result<()> {
        let choose = if endings { "--include-operation-id" } else { "--exclude-operation-id" };
        let chosen = ENDINGS.iter().flat_map(|id| [choose, id]);
        // Without a token there must still be a header: this one is no credential.
        let authorization = token.map_or("Nobody".to_owned(), |token| format!("Bearer {token}"));
        let output = Command::new(self.python.join("bin/st"))
            .args(["--config-file", "schemathesis.toml", "run"])
            .arg(&self.document)
            .args(["--url", &self.house.api, "--no-color", "--seed", "1"])
            .args(["--max-examples", "20", "--phases", "examples,coverage,fuzzing"])
            .args(chosen)
            .env("PEER_AUTHORIZATION", authorization)
            .env("PEER_FAMILY", family)
            .current_dir(&self.house.peers)
            .output()
            .await
            .context("schemathesis does not start")?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "schemathesis, with {who}, found faults:\n{said}");
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        step(&format!("schemathesis, with {who}: {}", last.trim_matches('=').trim()));
        Ok(())
    }
}
