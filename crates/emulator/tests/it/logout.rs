//! Signing out at the provider.

use luminous_emulator::Event;
use reqwest::StatusCode;

use crate::client::{World, authorize_url, endpoint, redacted};

#[tokio::test]
async fn signing_out_ends_the_browsers_session() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    browser.sign_in(&authorize_url(&world, &[])).await;
    let session = browser.cookie("x-ms-cpim-sso-").unwrap().to_owned();
    let page = browser.get(&world.url(&endpoint("logout"))).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.has("You are signed out"));
    assert_eq!(browser.cookie("x-ms-cpim-sso-"), None);
    assert!(browser.get(&authorize_url(&world, &[])).await.has("id=\"password\""));
    assert_eq!(world.emulator.control().count(Event::SignedOut), 1);

    let old = format!("x-ms-cpim-sso-{}={session}", luminous_emulator::DEMO_TENANT_ID);
    let request = world.http.get(authorize_url(&world, &[])).header("cookie", old);
    let page = request.send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK, "a copied cookie is worth nothing any more");
}

#[tokio::test]
async fn any_https_address_may_follow_and_a_custom_scheme_may_not() {
    let world = World::start().await;
    let logout = |uri: &str| {
        let mut url = url::Url::parse(&world.url(&endpoint("logout"))).unwrap();
        url.query_pairs_mut()
            .append_pair("post_logout_redirect_uri", uri)
            .append_pair("state", "s");
        url.to_string()
    };
    let mut browser = world.browser();
    let location = browser.get(&logout("https://luminous.family/bye?x=1")).await.location();
    assert_eq!(location, "https://luminous.family/bye?x=1&state=s");
    let page = browser.get(&logout("urn:ietf:wg:oauth:2.0:oob")).await;
    assert!(page.has("You are signed out"));
    for uri in ["family.luminous.app://signed-out", "http://localhost:47218/bye", "nonsense"] {
        let page = browser.get(&logout(uri)).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{uri}");
        assert!(page.has("AADB2C90067: The post logout redirect URI &#39;"), "{}", page.text);
        let text = page.text.replace("&#39;", "'").replace('\n', "\r\n");
        let end = "has an invalid format. Specify an https based URL such as \
                   'https://example.com/return' or for native clients use the IETF native client \
                   URI 'urn:ietf:wg:oauth:2.0:oob'.\r\nCorrelation ID: [id]\r\n";
        assert!(redacted(&text).contains(end), "{text}");
    }
}
