//! The password reset policy: an address, a mailed code, a new password, and the end of all that the
//! old one led to.

use std::time::Duration;

use luminous_emulator::{DEMO_RESET_POLICY, Event};
use reqwest::StatusCode;

use crate::client::{
    Browser, EMAIL, NAME, PASSWORD, Page, World, authorize_url, between, parameter, refusal, text,
};

const NEW_PASSWORD: &str = "Louder-river-8";

/// Ana has said that she forgot her password and waits for the code.
async fn waiting(world: &World, browser: &mut Browser, email: &str) -> Page {
    let page = browser.get(&world.authorize_url_of(DEMO_RESET_POLICY, &[])).await;
    browser.submit(&page, &[("email", email), ("action", "sendCode")]).await
}

/// The last code that was "mailed".
fn mailed(world: &World) -> String {
    world.emulator.control().mailbox().last().unwrap().code.clone()
}

/// Ana has proved her address.
async fn choosing(world: &World, browser: &mut Browser) -> Page {
    let page = waiting(world, browser, EMAIL).await;
    let code = mailed(world);
    browser.submit(&page, &[("verificationCode", &code), ("action", "verifyCode")]).await
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_and_everything_of_the_old_one_ends() {
    let world = World::with_ana(|_| {}).await;
    let control = world.emulator.control();
    let mut elsewhere = world.browser();
    let back = elsewhere.sign_in(&authorize_url(&world, &[])).await;
    let unredeemed =
        parameter(&elsewhere.get(&authorize_url(&world, &[])).await.location(), "code");
    let (_, old) = world.redeem(&parameter(&back, "code").unwrap()).await;

    let mut browser = world.browser();
    let page = waiting(&world, &mut browser, " ANA@example.org ").await;
    assert!(page.has("Demo mailbox") && page.has("sends no email"), "it says that it is one");
    assert_eq!(between(&page.text, "id=\"mailedCode\">", "<"), mailed(&world));
    assert_eq!(control.mailbox().last().unwrap().to, EMAIL);
    let code = mailed(&world);
    let page = browser.submit(&page, &[("verificationCode", &code)]).await;
    let passwords = [("password", NEW_PASSWORD), ("confirmPassword", NEW_PASSWORD)];
    let back = browser.submit(&page, &passwords).await.location();

    let fresh = world.redeem_at(DEMO_RESET_POLICY, &back).await;
    let claims = world.verified(text(&fresh, "id_token")).await;
    assert_eq!((&claims["tfp"], &claims["name"]), (&DEMO_RESET_POLICY.into(), &NAME.into()));
    let (status, refused) = world.refresh(text(&old, "refresh_token")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text(&refused, "error_description").starts_with("AADB2C90129: "), "{refused}");
    let (_, refused) = world.redeem(&unredeemed.unwrap()).await;
    assert!(text(&refused, "error_description").starts_with("AADB2C90129: "), "{refused}");
    let page = elsewhere.get(&authorize_url(&world, &[])).await;
    assert!(page.has("id=\"password\""), "the other browser is signed out");
    let again = [("email", EMAIL), ("password", PASSWORD), ("action", "next")];
    assert!(elsewhere.submit(&page, &again).await.has("is not right"), "the old one is gone");
    let again = [("email", EMAIL), ("password", NEW_PASSWORD), ("action", "next")];
    assert!(parameter(&elsewhere.submit(&page, &again).await.location(), "code").is_some());
    assert_eq!(control.count(Event::PasswordReset), 1);
}

#[tokio::test]
async fn its_grants_are_its_own_and_this_browser_is_signed_in() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    let page = choosing(&world, &mut browser).await;
    let passwords = [("password", NEW_PASSWORD), ("confirmPassword", NEW_PASSWORD)];
    let back = browser.submit(&page, &passwords).await.location();
    let tokens = world.redeem_at(DEMO_RESET_POLICY, &back).await;
    let (_, refused) = world.refresh(text(&tokens, "refresh_token")).await;
    assert!(text(&refused, "error_description").starts_with("AADB2C90088: "), "{refused}");
    let silent = browser.get(&authorize_url(&world, &[])).await.location();
    assert!(parameter(&silent, "code").is_some());
}

