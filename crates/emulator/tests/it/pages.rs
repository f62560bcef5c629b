//! The pages: signing up and in through the forms, what they refuse, and who may submit them.

use std::time::Duration;

use luminous_emulator::{DEMO_POLICY, Event, Lockout, PasswordReset, RedirectLie, Times};
use reqwest::StatusCode;

use crate::client::{
    Browser, EMAIL, NAME, NONCE, PASSWORD, Page, World, authorize_url, between, parameter,
    redacted, text,
};

const NEXT: (&str, &str) = ("action", "next");

async fn sign_up_page(world: &World, browser: &mut Browser) -> Page {
    let page = browser.get(&authorize_url(world, &[])).await;
    let link = between(&page.text, "id=\"createAccount\" href=\"", "\"");
    browser.get(&link).await
}

#[tokio::test]
async fn a_person_signs_up_and_is_known_from_then_on() {
    let world = World::start().await;
    let mut browser = world.browser();
    let back = browser.sign_up(&authorize_url(&world, &[])).await.location();
    let (status, first) = world.redeem(&parameter(&back, "code").unwrap()).await;
    assert_eq!(status, StatusCode::OK);
    let claims = world.verified(text(&first, "id_token")).await;
    assert_eq!(claims["newUser"], true, "only the first token says so");
    assert_eq!(claims["name"], NAME);
    assert_eq!(claims["emails"], serde_json::json!([EMAIL]));
    assert_eq!(claims["tfp"], DEMO_POLICY);
    assert_eq!(claims["nonce"], NONCE);

    let (_, refreshed) = world.refresh(text(&first, "refresh_token")).await;
    let refreshed = world.verified(text(&refreshed, "id_token")).await;
    assert_eq!(refreshed.get("newUser"), None);
    assert_eq!(refreshed["oid"], claims["oid"]);

    let again = world.tokens().await;
    let again = world.verified(text(&again, "id_token")).await;
    assert_eq!(again.get("newUser"), None);
    assert_eq!(again["oid"], claims["oid"]);
    assert_eq!(world.emulator.control().count(Event::SignedUp), 1);
    assert_eq!(world.emulator.control().count(Event::SignedIn), 2);
}

#[tokio::test]
async fn the_sign_up_page_says_what_is_missing_and_keeps_what_was_typed() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    let page = sign_up_page(&world, &mut browser).await;
    let fields = [("email", "no address"), ("displayName", "<i>"), ("password", "short")];
    let page = browser.submit(&page, &fields).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.has("<title>Please check: Create your account"));
    assert!(page.has("id=\"faults\" role=\"alert\""));
    assert!(page.has("href=\"#email\"") && page.has("href=\"#password\""));
    assert!(page.has("aria-describedby=\"email-fault\" aria-invalid=\"true\" autofocus"));
    assert!(page.has("aria-describedby=\"password-hint password-fault\" aria-invalid=\"true\""));
    assert!(page.has("value=\"no address\"") && page.has("value=\"&#60;i&#62;\""));
    assert!(!page.has("value=\"short\""), "a password is never sent back");

    let taken = [
        ("email", " ANA@example.org "),
        ("displayName", NAME),
        ("password", PASSWORD),
        ("confirmPassword", PASSWORD),
    ];
    let page = browser.submit(&page, &taken).await;
    assert!(page.has("There is an account with this email address already."));
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_look_the_same() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    let page = browser.get(&authorize_url(&world, &[])).await;
    let mut answers = Vec::new();
    for (email, password) in [(EMAIL, "Wrong-river-7"), ("bob@example.org", PASSWORD)] {
        let page = browser.submit(&page, &[("email", email), ("password", password), NEXT]).await;
        assert!(page.has("The email address or the password is not right."));
        answers.push(page.text.replace(email, "EMAIL"));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(world.emulator.control().count(Event::PasswordRefused), 2);
}

