//! `/api/me`, measured beside two others in the same run: a bare axum route that returns the same
//! JSON and looks at nothing, and the service that the B2C integration guide designs (FastAPI,
//! python-jose, a dict for a cache; `fastapi/service.py`).
//!
//! Each server has the first core for itself; this program, the identity emulator in it included,
//! has the second. Rounds of the three alternate, and medians are compared.
#![expect(clippy::print_stdout, reason = "the figures are this program's output")]

mod load;
mod servers;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use luminous_emulator::{Config, DEMO_APP_CLIENT_ID, Emulator};

use load::Target;
use servers::{Bare, FastApi, Luminous, Server};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(3);
const CONNECTIONS: usize = 32;
/// So many distinct tokens are cached when the memory is looked at.
const TOKENS: usize = 10_000;
/// So many the guide's service is asked about once each; it takes a while over one.
const FEWER: usize = 1_000;

fn main() -> anyhow::Result<ExitCode> {
    if std::env::args().any(|argument| argument == servers::BARE) {
        // On the runtime that the product has too.
        tokio::runtime::Runtime::new()?.block_on(servers::serve_bare())?;
        return Ok(ExitCode::SUCCESS);
    }
    servers::keep_to_core(1)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure())
}

async fn measure() -> anyhow::Result<ExitCode> {
    println!("minting {TOKENS} tokens ..");
    let emulator = Emulator::start(Config::demo()).await?;
    let tokens = mint(&emulator, TOKENS)?;
    let mut missed = 0;
    missed += u32::from(!cached(&emulator, &tokens).await?);
    missed += u32::from(!uncached(&emulator, &tokens).await?);
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tokens of one person, each with an id of its own.
fn mint(emulator: &Emulator, count: usize) -> anyhow::Result<Vec<String>> {
    let control = emulator.control();
    let ana = control.create_user("ana@example.test", "correct horse 7 battery", "Ana")?;
    let spec = control.access_token_spec(&ana, DEMO_APP_CLIENT_ID);
    let mint = |number: usize| control.mint(&spec.clone().with("jti", number.to_string()));
    Ok((0..count).map(mint).collect::<Result<_, _>>()?)
}

/// One token, asked about again and again.
async fn cached(emulator: &Emulator, tokens: &[String]) -> anyhow::Result<bool> {
    let luminous = Luminous::start(emulator).await?;
    let body = luminous.body(&tokens[0]).await?;
    let bare = Bare::start(&body).await?;
    let fastapi = FastApi::start(emulator, 300).await?;
    let one = &tokens[..1];
    let ours = target(&luminous, one);
    let [mut us, mut least, mut guide] = [vec![], vec![], vec![]];
    for _ in 0..ROUNDS {
        us.push(load::flat_out(&ours, ROUND).await?.per_second());
        least.push(load::flat_out(&target(&bare, one), ROUND).await?.per_second());
        guide.push(load::flat_out(&target(&fastapi, one), ROUND).await?.per_second());
    }
    let (us, least, guide) = (median(us), median(least), median(guide));
    println!("/api/me, cached token, one core: {us:.0} /s");
    let mut good = at_least("beside the bare route", us / least, 0.75, &format!("{least:.0} /s"));
    good &= at_least("beside the guide's service", us / guide, 10.0, &format!("{guide:.0} /s"));

    let mut half = load::paced(&ours, ROUND * 2, us / 2.0).await?;
    let (p50, p99) = (half.percentile_ms(0.5), half.percentile_ms(0.99));
    good &= at_most("p99 at half load", p99, 10.0, &format!("ms; p50 {p50:.2} ms"));

    load::each_once(&target(&luminous, tokens)).await?;
    let resident = luminous.resident_mb()?;
    good &= at_most("resident with 10,000 cached tokens", resident, 60.0, "MB");
    Ok(good)
}

/// Each token once: none has been seen before.
async fn uncached(emulator: &Emulator, tokens: &[String]) -> anyhow::Result<bool> {
    let [mut us, mut guide] = [vec![], vec![]];
    for _ in 0..ROUNDS {
        let luminous = Luminous::start(emulator).await?;
        us.push(load::each_once(&target(&luminous, tokens)).await?.per_second());
        let fastapi = FastApi::start(emulator, 0).await?;
        guide.push(load::each_once(&target(&fastapi, &tokens[..FEWER])).await?.per_second());
    }
    let (us, guide) = (median(us), median(guide));
    println!("/api/me, uncached tokens, one core: {us:.0} /s");
    Ok(at_least("beside the guide's service", us / guide, 6.0, &format!("{guide:.0} /s")))
}

fn target(server: &impl Server, tokens: &[String]) -> Target {
    let address = server.address();
    let request = |token: &String| {
        format!("GET /api/me HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n")
            .into_bytes()
    };
    let requests = Arc::new(tokens.iter().map(request).collect());
    Target { address, requests, connections: CONNECTIONS }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn at_least(what: &str, figure: f64, bar: f64, note: &str) -> bool {
    let good = figure >= bar;
    println!("  {what}: {figure:.2} (bar {bar}; {note}){}", if good { "" } else { "  MISSED" });
    good
}

fn at_most(what: &str, figure: f64, bar: f64, note: &str) -> bool {
    let good = figure <= bar;
    println!("  {what}: {figure:.2} (bar {bar}; {note}){}", if good { "" } else { "  MISSED" });
    good
}
