//! A linked display whose keyring is late, locked, silent or empty: nothing is deleted, nobody has to
//! link it again who need not, and the wall stays up meanwhile.

use std::collections::BTreeSet;
use std::fs;

use anyhow::ensure;
use rustix::process::Signal;

use super::Scene;
use super::home::Home;
use crate::app::App;
use crate::desk::{Desk, KEYRING_PASSWORD};
use crate::hands;
use crate::journey::{DISPLAY, FAMILY, NOTE, display};
use crate::secrets;
use crate::wait::until;
use crate::words::{say, say_with};

/// The name under which the demo's display keeps its secrets.
pub const SERVICE: &str = "family.luminous.kiosk.demo";

/// Where it keeps its files.
pub const FOLDER: &str = "home/.local/share/family.luminous.kiosk.demo";

pub async fn kiosk_s1_a_keyring_that_comes_after_the_start_is_found_and_the_wall_stays_up(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let mut home = scene.open_linked_home().await?;
    let before = names(&scene.desk)?;
    home.wall.kill().await?;
    // Neither is one there, nor can the bus start one.
    scene.desk.keep_keyring_away(true).await?;
    scene.desk.stop_keyring().await?;
    home.wall = scene.hang_display("wall-1.log").await?;
    stays_up(&home.wall, "hint.keyring").await?;
    scene.desk.keep_keyring_away(false).await?;
    scene.desk.start_keyring(true).await?;
    goes_on(&home, &scene.desk, &before).await
}

pub async fn kiosk_s2_a_locked_keyring_takes_no_wall_down_and_needs_no_restart(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let mut home = scene.open_linked_home().await?;
    let before = names(&scene.desk)?;
    home.wall.kill().await?;
    scene.desk.stop_keyring().await?;
    // As after an automatic login.
    scene.desk.start_keyring(false).await?;
    home.wall = scene.hang_display("wall-1.log").await?;
    stays_up(&home.wall, "hint.locked").await?;
    // The keyring's own question has been there all the time; somebody answers it.
    hands::type_line(&display(&scene.desk), KEYRING_PASSWORD)?;
    goes_on(&home, &scene.desk, &before).await
}

pub async fn kiosk_s4_a_keyring_that_hangs_takes_no_wall_down(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let mut home = scene.open_linked_home().await?;
    let before = names(&scene.desk)?;
    home.wall.kill().await?;
    scene.desk.signal_keyring(Signal::STOP)?;
    home.wall = scene.hang_display("wall-1.log").await?;
    stays_up(&home.wall, "hint.silent").await?;
    scene.desk.signal_keyring(Signal::CONT)?;
    goes_on(&home, &scene.desk, &before).await
}

pub async fn kiosk_s5_a_display_that_its_keyring_forgot_asks_for_its_old_place(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let mut home = scene.open_linked_home().await?;
    home.wall.kill().await?;
    scene.desk.stop_keyring().await?;
    fs::remove_dir_all(scene.desk.place("home/.local/share/keyrings"))?;
    scene.desk.start_keyring(true).await?;
    home.wall = scene.hang_display("wall-1.log").await?;
    home.wall.see_screen("code").await?;
    let again = say_with("code.again", &[("name", DISPLAY)])?;
    let written = written(&home.wall).await?;
    for expected in [&*again, say("hint.lost")?] {
        ensure!(written.contains(expected), "{expected:?} is not on the screen: {written}");
    }
    for gone in [NOTE, FAMILY] {
        ensure!(!written.contains(gone), "a display without a link shows a family: {written}");
    }
    ensure!(!scene.desk.place(FOLDER).join("wall.json").exists(), "it keeps a family's wall");
    home.link().await?;
    home.reaches_the_wall("as before").await?;
    home.wall.kill().await?;
    home.app.quit().await
}

/// The wall is up from what the display remembers, says in a small sentence what is wrong, and has
/// neither asked for a code nor given anything up.
async fn stays_up(wall: &App, hint: &str) -> anyhow::Result<()> {
    wall.see_screen("wall").await?;
    let hint = say(hint)?;
    until(&format!("{hint:?} on the wall"), || async {
        Ok(written(wall).await?.contains(hint).then_some(()))
    })
    .await?;
    // What went out of sight is there until it has faded.
    wall.page.settle().await?;
    wall.page.see("body", NOTE).await?;
    wall.page.see("body", FAMILY).await?;
    wall.page.find(".as-of").await?;
    ensure!(!wall.log()?.contains("screen=\"storage_blocked\""), "the wall was down");
    wall.see_screen("wall").await
}

/// By itself, with the tokens that it had.
async fn goes_on(home: &Home, desk: &Desk, before: &BTreeSet<String>) -> anyhow::Result<()> {
    home.wall.page.lacks(".hint").await?;
    home.wall.page.lacks(".as-of").await?;
    home.reaches_the_wall("the keyring is back").await?;
    ensure!(!home.wall.log()?.contains("screen=\"code\""), "it asked to be linked again");
    let after = names(desk)?;
    ensure!(after == *before, "the keyring held {before:?}, and holds {after:?}");
    home.wall.kill().await?;
    home.app.quit().await
}

/// The records of the display in the keyring; which of its two places each is in does not matter.
fn names(desk: &Desk) -> anyhow::Result<BTreeSet<String>> {
    let record = |name: &String| name.split('.').take(2).collect::<Vec<_>>().join(".");
    Ok(secrets::of(desk, SERVICE)?.keys().map(record).collect())
}

/// All that stands on the screen; the driver leaves out what is cut off after some lines.
pub async fn written(wall: &App) -> anyhow::Result<String> {
    let text = wall.page.run("return document.body.textContent").await?;
    Ok(text.as_str().unwrap_or_default().to_owned())
}
