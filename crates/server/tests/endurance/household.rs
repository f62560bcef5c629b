//! A family that goes on living while replicas die: somebody links displays, puts notes up and takes
//! them down, displays are switched off and on again, and somebody follows all of it.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use luminous_domain::pacing::Backoff;
use luminous_domain::{Clock as _, SystemClock};
use luminous_signalr::client::Pauses;
use luminous_wire::api::{FamilyEvent, WallView};
use reqwest::Method;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::follower::Follower;
use crate::person::Person;
use crate::wall::Wall;

/// After how many turns a family links another display, and how many it links.
const TURNS: usize = 12;
const WALLS: usize = 48;
/// How many of them, the newest, are switched on, and how many of these again and again.
const AWAKE: usize = 5;
const RESTLESS: usize = 3;
/// How many notes stand at once.
const NOTES: usize = 4;
/// How often something is done in one family.
const PACE: Duration = Duration::from_millis(500);

/// As the desktop app comes back.
const PAUSES: Pauses = Pauses {
    backoff: Backoff { first: Duration::from_secs(1), most: Duration::from_secs(60) },
    spread: Duration::from_secs(5),
    settled: Duration::from_secs(10),
};

/// What was done, and what went wrong.
#[derive(Debug, Default)]
pub struct Tally {
    /// Codes that were approved.
    pub links: usize,
    /// Starts of linked displays, each with a refresh.
    pub restarts: usize,
    /// Notes that went up and came down.
    pub notes: usize,
    /// Questions of people that were not answered, and asked again.
    pub unanswered: usize,
    /// Times somebody's hub connection was made.
    pub connections: usize,
    /// The longest from a yes to the wall.
    pub longest: Duration,
    /// What must not be.
    pub wrong: Wrong,
}

/// What must not be.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    /// Codes that could not be approved: no code, no number, or the yes was refused.
    pub not_approved: usize,
    /// Approved, and the display did not get home.
    pub failed_links: usize,
    /// Linked once, and not any more.
    pub lost_displays: usize,
    /// Linked, and not back with what there is at the end.
    pub not_resumed: usize,
    /// Events that nobody heard of.
    pub missing_events: usize,
    /// Events that came twice, or out of order.
    pub disorder: usize,
}

impl Tally {
    /// Adds another family's.
    pub fn add(&mut self, other: &Self) {
        self.links += other.links;
        self.restarts += other.restarts;
        self.notes += other.notes;
        self.unanswered += other.unanswered;
        self.connections += other.connections;
        self.longest = self.longest.max(other.longest);
        self.wrong.not_approved += other.wrong.not_approved;
        self.wrong.failed_links += other.wrong.failed_links;
        self.wrong.lost_displays += other.wrong.lost_displays;
        self.wrong.not_resumed += other.wrong.not_resumed;
        self.wrong.missing_events += other.wrong.missing_events;
        self.wrong.disorder += other.wrong.disorder;
    }
}

/// One family.
pub struct Household {
    /// Who lives here.
    pub person: Person,
    base: String,
    follower: Follower,
    walls: Vec<Wall>,
    notes: VecDeque<String>,
    tally: Tally,
}

impl Household {
    /// One without a display, whose people come by way of `base`.
    pub fn new(mut person: Person, base: &str) -> Self {
        person.phone.base = base.to_owned();
        let follower = Follower::start(&person, base, PAUSES);
        let (walls, notes, tally) = (Vec::new(), VecDeque::new(), Tally::default());
        Self { person, base: base.to_owned(), follower, walls, notes, tally }
    }

    /// Goes on until it is over.
    pub async fn live(mut self, over: watch::Receiver<bool>) -> Self {
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for turn in 0.. {
            pace.tick().await;
            if *over.borrow() {
                break;
            }
            match turn % TURNS {
                0 if self.walls.len() < WALLS => self.link().await,
                1 | 5 | 9 => self.change_notes(turn).await,
                _ => self.restart(turn).await,
            }
        }
        self
    }

    async fn link(&mut self) {
        let mut wall = Wall::new(&self.base);
        let Some(begun) = self.approve(&mut wall).await else {
            self.tally.wrong.not_approved += 1;
            return;
        };
        self.tally.links += 1;
        match wall.is_home().await {
            true => {
                self.tally.longest = self.tally.longest.max(SystemClock.elapsed() - begun);
                self.walls.push(wall);
                if let Some(oldest) = self.walls.iter_mut().rev().nth(AWAKE) {
                    oldest.switch_off().await;
                }
            }
            false => self.tally.wrong.failed_links += 1,
        }
    }

    /// From the code to the yes; answers when that was said.
    async fn approve(&self, wall: &mut Wall) -> Option<Duration> {
        let asked = json!({ "user_code": wall.code().await? });
        let challenge = self.person.phone.ask(Method::POST, "/api/link/lookup", &asked).await;
        let number = wall.number().await?;
        let yes = json!({
            "challenge": challenge.body["challenge"], "number": number, "name": "Kitchen",
        });
        let begun = SystemClock.elapsed();
        let said = self.person.phone.ask(Method::POST, "/api/link/confirm", &yes).await;
        // Who was not answered and asks again is told that it was answered.
        let is_said = said.status == 200 || (said.was_repeated && said.status == 404);
        if !is_said {
            println!("{} {}: {} {}", challenge.status, challenge.body, said.status, said.body);
        }
        is_said.then_some(begun)
    }

    async fn restart(&mut self, turn: usize) {
        let restless = self.walls.len().clamp(1, RESTLESS);
        let Some(wall) = self.walls.iter_mut().rev().nth(turn % restless) else { return };
        wall.switch_off().await;
        wall.switch_on();
        self.tally.restarts += 1;
        if !wall.is_home().await {
            println!("not back after a restart");
        }
    }

    async fn change_notes(&mut self, turn: usize) {
        self.notes.push_back(self.person.post(&format!("note {turn}")).await);
        self.tally.notes += 1;
        if self.notes.len() > NOTES {
            let oldest = self.notes.pop_front().unwrap();
            self.person.remove(&oldest).await;
        }
    }

    /// Looks at everything once the replicas live again; `events` is what the database has. Displays
    /// come back by themselves within a minute, or are switched off and on if that is `too_long`.
    pub async fn look(mut self, events: &[FamilyEvent], too_long: bool) -> Tally {
        let log = self.follower.log(events.len()).await;
        let heard = events.iter().filter(|event| log.events.contains(event)).count();
        self.tally.wrong.missing_events += events.len() - heard;
        self.tally.wrong.disorder += log.repeated + log.gaps + log.resyncs;
        self.tally.connections = log.connections;
        self.tally.unanswered = self.person.phone.unanswered();
        let latest = events.last().map_or(0, |event| event.seq);
        let notes: BTreeSet<&String> = self.notes.iter().collect();
        for wall in &mut self.walls {
            if too_long {
                wall.switch_off().await;
            }
            wall.switch_on();
            let is_all = |shown: &WallView| {
                let ids: Vec<String> = shown.notes.iter().map(|note| note.id.to_string()).collect();
                shown.seq == latest && ids.iter().collect::<BTreeSet<_>>() == notes
            };
            let is_back = wall.shows(is_all).await;
            self.tally.wrong.not_resumed += usize::from(!is_back);
            self.tally.wrong.lost_displays += usize::from(!wall.is_linked());
        }
        self.tally
    }
}
