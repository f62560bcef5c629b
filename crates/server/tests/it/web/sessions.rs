//! The session of a browser: signing out, its end, and forms that are its own.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;

use super::{PUBLIC, behind_tls, signed_in};
use crate::browser::{Browser, parameter};
use crate::rig::{Answer, Rig};

#[tokio::test]
async fn signing_in_leaves_no_old_cookie_alive() {
    let rig = Rig::start().await;
    let (ana, eve) = (rig.owner("ana").await, rig.someone("eve"));
    let (planter, _) = signed_in(&rig, &eve).await;
    let planted = planter.session().unwrap().to_owned();
    // Somebody put their own session into her browser, and she signs in over it.
    let mut hers = Browser::new(&rig);
    hers.cookies.insert("luminous-session".into(), planted.clone());
    assert_eq!(hers.go("/").await.heading(), "Hello, eve");
    let page = hers.sign_in("/login", &ana.user.email).await;
    assert_eq!(page.heading(), "Hello, ana");
    assert_ne!(hers.session(), Some(planted.as_str()));
    let mut planter = planter;
    assert_eq!(planter.go("/").await.heading(), "Come on in", "the planted one has ended");
}

#[tokio::test]
async fn signing_out_here_ends_this_session_and_no_other() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let (mut phone, page) = signed_in(&rig, &ana).await;
    let (mut tablet, _) = signed_in(&rig, &ana).await;
    let kept = phone.session().unwrap().to_owned();
    let gone = phone.press(&page, "signOut", &[]).await;
    assert_eq!(gone.url.path(), "/signed-out");
    assert_eq!(gone.heading(), "You are signed out");
    assert_eq!(phone.session(), None);
    phone.cookies.insert("luminous-session".into(), kept);
    assert_eq!(phone.go("/").await.heading(), "Come on in", "the cookie is worth nothing now");
    assert_eq!(tablet.go("/").await.heading(), "Hello, ana");
}

#[tokio::test]
async fn v21_signing_out_everywhere_ends_other_browsers_and_tokens_and_the_providers_session() {
    let rig = behind_tls().await;
    let ana = rig.owner("ana").await;
    let token = rig.token(&ana);
    assert_eq!(rig.get("/api/me", &token).await.status, 200);
    let mut phone = Browser::behind(&rig, PUBLIC);
    let page = phone.sign_in("/login", &ana.user.email).await;
    let mut tablet = Browser::behind(&rig, PUBLIC);
    tablet.sign_in("/login", &ana.user.email).await;
    rig.pass(Duration::from_secs(1));
    let away = phone.press_once(&page, "signOutEverywhere", &[]).await;
    let provider = away.leads_to().unwrap();
    assert!(provider.as_str().starts_with(rig.emulator.base_url().as_str()), "{provider}");
    let back = parameter(&provider, "post_logout_redirect_uri");
    assert_eq!(back.as_deref(), Some("https://family.example/signed-out"));
    assert_eq!(parameter(&provider, "id_token_hint"), None, "no token in an address");
    assert_eq!(phone.follow(away).await.heading(), "You are signed out");
    assert_eq!(tablet.go("/").await.heading(), "Come on in");
    assert_eq!(rig.get("/api/me", &token).await.outcome(), "401 token.revoked");
    let asked = phone.go("/login").await;
    assert!(asked.text.contains("id=\"next\""), "the provider asks again who it is");
}

#[tokio::test]
async fn v21_what_the_provider_remembers_of_others_opens_no_session_again() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let (mut phone, page) = signed_in(&rig, &ana).await;
    let (mut tablet, _) = signed_in(&rig, &ana).await;
    rig.pass(Duration::from_secs(1));
    phone.press_once(&page, "signOutEverywhere", &[]).await;
    let asked = tablet.go("/login").await;
    assert!(asked.text.contains("id=\"next\""), "a new proof: {}", asked.text);
    assert_eq!(parameter(&asked.url, "prompt").as_deref(), Some("login"));
    assert_eq!(tablet.go("/").await.heading(), "Come on in", "nobody is signed in before it");
    rig.pass(Duration::from_secs(1));
    let page = tablet.identify(&asked, &ana.user.email).await;
    assert_eq!(page.heading(), "Hello, ana");
}

#[tokio::test]
async fn a_form_without_the_sessions_token_does_nothing() {
    let rig = Rig::start().await;
    let (ana, ben) = (rig.owner("ana").await, rig.owner("ben").await);
    let (mut browser, page) = signed_in(&rig, &ana).await;
    let (_, bens) = signed_in(&rig, &ben).await;
    let (url, right) = page.form("signOutEverywhere", &[]);
    let (_, another) = bens.form("signOutEverywhere", &[]);
    let field = |value: &str| vec![("csrf".to_owned(), value.to_owned())];
    for form in [vec![], field(""), field("wrong"), another] {
        let answer = browser.send(Method::POST, &url, Some(&form), HeaderMap::new()).await;
        assert_eq!(answer.status, 403, "{form:?}");
        assert_eq!(answer.heading(), "That didn&#39;t come from our page");
    }
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        let answer = browser.send(Method::POST, &url, Some(&right), headers).await;
        assert_eq!(answer.status, 403, "{name}: {value}");
    }
    assert_eq!(browser.go("/").await.heading(), "Hello, ana", "nothing was done");
    let answer = browser.send(Method::POST, &url, Some(&right), HeaderMap::new()).await;
    assert_eq!(answer.status, 303, "the right one does it");
}

#[tokio::test]
async fn a_form_of_nobody_leads_to_the_front_page() {
    let rig = Rig::start().await;
    let mut browser = Browser::new(&rig);
    for path in ["/logout", "/logout/everywhere", "/join", "/join/accept"] {
        let url = browser.ours(path);
        let answer = browser.send(Method::POST, &url, Some(&[]), HeaderMap::new()).await;
        assert_eq!(answer.leads_to().unwrap().path(), "/", "{path}");
    }
}

#[tokio::test]
async fn a_session_ends_after_two_weeks_without_use_and_after_ninety_days_with() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let day = Duration::from_secs(86_400);
    let (mut browser, _) = signed_in(&rig, &ana).await;
    for _ in 0..6 {
        rig.pass(day * 13);
        assert_eq!(browser.go("/").await.heading(), "Hello, ana");
    }
    rig.pass(day * 13);
    assert_eq!(browser.go("/").await.heading(), "Come on in", "ninety days are over");
    let (mut browser, _) = signed_in(&rig, &ana).await;
    rig.pass(day * 14 + Duration::from_secs(1));
    assert_eq!(browser.go("/").await.heading(), "Come on in", "two weeks without use");
}

#[tokio::test]
async fn a_session_opens_pages_and_not_the_api() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let (browser, _) = signed_in(&rig, &ana).await;
    let cookie = format!("luminous-session={}", browser.session().unwrap());
    let answer = Answer::of(rig.request(Method::GET, "/api/me").header("cookie", cookie)).await;
    assert_eq!(answer.outcome(), "401 token.missing");
}
