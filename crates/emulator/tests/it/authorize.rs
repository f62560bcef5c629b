//! The authorize endpoint: what it refuses, where it says so, and how answers travel.

use luminous_emulator::{Client, DEMO_APP_CLIENT_ID, DEMO_REDIRECT_URI, OTHER_POLICY};
use reqwest::StatusCode;

use crate::client::{EMAIL, PASSWORD, STATE, World, authorize_url, between, parameter, redacted};

/// What a request that is refused at the app says.
async fn refused(world: &World, changes: &[(&str, &str)]) -> (String, String) {
    let back = world.browser().get(&authorize_url(world, changes)).await.location();
    assert_eq!(parameter(&back, "state").as_deref(), Some(STATE));
    assert_eq!(parameter(&back, "code"), None);
    let description = redacted(&parameter(&back, "error_description").unwrap());
    let (message, rest) = description.split_once("\r\n").unwrap();
    assert_eq!(rest, "Correlation ID: [id]\r\nTimestamp: 2026-11-22 12:00:00Z\r\n");
    (parameter(&back, "error").unwrap(), message.to_owned())
}

#[tokio::test]
async fn each_refusal_at_the_app_has_b2cs_error_and_text() {
    let world = World::start().await;
    let mut seen = Vec::new();
    for changes in [
        [("scope", "")],
        [("scope", "offline_access")],
        [("scope", "openid calendar")],
        [("scope", "openid https://luminousdemo.onmicrosoft.com/api/none")],
        [("response_type", "id_token token")],
        [("response_type", "ticket")],
        [("response_mode", "pigeon")],
        [("prompt", "none")],
        [("prompt", "maybe")],
        [("code_challenge", "short")],
        [("code_challenge_method", "")],
        [("code_challenge_method", "plain")],
    ] {
        let (error, message) = refused(&world, &changes).await;
        seen.push(format!("{}={} -> {error}: {message}", changes[0].0, changes[0].1));
    }
    let two = format!("openid {} {DEMO_APP_CLIENT_ID}", luminous_emulator::DEMO_SCOPE);
    let (error, message) = refused(&world, &[("scope", &two)]).await;
    seen.push(format!("two resources -> {error}: {message}"));
    let bare = [("code_challenge", ""), ("code_challenge_method", "")];
    let (error, message) = refused(&world, &bare).await;
    seen.push(format!("no challenge -> {error}: {message}"));
    insta::assert_snapshot!("refusals_at_the_app", seen.join("\n"));
}

#[tokio::test]
async fn a_refusal_is_escaped_as_b2c_escapes_it() {
    let world = World::start().await;
    let url = authorize_url(&world, &[("prompt", "none")]);
    let back = world.browser().get(&url).await.location();
    let start = "family.luminous.app://auth/callback?error=interaction_required&error_description=\
                 AADB2C90077%3a+User+does+not+have+an+existing+session+and+request+prompt+\
                 parameter+has+a+value+of+%27None%27.%0d%0aCorrelation+ID%3a+";
    assert!(back.starts_with(start), "{back}");
    let end = "%0d%0aTimestamp%3a+2026-11-22+12%3a00%3a00Z%0d%0a&state=a-state-of-this-sign-in";
    assert!(back.ends_with(end), "{back}");
}

#[tokio::test]
async fn faults_of_client_and_redirect_uri_show_a_page_and_never_redirect() {
    let world = World::with(|config| {
        let mut foreign = Client::native("foreign", &["https://x.example/"]);
        foreign.kind = luminous_emulator::ClientKind::NotForB2c;
        config.clients.push(foreign);
        config.clients.push(Client::native("homeless", &[]));
    })
    .await;
    for (changes, code, words) in [
        (
            ("redirect_uri", "https://evil.example/?a=<b>"),
            "AADB2C90006",
            "The redirect URI &#39;https://evil.example/?a=&#60;b&#62;&#39; provided in the request is not registered for the client id",
        ),
        (
            ("redirect_uri", "http://127.0.0.1:47218/auth/callback"),
            "AADB2C90006",
            "is not registered",
        ),
        (("redirect_uri", ""), "AADB2C90083", "redirect_uri"),
        (("client_id", "homeless"), "AADB2C90007", "has no registered redirect URIs"),
        (("client_id", ""), "AADB2C90008", "does not contain a client ID parameter"),
        (
            ("client_id", "nobody"),
            "AADB2C90018",
            "&#39;nobody&#39; specified in the request is not registered in tenant &#39;luminousdemo.onmicrosoft.com&#39;",
        ),
        (("client_id", "foreign"), "AADB2C90068", "is not valid against this service"),
    ] {
        let page = world.browser().get(&authorize_url(&world, &[changes])).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{changes:?}");
        assert_eq!(page.headers.get("location"), None, "{changes:?}");
        assert!(page.has(code) && page.has(words), "{changes:?}: {}", page.text);
        assert!(page.has("Correlation ID: ") && page.has("Timestamp: 2026-11-22 12:00:00Z"));
    }
    let twice = format!("{}&state=again", authorize_url(&world, &[]));
    assert!(world.browser().get(&twice).await.has("AADB2C90122"));
}

