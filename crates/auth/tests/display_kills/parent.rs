//! Links one display, kills it again and again, and looks each time whether it is still linked.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use luminous_domain::{Clock as _, SystemClock};
use luminous_testkit::FamilyServer;
use luminous_testkit::family_server::Owner;
use luminous_wire::{Connection, KioskSnapshot, KioskStage};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::child;
use super::point::Point;

pub const NAME: &str = "f3_no_kill_at_any_of_the_seven_points_loses_a_display";

/// Longer than any step takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process with the display.
struct Wall {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Wall {
    fn start(server: &FamilyServer, folder: &Path, point: Option<Point>) -> Self {
        // The clock of the server stands still otherwise, and proofs are dated.
        server.clock.set_wall(SystemClock.now());
        let point = point.map_or("nowhere".to_owned(), |point| point.to_string());
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([child::ARGUMENT, &point])
            .env(child::SERVER, &server.base)
            .env(child::FOLDER, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// The next snapshot that `is_it`; `None` when the process ended first.
    async fn until(&mut self, is_it: impl Fn(&KioskSnapshot) -> bool) -> Option<KioskSnapshot> {
        let look = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                let shown: KioskSnapshot = serde_json::from_str(&line).unwrap();
                if is_it(&shown) {
                    return Some(shown);
                }
            }
            None
        };
        tokio::time::timeout(PATIENCE, look).await.expect("the display goes on")
    }

    /// Lets it end by itself.
    async fn end(mut self) {
        drop(self.process.stdin.take());
        while self.lines.next_line().await.unwrap().is_some() {}
        self.process.wait().await.unwrap();
    }
}

pub fn run(rounds: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let lost = runtime.block_on(kill_all(rounds));
    println!("{lost} displays lost in {} kills", rounds * Point::ALL.len() as u32);
    assert_eq!(lost, 0);
}

async fn kill_all(rounds: u32) -> u32 {
    let server = FamilyServer::start().await;
    let owner = server.owner("ana").await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("keyring")).unwrap();
    link(&server, &owner, folder.path()).await;
    let mut lost = 0;
    for point in Point::ALL {
        let mut lost_here = 0;
        for _ in 0..rounds {
            kill_at(&server, folder.path(), point).await;
            if !is_still_linked(&server, folder.path()).await {
                lost_here += 1;
                link(&server, &owner, folder.path()).await;
            }
        }
        println!("{point}: {rounds} kills, {lost_here} lost");
        lost += lost_here;
    }
    assert_eq!(server.devices(&owner).await.len(), 1, "it is one display all the time");
    server.shutdown().await;
    lost
}

async fn link(server: &FamilyServer, owner: &Owner, folder: &Path) {
    let mut wall = Wall::start(server, folder, None);
    let is_code = |shown: &KioskSnapshot| matches!(shown.stage, KioskStage::Code { .. });
    let shown = wall.until(is_code).await.expect("a code");
    let KioskStage::Code { user_code, .. } = shown.stage else { panic!() };
    let challenge = server.look_up(owner, &user_code).await;
    let is_claimed = |shown: &KioskSnapshot| matches!(shown.stage, KioskStage::Claimed { .. });
    let shown = wall.until(is_claimed).await.expect("a number");
    let KioskStage::Claimed { number, .. } = shown.stage else { panic!() };
    let (status, answer) = server.confirm(owner, &challenge, &number, "Kitchen").await;
    assert_eq!(status / 100, 2, "{answer}");
    let is_welcome = |shown: &KioskSnapshot| matches!(shown.stage, KioskStage::Welcome { .. });
    wall.until(is_welcome).await.expect("a welcome");
    wall.end().await;
}

/// The process must die by the signal, at the point: one that lives on proves nothing.
async fn kill_at(server: &FamilyServer, folder: &Path, point: Point) {
    let mut wall = Wall::start(server, folder, Some(point));
    wall.until(|_| false).await;
    let status = wall.process.wait().await.unwrap();
    assert_eq!(status.signal(), Some(9), "{point} was not reached: {status}");
}

async fn is_still_linked(server: &FamilyServer, folder: &Path) -> bool {
    let mut wall = Wall::start(server, folder, None);
    let is_decided = |shown: &KioskSnapshot| match shown.stage {
        KioskStage::Wall { .. } => shown.connection == Connection::Online,
        KioskStage::Code { .. } => true,
        _ => false,
    };
    let shown = wall.until(is_decided).await.expect("a wall or a code");
    wall.end().await;
    matches!(shown.stage, KioskStage::Wall { .. })
}
