//! The provider's other policies: a new name, a new password.

use super::forms::{ANA, new_password, sign_in};
use super::{Person, Tour};

/// Ana after she has edited her profile and forgotten her password.
const ANA_NOW: Person =
    Person { name: "Ana Maria Luz", email: ANA.email, password: "pantry-Light-43" };

impl Tour {
    pub(super) async fn profile_and_password(&mut self) -> anyhow::Result<()> {
        self.app.press("nav.account").await?;
        self.app.see_screen("account").await?;
        self.picture("account").await?;
        self.app.press("account.edit").await?;
        self.browser.take_new_tab().await?;
        self.browser.page.fill("#displayName", ANA_NOW.name).await?;
        self.browser_picture("provider-profile").await?;
        self.browser.page.click("#continue").await?;
        self.app.page.see("body", ANA_NOW.name).await?;
        self.browser.close_tab().await?;
        self.report.step("edited the profile; the new name came through the sign-in policy");

        self.sign_out().await?;
        self.app.press("signed_out.forgot").await?;
        self.browser.take_new_tab().await?;
        new_password(&self.browser, ANA_NOW.email, ANA_NOW.password).await?;
        // The app then opens the sign-in policy by itself, in a tab of its own.
        self.browser.see_tabs(3).await?;
        self.browser.close_tab().await?;
        self.browser.take_new_tab().await?;
        sign_in(&self.browser, &ANA_NOW).await?;
        self.app.see_screen("signed_in").await?;
        self.browser.close_tab().await?;
        self.report.step("forgot the password, chose a new one, and signed in with it");
        Ok(())
    }
}
