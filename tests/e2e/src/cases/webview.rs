//! A hostile page, name or script inside the real window.

use anyhow::ensure;
use serde_json::Value;

use super::Scene;
use crate::journey::{Person, sign_up};

/// A name that would do harm if it were markup.
const MARKUP: Person = Person {
    name: "<img src=x onerror=\"window.harmed=1\">",
    email: "markup@example.com",
    password: "kitchen-Light-42",
};

pub async fn u4_markup_in_a_name_is_text_and_inline_handlers_do_not_run(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let app = scene.open_app("app.log").await?;
    app.press("signed_out.continue").await?;
    scene.browser.take_new_tab().await?;
    sign_up(&scene.browser, &MARKUP).await?;
    scene.browser.page.click("#continue").await?;
    app.see_screen("signed_in").await?;
    app.page.see("body", MARKUP.name).await?;
    // Even markup that got in would not run: the policy forbids inline handlers and scripts.
    app.page
        .run(
            "const place = document.createElement('div');\
             place.innerHTML = '<button id=bad onclick=\"window.harmed=1\">x</button>';\
             document.body.append(place); document.getElementById('bad').click();\
             const script = document.createElement('script'); script.textContent = 'window.harmed=1';\
             document.body.append(script)",
        )
        .await?;
    let harmed = app.page.run("return window.harmed === undefined").await?;
    ensure!(harmed == Value::Bool(true), "an inline handler or script ran");
    app.quit(&scene.package.program()).await
}

pub async fn u5_the_window_goes_nowhere_else_and_opens_nothing(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let app = scene.open_app("app.log").await?;
    app.see_screen("signed_out").await?;
    let home = app.page.address().await?;
    for attempt in [
        "window.location.href = 'https://evil.example/'",
        "window.location.href = 'http://localhost:1/'",
        "window.location.href = 'data:text/html,gone'",
        "window.location.href = 'file:///etc/passwd'",
        "window.open('https://evil.example/', '_blank')",
        "const a = document.createElement('a'); a.href = 'https://evil.example/'; \
         a.target = '_blank'; document.body.append(a); a.click()",
        "const f = document.createElement('iframe'); f.src = 'https://evil.example/'; \
         document.body.append(f)",
    ] {
        app.page.run(attempt).await?;
        ensure!(app.page.address().await? == home, "the window left after: {attempt}");
        app.see_screen("signed_out").await?;
    }
    ensure!(app.page.windows().await?.len() == 1, "a second window opened");
    let frames = app.page.run("return window.frames[0]?.location?.href ?? 'none'").await;
    ensure!(
        frames.as_ref().map_or(true, |f| f == "none" || f == "about:blank"),
        "a frame was loaded: {frames:?}"
    );
    let fetched = app
        .page
        .run_async(
            "const done = arguments[arguments.length - 1];\
             fetch('http://localhost:1/').then(() => done('reached'), e => done(String(e)))",
        )
        .await?;
    ensure!(fetched != "reached", "the page reached the network");
    app.quit(&scene.package.program()).await
}

pub async fn r16_the_page_can_neither_hear_nor_forge_a_deep_link(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let app = scene.open_app("app.log").await?;
    app.see_screen("signed_out").await?;
    for (command, arguments) in [
        ("plugin:event|emit", "{ event: 'deep-link://new-url', payload: ['x'] }"),
        (
            "plugin:event|listen",
            "{ event: 'deep-link://new-url', target: { kind: 'Any' }, handler: 1 }",
        ),
        ("plugin:deep-link|get_current", "{}"),
        ("plugin:window|create", "{ options: { label: 'other' } }"),
        ("no_such_command", "{}"),
    ] {
        let answer = app
            .page
            .run_async(&format!(
                "const done = arguments[arguments.length - 1];\
                 window.__TAURI_INTERNALS__.invoke('{command}', {arguments})\
                 .then(() => done('allowed'), e => done(String(e)))"
            ))
            .await?;
        ensure!(answer != "allowed", "{command} was allowed");
    }
    ensure!(!app.log()?.contains("redirect received"), "a forged deep link arrived");
    app.quit(&scene.package.program()).await
}
