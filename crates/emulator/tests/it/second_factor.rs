//! The second factor: the MFA policy of B2C, and `acr_values` elsewhere.

use std::time::Duration;

use luminous_emulator::{DEMO_MFA_POLICY, EXTERNAL_TENANT, Event};
use serde_json::{Value, json};

use crate::client::{
    Browser, EMAIL, NOON, PASSWORD, Page, World, authorize_url, authorize_url_at, between, claims,
    code_form, parameter, refusal, text,
};

fn code(world: &World) -> String {
    world.emulator.control().second_factor_code(EMAIL).unwrap().unwrap()
}

async fn type_password(browser: &mut Browser, page: &Page) -> Page {
    let entry = [("email", EMAIL), ("password", PASSWORD), ("action", "next")];
    browser.submit(page, &entry).await
}

async fn type_code(browser: &mut Browser, page: &Page, code: &str) -> Page {
    browser.submit(page, &[("verificationCode", code), ("action", "verifyCode")]).await
}

/// Ana, with a second factor enrolled.
async fn enrolled() -> World {
    let world = World::with_ana(|_| {}).await;
    world.emulator.control().enrol_second_factor(EMAIL).unwrap();
    world
}

#[tokio::test]
async fn the_first_visit_enrols_and_the_second_asks_for_a_code() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    let page = browser.get(&world.authorize_url_of(DEMO_MFA_POLICY, &[])).await;
    let page = type_password(&mut browser, &page).await;
    assert!(page.has("<svg viewBox=") && page.has("QR code for your authenticator app"));
    let secret = between(&page.text, "id=\"otpSecret\">", "<").replace(' ', "");
    let refused = type_code(&mut browser, &page, "12345").await;
    assert!(refused.has("This code is not right."));
    assert_eq!(
        between(&refused.text, "id=\"otpSecret\">", "<").replace(' ', ""),
        secret,
        "a typing mistake does not change the secret that was scanned"
    );
    let shown = authenticator(&secret, NOON);
    let back = type_code(&mut browser, &page, &shown).await.location();
    let tokens = world.redeem_at(DEMO_MFA_POLICY, &back).await;
    for token in ["id_token", "access_token"] {
        let claims = claims(text(&tokens, token));
        assert_eq!(claims["tfp"], DEMO_MFA_POLICY, "{token}");
        assert_eq!(claims["auth_time"], NOON, "{token}");
        assert_eq!(claims.get("amr"), None, "user flows name no methods");
    }

    world.clock.advance(Duration::from_secs(60));
    let page = browser.get(&world.authorize_url_of(DEMO_MFA_POLICY, &[])).await;
    assert!(page.has("Enter your code") && !page.has("otpSecret"), "the session will do");
    assert!(type_code(&mut browser, &page, &shown).await.has("not right"), "too old by now");
    let now = code(&world);
    let back = type_code(&mut browser, &page, &now).await.location();
    let tokens = world.redeem_at(DEMO_MFA_POLICY, &back).await;
    assert_eq!(claims(text(&tokens, "access_token"))["auth_time"], NOON + 60);
    let count = |event| world.emulator.control().count(event);
    assert_eq!((count(Event::SecondFactorEnrolled), count(Event::SecondFactorShown)), (1, 2));
}

/// The code of a base32 secret: an authenticator app.
fn authenticator(secret: &str, now: i64) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let app = totp_rs::Builder::new().with_secret(secret).with_account_name("ana").build();
    app.unwrap().generate(now.cast_unsigned()).to_string()
}

#[tokio::test]
async fn a_code_counts_once() {
    let world = enrolled().await;
    let mut browser = world.browser();
    let page = browser.get(&world.authorize_url_of(DEMO_MFA_POLICY, &[])).await;
    let page = type_password(&mut browser, &page).await;
    let used = code(&world);
    type_code(&mut browser, &page, &used).await.location();
    let page = browser.get(&world.authorize_url_of(DEMO_MFA_POLICY, &[])).await;
    assert!(type_code(&mut browser, &page, &used).await.has("This code was used already."));
    world.clock.advance(Duration::from_secs(30));
    let next = code(&world);
    assert!(parameter(&type_code(&mut browser, &page, &next).await.location(), "code").is_some());
}

#[tokio::test]
async fn five_wrong_codes_end_the_visit_and_lock_the_factor_for_a_while() {
    let world = enrolled().await;
    let mut browser = world.browser();
    let page = browser.get(&world.authorize_url_of(DEMO_MFA_POLICY, &[])).await;
    let page = type_password(&mut browser, &page).await;
    let wrong = if code(&world) == "000000" { "000001" } else { "000000" };
    for _ in 0..4 {
        assert!(type_code(&mut browser, &page, wrong).await.has("This code is not right."));
    }
    let back = type_code(&mut browser, &page, wrong).await.location();
    assert_eq!(refusal(&back), ("access_denied".into(), "AADB2C90151".into()));

    let page = browser.get(&world.authorize_url_of(DEMO_MFA_POLICY, &[])).await;
    let page = type_password(&mut browser, &page).await;
    let right = code(&world);
    assert!(type_code(&mut browser, &page, &right).await.has("Too many wrong codes."));
    world.clock.advance(Duration::from_secs(301));
    let right = code(&world);
    assert!(parameter(&type_code(&mut browser, &page, &right).await.location(), "code").is_some());
}

