//! The stand-ins for Google, Apple and Microsoft.

use luminous_emulator::{DEMO_MFA_POLICY, Event, IdentityProvider};
use serde_json::Value;

use crate::client::{
    EMAIL, NAME, PASSWORD, World, authorize_url, between, claims, parameter, refusal, text,
};

async fn identity(world: &World, back: &str) -> Value {
    let (status, body) = world.redeem(&parameter(back, "code").unwrap()).await;
    assert_eq!(status, 200, "{body}");
    let id = claims(text(&body, "id_token"));
    assert_eq!(claims(text(&body, "access_token"))["idp"], id["idp"]);
    id
}

#[tokio::test]
async fn a_button_leads_to_a_page_that_says_what_it_is_and_makes_an_account_at_first() {
    let world = World::start().await;
    let mut browser = world.browser();
    for (button, idp) in [
        ("GoogleExchange", "google.com"),
        ("AppleExchange", "apple.com"),
        ("MicrosoftExchange", "live.com"),
    ] {
        let page = browser.get(&authorize_url(&world, &[("prompt", "login")])).await;
        let link = between(
            &page.text,
            &format!("id=\"{button}\" class=\"button provider\" href=\""),
            "\"",
        );
        let page = browser.get(&link.replace("&amp;", "&")).await;
        assert!(page.has("Stand-in") && !page.has("id=\"password\""), "{idp}");
        let entry = [("idp", idp), ("email", EMAIL), ("displayName", "Ana")];
        let first = identity(&world, &browser.submit(&page, &entry).await.location()).await;
        assert_eq!((&first["idp"], &first["newUser"]), (&idp.into(), &true.into()));

        let hint = [("prompt", "login"), ("domain_hint", idp)];
        let page = browser.get(&authorize_url(&world, &hint)).await;
        let oid = between(&page.text, "name=\"account\" value=\"", "\"");
        let entry = [("idp", idp), ("account", oid.as_str())];
        let again = identity(&world, &browser.submit(&page, &entry).await.location()).await;
        assert_eq!((&again["oid"], again.get("newUser")), (&first["oid"], None));
        assert_eq!(first["oid"], oid);
    }
    assert_eq!(world.emulator.control().count(Event::SignedUp), 3, "one address, three people");
}

#[tokio::test]
async fn v16_the_same_address_is_another_person_for_each_who_vouches() {
    let world = World::with_ana(|_| {}).await;
    let local = claims(text(&world.tokens().await, "id_token"));
    assert_eq!(local.get("idp"), None, "an account with a password of its own");
    let mut browser = world.browser();
    let page = browser.get(&authorize_url(&world, &[("domain_hint", "Google.com")])).await;
    assert!(!page.has("name=\"account\""), "it knows nobody yet");
    let entry = [("idp", "google.com"), ("email", EMAIL), ("displayName", NAME)];
    let google = identity(&world, &browser.submit(&page, &entry).await.location()).await;
    assert_ne!(google["oid"], local["oid"]);

    let page = browser.get(&authorize_url(&world, &[("prompt", "login")])).await;
    let oid = text(&google, "oid");
    let link = format!("/ui/provider?tx={}&idp=apple.com", page.hidden("tx"));
    let page = browser.get(&link).await;
    let stolen = [("idp", "apple.com"), ("account", oid)];
    assert!(
        browser.submit(&page, &stolen).await.has("no longer valid"),
        "not Apple's to vouch for"
    );
    let local = [("idp", "apple.com"), ("account", text(&local, "oid"))];
    assert!(browser.submit(&page, &local).await.has("no longer valid"), "nor a local account");
}

#[tokio::test]
async fn cancel_has_a_code_of_its_own_and_what_is_missing_is_said() {
    let world = World::start().await;
    let mut browser = world.browser();
    let page = browser.get(&authorize_url(&world, &[("domain_hint", "apple.com")])).await;
    let entry = [("idp", "apple.com"), ("email", "ana"), ("displayName", "")];
    let refused = browser.submit(&page, &entry).await;
    assert!(
        refused.has("This does not look like an email address.") && refused.has("Enter your name.")
    );
    let cancel = [("idp", "apple.com"), ("action", "cancel")];
    let back = browser.submit(&page, &cancel).await.location();
    assert_eq!(refusal(&back), ("access_denied".into(), "AADB2C90273".into()));
}

#[tokio::test]
async fn unknown_and_unconfigured_providers_do_not_exist() {
    let world =
        World::with(|config| config.identity_providers = vec![IdentityProvider::Google]).await;
    let mut browser = world.browser();
    for hint in ["apple.com", "evil.example"] {
        let page = browser.get(&authorize_url(&world, &[("domain_hint", hint)])).await;
        assert!(page.has("id=\"password\"") && page.has("GoogleExchange"), "{hint}");
        assert!(!page.has("AppleExchange"));
        let link = format!("/ui/provider?tx={}&idp={hint}", page.hidden("tx"));
        assert_eq!(browser.get(&link).await.status, 404);
    }
}

#[tokio::test]
async fn somebody_of_another_provider_shows_a_second_factor_too() {
    let world = World::start().await;
    let mut browser = world.browser();
    let url = world.authorize_url_of(DEMO_MFA_POLICY, &[("domain_hint", "live.com")]);
    let page = browser.get(&url).await;
    let entry = [("idp", "live.com"), ("email", EMAIL), ("displayName", NAME)];
    assert!(browser.submit(&page, &entry).await.has("id=\"otpSecret\""));
}

#[tokio::test]
async fn an_account_without_a_password_has_none_to_guess_or_reset() {
    let world = World::start().await;
    let mut browser = world.browser();
    let page = browser.get(&authorize_url(&world, &[("domain_hint", "google.com")])).await;
    let entry = [("idp", "google.com"), ("email", EMAIL), ("displayName", NAME)];
    browser.submit(&page, &entry).await.location();
    let mut other = world.browser();
    let page = other.get(&authorize_url(&world, &[])).await;
    for password in ["", PASSWORD] {
        let entry = [("email", EMAIL), ("password", password), ("action", "next")];
        assert_eq!(other.submit(&page, &entry).await.status, 200, "still on the page");
    }
    assert_eq!(world.emulator.control().count(Event::SignedIn), 1);
}