#[tokio::test]
async fn too_many_wrong_passwords_lock_the_account_for_a_while() {
    let lockout = Lockout { attempts: 3, duration: Duration::from_secs(60) };
    let world = World::with_ana(|config| config.lockout = lockout).await;
    let mut browser = world.browser();
    let page = browser.get(&authorize_url(&world, &[])).await;
    let wrong = [("email", EMAIL), ("password", "Wrong-river-7"), NEXT];
    browser.submit(&page, &wrong).await;
    browser.submit(&page, &wrong).await;
    assert!(browser.submit(&page, &wrong).await.has("Too many wrong passwords."));
    let right = [("email", EMAIL), ("password", PASSWORD), NEXT];
    assert!(browser.submit(&page, &right).await.has("Too many wrong passwords."));
    world.clock.advance(Duration::from_secs(61));
    assert!(parameter(&browser.submit(&page, &right).await.location(), "code").is_some());
}

#[tokio::test]
async fn cancel_and_forgot_password_go_back_to_the_app_with_their_codes() {
    let world = World::start().await;
    let mut browser = world.browser();
    let page = browser.get(&authorize_url(&world, &[])).await;
    let cancelled = browser.submit(&page, &[("action", "cancel")]).await.location();
    let description = redacted(&parameter(&cancelled, "error_description").unwrap());
    assert_eq!(parameter(&cancelled, "error").unwrap(), "access_denied");
    assert_eq!(
        description,
        "AADB2C90091: The user has cancelled entering self-asserted information.\r\n\
         Correlation ID: [id]\r\nTimestamp: 2026-11-22 12:00:00Z\r\n"
    );
    let page = sign_up_page(&world, &mut browser).await;
    let cancelled = browser.submit(&page, &[("action", "cancel")]).await.location();
    assert!(parameter(&cancelled, "error_description").unwrap().starts_with("AADB2C90091: "));

    let page = browser.get(&authorize_url(&world, &[])).await;
    let link = between(&page.text, "id=\"forgotPassword\" href=\"", "\"");
    let forgot = browser.get(&link).await.location();
    let description = redacted(&parameter(&forgot, "error_description").unwrap());
    assert_eq!(
        description,
        "AADB2C90118: The user has forgotten their password.\r\n\
         Correlation ID: [id]\r\nTimestamp: 2026-11-22 12:00:00Z\r\n"
    );
    let gone = browser.get(&link).await;
    assert!(gone.has("This page is no longer valid"), "a page answers once");
}

#[tokio::test]
async fn without_a_reset_policy_there_is_no_link_and_no_way_to_it() {
    let world = World::with(|config| config.password_reset = PasswordReset::Absent).await;
    let mut browser = world.browser();
    let page = browser.get(&authorize_url(&world, &[])).await;
    assert!(!page.has("forgotPassword"));
    let path = format!("/ui/forgot-password?tx={}", page.hidden("tx"));
    assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_form_counts_only_from_the_browser_that_opened_it_and_with_its_token() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    let page = browser.get(&authorize_url(&world, &[])).await;
    let right = [("email", EMAIL), ("password", PASSWORD), NEXT];

    let forged = Page { text: page.text.replace(&page.hidden("csrf"), "forged"), ..page };
    let answer = browser.submit(&forged, &right).await;
    assert!(answer.has("This page is no longer valid"), "the form's token is asked for");

    let page = browser.get(&authorize_url(&world, &[])).await;
    let answer = world.browser().submit(&page, &right).await;
    assert!(answer.has("This page is no longer valid"), "another browser has another cookie");
    browser.forget("x-ms-cpim-browser");
    let answer = browser.submit(&page, &right).await;
    assert!(answer.has("This page is no longer valid"), "a browser without its cookie");
    assert_eq!(world.emulator.control().count(Event::SignedIn), 0);
}

#[tokio::test]
async fn a_page_that_was_open_too_long_says_so() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    let page = browser.get(&authorize_url(&world, &[])).await;
    world.clock.advance(Duration::from_secs(3601));
    let answer = browser.submit(&page, &[("email", EMAIL), ("password", PASSWORD), NEXT]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.has("This page is no longer valid"));
}