#[tokio::test]
async fn a_step_up_asks_the_password_again_when_the_session_is_too_old() {
    let world = enrolled().await;
    let mut browser = world.browser();
    browser.sign_in(&authorize_url(&world, &[])).await;
    world.clock.advance(Duration::from_secs(600));
    let mut shows = async |changes: &[(&str, &str)]| {
        let page = browser.get(&world.authorize_url_of(DEMO_MFA_POLICY, changes)).await;
        (page.has("id=\"password\""), page.has("id=\"verificationCode\""))
    };
    assert_eq!(shows(&[("max_age", "900")]).await, (false, true), "ten minutes are young enough");
    assert_eq!(shows(&[("max_age", "599")]).await, (true, false));
    assert_eq!(shows(&[("max_age", "0")]).await, (true, false));
    assert_eq!(shows(&[("prompt", "login")]).await, (true, false));

    let page = browser.get(&world.authorize_url_of(DEMO_MFA_POLICY, &[("max_age", "0")])).await;
    let hinted = [("max_age", "0"), ("login_hint", EMAIL)];
    let hinted = browser.get(&world.authorize_url_of(DEMO_MFA_POLICY, &hinted)).await;
    assert!(hinted.has(&format!("value=\"{EMAIL}\"")), "the app says who");
    let page = type_password(&mut browser, &page).await;
    let now = code(&world);
    let back = type_code(&mut browser, &page, &now).await.location();
    let tokens = world.redeem_at(DEMO_MFA_POLICY, &back).await;
    assert_eq!(claims(text(&tokens, "access_token"))["auth_time"], NOON + 600);

    let url = authorize_url(&world, &[("max_age", "soon")]);
    assert_eq!(refusal(&browser.get(&url).await.location()).1, "AADB2C90122");
}

#[tokio::test]
async fn nobody_gets_past_the_code_with_the_password_alone() {
    let world = enrolled().await;
    let mut browser = world.browser();
    let page = browser.get(&world.authorize_url_of(DEMO_MFA_POLICY, &[])).await;
    let otp = type_password(&mut browser, &page).await;
    let again = type_password(&mut browser, &page).await;
    assert!(again.has("This page is no longer valid"), "the page stands at the code");
    let skipping = Page { text: otp.text.replace("/ui/second-factor", "/ui/profile"), ..page };
    assert!(browser.submit(&skipping, &[("displayName", "Eve")]).await.has("no longer valid"));
    let silent = world.authorize_url_of(DEMO_MFA_POLICY, &[("prompt", "none")]);
    assert_eq!(refusal(&browser.get(&silent).await.location()).1, "AADB2C90077");
    let back = browser.submit(&otp, &[("action", "cancel")]).await.location();
    assert_eq!(refusal(&back).1, "AADB2C90091");
    assert!(browser.cookie("x-ms-cpim-sso").is_none(), "nobody is signed in by half");
    assert_eq!(world.emulator.control().count(Event::SignedIn), 0);
}

async fn elsewhere(path: &str, changes: &[(&str, &str)], user_in: impl Fn(&World)) -> Value {
    let world = World::start().await;
    user_in(&world);
    let mut browser = world.browser();
    let mut request = vec![("scope", "openid offline_access")];
    request.extend(changes);
    let url = authorize_url_at(&world.url(&format!("{path}/authorize")), &request);
    let page = browser.get(&url).await;
    let page = type_password(&mut browser, &page).await;
    let secret = between(&page.text, "id=\"otpSecret\">", "<").replace(' ', "");
    let back = type_code(&mut browser, &page, &authenticator(&secret, NOON)).await.location();
    let code = parameter(&back, "code").unwrap();
    let (status, body) = world.token_at(&format!("{path}/token"), &code_form(&code)).await;
    assert_eq!(status, 200, "{body}");
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", luminous_emulator::DEMO_APP_CLIENT_ID),
        ("refresh_token", text(&body, "refresh_token")),
    ];
    let (_, refreshed) = world.token_at(&format!("{path}/token"), &refresh).await;
    let proof = |token: &str| {
        let claims = claims(token);
        json!([claims["amr"], claims["acr"], claims["acrs"], claims["auth_time"]])
    };
    let first = proof(text(&body, "access_token"));
    assert_eq!(proof(text(&body, "id_token")), first);
    assert_eq!(proof(text(&refreshed, "access_token")), first, "a refresh proves nothing new");
    first
}

#[tokio::test]
async fn the_plain_issuer_asks_by_acr_values_and_says_how_it_was_proved() {
    let request = [("acr_values", "mfa"), ("max_age", "300")];
    let proof = elsewhere("oidc", &request, |world| {
        world.emulator.control().create_user(EMAIL, "Ana", PASSWORD).unwrap();
    });
    assert_eq!(proof.await, json!([["pwd", "mfa", "otp"], "mfa", null, NOON]));
}

#[tokio::test]
async fn external_id_asks_by_a_claims_request_and_says_how_it_was_proved() {
    let request = [("claims", r#"{"access_token":{"acrs":{"essential":true,"value":"c1"}}}"#)];
    let path = format!("{EXTERNAL_TENANT}/oauth2/v2.0");
    let proof = elsewhere(&path, &request, |world| {
        let (id, name) = (luminous_emulator::EXTERNAL_TENANT_ID, EXTERNAL_TENANT);
        let tenant = luminous_emulator::Tenant::external(name, id);
        let control = world.emulator.control();
        control.create_user_in(&tenant, EMAIL, "Ana", PASSWORD).unwrap();
    });
    assert_eq!(proof.await, json!([["pwd", "mfa", "otp"], null, ["c1"], NOON]));
}
