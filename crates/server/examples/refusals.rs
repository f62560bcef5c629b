//! How long a refusal takes, by what is wrong with the token (V23): the answers are the same to the
//! byte, and this shows what their timing tells. A real server and the emulator over HTTP, one
//! connection, the kinds in turn, 10,000 of each.
//!
//! `cargo run --release -p luminous-server --example refusals`
#![expect(clippy::print_stdout, reason = "the figures are this program's output")]

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use luminous_domain::{Clock as _, OsEntropy, SystemClock};
use luminous_emulator::{
    Config as EmulatorConfig, DEMO_API_CLIENT_ID, DEMO_APP_CLIENT_ID, DEMO_POLICY, DEMO_TENANT,
    Emulator, Signing,
};
use luminous_oidc::{ReqwestClient, Trust};
use luminous_server::config::{Config, IssuerSettings, Limits, Profile};
use luminous_server::{Parts, Server};
use luminous_store::SqliteStore;

/// How many of each kind.
const EACH: usize = 10_000;
/// The first of each are not counted: connections, keys, and the look for the unknown key.
const WARM_UP: usize = 200;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let emulator = Emulator::start(EmulatorConfig::demo()).await?;
    let folder = tempfile::tempdir()?;
    let server = server(&emulator, &folder).await?;
    let url = format!("http://{}/api/me", server.address());
    let http = reqwest::Client::builder().no_proxy().build()?;
    let kinds = tokens(&emulator)?;
    let mut times = kinds.each_ref().map(|_| Vec::with_capacity(EACH));
    for round in 0..WARM_UP + EACH {
        for ((_, token), times) in kinds.iter().zip(&mut times) {
            let took = refused(&http, &url, token).await?;
            if round >= WARM_UP {
                times.push(took);
            }
        }
    }
    println!("{EACH} refusals of each kind, in turn");
    for ((kind, _), times) in kinds.iter().zip(&mut times) {
        times.sort_unstable();
        let at = |per_mille: usize| times[(times.len() - 1) * per_mille / 1000].as_micros();
        println!("{kind:>14}: p50 {:>6} us, p99 {:>6} us", at(500), at(990));
    }
    server.shutdown().await;
    Ok(())
}

async fn server(emulator: &Emulator, folder: &tempfile::TempDir) -> anyhow::Result<Server> {
    let mut config = Config {
        profile: Profile::Dev,
        public_url: Some("http://localhost".parse()?),
        listen: "127.0.0.1:0".parse()?,
        key_file: folder.path().join("server.key"),
        limits: Limits { per_address_per_minute: 0, ..Limits::default() },
        issuers: vec![IssuerSettings {
            address: format!("{}{DEMO_TENANT}/{DEMO_POLICY}", emulator.base_url()),
            audiences: vec![DEMO_API_CLIENT_ID.to_owned()],
            clients: vec![DEMO_APP_CLIENT_ID.to_owned()],
            app_client_id: DEMO_APP_CLIENT_ID.to_owned(),
            ..IssuerSettings::default()
        }],
        ..Config::default()
    };
    config.displays.signing_keys_file = folder.path().join("signing-keys.json");
    config.store.sqlite = folder.path().join("luminous.sqlite");
    let clock = Arc::new(SystemClock);
    let store = SqliteStore::open(&config.store.sqlite, clock.clone(), Arc::new(OsEntropy))?;
    let parts = Parts {
        store: Arc::new(store),
        clock,
        entropy: Arc::new(OsEntropy),
        http: Arc::new(ReqwestClient::new(Trust::system())?),
    };
    Ok(Server::start(config, parts).await?)
}

/// What is refused, and why.
fn tokens(emulator: &Emulator) -> anyhow::Result<[(&'static str, String); 3]> {
    let control = emulator.control();
    let ana = control.create_user("ana@example.test", "Ana", "correct horse 7 battery")?;
    let good = control.access_token_spec(&ana, DEMO_APP_CLIENT_ID);
    Ok([
        ("bad signature", control.mint(&good.clone().signed(Signing::OtherKeySameKid))?),
        ("unknown kid", control.mint(&good.clone().signed(Signing::UnknownKid))?),
        ("wrong iss", control.mint(&good.with("iss", "https://evil.example/"))?),
    ])
}

async fn refused(http: &reqwest::Client, url: &str, token: &str) -> anyhow::Result<Duration> {
    let begin = SystemClock.elapsed();
    let answer = http.get(url).bearer_auth(token).send().await?;
    let status = answer.status();
    let body = answer.text().await.context("no body")?;
    let took = SystemClock.elapsed() - begin;
    ensure!(status == 401 && body.contains("token.invalid"), "{status} {body}");
    Ok(took)
}