#[tokio::test]
async fn of_two_submissions_one_gets_a_code() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    let page = browser.get(&authorize_url(&world, &[])).await;
    let right = [("email", EMAIL), ("password", PASSWORD), NEXT];
    browser.submit(&page, &right).await.location();
    assert!(browser.submit(&page, &right).await.has("This page is no longer valid"));
}

#[tokio::test]
async fn pages_speak_three_languages_and_forbid_scripts_styles_and_frames() {
    let world = World::start().await;
    for (locale, tag, words) in
        [("de", "de", "Anmelden"), ("es-MX fr", "es", "Iniciar sesión"), ("fr", "en", "Sign in")]
    {
        let url = authorize_url(&world, &[("ui_locales", locale)]);
        let page = world.browser().get(&url).await;
        assert!(page.has(&format!("<html lang=\"{tag}\">")) && page.has(words), "{locale}");
    }
    let url = authorize_url(&world, &[("login_hint", "\"><script>")]);
    let page = world.browser().get(&url).await;
    assert!(page.has("value=\"&#34;&#62;&#60;script&#62;\""), "a hint is text");
    assert!(!page.has("<script") && !page.has("style=") && !page.has("<style"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert_eq!(
        policy,
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' \
         family.luminous.app:; base-uri 'none'; frame-ancestors 'none'"
    );
    assert_eq!(page.headers["x-frame-options"], "DENY");
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
}

#[tokio::test]
async fn the_last_page_hands_over_to_the_app_and_says_that_the_tab_may_be_closed() {
    let world = World::with_ana(|config| config.finish_page = true).await;
    let mut browser = world.browser();
    let page = browser.get(&authorize_url(&world, &[])).await;
    let page = browser.submit(&page, &[("email", EMAIL), ("password", PASSWORD), NEXT]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.has("You may close this tab"));
    let refresh = between(&page.text, "http-equiv=\"refresh\" content=\"0;url=", "\"");
    let link = between(&page.text, "id=\"openApp\" class=\"button primary\" href=\"", "\"");
    assert_eq!(refresh, link);
    let back = link.replace("&#38;", "&");
    assert_eq!(world.redeem(&parameter(&back, "code").unwrap()).await.0, StatusCode::OK);

    // Nobody clicked: browsers would not let a page start the app.
    let silent = browser.get(&authorize_url(&world, &[])).await.location();
    assert!(silent.starts_with("family.luminous.app://auth/callback?state="), "{silent}");
    let mut other = world.browser();
    let page = other.get(&authorize_url(&world, &[])).await;
    let page = other.submit(&page, &[("action", "cancel")]).await;
    assert!(page.has("You are not signed in.") && page.has("AADB2C90091%3a"), "{}", page.text);
    let local = authorize_url(&world, &[("redirect_uri", "http://localhost:47218/auth/callback")]);
    assert!(browser.get(&local).await.location().starts_with("http://localhost:47218/"));
}

#[tokio::test]
async fn redirects_can_lie_about_state_and_issuer() {
    let world = World::with_ana(|_| {}).await;
    let control = world.emulator.control();
    let mut browser = world.browser();
    browser.sign_in(&authorize_url(&world, &[])).await;
    let mut states = Vec::new();
    for lie in [
        RedirectLie::WrongState,
        RedirectLie::NoState,
        RedirectLie::StateTwice,
        RedirectLie::WrongIss,
    ] {
        control.redirect(lie, Times::Next(1));
        let back = browser.get(&authorize_url(&world, &[])).await.location();
        let state = back.matches("state=a-state-of-this-sign-in").count();
        states.push((state, parameter(&back, "iss")));
    }
    let evil = Some("https://evil.example/".to_owned());
    assert_eq!(states, [(0, None), (0, None), (2, None), (1, evil)]);
    let back = browser.get(&authorize_url(&world, &[])).await.location();
    assert_eq!(back.matches("state=a-state-of-this-sign-in").count(), 1, "the truth is back");
}