#[tokio::test]
async fn an_address_without_an_account_learns_so_only_from_its_mail() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    let known = waiting(&world, &mut browser, EMAIL).await;
    let known_code = mailed(&world);
    let stranger = "stranger@example.org";
    let unknown = waiting(&world, &mut browser, stranger).await;
    let code = mailed(&world);
    let neutral = |page: &Page, email: &str, code: &str| {
        let text = page.text.replace(email, "EMAIL").replace(code, "CODE");
        text.replace(&page.hidden("tx"), "TX").replace(&page.hidden("csrf"), "CSRF")
    };
    assert_eq!(neutral(&known, EMAIL, &known_code), neutral(&unknown, stranger, &code));
    let page = browser.submit(&unknown, &[("verificationCode", &code)]).await;
    assert!(page.has("No account with a password has this email address."));
}

#[tokio::test]
async fn wrong_old_and_overused_codes_are_refused_and_a_new_one_helps() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    let page = waiting(&world, &mut browser, EMAIL).await;
    let wrong = if mailed(&world) == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        let refused = browser.submit(&page, &[("verificationCode", wrong)]).await;
        assert!(refused.has("This code is not the one that was sent."));
    }
    let code = mailed(&world);
    let refused = browser.submit(&page, &[("verificationCode", &code)]).await;
    assert!(refused.has("This code is no longer valid."), "five guesses use it up");

    let page = browser.submit(&page, &[("action", "sendAgain")]).await;
    let code = mailed(&world);
    world.clock.advance(Duration::from_secs(600));
    let refused = browser.submit(&page, &[("verificationCode", &code)]).await;
    assert!(refused.has("This code is no longer valid."), "ten minutes are over");
    let page = browser.submit(&page, &[("action", "sendAgain")]).await;
    let code = mailed(&world);
    assert!(browser.submit(&page, &[("verificationCode", &code)]).await.has("new password"));
    assert_eq!(world.emulator.control().mailbox().len(), 3);
}

#[tokio::test]
async fn the_new_password_keeps_b2cs_rules_and_no_step_can_be_skipped() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    let page = choosing(&world, &mut browser).await;
    for (password, confirmation, says) in [
        ("", "", "Enter a password."),
        ("Ab1-xyz", "Ab1-xyz", "Use at least 8 characters"),
        ("quietriver", "quietriver", "Mix at least three"),
        (NEW_PASSWORD, PASSWORD, "The two passwords are not the same."),
    ] {
        let fields = [("password", password), ("confirmPassword", confirmation)];
        assert!(browser.submit(&page, &fields).await.has(says), "{says}");
    }

    let early = browser.get(&world.authorize_url_of(DEMO_RESET_POLICY, &[])).await;
    let passwords = [("password", NEW_PASSWORD), ("confirmPassword", NEW_PASSWORD)];
    assert!(browser.submit(&early, &passwords).await.has("Enter your email address."));
    let foreign = Page { text: early.text.replace("/ui/reset", "/ui/sign-in"), ..early };
    let entry = [("email", EMAIL), ("password", PASSWORD), ("action", "next")];
    assert!(browser.submit(&foreign, &entry).await.has("This page is no longer valid"));
    assert_eq!(world.emulator.control().count(Event::PasswordReset), 0);
}

#[tokio::test]
async fn cancel_goes_back_to_the_app_from_each_step() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    let first = browser.get(&world.authorize_url_of(DEMO_RESET_POLICY, &[])).await;
    let second = waiting(&world, &mut browser, EMAIL).await;
    let third = choosing(&world, &mut browser).await;
    for page in [first, second, third] {
        let back = browser.submit(&page, &[("action", "cancel")]).await.location();
        assert_eq!(refusal(&back), ("access_denied".into(), "AADB2C90091".into()));
    }
}
