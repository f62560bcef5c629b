//! A family at home, with a display on its wall: the demo in one window, the display in another.

use super::Scene;
use crate::app::App;
use crate::journey::{ANA, DISPLAY, FAMILY, NOTE, code_on, hang, number_on, sign_up};
use crate::words::say;

/// The two windows.
pub struct Home {
    /// Ana's, in which the family server lives.
    pub app: App,
    /// The display.
    pub wall: App,
}

impl Scene<'_> {
    /// Ana's family has a note on its wall, and a display that shows a code.
    pub async fn open_home(&mut self) -> anyhow::Result<Home> {
        let port = self.demo_port.to_string();
        let program = self.package.program();
        let demo = ["--demo", "--demo-port", &port];
        let app = App::start(&mut self.desk, &program, &demo, "app.log").await?;
        app.press("signed_out.continue").await?;
        self.browser.take_new_tab().await?;
        sign_up(&self.browser, &ANA).await?;
        self.browser.page.click("#continue").await?;
        app.see_screen("onboarding").await?;
        self.browser.close_tab().await?;
        app.press_on(say("onboarding.begin")?).await?;
        app.fill("begin.name", FAMILY).await?;
        app.press("begin.submit").await?;
        app.see_screen("signed_in").await?;
        let wall = self.hang_display("wall-0.log").await?;
        let home = Home { app, wall };
        home.post(NOTE).await?;
        Ok(home)
    }

    /// The same, and the display is linked.
    pub async fn open_linked_home(&mut self) -> anyhow::Result<Home> {
        let home = self.open_home().await?;
        home.link().await?;
        Ok(home)
    }

    /// Starts the display; its log is a file of its own for each start.
    pub async fn hang_display(&mut self, log: &str) -> anyhow::Result<App> {
        let port = self.demo_port.to_string();
        hang(&mut self.desk, &self.package.program(), &port, log).await
    }
}

impl Home {
    /// Ana puts a note on the wall.
    pub async fn post(&self, text: &str) -> anyhow::Result<()> {
        self.app.fill("wall.write", text).await?;
        self.app.press("wall.post").await?;
        self.app.page.see("article", text).await
    }

    /// Ana links the display by what it shows, until its wall is up.
    pub async fn link(&self) -> anyhow::Result<()> {
        self.app.press("displays.link").await?;
        self.app.fill("link.code.label", &code_on(&self.wall).await?).await?;
        self.app.press("link.code.submit").await?;
        self.app.fill("link.number.label", &number_on(&self.wall).await?).await?;
        self.app.fill("link.name.label", DISPLAY).await?;
        self.app.press("link.confirm").await?;
        self.wall.see_screen("wall").await?;
        self.wall.page.see("body", NOTE).await?;
        self.app.press("nav.home").await
    }

    /// What Ana writes now is on the wall soon: the display is linked, and its tokens are in use.
    pub async fn reaches_the_wall(&self, text: &str) -> anyhow::Result<()> {
        self.post(text).await?;
        self.wall.page.see("body", text).await
    }
}
