//! Sign-in for browsers, against the real emulator, seen from a browser (RFC 9700).

mod join;
mod sessions;

use std::time::Duration;

use luminous_emulator::{
    DEMO_POLICY, DEMO_RESET_POLICY, Endpoint, Fault, RedirectLie, ResponseLie, Times, TokenLie,
};
use luminous_server::config::Hint;
use reqwest::Method;
use reqwest::header::{HeaderMap, SET_COOKIE};
use url::Url;

use crate::browser::{Browser, Page, parameter};
use crate::rig::{Answer, Rig, Someone};

const PUBLIC: &str = "https://family.example";

/// The server behind a proxy that speaks TLS for it.
async fn behind_tls() -> Rig {
    Rig::with(|config, emulator| {
        config.public_url = Some(PUBLIC.parse().unwrap());
        let callback = format!("{PUBLIC}/callback");
        *emulator = emulator.clone().with_web_redirects(&[&callback]);
    })
    .await
}

/// Signs somebody in and shows them their page.
async fn signed_in(rig: &Rig, someone: &Someone) -> (Browser, Page) {
    let mut browser = Browser::new(rig);
    let page = browser.sign_in("/login", &someone.user.email).await;
    assert_eq!(page.status, 200, "{}", page.text);
    (browser, page)
}

fn figures(rig: &Rig) -> String {
    rig.server.state().meters().render(0)
}

#[tokio::test]
async fn a_person_signs_in_and_sees_their_own_place() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let (mut browser, page) = signed_in(&rig, &ana).await;
    assert_eq!(page.url.as_str(), format!("{}/", rig.base));
    assert_eq!(page.heading(), "Hello, ana");
    assert_eq!(page.text_of("family"), "The family of ana");
    assert_eq!(page.text_of("role"), "Owner");
    assert_eq!(browser.go("/").await.heading(), "Hello, ana", "and stays signed in");
    let (account, _) = rig.arrive(&ana).await;
    let sessions = rig.store.sessions(account).await.unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].user_agent, "A test's browser");
    assert!(sessions[0].auth_time.is_some());
}

#[tokio::test]
async fn a_page_that_was_asked_for_is_where_one_arrives() {
    let rig = Rig::start().await;
    let ben = rig.someone("ben");
    let mut browser = Browser::new(&rig);
    let page = browser.sign_in("/login?return_to=/join", &ben.user.email).await;
    assert_eq!(page.url.path(), "/join");
    assert_eq!(page.heading(), "Join a family");
}

#[tokio::test]
async fn a_link_that_leads_elsewhere_is_not_followed() {
    let rig = Rig::start().await;
    let mut browser = Browser::new(&rig);
    for place in [
        "//evil.example",
        "/%5Cevil.example",
        "https://evil.example",
        "/%09/evil.example",
        "javascript:alert(1)",
        "%0d%0aset-cookie:a=b",
        "",
    ] {
        let page = browser.peek(&format!("/login?return_to={place}")).await;
        assert_eq!(page.status, 400, "{place}");
        assert_eq!(page.heading(), "This link is not right", "{place}");
        assert!(!page.headers.contains_key(SET_COOKIE), "{place}");
    }
}

#[tokio::test]
async fn the_provider_is_asked_with_state_nonce_and_pkce_for_who_it_is_and_no_more() {
    let rig = Rig::start().await;
    let mut browser = Browser::new(&rig);
    let (one, two) = (browser.peek("/login").await, browser.peek("/login").await);
    assert_eq!(one.status, 303);
    let (one, two) = (one.leads_to().unwrap(), two.leads_to().unwrap());
    assert!(one.path().to_lowercase().contains(&DEMO_POLICY.to_lowercase()), "{one}");
    let fixed: Vec<_> = ["response_type", "response_mode", "code_challenge_method", "ui_locales"]
        .map(|name| parameter(&one, name).unwrap())
        .into();
    assert_eq!(fixed, ["code", "query", "S256", "en"]);
    let redirect_uri = parameter(&one, "redirect_uri").unwrap();
    assert_eq!(redirect_uri, format!("{}/callback", rig.base));
    assert!(!parameter(&one, "scope").unwrap().contains("offline_access"));
    for name in ["state", "nonce", "code_challenge"] {
        let (one, two) = (parameter(&one, name).unwrap(), parameter(&two, name).unwrap());
        assert_eq!(one.len(), 43, "256 bits of {name}");
        assert_ne!(one, two, "{name}");
    }
}

