//! The wall: a display joins the family by its code, lives through what happens to screens in
//! kitchens, and is taken down and put up again.

use std::path::Path;

use anyhow::{Context as _, ensure};

use super::{Tour, family};
use crate::app::App;
use crate::desk::Desk;
use crate::wait::until;
use crate::words::{say, say_with};

/// What the family calls the display.
pub const NAME: &str = "Kitchen";
/// What arrives while somebody looks at the wall.
const NEWS: &str = "Grandma comes on Sunday";
/// How large the display's window is.
const SIZE: &str = "1280x800";

/// A display of the demo, which finds its way to the family server by itself.
pub async fn hang(desk: &mut Desk, program: &Path, port: &str, log: &str) -> anyhow::Result<App> {
    let arguments = ["kiosk", "--demo", "--demo-port", port, "--window", SIZE];
    App::start(desk, program, &arguments, log).await
}

impl Tour {
    /// Keeps a picture of the wall.
    async fn wall_picture(&mut self, name: &str) -> anyhow::Result<()> {
        let page = &self.wall()?.page;
        page.settle().await?;
        let png = page.picture().await?;
        self.report.picture(name, &png)
    }

    /// The display.
    fn wall(&self) -> anyhow::Result<&App> {
        self.wall.as_ref().context("no display hangs yet")
    }

    /// Ana links a display by the code it shows and the number it shows then.
    pub(super) async fn link_a_display(&mut self) -> anyhow::Result<()> {
        self.wall()?.see_screen("code").await?;
        self.report.step("a display is on: a second program, with a code on it");
        self.wall_picture("wall-code").await?;
        self.app.press("nav.home").await?;
        self.type_the_code().await?;
        self.app.see("link.check.title").await?;
        self.wall()?.see_screen("claimed").await?;
        self.picture("link-check").await?;
        self.wall_picture("wall-number").await?;
        self.type_the_number().await?;
        self.wall()?.see_screen("welcome").await?;
        self.wall_picture("wall-welcome").await?;
        self.app.page.see("body", &say_with("link.done.title", &[("name", NAME)])?).await?;
        self.picture("link-done").await?;
        self.wall()?.see_screen("wall").await?;
        self.wall()?.page.see("body", family::NAME).await?;
        self.wall()?.page.see("body", family::NOTE).await?;
        ensure!(self.wall()?.log()?.contains("redeemed over the hub"), "no push brought the yes");
        self.report.step("linked by six characters and a number: the wall is up, told by the hub");
        self.wall_picture("wall").await
    }

    /// A note that Ana posts is on the wall at once.
    pub(super) async fn a_note_arrives(&mut self) -> anyhow::Result<()> {
        self.app.press("nav.home").await?;
        self.app.fill("wall.write", NEWS).await?;
        self.app.press("wall.post").await?;
        self.wall()?.page.see("body", NEWS).await?;
        self.report.step("a note posted in the window arrived on the wall");
        self.wall_picture("wall-note").await?;
        self.picture("home-with-display").await
    }

    /// The display's power is cut.
    pub(super) async fn power_cut(
        &mut self,
        desk: &mut Desk,
        program: &Path,
        port: &str,
    ) -> anyhow::Result<()> {
        let wall = self.wall.take().context("no display hangs yet")?;
        wall.kill().await?;
        self.wall = Some(hang(desk, program, port, "wall-2.log").await?);
        self.wall()?.see_screen("wall").await?;
        self.wall()?.page.see("body", NEWS).await?;
        self.report.step("killed and started again: the wall is back by itself");
        Ok(())
    }

    /// Ana takes it down; it forgets the family and shows a code, and is linked into its old place.
    pub(super) async fn down_and_up_again(&mut self) -> anyhow::Result<()> {
        self.app.press_on(&format!("{} {NAME}", say("members.change")?)).await?;
        self.app.press("displays.revoke").await?;
        self.picture("display-sign-out").await?;
        self.app.confirm("displays.revoke").await?;
        self.app.page.see("body", &say_with("displays.revoked", &[("name", NAME)])?).await?;
        self.wall()?.see_screen("code").await?;
        let written = "return document.body.textContent";
        let shown = until("a code for the display by its name", || async {
            // The driver leaves out headings that are cut off after some lines.
            let shown = self.wall()?.page.run(written).await?.to_string();
            Ok(shown.contains(NAME).then_some(shown))
        })
        .await?;
        ensure!(!shown.contains(NEWS) && !shown.contains(family::NAME), "the wall remembers");
        self.report
            .step("signed out from the window: the display forgot the family, and asks anew");
        self.wall_picture("wall-again").await?;
        self.type_the_code().await?;
        self.app.page.see("body", &say_with("link.former", &[("name", NAME)])?).await?;
        self.picture("link-former").await?;
        self.type_the_number().await?;
        self.wall()?.see_screen("wall").await?;
        self.wall()?.page.see("body", NEWS).await?;
        self.report.step("linked again: it is back in its old place");
        self.app.press("nav.home").await
    }

    /// The family server is gone for a while.
    pub(super) async fn wall_alone(&mut self) -> anyhow::Result<()> {
        let wall = self.wall()?;
        wall.page.find(".as-of").await?;
        wall.page.see("body", NEWS).await?;
        self.report.step("the family server is off: the wall stays up, and says as of when");
        self.wall_picture("wall-offline").await
    }

    /// It is back.
    pub(super) async fn wall_at_home(&mut self) -> anyhow::Result<()> {
        self.wall()?.page.lacks(".as-of").await?;
        self.report.step("the family server is back: so is the wall, by itself");
        Ok(())
    }

    /// The display's own end.
    pub(super) async fn take_down(&mut self) -> anyhow::Result<()> {
        let wall = self.wall.take().context("no display hangs yet")?;
        wall.kill().await
    }

    async fn type_the_code(&mut self) -> anyhow::Result<()> {
        self.app.press("displays.link").await?;
        let code = code_on(self.wall()?).await?;
        self.app.fill("link.code.label", &code).await?;
        self.picture("link-code").await?;
        self.app.press("link.code.submit").await
    }

    async fn type_the_number(&mut self) -> anyhow::Result<()> {
        let number = number_on(self.wall()?).await?;
        self.app.fill("link.number.label", &number).await?;
        self.app.fill("link.name.label", NAME).await?;
        self.app.press("link.confirm").await
    }
}

/// The code that a display shows, as people type it.
pub async fn code_on(wall: &App) -> anyhow::Result<String> {
    wall.see_screen("code").await?;
    // In capitals and groups there.
    let shown = "return [...document.querySelectorAll('.code [aria-hidden]')]\
         .map(group => group.textContent.trim()).join(' ').trim()";
    let shown = wall.page.run(shown).await?;
    let code = shown.as_str().context("no code")?.to_lowercase();
    ensure!(code.len() == 7, "{code:?} is no code in two groups of three");
    Ok(code.replace(' ', ""))
}

/// The two digits on a display, once they are there alone.
pub async fn number_on(wall: &App) -> anyhow::Result<String> {
    wall.see_screen("claimed").await?;
    let script = "return [...document.querySelectorAll('h1')].at(-1)?.textContent ?? ''";
    until("two digits on the wall", || async {
        let shown = wall.page.run(script).await?;
        let digits = shown.as_str().unwrap_or_default().chars().filter(char::is_ascii_digit);
        Ok(Some(digits.collect::<String>()).filter(|number| number.len() == 2))
    })
    .await
}
