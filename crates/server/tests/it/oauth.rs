//! The authorization server for displays: codes, tokens, keys, and who learns what of them.

mod authorization;
mod door;
mod grants;
mod keys;
mod proofs;
mod refresh;
mod secrets;
mod services;

use crate::display::Display;
use crate::rig::{Rig, Someone};

/// Ana's family, with a display.
async fn home() -> (Rig, Someone, Display) {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let display = Display::linked(&rig, &ana).await;
    (rig, ana, display)
}

/// Ana, and a display that she has approved and that has not asked since.
async fn approved() -> (Rig, Someone, Display) {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let display = Display::showing(&rig).await;
    display.approve(&rig, &ana).await;
    (rig, ana, display)
}

/// The path of a person's family.
fn family(person: &Someone) -> String {
    format!("/api/families/{}", person.family())
}