#[tokio::test]
async fn a_shortcut_goes_straight_to_its_provider_and_only_a_configured_one_does() {
    let google = Hint { domain_hint: "google.com".into(), name: "Google".into() };
    let rig = Rig::with(|config, _| config.issuers[0].hints.push(google)).await;
    let mut browser = Browser::new(&rig);
    let front = browser.go("/").await;
    assert!(front.text.contains("Continue with Google"), "{}", front.text);
    assert!(front.text.contains("provider=google.com"), "{}", front.text);
    let hinted = browser.peek("/login?provider=google.com").await.leads_to().unwrap();
    assert_eq!(parameter(&hinted, "domain_hint").as_deref(), Some("google.com"));
    let foreign = browser.peek("/login?provider=evil.example").await.leads_to().unwrap();
    assert_eq!(parameter(&foreign, "domain_hint"), None);
    let other = browser.peek("/login?person=another").await.leads_to().unwrap();
    assert_eq!(parameter(&other, "prompt").as_deref(), Some("login"));
}

#[tokio::test]
async fn r3_an_answer_with_another_state_signs_nobody_in_and_cancels_nothing() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let mut browser = Browser::new(&rig);
    let back = browser.answer_for("/login", &ana.user.email).await;
    let state = parameter(&back, "state").unwrap();
    let first = if state.starts_with('A') { "B" } else { "A" };
    let wrong: Url =
        back.as_str().replace(&state, &format!("{first}{}", &state[1..])).parse().unwrap();
    let twice: Url = format!("{back}&state={state}").parse().unwrap();
    let without: Url = back.as_str().replace("state=", "stat=").parse().unwrap();
    for url in [wrong, twice, without] {
        let page = browser.open(&url).await;
        assert_eq!(page.status, 400, "{url}");
        assert_eq!(page.heading(), "This sign-in is no longer open");
        assert_eq!(browser.session(), None);
    }
    assert_eq!(rig.emulator.control().requests(Endpoint::Token), 0, "nothing was asked of anybody");
    let page = browser.open(&back).await;
    assert_eq!(
        (page.status.as_u16(), browser.session().is_some()),
        (303, true),
        "the true one counts"
    );
}

#[tokio::test]
async fn an_answer_counts_only_in_the_browser_that_asked() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let mut hers = Browser::new(&rig);
    let back = hers.answer_for("/login", &ana.user.email).await;
    let mut bystander = Browser::new(&rig);
    assert_eq!(bystander.open(&back).await.status, 400, "no cookie at all");
    bystander.peek("/login").await;
    assert_eq!(bystander.open(&back).await.status, 400, "another browser's cookie");
    assert_eq!(bystander.session(), None);
    assert_eq!(hers.open(&back).await.status, 303, "hers is still open");
}

#[tokio::test]
async fn r4_an_answer_counts_once() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let mut browser = Browser::new(&rig);
    let back = browser.answer_for("/login", &ana.user.email).await;
    let before = browser.cookies.clone();
    assert_eq!(browser.open(&back).await.status, 303);
    browser.cookies = before;
    let again = browser.open(&back).await;
    assert_eq!((again.status.as_u16(), browser.session()), (400, None));
    assert_eq!(rig.emulator.control().requests(Endpoint::Token), 1, "one question only");
}

#[tokio::test]
async fn r5_a_sign_in_is_open_for_ten_minutes() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let mut browser = Browser::new(&rig);
    let back = browser.answer_for("/login", &ana.user.email).await;
    rig.pass(Duration::from_secs(601));
    let late = browser.open(&back).await;
    assert_eq!(late.status, 400);
    assert_eq!(late.heading(), "This sign-in is no longer open");
    assert_eq!(browser.session(), None);
}

#[tokio::test]
async fn r6_two_tabs_may_sign_in_at_once_and_their_answers_may_cross() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let mut browser = Browser::new(&rig);
    let first = browser.answer_for("/login", &ana.user.email).await;
    let second = browser.peek("/login?return_to=/join").await;
    let second =
        browser.send(Method::GET, &second.leads_to().unwrap(), None, HeaderMap::new()).await;
    let second = second.leads_to().expect("the provider knows her by now");
    assert_eq!(browser.open(&second).await.leads_to().unwrap().path(), "/join");
    assert_eq!(browser.open(&first).await.leads_to().unwrap().path(), "/");
    assert!(browser.session().is_some());
    assert_eq!(browser.open(&first).await.status, 400, "each of them once");
}

