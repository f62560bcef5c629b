//! A wall display over the real family server: a real database file, real HTTP and WebSockets, one
//! clock that moves only when told to.

mod clocks;
mod ending;
mod hub;
mod link;
mod storage;
mod tokens;
mod wall;

use std::time::Duration;

use luminous_testkit::DisplayRig;
use luminous_testkit::family_server::Owner;
use luminous_wire::{KioskSnapshot, KioskStage};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// A linked display at rest, and who linked it.
async fn linked() -> (DisplayRig, Owner) {
    let mut rig = DisplayRig::start().await;
    let owner = rig.server.owner("ana").await;
    rig.link(&owner, "Kitchen").await;
    rig.settle().await;
    (rig, owner)
}

/// A display that reaches no hub and can only poll, and who will link it.
async fn polling() -> (DisplayRig, Owner) {
    let rig = DisplayRig::before_start().await;
    rig.between.block_hubs();
    rig.display.start();
    let owner = rig.server.owner("ana").await;
    (rig, owner)
}

fn is_code(shown: &KioskSnapshot) -> bool {
    matches!(shown.stage, KioskStage::Code { .. })
}

fn is_wall(shown: &KioskSnapshot) -> bool {
    matches!(shown.stage, KioskStage::Wall { .. })
}

fn is_online(shown: &KioskSnapshot) -> bool {
    shown.connection == luminous_wire::Connection::Online
}

fn is_home(shown: &KioskSnapshot) -> bool {
    is_wall(shown) && is_online(shown)
}

/// The notes on the wall, the newest first.
fn notes(shown: &KioskSnapshot) -> Vec<String> {
    match &shown.stage {
        KioskStage::Wall { wall, .. } => wall.notes.iter().map(|note| note.text.clone()).collect(),
        _ => Vec::new(),
    }
}

/// What it was called, with the code on the screen.
fn former_name(shown: &KioskSnapshot) -> Option<String> {
    match &shown.stage {
        KioskStage::Code { former_name, .. } => former_name.clone(),
        _ => None,
    }
}
