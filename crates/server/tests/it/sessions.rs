//! Where one is signed in, and signing out everywhere.

use std::time::Duration;

use luminous_domain::WebSessionId;
use luminous_store::NewWebSession;
use serde_json::json;

use crate::home::Home;
use crate::rig::Someone;

/// A browser that is signed in, as the web sign-in makes one.
async fn browser(home: &Home, person: &Someone, number: u8) -> WebSessionId {
    let (account, act) = home.rig.arrive(person).await;
    let new = NewWebSession {
        id: WebSessionId::from_uuid(uuid::Uuid::from_u128(u128::from(number))),
        token: [number; 32],
        account,
        user_agent: format!("Browser {number}"),
        auth_time: None,
        is_email_unverified: false,
        idle: Duration::from_secs(3600),
        lifetime: Duration::from_secs(7200),
    };
    home.rig.store.open_session(&new, None, &act).await.unwrap().id
}

#[tokio::test]
async fn a_browser_is_listed_and_can_be_signed_out_by_its_owner_only() {
    let home = Home::start().await;
    let (ana, eve) = (home.person("Ana"), home.person("Eve"));
    let first = browser(&home, &ana, 1).await;
    home.rig.pass(Duration::from_secs(60));
    let second = browser(&home, &ana, 2).await;
    let list = home.with(&ana).get("/api/me/sessions").await.json();
    let ids: Vec<_> =
        list["sessions"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(ids, [json!(second), json!(first)]);
    assert_eq!(list["sessions"][1]["user_agent"], "Browser 1");

    let path = format!("/api/me/sessions/{first}");
    assert_eq!(home.with(&eve).delete(&path).await.outcome(), "404 resource.not_found");
    assert_eq!(home.with(&ana).delete(&path).await.status, 204);
    assert_eq!(home.with(&ana).delete(&path).await.outcome(), "404 resource.not_found");
    assert_eq!(
        home.with(&ana).delete("/api/me/sessions/x").await.outcome(),
        "404 resource.not_found"
    );
    let left = home.with(&ana).get("/api/me/sessions").await.json();
    assert_eq!(left["sessions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn v21_signing_out_everywhere_ends_every_browser_and_every_older_token() {
    let home = Home::start().await;
    let (ana, ben) = (home.person("Ana"), home.person("Ben"));
    browser(&home, &ana, 1).await;
    let (older, bens) = (home.rig.token(&ana), home.rig.token(&ben));
    // In the cache, as a token in use is.
    assert_eq!(home.bearer(older.clone()).get("/api/me").await.status, 200);
    home.rig.pass(Duration::from_secs(1));
    let done = home.with(&ana).post("/api/me/sign-out-everywhere", json!({})).await;
    assert_eq!(done.status, 204, "{done:?}");
    for path in ["/api/me", "/api/me/export"] {
        assert_eq!(home.bearer(older.clone()).get(path).await.outcome(), "401 token.revoked");
    }
    assert_eq!(home.bearer(bens).get("/api/me").await.status, 200);
    home.rig.pass(Duration::from_secs(1));
    let list = home.with(&ana).get("/api/me/sessions").await;
    assert_eq!(list.json()["sessions"], json!([]));
}
