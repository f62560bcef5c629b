//! How the window compares with the least a Tauri window can be. Release builds, same run,
//! interleaved, medians.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use luminous_domain::{Clock, SystemClock};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::time::timeout;

use crate::app::App;
use crate::browser::{Browser, ENTRY};
use crate::desk::Desk;
use crate::journey::{ANA, SCHEME, sign_in, sign_up};
use crate::package::{Package, Place};
use crate::provider::Provider;
use crate::wait::{PATIENCE, until};

/// Starts counted for each program, after one that is not.
const ROUNDS: usize = 9;
/// Sign-ins counted for the way back from the browser, after one that is not.
const SIGN_INS: usize = 7;

/// The most the app may take from the redirect to a drawn home, the provider's time apart.
const WAY_BACK_BAR_MS: f64 = 150.0;
/// The most a warm start may take, as a multiple of a bare window's.
const START_BAR: f64 = 1.4;
/// The most memory it may take, as a multiple of a bare window's.
const MEMORY_BAR: f64 = 1.2;

/// What the app's log says when the home screen has been drawn.
const HOME_DRAWN: &str = "screen=\"signed_in\"";

/// One start: exec to drawn, and the memory then.
struct Start {
    took: Duration,
    pss_kib: u64,
}

/// Measures and prints, each figure beside its bar.
#[expect(clippy::print_stdout, reason = "the figures are what the person asked for")]
pub async fn run(package: &Package, place: &Place) -> anyhow::Result<()> {
    let mut desk = Desk::open().await?;
    desk.install(package.root());
    let entry = format!("{ENTRY}.desktop");
    desk.choose_handlers(&[("http", &entry), ("https", &entry)])?;
    let mut provider = Provider::start(&mut desk, place).await?;
    let browser = Browser::start(&mut desk, &[&provider.origin], SCHEME).await?;

    let ways_back = ways_back(&mut desk, &browser, package).await?;
    let way_back = median(&ways_back);
    println!(
        "redirect to drawn home: {way_back:.0} ms median of {} beside the provider's own time \
         (bar {WAY_BACK_BAR_MS} ms)",
        ways_back.len()
    );

    // Offline: the provider is gone, the browser as well, so that nothing else wants the cores.
    provider.stop().await?;
    browser.page.end().await?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    let bare_window = place.target.join("release/examples/bare_window");
    for round in 0..=ROUNDS {
        let app = start(&desk, &package.program(), HOME_DRAWN).await?;
        let window = start(&desk, &bare_window, "screen drawn").await?;
        if round > 0 {
            ours.push(app);
            bare.push(window);
        }
    }
    let ms = |starts: &[Start]| median(&map(starts, |s| s.took.as_secs_f64() * 1000.0));
    let mib = |starts: &[Start]| median(&map(starts, |s| s.pss_kib as f64 / 1024.0));
    let (time, memory) = (ms(&ours) / ms(&bare), mib(&ours) / mib(&bare));
    println!(
        "warm start to drawn home, offline: {:.0} ms, bare window {:.0} ms, ratio {time:.2} \
         (bar {START_BAR})",
        ms(&ours),
        ms(&bare)
    );
    println!(
        "memory (PSS, all processes): {:.0} MiB, bare window {:.0} MiB, ratio {memory:.2} \
         (bar {MEMORY_BAR})",
        mib(&ours),
        mib(&bare)
    );
    ensure!(way_back <= WAY_BACK_BAR_MS, "the way back from the browser misses its bar");
    ensure!(time <= START_BAR, "the start misses its bar");
    ensure!(memory <= MEMORY_BAR, "the memory misses its bar");
    Ok(())
}

