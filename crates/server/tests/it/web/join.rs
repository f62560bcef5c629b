//! The page `/join`, seen from a browser.

use std::time::Duration;

use luminous_domain::{InviteCode, OsEntropy, Role};
use reqwest::Method;
use serde_json::json;

use super::signed_in;
use crate::browser::Browser;
use crate::rig::{Rig, Someone};

/// An invitation into the family of `host`, as it is typed.
async fn invitation(rig: &Rig, host: &Someone, role: Role) -> String {
    let path = format!("/api/families/{}/invites", host.family());
    let body = json!({ "role": role.as_str() });
    let answer = rig.send(Method::POST, &path, &rig.fresh_token(host), &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_invitation_is_looked_at_and_taken_up_in_a_browser() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let code = invitation(&rig, &ana, Role::Adult).await;
    let ben = rig.someone("ben");
    let mut browser = Browser::new(&rig);
    let front = browser.go("/join").await;
    assert_eq!(front.heading(), "Join a family", "but first, who are you?");
    let page = browser.click(&front, "signIn").await;
    let page = browser.identify(&page, &ben.user.email).await;
    assert_eq!(page.url.path(), "/join");
    let offer = browser.press(&page, "continue", &[("code", &code.to_lowercase())]).await;
    assert_eq!(offer.text_of("family"), "The family of ana");
    assert!(offer.text.contains("ana invites you"), "{}", offer.text);
    assert!(offer.text.contains("with the role: Adult"), "{}", offer.text);
    assert!(!offer.url.as_str().contains(&code[..5]), "no code in an address: {}", offer.url);
    let home = browser.press(&offer, "accept", &[]).await;
    assert_eq!(home.url.path(), "/");
    assert_eq!(
        (home.text_of("family"), home.text_of("role")),
        ("The family of ana".into(), "Adult".into())
    );
    let again = browser.go("/join").await;
    assert_eq!(again.outcome(), "409 You are in a family already");
}

#[tokio::test]
async fn wrong_codes_are_said_and_after_ten_even_the_right_one_is_not_heard() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let code = invitation(&rig, &ana, Role::Teen).await;
    let (mut browser, _) = signed_in(&rig, &rig.someone("ben")).await;
    let page = browser.go("/join").await;
    let odd = browser.press(&page, "continue", &[("code", "12345")]).await;
    assert_eq!(odd.status, 400);
    assert!(odd.text.contains("That can&#39;t be a code"), "{}", odd.text);
    assert!(odd.text.contains("value=\"12345\""), "to be mended: {}", odd.text);
    for _ in 0..10 {
        let wrong = InviteCode::new(&OsEntropy).unwrap();
        let answer = browser.press(&page, "continue", &[("code", wrong.expose())]).await;
        assert!(answer.text.contains("There is no open invitation"), "{}", answer.text);
    }
    let answer = browser.press(&page, "continue", &[("code", &code)]).await;
    assert_eq!(answer.outcome(), "429 Too many wrong codes");
    rig.pass(Duration::from_secs(601));
    let offer = browser.press(&page, "continue", &[("code", &code)]).await;
    assert_eq!(offer.text_of("family"), "The family of ana");
}
