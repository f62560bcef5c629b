//! The provider's forms in the browser, filled as a person fills them.

use anyhow::Context as _;
use luminous_domain::{Clock as _, SystemClock};
use totp_rs::{Builder, Secret};

use crate::browser::Browser;

/// A person of the journey.
pub struct Person {
    /// Display name.
    pub name: &'static str,
    /// E-mail address.
    pub email: &'static str,
    /// Password; nobody at a stand-in provider has one.
    pub password: &'static str,
}

/// Ana signs up in the demo.
pub const ANA: Person =
    Person { name: "Ana Luz", email: "ana@example.com", password: "kitchen-Light-42" };

/// Ben comes by way of another provider.
pub const BEN: Person = Person { name: "Ben Luz", email: "ben@example.com", password: "" };

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

/// Says at a stand-in provider who one is.
pub async fn introduce(browser: &Browser, person: &Person) -> anyhow::Result<()> {
    let page = &browser.page;
    page.fill("#main #email", person.email).await?;
    page.fill("#main #displayName", person.name).await?;
    page.click("#continue").await
}

/// Takes the secret from the page, as an authenticator app takes it from the QR code, and types the
/// code of now.
pub async fn enrol_second_factor(browser: &Browser) -> anyhow::Result<()> {
    let secret = browser.page.text("#otpSecret").await?.replace(' ', "");
    let secret = Secret::try_from_base32(&secret).ok().context("the secret is not base32")?;
    let codes = Builder::new().with_secret(secret).with_account_name("ana").build()?;
    let now = u64::try_from(SystemClock.now().as_second())?;
    browser.page.fill("#verificationCode", &codes.generate(now).to_string()).await?;
    browser.page.click("#verifyCode").await
}

/// Chooses a new password with the code that the demo's mailbox shows.
pub async fn new_password(browser: &Browser, email: &str, password: &str) -> anyhow::Result<()> {
    let page = &browser.page;
    page.fill("#email", email).await?;
    page.click("#sendCode").await?;
    let code = page.text("#mailedCode").await?;
    page.fill("#verificationCode", &code).await?;
    page.click("#verifyCode").await?;
    page.fill("#password", password).await?;
    page.fill("#confirmPassword", password).await?;
    page.click("#continue").await
}