#[tokio::test]
async fn r8_an_answer_in_another_issuers_name_is_refused() {
    let rig = Rig::with(|_, emulator| emulator.response_iss = true).await;
    let ana = rig.owner("ana").await;
    for (lie, expected) in [(RedirectLie::WrongIss, 400), (RedirectLie::NoIss, 400)] {
        rig.emulator.control().redirect(lie, Times::Next(1));
        let mut browser = Browser::new(&rig);
        let page = browser.sign_in("/login", &ana.user.email).await;
        assert_eq!(page.status, expected, "{lie:?}");
        assert_eq!(page.heading(), "The sign-in didn&#39;t work");
        assert_eq!(browser.session(), None);
    }
    assert_eq!(rig.emulator.control().requests(Endpoint::Token), 0);
    let mut browser = Browser::new(&rig);
    browser.sign_in("/login", &ana.user.email).await;
    assert!(browser.session().is_some(), "the true issuer's answer is accepted");
}

#[tokio::test]
async fn an_id_token_that_does_not_hold_signs_nobody_in() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    for lie in [TokenLie::WrongNonce, TokenLie::WrongKey, TokenLie::WrongAudience] {
        rig.emulator.control().lie(lie, Times::Next(1));
        let mut browser = Browser::new(&rig);
        let page = browser.sign_in("/login", &ana.user.email).await;
        assert_eq!(page.status, 400, "{lie:?}");
        assert_eq!(browser.session(), None, "{lie:?}");
        assert!(page.text.contains("For whoever looks after this server"));
    }
}

#[tokio::test]
async fn a_provider_that_fails_is_a_page_with_a_way_out() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let control = rig.emulator.control();
    let mut browser = Browser::new(&rig);
    let back = browser.answer_for("/login", &ana.user.email).await;
    control.fault(Endpoint::Token, Fault::ServerError, Times::Always);
    let page = browser.open(&back).await;
    assert_eq!(page.status, 503);
    assert_eq!(page.heading(), "Sign-in is out of reach just now");
    assert!(page.text.contains("href=\"/login\""), "{}", page.text);
    let figures = figures(&rig);
    assert!(
        figures.contains("luminous_web_sign_ins_total{outcome=\"redirect.exchange_rejected\"} 1"),
        "{figures}"
    );
}

#[tokio::test]
async fn no_sign_in_begins_while_the_provider_is_away() {
    let rig = Rig::down().await;
    let mut browser = Browser::new(&rig);
    let page = browser.peek("/login").await;
    assert_eq!(page.status, 503);
    assert_eq!(page.heading(), "Sign-in is out of reach just now");
    rig.emulator.control().clear();
    assert_eq!(browser.peek("/login").await.status, 303, "and by itself again");
}

#[tokio::test]
async fn r9_whoever_goes_back_gets_a_quiet_page() {
    let rig = Rig::start().await;
    let mut browser = Browser::new(&rig);
    let page = browser.go("/login").await;
    let page = browser.press(&page, "cancel", &[("email", ""), ("password", "")]).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.heading(), "Not signed in");
    assert!(!page.text.contains("AADB2C"), "{}", page.text);
    assert_eq!(browser.session(), None);
}

#[tokio::test]
async fn r9_a_forgotten_password_leads_to_a_new_one_and_then_in() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let mut browser = Browser::new(&rig);
    let page = browser.go("/login?return_to=/").await;
    let reset = browser.click(&page, "forgotPassword").await;
    let policy = DEMO_RESET_POLICY.to_lowercase();
    assert!(reset.url.as_str().to_lowercase().contains(&policy), "{}", reset.url);
    let email = ana.user.email.as_str();
    let code = browser.press(&reset, "sendCode", &[("email", email)]).await;
    let mailed = code.text_of("mailedCode");
    let fresh = browser.press(&code, "verifyCode", &[("verificationCode", &mailed)]).await;
    let password = "another horse 8 Battery";
    let fields = [("password", password), ("confirmPassword", password)];
    let page = browser.press(&fresh, "continue", &fields).await;
    // Some providers know the person by now, others ask once more.
    let page = if page.text.contains("id=\"next\"") {
        browser.press(&page, "next", &[("email", email), ("password", password)]).await
    } else {
        page
    };
    assert_eq!(page.heading(), "Hello, ana");
    let figures = figures(&rig);
    assert!(figures.contains("luminous_web_sign_ins_total{outcome=\"ok\"} 1"), "{figures}");
}