#[tokio::test]
async fn the_answer_travels_in_query_fragment_or_form() {
    let world = World::with_ana(|_| {}).await;
    let query = world.browser().sign_in(&authorize_url(&world, &[])).await;
    let start = format!("{DEMO_REDIRECT_URI}?state={STATE}&code=eyJraWQiOiJjcGltY29yZV8");
    assert!(query.starts_with(&start), "{query}");

    let url = authorize_url(&world, &[("response_mode", "fragment")]);
    let fragment = world.browser().sign_in(&url).await;
    assert!(fragment.starts_with(&start.replace('?', "#")), "{fragment}");

    let local = "http://localhost:47219/auth/callback";
    let changes = [("response_mode", "form_post"), ("redirect_uri", local)];
    let mut browser = world.browser();
    let page = browser.get(&authorize_url(&world, &changes)).await;
    let fields = [("email", EMAIL), ("password", PASSWORD)];
    let page = browser.submit(&page, &fields).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.hidden("state"), STATE);
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", DEMO_APP_CLIENT_ID),
        ("code", &page.hidden("code")),
        ("redirect_uri", local),
        ("code_verifier", crate::client::VERIFIER),
    ];
    assert_eq!(world.token(&form).await.0, StatusCode::OK);
    assert_eq!(between(&page.text, "id=\"auto\" method=\"post\" action=\"", "\""), local);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("form-action http://localhost:47219;"), "{policy}");
    assert!(policy.contains("script-src 'self'"), "{policy}");
}

#[tokio::test]
async fn a_request_may_be_posted() {
    let world = World::start().await;
    let url = authorize_url(&world, &[]);
    let (endpoint, form) = url.split_once('?').unwrap();
    let request = world.http.post(endpoint).body(form.to_owned());
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.text().await.unwrap().contains("id=\"next\""));
}

#[tokio::test]
async fn a_signed_in_browser_needs_no_page_until_asked_to_sign_in_again() {
    let world = World::with_ana(|_| {}).await;
    let mut browser = world.browser();
    browser.sign_in(&authorize_url(&world, &[])).await;
    world.clock.advance(std::time::Duration::from_secs(600));

    for changes in [[("prompt", "")], [("prompt", "none")]] {
        let back = browser.get(&authorize_url(&world, &changes)).await.location();
        let (_, body) = world.redeem(&parameter(&back, "code").unwrap()).await;
        let claims = crate::client::claims(crate::client::text(&body, "id_token"));
        assert_eq!(claims["auth_time"], crate::client::NOON, "the time of the password");
        assert_eq!(claims["iat"], crate::client::NOON + 600);
    }
    for prompt in ["login", "select_account", "consent"] {
        let page = browser.get(&authorize_url(&world, &[("prompt", prompt)])).await;
        assert!(page.has("id=\"password\""), "{prompt}");
    }
    // One session for the tenant, so also at the other policy.
    let other = authorize_url(&world, &[]).replace("B2C_1_signupsignin1", OTHER_POLICY);
    assert!(parameter(&browser.get(&other).await.location(), "code").is_some());
    world.clock.advance(std::time::Duration::from_secs(86_400));
    assert!(browser.get(&authorize_url(&world, &[])).await.has("id=\"password\""));
}

#[tokio::test]
async fn r18_a_confidential_client_may_do_without_a_challenge_and_a_native_one_may_not() {
    let world = World::with_ana(|_| {}).await;
    let web = [
        ("client_id", crate::client::WEB_CLIENT_ID),
        ("redirect_uri", crate::client::WEB_REDIRECT),
        ("code_challenge", ""),
        ("code_challenge_method", ""),
    ];
    let back = world.browser().sign_in(&authorize_url(&world, &web)).await;
    assert!(parameter(&back, "code").is_some());
    let (error, message) = refused(&world, &[("code_challenge", "")]).await;
    assert_eq!(error, "invalid_request");
    assert_eq!(message, "AADB2C90083: The request is missing required parameter: code_challenge.");
}
