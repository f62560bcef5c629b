//! The real keyring behind the real window.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::Scene;
use crate::app::running;
use crate::desk::KEYRING_PASSWORD;
use crate::hands;
use crate::journey::{ANA, display};

pub async fn s2_s3_a_locked_keyring_blocks_until_its_question_is_answered(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    scene.open_signed_up("app-1.log", &ANA).await?.quit().await?;
    scene.desk.stop_keyring().await?;
    scene.desk.start_keyring(false).await?;
    let app = scene.open_app("app-2.log").await?;
    app.see_screen("storage_blocked").await?;
    app.page.see("body", ANA.name).await?;
    app.see("problem.store.waiting.what").await?;
    // The keyring's own question holds the keyboard; a person answers it, late.
    hands::type_line(&display(&scene.desk), KEYRING_PASSWORD)?;
    app.see_screen("signed_in").await?;
    app.see("connection.online").await?;
    app.quit().await
}

pub async fn s5_a_keyring_that_lost_the_sign_in_is_told_from_a_first_start(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let app = scene.open_app("app-0.log").await?;
    app.see("signed_out.never.text").await?;
    app.quit().await?;
    scene.open_signed_up("app-1.log", &ANA).await?.quit().await?;
    scene.desk.stop_keyring().await?;
    fs::remove_dir_all(scene.desk.place("home/.local/share/keyrings"))?;
    scene.desk.start_keyring(true).await?;
    let app = scene.open_app("app-2.log").await?;
    app.see("signed_out.lost.text").await?;
    app.page.see("body", ANA.name).await?;
    app.quit().await
}

/// Every token of the emulator starts like one of these: a JWT's header, or a wrapped grant.
pub const TOKEN_STARTS: &[&str] = &["eyJhbGciOi", "eyJ0eXAiOi", "eyJraWQiOi", "eyJlbmMiOi"];

pub async fn s9_no_token_is_anywhere_but_in_the_keyring(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let app = scene.open_signed_up("app.log", &ANA).await?;
    app.see("connection.online").await?;
    let seen = app
        .page
        .run(
            "return JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), \
             document.cookie, document.documentElement.outerHTML, window.__LUMINOUS_START__])",
        )
        .await?
        .to_string();
    free_of_tokens("the webview", &seen)?;
    for id in running(&scene.package.program())? {
        let words = fs::read(format!("/proc/{id}/cmdline"))?;
        free_of_tokens("the command line", &String::from_utf8_lossy(&words))?;
    }
    ensure!(app.log()?.contains("screen drawn"), "the log was not written");
    app.quit().await?;
    let mut files = 0;
    for folder in ["home/.local/share/family.luminous.desktop", "home/.config", "home/.cache"] {
        for file in files_below(&scene.desk.place(folder))? {
            files += 1;
            let text = String::from_utf8_lossy(&fs::read(&file)?).into_owned();
            free_of_tokens(&file.display().to_string(), &text)?;
        }
    }
    ensure!(files > 1, "the app left no files to look at");
    free_of_tokens("the log", &fs::read_to_string(scene.desk.place("app.log"))?)
}

fn free_of_tokens(place: &str, text: &str) -> anyhow::Result<()> {
    for start in TOKEN_STARTS {
        ensure!(!text.contains(start), "{place} holds a token");
    }
    Ok(())
}

pub fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }
    Ok(found)
}
