//! One of three replicas is killed again and again while displays are linked, refreshed and followed:
//! no link fails, no display is lost, none has two families of tokens, and no event is missed (DB8).

use std::time::Duration;

use tokio::sync::watch;

use crate::balancer::Balancer;
use crate::house::{House, base};
use crate::household::{Household, Tally, Wrong};
use crate::person::Person;

pub const NAME: &str = "db8_replicas_that_are_killed_fail_no_link_and_fork_no_tokens";

const REPLICAS: usize = 3;
const HOUSEHOLDS: usize = 12;
/// How often one of them is killed.
const EACH: Duration = Duration::from_secs(10);
/// And how often in short, where it happens three times.
const SHORT: (u32, Duration) = (3, Duration::from_secs(4));

pub async fn run(minutes: Option<u32>) {
    let (kills, each) = minutes.map_or(SHORT, |minutes| (minutes * 6, EACH));
    let balancer = Balancer::bind().await;
    let front = base(balancer.address());
    let mut house = House::start(REPLICAS, Some(balancer.address())).await;
    balancer.run(house.addresses.clone());
    let mut people = Vec::new();
    for number in 0..HOUSEHOLDS {
        people.push(Person::found(&house, &format!("h{number}")).await);
    }
    let (end, over) = watch::channel(false);
    let live = |person| tokio::spawn(Household::new(person, &front).live(over.clone()));
    let living: Vec<_> = people.into_iter().map(live).collect();

    let mut due = tokio::time::interval(each);
    due.tick().await;
    for kill in 0..kills as usize {
        due.tick().await;
        house.kill_and_start(kill % REPLICAS).await;
    }
    end.send_replace(true);

    let looks = living.into_iter().map(async |household| {
        let household = household.await.unwrap();
        let events = house.events(household.person.family).await;
        household.look(&events, minutes.is_none()).await
    });
    let mut tally = Tally::default();
    for looked in futures_util::future::join_all(looks).await {
        tally.add(&looked);
    }
    let tokens = Tokens::count(&house).await;
    println!("DB8: {kills} kills, one each {each:?}: {tally:?}, {tokens:?}");
    assert_eq!(tally.wrong, Wrong::default());
    assert_eq!(
        tokens,
        Tokens { displays: tally.links, families: tally.links, ..Tokens::default() }
    );
    assert!(tally.links >= HOUSEHOLDS && tally.restarts > 0, "next to nothing was done");
    assert!(tally.connections > HOUSEHOLDS, "nobody met with it");
}

/// What the database says of the displays.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tokens {
    displays: usize,
    families: usize,
    /// Displays with more than one family of tokens.
    forked: usize,
    /// Tokens that were taken for stolen.
    reused: usize,
}

impl Tokens {
    async fn count(house: &House) -> Self {
        let forked = "SELECT count(*) FROM (SELECT FROM device_tokens WHERE parent IS NULL \
            GROUP BY device_id HAVING count(*) > 1) AS forked";
        let reused = "SELECT count(*) FROM audit WHERE action = 'device.token_reused'";
        Self {
            displays: house.count("SELECT count(*) FROM displays WHERE state = 'active'").await,
            families: house.count("SELECT count(*) FROM device_tokens WHERE parent IS NULL").await,
            forked: house.count(forked).await,
            reused: house.count(reused).await,
        }
    }
}
