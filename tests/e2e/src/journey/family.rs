//! The family: begun, filled, joined, and ruled.

use super::Tour;
use super::forms::{ANA, BEN, enrol_second_factor, introduce, sign_in};
use crate::words::{say, say_with};

/// What the family calls itself.
pub const NAME: &str = "The Luz family";
/// What stands on its wall.
pub const NOTE: &str = "Soup is on the stove. Back at six!";

impl Tour {
    pub(super) async fn start_a_family(&mut self) -> anyhow::Result<()> {
        self.app.press_on(say("onboarding.begin")?).await?;
        self.app.fill("begin.name", NAME).await?;
        self.picture("start-a-family").await?;
        self.app.press("begin.submit").await?;
        self.app.see_screen("signed_in").await?;
        self.app.page.see("body", NAME).await?;
        self.app.page.see("body", say("role.owner")?).await?;
        self.report.step("started a family: home shows its name and the role of owner");
        self.picture("home").await
    }

    pub(super) async fn note_on_the_wall(&mut self) -> anyhow::Result<()> {
        self.app.fill("wall.write", NOTE).await?;
        self.app.press("wall.post").await?;
        self.app.page.see("article", NOTE).await?;
        self.report.step("put a note on the wall");
        self.picture("note").await
    }

    pub(super) async fn child_and_invitation(&mut self) -> anyhow::Result<()> {
        self.app.press("nav.family").await?;
        self.app.see_screen("family").await?;
        self.app.press("child.add").await?;
        self.app.fill("child.name", "Leo").await?;
        self.app.press("child.submit").await?;
        self.app.page.see("body", &say_with("child.added", &[("name", "Leo")])?).await?;
        self.report.step("added a child, who needs no sign-in");
        self.app.press("invites.new").await?;
        self.app.choose(say("role.adult")?).await?;
        self.app.press("invites.make").await?;
        self.code = self.app.page.text(".fresh .code").await?;
        self.report.step("made an invitation for an adult");
        self.picture("invitation").await?;
        self.app.press("action.done").await
    }

    /// Ben comes by way of the stand-in Google, and joins with the code.
    pub(super) async fn second_person(&mut self) -> anyhow::Result<()> {
        self.sign_out().await?;
        self.app.press_on(&say_with("signed_out.with", &[("name", "Google")])?).await?;
        self.browser.take_new_tab().await?;
        self.browser.page.find("#main").await?;
        self.browser_picture("provider-stand-in").await?;
        introduce(&self.browser, &BEN).await?;
        self.app.see_screen("onboarding").await?;
        self.browser.close_tab().await?;
        self.report.step("Ben signed in with the stand-in Google, which the app went to directly");
        self.app.press_on(say("onboarding.join")?).await?;
        // As it is read out over the telephone.
        let typed = self.code.to_lowercase().replace(' ', "");
        self.app.fill("join.code", &typed).await?;
        self.app.press("join.look").await?;
        self.app.page.see("body", NAME).await?;
        self.picture("join").await?;
        self.app.press("join.accept").await?;
        self.app.see_screen("signed_in").await?;
        self.app.page.see("body", say("role.adult")?).await?;
        self.app.page.see("body", NOTE).await?;
        self.report.step("Ben joined with the code, and sees the family's note");
        self.picture("ben-at-home").await?;
        self.sign_out().await
    }

    /// Ana makes Ben an admin; the server asks for a second factor first.
    pub(super) async fn act_of_administration(&mut self) -> anyhow::Result<()> {
        self.app.press("signed_out.continue").await?;
        self.browser.take_new_tab().await?;
        sign_in(&self.browser, &ANA).await?;
        self.app.see_screen("signed_in").await?;
        self.browser.close_tab().await?;
        self.report.step("Ana signed in with her password");
        self.app.press("nav.family").await?;
        self.app.press_on(&format!("{} {}", say("members.change")?, BEN.name)).await?;
        self.app.choose(say("role.admin")?).await?;
        self.app.press("members.role.change").await?;
        self.app.confirm("confirm.role.yes").await?;
        self.app.see_screen("waiting_for_browser").await?;
        self.app.see("waiting.step_up.title").await?;
        self.picture("step-up").await?;
        self.browser.take_new_tab().await?;
        self.browser.page.find("#otpSecret").await?;
        self.browser_picture("provider-second-factor").await?;
        enrol_second_factor(&self.browser).await?;
        self.app.see_screen("family").await?;
        let done = [("name", BEN.name), ("role", say("role.admin")?)];
        self.app.page.see("body", &say_with("members.role.changed", &done)?).await?;
        self.browser.close_tab().await?;
        self.report
            .step("Ben is an admin: the server asked for a second factor, the app brought it");
        self.picture("family").await
    }
}
