//! The redirect's way back into the app.

use std::fs;

use anyhow::{Context, ensure};

use super::Scene;
use crate::app::{ended, running};
use crate::journey::{ANA, SCHEME, display, sign_up};
use crate::screen;
use crate::wait::until;

pub async fn a_redirect_reaches_the_running_app_through_the_packaged_entry(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let (name, text) = scene.package.entry()?;
    ensure!(text.contains("Exec=luminous %u"), "the packaged entry loses the address: {text}");
    ensure!(
        text.contains("MimeType=x-scheme-handler/family.luminous.app;"),
        "the packaged entry does not claim the scheme: {text}"
    );
    ensure!(scene.desk.handler_of(SCHEME).await? == name, "the scheme is not the package's");
    let app = scene.open_signed_up("app.log", &ANA).await?;
    let log = app.log()?;
    ensure!(log.contains("redirect received"), "it did not come through the deep link");
    until("the second instance to leave", || async {
        Ok((running(&scene.package.program())?.len() == 1).then_some(()))
    })
    .await?;
    app.quit().await
}

pub async fn r2_r4_a_redirect_that_comes_again_or_is_made_up_changes_nothing(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let app = scene.open_signed_up("app.log", &ANA).await?;
    // The provider's last page carries the very answer that came; then one that somebody made up.
    let answer = scene.browser.page.run("return document.querySelector('#openApp').href").await?;
    let answer = answer.as_str().context("no answer on the page")?.to_owned();
    let forged = format!("{SCHEME}://auth/callback?code=forged&state=forged");
    for (redirect, code) in [(answer, "redirect.already_used"), (forged, "redirect.no_pending")] {
        let second = scene.desk.command(scene.package.program()).arg(redirect).status().await?;
        ensure!(second.success(), "the second instance did not hand its address over");
        until(&format!("{code} in the log"), || async {
            Ok(app.log()?.contains(code).then_some(()))
        })
        .await?;
    }
    ensure!(scene.provider.requests("Token")? == 1, "a second code reached the provider");
    app.page.see("body", ANA.name).await?;
    app.quit().await
}

pub async fn a_cold_start_finishes_the_sign_in_that_the_last_run_began(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let program = scene.package.program();
    let app = scene.open_app("app-1.log").await?;
    app.press("signed_out.continue").await?;
    scene.browser.take_new_tab().await?;
    scene.browser.page.find("#next").await?;
    app.quit().await?;
    ensure!(running(&program)?.is_empty(), "the app is still running");
    // The browser's launcher starts the app now; what it says goes where the browser's words go.
    sign_up(&scene.browser, &ANA).await?;
    scene.browser.page.click("#continue").await?;
    let log = scene.desk.place("chromium.log");
    until("the cold-started app to draw its home", || async {
        let said = fs::read_to_string(&log)?;
        Ok(said
            .lines()
            .any(|l| l.contains("screen drawn") && l.contains("signed_in"))
            .then_some(()))
    })
    .await
    .with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
    let started = running(&program)?;
    ensure!(started.len() == 1, "one instance was expected, not {}", started.len());
    screen::capture(&display(&scene.desk), &scene.desk.place("cold-start.png"))?;
    scene.desk.command("kill").arg(started[0].to_string()).status().await?;
    ended(&started).await?;
    let app = scene.open_app("app-2.log").await?;
    app.see_screen("signed_in").await?;
    app.page.see("body", ANA.name).await?;
    app.quit().await
}

pub async fn without_the_scheme_the_redirect_comes_back_over_loopback(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    // Another program has claimed the scheme, as any local program can.
    let thief = scene.desk.add_script("thief", "exit 0")?;
    scene.desk.add_entry("thief", &thief, &[SCHEME])?;
    let browser = format!("{}.desktop", crate::browser::ENTRY);
    scene.desk.choose_handlers(&[
        ("http", &browser),
        ("https", &browser),
        (SCHEME, "thief.desktop"),
    ])?;
    let app = scene.open_app("app.log").await?;
    app.press("signed_out.continue").await?;
    app.see("waiting.loopback").await?;
    scene.browser.take_new_tab().await?;
    sign_up(&scene.browser, &ANA).await?;
    scene.browser.page.click("#continue").await?;
    app.see_screen("signed_in").await?;
    ensure!(!app.log()?.contains("redirect received"), "it came through the deep link after all");
    let landed = scene.browser.page.address().await?;
    ensure!(landed.starts_with("http://localhost:4721"), "the browser is at {landed}");
    app.quit().await
}

pub async fn r17_without_a_browser_the_link_can_be_carried_over_by_hand(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let broken = scene.desk.add_script("xdg-open", "exit 3")?;
    let folder = broken.parent().context("a folder")?.to_owned();
    for name in ["gio", "gnome-open", "kde-open", "kde-open5", "kde-open6", "wslview"] {
        scene.desk.add_script(name, "exit 3")?;
    }
    let mut path = folder.into_os_string();
    path.push(":");
    path.push(scene.desk.get("PATH").unwrap_or_default());
    scene.desk.set("PATH", path);
    let app = scene.open_app("app.log").await?;
    app.press("signed_out.continue").await?;
    app.see("waiting.failed.title").await?;
    app.page.find("textarea").await?;
    let link = app.page.run("return document.querySelector('textarea').value").await?;
    let link = link.as_str().context("no link to copy")?.to_owned();
    ensure!(link.starts_with("http://localhost:"), "not a link: {link}");
    scene.browser.page.go_to(&link).await?;
    sign_up(&scene.browser, &ANA).await?;
    scene.browser.page.click("#continue").await?;
    app.see_screen("signed_in").await?;
    app.quit().await
}
