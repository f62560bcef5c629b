//! What the demo shows: sign up, sign in, quit, start again still signed in, sign out.

use std::path::Path;

use anyhow::ensure;

use crate::app::{App, free_port};
use crate::browser::{Browser, ENTRY};
use crate::desk::Desk;
use crate::package::Package;
use crate::report::Report;
use crate::screen;

/// The scheme of the app's deep link.
pub const SCHEME: &str = "family.luminous.app";

/// The person of the journey.
pub struct Person {
    /// Display name.
    pub name: &'static str,
    /// E-mail address.
    pub email: &'static str,
    /// Password.
    pub password: &'static str,
}

/// Ana signs up in the demo.
pub const ANA: Person =
    Person { name: "Ana Luz", email: "ana@example.com", password: "kitchen-Light-42" };

/// Fills the provider's sign-up form in the browser.
pub async fn sign_up(browser: &Browser, person: &Person) -> anyhow::Result<()> {
    let page = &browser.page;
    page.click("#createAccount").await?;
    page.fill("#email", person.email).await?;
    page.fill("#displayName", person.name).await?;
    page.fill("#password", person.password).await?;
    page.fill("#confirmPassword", person.password).await
}

/// Fills the provider's sign-in form in the browser and sends it.
pub async fn sign_in(browser: &Browser, person: &Person) -> anyhow::Result<()> {
    let page = &browser.page;
    page.fill("#email", person.email).await?;
    page.fill("#password", person.password).await?;
    page.click("#next").await
}

/// The whole journey with the embedded emulator. Fails at the first step that is not as it says.
pub async fn run(package: &Package, pictures: &Path) -> anyhow::Result<()> {
    let mut report = Report::begin(pictures)?;
    let mut desk = Desk::open().await?;
    desk.install(package.root());
    let browser_entry = format!("{ENTRY}.desktop");
    desk.choose_handlers(&[("http", &browser_entry), ("https", &browser_entry)])?;
    let program = package.program();
    report.step("a private display, session bus and unlocked keyring are up");

    // The usual port may be taken by a demo that a person has open.
    let port = free_port()?.to_string();
    let demo = ["--demo", "--demo-port", &port];
    let browser = Browser::start(&mut desk, &format!("http://localhost:{port}"), SCHEME).await?;
    report.step("Chromium is the system browser");
    let app = App::start(&mut desk, &program, &demo, "app-1.log").await?;
    app.see_screen("signed_out").await?;
    report.step("the window is open with the embedded identity emulator, nobody is signed in");
    report.picture("welcome", &app.page.picture().await?)?;

    app.press("signed_out.continue").await?;
    app.see_screen("waiting_for_browser").await?;
    report.picture("waiting", &app.page.picture().await?)?;
    browser.take_new_tab().await?;
    browser.page.find("#next").await?;
    report.step("one button: the system browser shows the provider's sign-in page");
    report.picture("provider-sign-in", &browser.page.picture().await?)?;
    sign_up(&browser, &ANA).await?;
    report.picture("provider-sign-up", &browser.page.picture().await?)?;
    browser.page.click("#continue").await?;
    app.see_screen("signed_in").await?;
    app.page.see("body", ANA.name).await?;
    ensure!(app.log()?.contains("redirect received"), "the redirect did not come as a deep link");
    report.step("signed up; the deep link came back through the packaged desktop entry");
    report.picture("home", &app.page.picture().await?)?;
    screen::capture(&display(&desk), &report.next_picture("desktop"))?;
    browser.close_tab().await?;

    app.quit(&program).await?;
    report.step("quit");
    let app = App::start(&mut desk, &program, &demo, "app-2.log").await?;
    app.see_screen("signed_in").await?;
    app.page.see("body", ANA.name).await?;
    app.see("connection.online").await?;
    report.step("started again: still signed in, and refreshed by itself");
    report.picture("still-signed-in", &app.page.picture().await?)?;

    app.press("nav.account").await?;
    app.see_screen("account").await?;
    report.picture("account", &app.page.picture().await?)?;
    app.press("nav.settings").await?;
    app.see_screen("settings").await?;
    report.picture("settings", &app.page.picture().await?)?;
    app.press("nav.account").await?;
    app.press("account.here").await?;
    app.see_screen("signed_out").await?;
    report.step("signed out");
    report.picture("signed-out", &app.page.picture().await?)?;

    app.press("signed_out.other").await?;
    browser.take_new_tab().await?;
    sign_in(&browser, &ANA).await?;
    app.see_screen("signed_in").await?;
    report.step("signed in with the password");
    browser.close_tab().await?;
    app.press("nav.account").await?;
    app.press("account.both").await?;
    app.press("confirm.both.yes").await?;
    app.see_screen("signed_out").await?;
    browser.take_new_tab().await?;
    browser.page.see("body", "signed out").await?;
    report.step("signed out here and at the provider");
    report.picture("provider-signed-out", &browser.page.picture().await?)?;
    browser.close_tab().await?;
    app.quit(&program).await?;

    let app = App::start(&mut desk, &program, &demo, "app-3.log").await?;
    app.see_screen("signed_out").await?;
    report.step("started again: nobody is signed in");
    app.quit(&program).await
}

/// The desk's display as X names it.
pub fn display(desk: &Desk) -> String {
    desk.get("DISPLAY").unwrap_or_default().to_string_lossy().into_owned()
}
