//! The profile edit policy, and where its changes show.

use luminous_emulator::{DEMO_EDIT_POLICY, Event};

use crate::client::{
    EMAIL, NAME, PASSWORD, World, authorize_url, claims, parameter, refusal, text,
};

#[tokio::test]
async fn a_changed_name_shows_in_the_sign_in_policys_next_tokens() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    let back = browser.sign_in(&authorize_url(&world, &[])).await;
    let (_, tokens) = world.redeem(&parameter(&back, "code").unwrap()).await;

    let page = browser.get(&world.authorize_url_of(DEMO_EDIT_POLICY, &[])).await;
    assert!(page.has("id=\"displayName\"") && page.has(EMAIL), "the session will do");
    let page = browser.submit(&page, &[("displayName", "  ")]).await;
    assert!(page.has("Enter your name."));
    let back = browser.submit(&page, &[("displayName", " Anna ")]).await.location();
    let edited = world.redeem_at(DEMO_EDIT_POLICY, &back).await;
    let edited = world.verified(text(&edited, "id_token")).await;
    assert_eq!((&edited["name"], &edited["tfp"]), (&"Anna".into(), &DEMO_EDIT_POLICY.into()));

    let (_, refreshed) = world.refresh(text(&tokens, "refresh_token")).await;
    for token in ["id_token", "access_token"] {
        assert_eq!(claims(text(&refreshed, token))["name"], "Anna", "{token}");
    }
    assert_eq!(world.emulator.control().count(Event::ProfileEdited), 1);
}

#[tokio::test]
async fn without_a_session_it_asks_who_it_is_and_makes_no_accounts() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    let page = browser.get(&world.authorize_url_of(DEMO_EDIT_POLICY, &[])).await;
    assert!(page.has("id=\"password\"") && !page.has("createAccount"));
    let there = format!("/ui/sign-up?tx={}", page.hidden("tx"));
    assert_eq!(browser.get(&there).await.status, 404);
    let entry = [("email", EMAIL), ("password", PASSWORD), ("action", "next")];
    let page = browser.submit(&page, &entry).await;
    assert!(page.has("Your profile") && page.has("\u{d8}sterg") || page.has("id=\"displayName\""));
    let back = browser.submit(&page, &[("action", "cancel")]).await.location();
    assert_eq!(refusal(&back), ("access_denied".into(), "AADB2C90091".into()));
    let ana = world.emulator.control().user(EMAIL).unwrap().unwrap();
    assert_eq!(ana.name, NAME, "cancel changes nothing");
}

#[tokio::test]
async fn prompt_none_cannot_show_the_page() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    browser.sign_in(&authorize_url(&world, &[])).await;
    let url = world.authorize_url_of(DEMO_EDIT_POLICY, &[("prompt", "none")]);
    let back = browser.get(&url).await.location();
    assert_eq!(refusal(&back), ("interaction_required".into(), "AADB2C90077".into()));
}