/// Milliseconds from "redirect received" to "home drawn", less what the provider took, over
/// several sign-ins. Ends signed in.
async fn ways_back(
    desk: &mut Desk,
    browser: &Browser,
    package: &Package,
) -> anyhow::Result<Vec<f64>> {
    let app = App::start(desk, &package.program(), &[], "bench.log").await?;
    let mut taken = Vec::new();
    for round in 0..=SIGN_INS {
        app.press("signed_out.continue").await?;
        browser.take_new_tab().await?;
        if round == 0 {
            sign_up(browser, &ANA).await?;
            browser.page.click("#continue").await?;
        } else {
            sign_in(browser, &ANA).await?;
        }
        app.see_screen("signed_in").await?;
        let log = until("the home in the log", || async {
            let log = app.log()?;
            Ok((log.matches(HOME_DRAWN).count() > round).then_some(log))
        })
        .await?;
        if round > 0 {
            taken.push(last_way_back(&log)?);
        }
        browser.close_tab().await?;
        if round < SIGN_INS {
            app.press("nav.account").await?;
            app.press("account.both").await?;
            app.press("confirm.both.yes").await?;
            app.see_screen("signed_out").await?;
            browser.take_new_tab().await?;
            browser.close_tab().await?;
        }
    }
    app.quit().await?;
    Ok(taken)
}

/// Reads the last way back out of the app's log.
fn last_way_back(log: &str) -> anyhow::Result<f64> {
    let lines: Vec<&str> = log.lines().collect();
    let received = lines
        .iter()
        .rposition(|line| line.contains("redirect received"))
        .context("no redirect in the log")?;
    let mut provider_us = 0.0;
    for line in &lines[received..] {
        if let Ok(us) = number(line, "took_us=") {
            provider_us += us;
        }
        if line.contains(HOME_DRAWN) {
            let whole = number(line, "elapsed_ms=")? - number(lines[received], "elapsed_ms=")?;
            return Ok(whole - provider_us / 1000.0);
        }
    }
    bail!("no home after the redirect")
}

fn number(line: &str, name: &str) -> anyhow::Result<f64> {
    let rest = line.split_once(name).context("no such field")?.1;
    Ok(rest.split_whitespace().next().unwrap_or(rest).parse()?)
}

/// Starts a program, waits for its word, weighs it, and ends it.
async fn start(desk: &Desk, program: &Path, word: &str) -> anyhow::Result<Start> {
    let since = SystemClock.elapsed();
    let mut child = desk
        .command(program)
        .env("LUMINOUS_LOG", "info")
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let output = child.stderr.take().context("no output")?;
    let mut lines = BufReader::new(output).lines();
    let drawn = async {
        while let Some(line) = lines.next_line().await? {
            if line.contains(word) {
                return Ok(SystemClock.elapsed() - since);
            }
        }
        bail!("{} ended before it had drawn", program.display())
    };
    let took = timeout(PATIENCE, drawn).await.context("never drawn")??;
    let pss_kib = weigh(&child)?;
    child.kill().await?;
    Ok(Start { took, pss_kib })
}

/// The proportional set size of a program and all it started, in KiB.
fn weigh(child: &Child) -> anyhow::Result<u64> {
    let root = child.id().context("the program has ended")?;
    let parents = parents()?;
    let mut family = BTreeSet::from([root]);
    loop {
        let before = family.len();
        family.extend(
            parents
                .iter()
                .filter(|(_, parent)| family.contains(parent))
                .map(|(id, _)| *id)
                .collect::<Vec<_>>(),
        );
        if family.len() == before {
            break;
        }
    }
    let mut sum = 0;
    for id in family {
        let rollup = fs::read_to_string(format!("/proc/{id}/smaps_rollup"))
            .context("the app lets nobody but root look at its memory: run this as root")?;
        let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib = pss.context("no PSS")?.trim().trim_end_matches(" kB").trim();
        sum += kib.parse::<u64>()?;
    }
    Ok(sum)
}

/// Every process and its parent.
pub(crate) fn parents() -> anyhow::Result<Vec<(u32, u32)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name in parentheses may hold anything; what follows it does not.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
        if let Some(parent) = parent.and_then(|p| p.parse().ok()) {
            found.push((id, parent));
        }
    }
    Ok(found)
}

fn map(starts: &[Start], figure: impl Fn(&Start) -> f64) -> Vec<f64> {
    starts.iter().map(figure).collect()
}

fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_s_share_is_taken_off_the_way_back() {
        let log = "redirect received elapsed_ms=1000\n\
                   provider method=POST took_us=20000\n\
                   provider method=GET took_us=5000\n\
                   screen drawn screen=\"signed_in\" elapsed_ms=1085\n";
        assert!((last_way_back(log).expect("a way back") - 60.0).abs() < 0.01);
    }
}
