//! Connections are cut at random, again and again, while events flow: at the end everybody has written
//! down the same, and what the database has (P3).

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::pacing::Backoff;
use luminous_signalr::client::Pauses;

use crate::cutter::{self, Plan, Random};
use crate::follower::Follower;
use crate::house::{House, base};
use crate::person::Person;

pub const NAME: &str = "p3_connections_that_are_cut_leave_every_log_without_a_gap_and_a_duplicate";

/// How many events one family has at most: of a thousand none is forgotten yet.
const OF_FAMILY: u64 = 800;
/// How many more are written while the last cuts are still to be made.
const SPARE: u64 = 150;
/// How many listen to each.
const LISTENERS: usize = 2;

/// Whoever is cut a thousand times comes back at once.
const PAUSES: Pauses = Pauses {
    backoff: Backoff { first: Duration::from_millis(10), most: Duration::from_millis(100) },
    spread: Duration::from_millis(20),
    settled: Duration::ZERO,
};

/// What was wrong with the logs.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wrong {
    missing: usize,
    not_the_same: usize,
    repeated: usize,
    gaps: usize,
    resyncs: usize,
}

pub async fn run(cuts: u64, events: u64, seed: u64) {
    let house = House::start(1, None).await;
    let plan = Plan::new(cuts, events);
    let families = events.div_ceil(OF_FAMILY).max(2);
    println!("P3: seed {seed}, {families} families, {LISTENERS} listeners each");
    let mut people = Vec::new();
    let mut followers = Vec::new();
    for number in 0..families {
        let person = Person::found(&house, &format!("p{number}")).await;
        for listener in 0..LISTENERS as u64 {
            let random = Random::new(seed ^ (number << 8) ^ (listener << 4));
            let way = cutter::start(house.addresses[0], Arc::clone(&plan), random).await;
            followers.push((number as usize, Follower::start(&person, &base(way), PAUSES)));
        }
        people.push(person);
    }
    let writers = people.iter().map(|person| write(person, events.div_ceil(families), &plan));
    futures_util::future::join_all(writers).await;

    let (mut wrong, mut written, mut connections) = (Wrong::default(), 0, 0);
    let mut truths = Vec::new();
    for person in &people {
        truths.push(house.events(person.family).await);
    }
    for truth in &truths {
        written += truth.len();
    }
    for (family, follower) in &mut followers {
        let truth = &truths[*family];
        let log = follower.log(truth.len()).await;
        wrong.missing += truth.len().saturating_sub(log.events.len());
        wrong.not_the_same += usize::from(log.events != *truth);
        wrong.repeated += log.repeated;
        wrong.gaps += log.gaps;
        wrong.resyncs += log.resyncs;
        connections += log.connections;
    }
    println!(
        "P3: {} cuts among {written} events; {} logs over {connections} connections: {wrong:?}",
        plan.cut(),
        followers.len(),
    );
    assert_eq!(wrong, Wrong::default());
    assert!(written as u64 >= events, "{written} events");
    assert_eq!(plan.cut(), cuts);
    assert!(connections > followers.len(), "nobody had to come back");
}

/// Notes that go up and come down.
async fn write(person: &Person, count: u64, plan: &Plan) {
    let mut note = None;
    for number in 0..count + SPARE {
        if number >= count && plan.is_cut() {
            return;
        }
        match note.take() {
            None => note = Some(person.post(&format!("note {number}")).await),
            Some(note) => person.remove(&note).await,
        }
        plan.wrote();
    }
}