#[tokio::test]
async fn cookies_and_headers_are_these() {
    let rig = behind_tls().await;
    let ana = rig.owner("ana").await;
    let mut browser = Browser::behind(&rig, PUBLIC);
    let login = browser.peek("/login").await;
    let page = browser.follow(login.clone()).await;
    let fields = [("email", ana.user.email.as_str()), ("password", "correct horse 7 battery")];
    let back = browser.press_once(&page, "next", &fields).await;
    let callback = browser.open(&back.leads_to().unwrap()).await;
    let front = browser.peek("/").await;
    let provider = rig.emulator.base_url().origin().ascii_serialization();
    let show = |page: &Page| {
        let mut lines: Vec<_> = page
            .headers
            .iter()
            .filter(|(name, _)| {
                !["date", "content-length", "x-request-id"].contains(&name.as_str())
            })
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .map(|line| line.replace(&provider, "{provider}"))
            .map(|line| match line.split_once("luminous-") {
                Some((head, rest)) => {
                    let (name, rest) = rest.split_once('=').unwrap();
                    let (value, flags) = rest.split_once(';').unwrap();
                    let value = if value.is_empty() { "" } else { ".." };
                    format!("{head}luminous-{name}={value};{flags}")
                }
                None => line,
            })
            .map(|line| line.split("/oauth2/").next().unwrap().to_owned())
            .collect();
        lines.sort();
        format!("{}\n{}", page.status, lines.join("\n"))
    };
    let pages = [("login", &login), ("callback", &callback), ("front", &front)];
    let pages = pages.map(|(name, page)| format!("# {name}\n{}", show(page)));
    insta::assert_snapshot!(pages.join("\n\n"));
}

#[tokio::test]
async fn u4_what_people_are_called_is_text_and_no_page_has_a_script() {
    let rig = Rig::start().await;
    let control = rig.emulator.control();
    let name = "\"><img src=x onerror=alert(1)><script>alert(2)</script>";
    control.create_user("eve@example.test", name, "correct horse 7 battery").unwrap();
    let mut browser = Browser::new(&rig);
    let page = browser.sign_in("/login", "eve@example.test").await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("<img src=x"), "{}", page.text);
    assert!(!page.text.contains("<script"), "{}", page.text);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self'; img-src 'self';"),
        "{policy}"
    );
    assert!(!policy.contains("script-src") && !policy.contains("unsafe"), "{policy}");
}

#[tokio::test]
async fn pages_speak_the_browsers_language() {
    let rig = Rig::start().await;
    let mut browser = Browser::new(&rig);
    for (language, heading) in
        [("de-AT,de;q=0.9", "Willkommen"), ("es", "Adelante, pasa"), ("fr", "Come on in")]
    {
        browser.language = language;
        let page = browser.go("/").await;
        assert_eq!(page.heading(), heading);
    }
}

#[tokio::test]
async fn whoever_looks_at_pages_is_refused_with_a_page() {
    let rig = Rig::with(|config, _| config.limits.per_address_per_minute = 6).await;
    let mut browser = Browser::new(&rig);
    browser.language = "de";
    for path in ["/link/confirm", "/join/accept", "/link/nowhere", "/logout/everywhere"] {
        let page = browser.peek(path).await;
        let status = if path == "/link/nowhere" { 404 } else { 405 };
        assert_eq!(page.outcome(), format!("{status} Hier ist keine Seite"));
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(page.headers["cache-control"], "no-store");
    }
    for path in ["/link", "/signed-out"] {
        assert_eq!(browser.peek(path).await.status, 200, "{path}");
    }
    for path in ["/", "/link", "/link/done", "/join/accept", "/signed-out", "/callback"] {
        let page = browser.peek(path).await;
        assert_eq!(page.outcome(), "429 Einen Moment", "{path}");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("style-src 'self'"), "{policy}");
        assert!(page.headers.contains_key("retry-after") && !page.text.contains("problems/"));
    }
    let refused = Answer::of(rig.request(Method::GET, "/api/me")).await;
    assert_eq!(refused.outcome(), "429 request.rate_limited");
}

#[tokio::test]
async fn nothing_that_opens_anything_is_kept_readable() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let mut browser = Browser::new(&rig);
    let back = browser.answer_for("/login", &ana.user.email).await;
    let (state, pending) = (parameter(&back, "state").unwrap(), browser.cookies.clone());
    browser.open(&back).await;
    rig.store.ping().await.unwrap();
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(rig.folder.path()).unwrap() {
        bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    let kept = |secret: &str| bytes.windows(secret.len()).any(|at| at == secret.as_bytes());
    assert!(!kept(&state), "the state");
    assert!(!kept(browser.session().unwrap()), "the session's cookie");
    let (_, cookie) = pending.iter().find(|(name, _)| name.contains("luminous-browser")).unwrap();
    assert!(!kept(cookie), "the browser's cookie");
    assert!(kept("A test's browser"), "the files were looked at");
}

#[tokio::test]
async fn an_answer_that_is_no_json_or_holds_no_id_token_signs_nobody_in() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let mut browser = Browser::new(&rig);
    rig.emulator.control().respond(ResponseLie::NoIdToken, Times::Next(1));
    let page = browser.sign_in("/login", &ana.user.email).await;
    assert_eq!((page.status.as_u16(), browser.session()), (400, None));
}
