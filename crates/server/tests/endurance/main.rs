//! What must come out whole however often something breaks: replicas that are killed (DB8), and
//! connections that are cut (P3). The servers are the program as shipped, on a real PostgreSQL.
//!
//! `cargo test -p luminous-server --test endurance` runs both in short. In full:
//! `-- db8 --minutes 5` and `-- p3 --cuts 1000 --events 10000`. `--seed` repeats where P3 was cut.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test program: what goes wrong stops it, and what it finds is printed"
)]

mod balancer;
mod cutter;
mod follower;
mod house;
mod household;
mod kills;
mod logs;
mod person;
mod wall;

use luminous_domain::{Clock as _, SystemClock};

/// What was asked for on the command line.
#[derive(Default)]
struct Asked {
    /// Parts of the names of the tests; none for all.
    names: Vec<String>,
    lists: bool,
    ignored: bool,
    minutes: Option<u32>,
    cuts: Option<u64>,
    events: Option<u64>,
    seed: Option<u64>,
}

impl Asked {
    fn read(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut asked = Self::default();
        while let Some(argument) = arguments.next() {
            let mut number = || arguments.next().unwrap().parse().unwrap();
            match argument.as_str() {
                "--list" => asked.lists = true,
                "--ignored" => asked.ignored = true,
                "--minutes" => asked.minutes = Some(u32::try_from(number()).unwrap()),
                "--cuts" => asked.cuts = Some(number()),
                "--events" => asked.events = Some(number()),
                "--seed" => asked.seed = Some(number()),
                // What runners say of how to run and what to print.
                flag if flag.starts_with("--") => {}
                name => asked.names.push(name.to_owned()),
            }
        }
        asked
    }

    fn wants(&self, test: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| test.contains(name.as_str()))
    }
}

fn main() {
    let asked = Asked::read(std::env::args().skip(1));
    // Runners ask for the tests there are before they run one.
    if asked.lists {
        for test in [kills::NAME, logs::NAME].into_iter().filter(|_| !asked.ignored) {
            println!("{test}: test");
        }
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    if asked.wants(kills::NAME) {
        runtime.block_on(kills::run(asked.minutes));
    }
    if asked.wants(logs::NAME) {
        let chance = SystemClock.now().as_millisecond().unsigned_abs();
        let seed = asked.seed.unwrap_or(chance);
        runtime.block_on(logs::run(asked.cuts.unwrap_or(60), asked.events.unwrap_or(600), seed));
    }
}
