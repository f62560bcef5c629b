//! Linking a wall display, from the approval leaving the person's device to verified tokens in the
//! display: over the hub, and with the hub blocked; on one replica and across two; alone, and while
//! ten thousand other displays wait. What a waiting display costs the server in memory. And whether the
//! time of a refusal tells what is wrong with a code (D1).
#![expect(clippy::print_stdout, reason = "the figures are this program's output")]

mod display;
mod person;
mod replica;
mod wrong;

use std::process::ExitCode;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use luminous_domain::{Clock as _, SystemClock};
use luminous_emulator::{Config, Emulator};
use luminous_oidc::jose::KeySet;

use display::{Display, Waiting};
use person::People;
use replica::{Database, House};

/// How many links are timed.
const LINKS: usize = 200;
/// How many are timed without the hub, side by side, for each takes seconds.
const POLLED: usize = 50;
/// The server's own interval, in which a blocked display asks.
const POLL: Duration = Duration::from_secs(5);
/// How many displays begin to wait at once.
const AT_ONCE: usize = 32;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let emulator = Emulator::start(Config::demo()).await?;
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut bench = Bench { people: People::new(emulator, http.clone()), http, missed: 0 };
    bench.alone().await?;
    bench.wrong_codes().await?;
    bench.across_replicas().await?;
    bench.in_a_crowd().await?;
    Ok(if bench.missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Bench {
    people: People,
    http: reqwest::Client,
    missed: usize,
}

/// Where display and person are.
#[derive(Clone, Copy)]
struct Places {
    display: usize,
    person: usize,
}

impl Bench {
    async fn alone(&mut self) -> anyhow::Result<()> {
        let house = House::start(self.people.emulator(), Database::Sqlite).await?;
        println!("one replica on SQLite:");
        let here = Places { display: 0, person: 0 };
        let times = self.links(&house, here, LINKS).await?;
        self.judge("  over the hub", times, Some(10.0), 40.0);
        let times = self.polled(&house).await?;
        report("  with the hub blocked (polling)", &sorted(times));
        Ok(())
    }

    async fn across_replicas(&mut self) -> anyhow::Result<()> {
        let database = Database::Postgres { replicas: 2 };
        let house = House::start(self.people.emulator(), database).await?;
        println!("two replicas on PostgreSQL, display at one, person at the other:");
        let apart = Places { display: 0, person: 1 };
        let times = self.links(&house, apart, LINKS).await?;
        self.judge("  over the hub", times, None, 80.0);
        Ok(())
    }

    async fn in_a_crowd(&mut self) -> anyhow::Result<()> {
        let house = House::start(self.people.emulator(), Database::Sqlite).await?;
        println!("one replica on SQLite, while others wait:");
        let here = Places { display: 0, person: 0 };
        // Once, so that what the first links allocate is not counted as the crowd's.
        self.links(&house, here, 20).await?;
        let before = house.replicas[0].resident()?;
        let mut crowd = Vec::new();
        for size in [1_000, 2_000, 4_000, 8_000, 10_000, 16_000] {
            crowd.extend(self.gather(&house, size - crowd.len()).await?);
            let each = (house.replicas[0].resident()? - before) / size as f64 / 1024.0;
            println!("  {size} waiting: {each:.1} KB each");
            if size == 10_000 && each > 16.0 {
                println!("    MISSED: 16 KB");
                self.missed += 1;
            }
            let times = self.links(&house, here, LINKS).await?;
            let bar = if size == 10_000 { 60.0 } else { f64::INFINITY };
            self.judge("    approval", times, None, bar);
        }
        Ok(())
    }

    /// So many more displays that wait at the hub.
    async fn gather(&self, house: &House, more: usize) -> anyhow::Result<Vec<(Display, Waiting)>> {
        let public = house.public();
        stream::iter(0..more)
            .map(|_| async {
                let display = Display::show(&self.http, public, public).await?;
                let waiting = display.wait().await?;
                anyhow::Ok((display, waiting))
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// The times of so many links, one after the other, in ms.
    async fn links(
        &mut self,
        house: &House,
        places: Places,
        count: usize,
    ) -> anyhow::Result<Vec<f64>> {
        let keys = display::keys(&self.http, house.public()).await?;
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            times.push(self.link(house, places, &keys).await?.0);
        }
        Ok(times)
    }

    /// One link: its time in ms, and its code.
    async fn link(
        &mut self,
        house: &House,
        at: Places,
        keys: &KeySet,
    ) -> anyhow::Result<(f64, String)> {
        let person = self.people.next(house, at.person).await?;
        let base = &house.replicas[at.display].base;
        let display = Display::show(&self.http, base, house.public()).await?;
        let mut waiting = display.wait().await?;
        let asked = person.look_up(&display.shown.user_code).await?;
        let number = waiting.number().await?;
        let begun = SystemClock.elapsed();
        let linked = async {
            waiting.linked().await?;
            display.redeem(&waiting, keys).await?;
            anyhow::Ok(SystemClock.elapsed())
        };
        let (_, done) = tokio::try_join!(person.confirm(&asked, &number), linked)?;
        Ok((done.saturating_sub(begun).as_secs_f64() * 1000.0, display.shown.user_code))
    }

    /// The same without the hub: each display asks every five seconds from when it shows its code.
    async fn polled(&mut self, house: &House) -> anyhow::Result<Vec<f64>> {
        let keys = display::keys(&self.http, house.public()).await?;
        let public = house.public().to_owned();
        let mut links = Vec::new();
        for number in 0..POLLED {
            let person = self.people.next(house, 0).await?;
            let display = Display::show(&self.http, &public, &public).await?;
            let mut hub = display.wait().await?;
            let asked = person.look_up(&display.shown.user_code).await?;
            let shown = hub.number().await?;
            // Approvals fall anywhere between two polls.
            let offset = POLL * u32::try_from(number)? / u32::try_from(POLLED)?;
            let keys = &keys;
            links.push(async move {
                let approved = async {
                    tokio::time::sleep(offset).await;
                    let begun = SystemClock.elapsed();
                    person.confirm(&asked, &shown).await?;
                    anyhow::Ok(begun)
                };
                let (begun, done) = tokio::try_join!(approved, poll(&display, keys))?;
                anyhow::Ok(done.saturating_sub(begun).as_secs_f64() * 1000.0)
            });
        }
        futures_util::future::try_join_all(links).await
    }

    fn judge(&mut self, what: &str, times: Vec<f64>, p50: Option<f64>, p99: f64) {
        let (median, worst) = report(what, &sorted(times));
        if p50.is_some_and(|bar| median >= bar) || worst >= p99 {
            println!("    MISSED: p50 {p50:?} ms, p99 {p99} ms");
            self.missed += 1;
        }
    }
}

/// Until the tokens are there; answers when.
async fn poll(display: &Display, keys: &KeySet) -> anyhow::Result<Duration> {
    let mut pause = tokio::time::interval(POLL + Duration::from_millis(50));
    loop {
        pause.tick().await;
        if display.poll(keys).await? {
            return Ok(SystemClock.elapsed());
        }
    }
}

fn sorted(mut times: Vec<f64>) -> Vec<f64> {
    times.sort_unstable_by(f64::total_cmp);
    times
}

/// Says p50 and p99, and answers them.
fn report(what: &str, times: &[f64]) -> (f64, f64) {
    let at = |share: f64| times[((times.len() as f64 * share) as usize).min(times.len() - 1)];
    let (p50, p99) = (at(0.5), at(0.99));
    println!("{what}: p50 {p50:.1} ms, p99 {p99:.1} ms, of {}", times.len());
    (p50, p99)
}
