//! A hostile page, name or script inside the real window.

use anyhow::ensure;
use serde_json::Value;

use super::Scene;
use crate::journey::Person;

/// A name that would do harm if it were markup.
const MARKUP: Person = Person {
    name: "<img src=x onerror=\"window.harmed=1\">",
    email: "markup@example.com",
    password: "kitchen-Light-42",
};

pub async fn u4_markup_in_a_name_is_text_and_inline_handlers_do_not_run(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let app = scene.open_signed_up("app.log", &MARKUP).await?;
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
    app.quit().await
}

pub async fn u5_the_window_goes_nowhere_else_and_opens_nothing(
    mut scene: Scene<'_>,
) -> anyhow::Result<()> {
    let app = scene.open_app("app.log").await?;
    app.see_screen("signed_out").await?;
    let home = app.page.address().await?;
    // A server that is there and counts: a request that left the window would be seen.
    let elsewhere = format!(
        "{}/luminousdemo.onmicrosoft.com/B2C_1_signupsignin1/v2.0/.well-known/openid-configuration",
        scene.provider.origin
    );
    for attempt in [
        "window.location.href = elsewhere",
        "window.location.href = 'data:text/html,gone'",
        "window.location.href = 'file:///etc/passwd'",
        "window.open(elsewhere, '_blank')",
        "const a = document.createElement('a'); a.href = elsewhere; \
         a.target = '_blank'; document.body.append(a); a.click()",
        "const f = document.createElement('iframe'); f.src = elsewhere; document.body.append(f)",
        "const i = new Image(); i.src = elsewhere; document.body.append(i)",
        "fetch(elsewhere, { mode: 'no-cors' }).catch(() => 0)",
        "navigator.sendBeacon(elsewhere)",
        "new EventSource(elsewhere)",
        "const f = document.createElement('form'); f.action = elsewhere; \
         document.body.append(f); f.submit()",
        "navigator.serviceWorker?.register('/first-paint.js').then(() => { window.worked = 1 })",
    ] {
        // Two frames later a navigation that was let through has begun.
        app.page
            .run_async(&format!(
                "const done = arguments[arguments.length - 1]; const elsewhere = '{elsewhere}';\
                 try {{ {attempt} }} catch {{ }}\
                 requestAnimationFrame(() => requestAnimationFrame(() => done(null)))"
            ))
            .await?;
        ensure!(app.page.address().await? == home, "the window left after: {attempt}");
        app.see("signed_out.never.text").await?;
    }
    ensure!(app.page.windows().await?.len() == 1, "a second window opened");
    let worked = app.page.run("return window.worked === undefined").await?;
    ensure!(worked == Value::Bool(true), "a service worker was registered");
    ensure!(scene.provider.requests("")? == 0, "a request left the window");
    // The same address from outside, to show that the count above could have been another.
    scene.browser.page.go_to(&elsewhere).await?;
    ensure!(scene.provider.requests("")? == 1, "the provider does not count");
    app.quit().await
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
    ] {
        let answer = app
            .page
            .run_async(&format!(
                "const done = arguments[arguments.length - 1];\
                 window.__TAURI_INTERNALS__.invoke('{command}', {arguments})\
                 .then(() => done('allowed'), e => done(String(e)))"
            ))
            .await?;
        let words = answer.as_str().unwrap_or_default();
        ensure!(words.contains("not allowed"), "{command} answered: {words}");
    }
    ensure!(!app.log()?.contains("redirect received"), "a forged deep link arrived");
    app.quit().await
}
