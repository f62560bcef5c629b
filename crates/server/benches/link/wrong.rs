//! Codes that are no good, each for another reason: the answers are the same to the byte (the tests
//! show it), and this shows what their timing tells (D1).

use std::net::Ipv4Addr;

use crate::display::{self, Display};
use crate::replica::{Database, House};
use crate::{Bench, Places, report, sorted};

/// How many people try one code of each kind.
const GUESSERS: u32 = 100;
/// How far the medians may lie apart, in ms.
const APART: f64 = 1.0;
/// What is wrong with a code. One whose time is over is deleted or looks like a used one.
const KINDS: [&str; 4] = ["unknown", "used", "declined", "somebody else's"];

impl Bench {
    pub(crate) async fn wrong_codes(&mut self) -> anyhow::Result<()> {
        let house = House::start(self.people.emulator(), Database::Sqlite).await?;
        println!("a code that is no good, one replica on SQLite:");
        let mut times = KINDS.map(|_| Vec::new());
        for number in 0..GUESSERS {
            let codes = self.codes(&house).await?;
            let guesser = self.people.next(&house, 0).await?;
            let address = Ipv4Addr::from(0x0A00_0000 + number);
            // Each kind comes first as often as it comes last.
            for turn in 0..KINDS.len() {
                let kind = (turn + number as usize) % KINDS.len();
                let took = guesser.guess(&codes[kind], address).await?;
                times[kind].push(took.as_secs_f64() * 1000.0);
            }
        }
        let medians = KINDS
            .iter()
            .zip(times)
            .map(|(kind, times)| report(&format!("  {kind}"), &sorted(times)).0);
        let medians = sorted(medians.collect());
        if medians[KINDS.len() - 1] - medians[0] >= APART {
            println!("    MISSED: medians {APART} ms apart");
            self.missed += 1;
        }
        Ok(())
    }

    /// A code of each kind.
    async fn codes(&mut self, house: &House) -> anyhow::Result<[String; KINDS.len()]> {
        let public = house.public();
        let keys = display::keys(&self.http, public).await?;
        let used = self.link(house, Places { display: 0, person: 0 }, &keys).await?.1;
        let (other, another) =
            (self.people.next(house, 0).await?, self.people.next(house, 0).await?);
        let [declined, taken] = [
            Display::show(&self.http, public, public).await?.shown.user_code,
            Display::show(&self.http, public, public).await?.shown.user_code,
        ];
        other.decline(&other.look_up(&declined).await?).await?;
        another.look_up(&taken).await?;
        Ok(["000000".to_owned(), used, declined, taken])
    }
}
