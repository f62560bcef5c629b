//! What the demo shows: a family, from the first sign-up to the last sign-out.

mod account;
mod family;
mod forms;
mod wall;

use std::path::Path;

use anyhow::ensure;

use crate::app::{App, free_port};
use crate::browser::{Browser, ENTRY};
use crate::desk::Desk;
use crate::package::Package;
use crate::report::Report;
use crate::screen;

pub use family::{NAME as FAMILY, NOTE};
pub use forms::{ANA, Person, enrol_second_factor, sign_in, sign_up};
pub use wall::{NAME as DISPLAY, code_on, hang, number_on};

/// The scheme of the app's deep link.
pub const SCHEME: &str = "family.luminous.app";

/// Everything a journey goes through.
struct Tour {
    app: App,
    /// The display, while there is one.
    wall: Option<App>,
    browser: Browser,
    report: Report,
    /// The code of the invitation that was made last.
    code: String,
}

impl Tour {
    /// Keeps a picture of the window.
    async fn picture(&mut self, name: &str) -> anyhow::Result<()> {
        let png = self.app.page.picture().await?;
        self.report.picture(name, &png)
    }

    /// Keeps a picture of the page in the browser.
    async fn browser_picture(&mut self, name: &str) -> anyhow::Result<()> {
        let png = self.browser.page.picture().await?;
        self.report.picture(name, &png)
    }

    /// Signs out here and at the provider, and closes the page that says so.
    async fn sign_out(&mut self) -> anyhow::Result<()> {
        self.app.press("nav.account").await?;
        self.app.press("account.both").await?;
        self.app.confirm("confirm.both.yes").await?;
        self.app.see_screen("signed_out").await?;
        self.browser.take_new_tab().await?;
        self.browser.page.see("body", "signed out").await?;
        self.browser.close_tab().await
    }
}

/// The whole journey with the embedded emulator and server. Fails at the first step that is not as
/// it says.
pub async fn run(package: &Package, pictures: &Path) -> anyhow::Result<()> {
    let mut report = Report::begin(pictures)?;
    let mut desk = Desk::open().await?;
    desk.install(package.root());
    let browser_entry = format!("{ENTRY}.desktop");
    desk.choose_handlers(&[("http", &browser_entry), ("https", &browser_entry)])?;
    let program = package.program();
    report.step("a private display, session bus and unlocked keyring are up");

    // The usual ports may be taken by a demo that a person has open.
    let port = free_ports()?.to_string();
    let demo = ["--demo", "--demo-port", &port];
    let browser = Browser::start(&mut desk, &[&format!("http://localhost:{port}")], SCHEME).await?;
    report.step("Chromium is the system browser");
    let app = App::start(&mut desk, &program, &demo, "app-1.log").await?;
    let mut tour = Tour { app, wall: None, browser, report, code: String::new() };
    tour.first_evening(&desk).await?;

    tour.app.quit().await?;
    tour.report.step("quit");
    tour.app = App::start(&mut desk, &program, &demo, "app-2.log").await?;
    tour.next_morning().await?;
    tour.second_person().await?;
    tour.act_of_administration().await?;

    tour.wall = Some(wall::hang(&mut desk, &program, &port, "wall-1.log").await?);
    tour.link_a_display().await?;
    tour.a_note_arrives().await?;
    tour.power_cut(&mut desk, &program, &port).await?;
    tour.down_and_up_again().await?;

    tour.profile_and_password().await?;
    tour.sign_out().await?;
    tour.report.step("signed out here and at the provider");
    tour.app.quit().await?;
    tour.wall_alone().await?;

    tour.app = App::start(&mut desk, &program, &demo, "app-3.log").await?;
    tour.app.see_screen("signed_out").await?;
    tour.report.step("started again: nobody is signed in");
    tour.wall_at_home().await?;
    tour.take_down().await?;
    tour.app.quit().await
}

impl Tour {
    /// Ana signs up and starts a family.
    async fn first_evening(&mut self, desk: &Desk) -> anyhow::Result<()> {
        self.app.see_screen("signed_out").await?;
        self.report
            .step("the window is open with embedded provider and server; nobody is signed in");
        self.picture("welcome").await?;
        self.app.press("signed_out.continue").await?;
        self.app.see_screen("waiting_for_browser").await?;
        self.picture("waiting").await?;
        self.browser.take_new_tab().await?;
        self.browser.page.find("#next").await?;
        self.report.step("one button: the system browser shows the provider's sign-in page");
        self.browser_picture("provider-sign-in").await?;
        sign_up(&self.browser, &ANA).await?;
        self.browser_picture("provider-sign-up").await?;
        self.browser.page.click("#continue").await?;
        self.app.see_screen("onboarding").await?;
        ensure!(self.app.log()?.contains("redirect received"), "no deep link brought the answer");
        self.report.step("signed up; the deep link came back through the packaged desktop entry");
        self.picture("onboarding").await?;
        screen::capture(&display(desk), &self.report.next_picture("desktop"))?;
        self.browser.close_tab().await?;
        self.start_a_family().await?;
        self.note_on_the_wall().await?;
        self.child_and_invitation().await
    }

    /// All of it is still there after a restart.
    async fn next_morning(&mut self) -> anyhow::Result<()> {
        self.app.see_screen("signed_in").await?;
        self.app.page.see("body", family::NAME).await?;
        self.app.see("connection.online").await?;
        self.app.page.see("body", family::NOTE).await?;
        self.report.step("started again: still signed in, the family and its note are there");
        self.picture("next-morning").await
    }
}

/// A port that is free together with the next one: the provider's and the server's.
pub fn free_ports() -> anyhow::Result<u16> {
    for _ in 0..100 {
        let port = free_port()?;
        if std::net::TcpListener::bind(("127.0.0.1", port.saturating_add(1))).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no two free ports beside each other")
}

/// The desk's display as X names it.
pub fn display(desk: &Desk) -> String {
    desk.get("DISPLAY").unwrap_or_default().to_string_lossy().into_owned()
}
