//! The phone's page `/link`, seen from a browser.

use std::time::Duration;

use luminous_domain::Role;
use luminous_emulator::{Times, TokenLie};
use luminous_server::config::Proximity;
use luminous_store::LinkState;
use reqwest::Method;
use reqwest::header::{HeaderMap, SET_COOKIE};

use crate::browser::{Browser, Page};
use crate::display::Display;
use crate::home::Home;
use crate::link::stand_in::StandIn;
use crate::rig::{Rig, Someone};

/// Ana, who has a family, and a display that shows a code.
async fn before_a_display() -> (Rig, Someone, StandIn) {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let display = StandIn::new(&rig).await;
    (rig, ana, display)
}

/// Somebody signed in who looks at the first page.
async fn at_link(rig: &Rig, person: &Someone) -> (Browser, Page) {
    let mut browser = Browser::new(rig);
    let page = browser.sign_in("/login?return_to=/link", &person.user.email).await;
    assert_eq!(page.url.path(), "/link");
    (browser, page)
}

/// The page that asks whether it is this display.
async fn question(browser: &mut Browser, page: &Page, display: &StandIn) -> Page {
    let page = browser.press(page, "continue", &[("code", &display.code.grouped())]).await;
    assert_eq!(page.heading(), "Is this the display in front of you?", "{}", page.text);
    page
}

/// The fields of a yes.
fn yes(number: &str) -> [(&'static str, &str); 3] {
    [("number", number), ("name", "Kitchen"), ("room", "Ground floor")]
}

#[tokio::test]
async fn a_display_is_linked_by_typing_its_code_and_its_number() {
    let (rig, ana, display) = before_a_display().await;
    let (mut browser, page) = at_link(&rig, &ana).await;
    assert_eq!(page.outcome(), "200 Link a display");
    let page = question(&mut browser, &page, &display).await;
    for (id, text) in [
        ("display-name", "kitchen-pi"),
        ("display-model", "Raspberry Pi 5"),
        ("display-version", "0.1.0"),
        ("display-shown", "just now"),
        ("display-network", "the same as yours"),
    ] {
        assert_eq!(page.text_of(id), text);
    }
    let number = display.number(&rig).await;
    assert!(!page.text.contains(&format!(">{number}<")), "only the display shows it");
    let done = browser.press(&page, "link", &yes(&number)).await;
    assert_eq!((done.url.path(), done.heading()), ("/link/done", "Kitchen is linked".to_owned()));
    assert_eq!(done.text_of("room"), "Ground floor");
    assert_eq!(display.state(&rig).await, LinkState::Linked);
    let home = browser.go("/").await;
    assert!(home.text.contains("<li>Kitchen</li>"), "{}", home.text);

    let undone = browser.press(&done, "undo", &[]).await;
    assert_eq!(undone.heading(), "Undone");
    assert!(rig.store.devices(ana.family()).await.unwrap().is_empty());
    let again = browser.press(&done, "undo", &[]).await;
    assert_eq!(again.outcome(), "404 There is nothing left to undo");
}

#[tokio::test]
async fn d14_declining_comes_first_and_has_the_focus() {
    let (rig, ana, display) = before_a_display().await;
    let (mut browser, page) = at_link(&rig, &ana).await;
    let page = question(&mut browser, &page, &display).await;
    let focused: Vec<_> = page.text.match_indices(" autofocus").collect();
    assert_eq!(focused.len(), 1);
    let focus = &page.text[..focused[0].0];
    let tag = &focus[focus.rfind('<').unwrap()..];
    assert!(tag.contains("id=\"decline\""), "{tag}");
    assert!(page.text.find("id=\"decline\"") < page.text.find("id=\"link\""));
    let declined = browser.press(&page, "decline", &[]).await;
    assert_eq!(declined.heading(), "Declined");
    assert_eq!(display.state(&rig).await, LinkState::Denied);
    assert!(rig.store.devices(ana.family()).await.unwrap().is_empty());
}

#[tokio::test]
async fn d14_a_code_in_the_address_is_not_looked_at() {
    let (rig, ana, display) = before_a_display().await;
    let (mut browser, _) = at_link(&rig, &ana).await;
    let code = display.code.expose();
    for query in [format!("code={code}"), format!("user_code={code}"), format!("c={code}&near=yes")]
    {
        let page = browser.go(&format!("/link?{query}")).await;
        assert_eq!(page.heading(), "Link a display");
        assert!(!page.text.contains(code), "{query}");
    }
    assert_eq!(display.state(&rig).await, LinkState::Pending);
}

#[tokio::test]
async fn a_photograph_leads_to_the_question_and_leaves_the_address_at_once() {
    let (rig, ana, display) = before_a_display().await;
    let mut browser = Browser::new(&rig);
    let first = browser.peek(&format!("/link?qr={}", display.qr)).await;
    assert_eq!(first.status, 303);
    assert_eq!(first.leads_to().unwrap().as_str(), format!("{}/link", rig.base));
    let cookie = first.headers[SET_COOKIE].to_str().unwrap().replace(&display.qr, "..");
    let expected = "luminous-photograph=..; Path=/; Max-Age=600; HttpOnly; SameSite=Lax";
    assert_eq!(cookie, expected);
    assert_eq!(first.headers["referrer-policy"], "same-origin");
    assert_eq!(first.headers["cache-control"], "no-store");

    let welcome = browser.follow(first).await;
    assert_eq!(welcome.text_of("signIn"), "Sign in");
    let provider = browser.click(&welcome, "signIn").await;
    let page = browser.identify(&provider, &ana.user.email).await;
    assert_eq!(page.heading(), "You photographed a display");
    assert_eq!(display.state(&rig).await, LinkState::Pending, "looking at a page changes nothing");
    let page = browser.press(&page, "continue", &[]).await;
    assert_eq!(page.heading(), "Is this the display in front of you?");
    assert!(!page.text.contains(&display.qr) && !page.text.contains(display.code.expose()));
    let number = display.number(&rig).await;
    let done = browser.press(&page, "link", &yes(&number)).await;
    assert_eq!(done.heading(), "Kitchen is linked");
    assert!(!browser.cookies.contains_key("luminous-photograph"), "it is used up");
}

#[tokio::test]
async fn over_tls_the_photograph_is_kept_like_the_other_cookies() {
    let public = "https://family.example";
    let rig = Rig::with(|config, _| config.public_url = Some(public.parse().unwrap())).await;
    let mut browser = Browser::behind(&rig, public);
    let page = browser.peek("/link?qr=AAAAAAAAAAAAAAAAAAAAAA").await;
    let cookie = page.headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-luminous-photograph="), "{cookie}");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    assert_eq!(page.leads_to().unwrap().as_str(), format!("{public}/link"));
}

#[tokio::test]
async fn d4_a_photograph_works_while_codes_are_locked() {
    let (rig, ana, display) = before_a_display().await;
    let (mut browser, page) = at_link(&rig, &ana).await;
    for _ in 0..5 {
        let wrong = browser.press(&page, "continue", &[("code", "000 000")]).await;
        assert_eq!(wrong.outcome(), "400 Link a display");
        assert!(wrong.text_of("fault").is_empty(), "the text is in a paragraph");
        assert!(wrong.text.contains("No display shows this code now"), "{}", wrong.text);
    }
    let code = display.code.grouped();
    let locked = browser.press(&page, "continue", &[("code", &code)]).await;
    assert_eq!(locked.outcome(), "429 Too many wrong codes");
    assert!(locked.text.contains("Wait ten minutes, or photograph the QR"), "{}", locked.text);
    assert_eq!(locked.headers["retry-after"], "600");
    let page = browser.go(&format!("/link?qr={}", display.qr)).await;
    let page = browser.press(&page, "continue", &[]).await;
    assert_eq!(page.heading(), "Is this the display in front of you?");
}

#[tokio::test]
async fn a_photograph_of_an_older_code_says_so_and_one_may_type_instead() {
    let (rig, ana, display) = before_a_display().await;
    let (mut browser, _) = at_link(&rig, &ana).await;
    let scanned = browser.go(&format!("/link?qr={}", display.qr)).await;
    let typing = browser.click(&scanned, "type").await;
    assert_eq!(typing.heading(), "Link a display");
    assert!(!browser.cookies.contains_key("luminous-photograph"));

    let scanned = browser.go(&format!("/link?qr={}", display.qr)).await;
    rig.pass(Duration::from_secs(601));
    let old = browser.press(&scanned, "continue", &[]).await;
    assert_eq!(old.outcome(), "404 This picture is too old");
    for nonsense in ["", "short", "<script>alert(1)</script>", "%0d%0aset-cookie:a=b"] {
        let page = browser.go(&format!("/link?qr={nonsense}")).await;
        assert_eq!(page.heading(), "Link a display", "{nonsense}");
        assert!(!browser.cookies.contains_key("luminous-photograph"));
    }
}

#[tokio::test]
async fn d15_a_wrong_number_burns_the_code_and_a_mistyped_form_does_not() {
    let (rig, ana, display) = before_a_display().await;
    let (mut browser, page) = at_link(&rig, &ana).await;
    let page = question(&mut browser, &page, &display).await;
    let number = display.number(&rig).await;
    for (fields, fault) in [
        ([("number", "7"), ("name", "Kitchen"), ("room", "")], "Type the two digits"),
        ([("number", &*number), ("name", " "), ("room", "Hall")], "A name has 1 to 60"),
        (
            [("number", &*number), ("name", "Kitchen"), ("room", "\u{202e}Hall")],
            "A name has 1 to 60",
        ),
    ] {
        let again = browser.press(&page, "link", &fields).await;
        assert_eq!(again.heading(), "Is this the display in front of you?");
        assert!(again.status == 400 && again.text.contains(fault), "{}", again.text);
        let focus = again.text.find(" autofocus").unwrap();
        assert!(focus > again.text.find("id=\"number\"").unwrap(), "where there is to mend");
    }
    // Also while the family is locked out of typing codes: what was asked is asked.
    let start = browser.go("/link").await;
    for _ in 0..5 {
        browser.press(&start, "continue", &[("code", "000 000")]).await;
    }
    let again = browser.press(&page, "link", &[("number", "7"), ("name", "Hall")]).await;
    assert_eq!(again.heading(), "Is this the display in front of you?");
    assert!(again.text.contains("value=\"Hall\""), "{}", again.text);
    let wrong = display.other_number(&rig).await;
    let burned = browser.press(&page, "link", &yes(&wrong)).await;
    assert_eq!(burned.outcome(), "409 That was not the number");
    assert_eq!(display.state(&rig).await, LinkState::Denied);
    let stale = browser.press(&page, "link", &yes(&number)).await;
    assert_eq!(stale.outcome(), "404 This code is over");
}

#[tokio::test]
async fn d16_a_display_elsewhere_takes_one_step_more() {
    for (proximity, heading) in [
        (Proximity::Warn, "This display is somewhere else"),
        (Proximity::Require, "Only from close by"),
    ] {
        let rig = Rig::with(|config, _| config.displays.proximity = proximity).await;
        let ana = rig.owner("ana").await;
        let far = [203, 0, 113, 9].into();
        let display = StandIn::at(&rig, far).await;
        let (mut browser, page) = at_link(&rig, &ana).await;
        let page = browser.press(&page, "continue", &[("code", display.code.expose())]).await;
        assert_eq!(page.heading(), heading);
        if proximity == Proximity::Require {
            assert_eq!(page.status, 403);
            continue;
        }
        assert_eq!(page.text_of("display-network"), "another one than yours");
        assert!(!page.text.contains("name=\"number\""), "not yet");
        let page = browser.press(&page, "near", &[]).await;
        assert_eq!(page.heading(), "Is this the display in front of you?");
        let number = display.number(&rig).await;
        let done = browser.press(&page, "link", &yes(&number)).await;
        assert_eq!(done.heading(), "Kitchen is linked");
    }
}

#[tokio::test]
async fn a_form_sent_twice_links_once_and_shows_the_same_end() {
    let (rig, ana, display) = before_a_display().await;
    let (mut browser, page) = at_link(&rig, &ana).await;
    let page = question(&mut browser, &page, &display).await;
    let number = display.number(&rig).await;
    let once = browser.press(&page, "link", &yes(&number)).await;
    let twice = browser.press(&page, "link", &yes(&number)).await;
    assert_eq!((once.url, once.text), (twice.url, twice.text));
    assert_eq!(rig.store.devices(ana.family()).await.unwrap().len(), 1);
    // Another display of the same name, whose own answer comes too late, is not said to be linked.
    let other = StandIn::called(&rig, "hall-pi").await;
    let start = browser.go("/link").await;
    let asked = question(&mut browser, &start, &other).await;
    let number = other.number(&rig).await;
    browser.press(&asked, "decline", &[]).await;
    let late = browser.press(&asked, "link", &yes(&number)).await;
    assert_eq!(late.outcome(), "404 This code is over");
    // Going back and declining what was linked declines nothing.
    let back = browser.press(&page, "decline", &[]).await;
    assert_eq!(back.outcome(), "404 This code is over");
    assert_eq!(display.state(&rig).await, LinkState::Linked);
}

#[tokio::test]
async fn an_older_page_is_over_after_three_minutes_and_nobody_elses_page_is_ones_own() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let ben = rig.member(&ana, "ben", Role::Adult).await;
    let display = StandIn::new(&rig).await;
    let (mut hers, page) = at_link(&rig, &ana).await;
    let asked = question(&mut hers, &page, &display).await;
    let number = display.number(&rig).await;
    let (mut his, page) = at_link(&rig, &ben).await;
    let (_, form) = page.form("continue", &[]);
    let csrf = form.iter().find(|(name, _)| name == "csrf").unwrap().clone();
    let (url, mut stolen) = asked.form("link", &yes(&number));
    stolen.retain(|(name, _)| name != "csrf");
    stolen.push(csrf);
    let answer = his.send(Method::POST, &url, Some(&stolen), HeaderMap::new()).await;
    assert_eq!(answer.outcome(), "404 This code is over");
    rig.pass(Duration::from_secs(181));
    let late = hers.press(&asked, "link", &yes(&number)).await;
    assert_eq!(late.outcome(), "404 This code is over");
    assert!(rig.store.devices(ana.family()).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_may_not_link_is_told_who_may() {
    let (rig, ana, display) = before_a_display().await;
    for (name, role) in [("tim", Role::Teen), ("kim", Role::Child), ("gus", Role::Caregiver)] {
        let person = rig.member(&ana, name, role).await;
        let (mut browser, page) = at_link(&rig, &person).await;
        assert_eq!(page.outcome(), "403 Adults link displays");
        let home = browser.go("/").await;
        assert!(!home.text.contains("href=\"/link\""));
        let (url, form) = home.form("signOut", &[("code", display.code.expose())]);
        let link = url.join("/link").unwrap();
        let forced = browser.send(Method::POST, &link, Some(&form), HeaderMap::new()).await;
        assert_eq!(forced.outcome(), "403 Adults link displays");
    }
    let outside = rig.someone("nora");
    let (_, page) = at_link(&rig, &outside).await;
    assert_eq!(page.outcome(), "409 First, a family");
    assert_eq!(display.state(&rig).await, LinkState::Pending);
}

#[tokio::test]
async fn d12_whose_address_nobody_vouches_for_links_nothing_from_a_phone() {
    let (rig, ana, display) = before_a_display().await;
    rig.emulator.control().lie(TokenLie::EmailUnverified, Times::Always);
    let (mut browser, page) = at_link(&rig, &ana).await;
    let refused = "403 Confirm your address first";
    assert_eq!(page.outcome(), refused);
    let home = browser.go("/").await;
    let (url, form) = home.form("signOut", &[("code", display.code.expose())]);
    for path in ["/link", "/link/confirm", "/link/decline"] {
        let mut form = form.clone();
        for (name, value) in yes("42").into_iter().chain([("challenge", "none")]) {
            form.push((name.to_owned(), value.to_owned()));
        }
        let there = url.join(path).unwrap();
        let forced = browser.send(Method::POST, &there, Some(&form), HeaderMap::new()).await;
        assert_eq!(forced.outcome(), refused, "{path}");
    }
    assert_eq!(display.state(&rig).await, LinkState::Pending);

    rig.emulator.control().clear();
    let (mut browser, page) = at_link(&rig, &ana).await;
    question(&mut browser, &page, &display).await;
}

#[tokio::test]
async fn a_form_from_elsewhere_links_nothing() {
    let (rig, ana, display) = before_a_display().await;
    let (mut browser, page) = at_link(&rig, &ana).await;
    let asked = question(&mut browser, &page, &display).await;
    let number = display.number(&rig).await;
    for (button, fields) in [("link", yes(&number).to_vec()), ("decline", Vec::new())] {
        let (url, form) = asked.form(button, &fields);
        let mut evil = HeaderMap::new();
        evil.insert("origin", "https://evil.example".parse().unwrap());
        let answer = browser.send(Method::POST, &url, Some(&form), evil).await;
        assert_eq!(answer.status, 403, "{button} from another origin");
        let bare: Vec<_> = form.into_iter().filter(|(name, _)| name != "csrf").collect();
        let answer = browser.send(Method::POST, &url, Some(&bare), HeaderMap::new()).await;
        assert_eq!(answer.status, 403, "{button} without a token");
    }
    assert!(matches!(display.state(&rig).await, LinkState::Claimed { .. }));
}

#[tokio::test]
async fn u4_what_a_display_says_of_itself_is_text() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    for name in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "'-alert(1)-'",
        "javascript:alert(1)",
        "</dd><form action=https://evil.example><input name=code>",
        "{{7*7}}${7*7}",
    ] {
        let display = StandIn::called(&rig, name).await;
        let (mut browser, page) = at_link(&rig, &ana).await;
        let page = question(&mut browser, &page, &display).await;
        let shown = page.text_of("display-name");
        assert!(!shown.contains(['<', '"']) && !shown.contains("49"), "{shown}");
        for raw in ["<script", "<img src=x", "<form action=https"] {
            assert!(!page.text.contains(raw), "{name}: {raw}");
        }
        let number = display.number(&rig).await;
        let named = [("number", &*number), ("name", name), ("room", name)];
        let done = browser.press(&page, "link", &named).await;
        assert!(done.heading().ends_with("is linked"), "{}", done.text);
        assert!(!done.text.contains("<script") && !done.text.contains("<img src=x"));
        let policy = done.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
}

#[tokio::test]
async fn a_display_that_comes_back_is_offered_its_former_place() {
    let home = Home { rig: Rig::start().await };
    let rig = &home.rig;
    let ana = rig.owner("ana").await;
    let first = StandIn::new(rig).await;
    let linked = crate::link::link(&home, &ana, &first).await;
    let again = first.again(rig).await;
    let (mut browser, page) = at_link(rig, &ana).await;
    let page = question(&mut browser, &page, &again).await;
    assert!(page.text_of("former").starts_with("It was yours before, as Kitchen."));
    assert!(page.text.contains("name=\"name\" type=\"text\" value=\"Kitchen\""), "{}", page.text);
    let number = again.number(rig).await;
    let done = browser.press(&page, "link", &yes(&number)).await;
    assert!(done.url.query().unwrap().contains(linked["id"].as_str().unwrap()));
}

#[tokio::test]
async fn the_page_speaks_the_browsers_language() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let (mut browser, _) = at_link(&rig, &ana).await;
    for (language, heading) in [
        ("de-AT", "Bildschirm verbinden"),
        ("es", "Vincular una pantalla"),
        ("fr", "Link a display"),
    ] {
        browser.language = language;
        assert_eq!(browser.go("/link").await.heading(), heading);
    }
}

/// Nothing here is made up: the display asks over HTTP with proofs of its key, somebody follows the
/// address in its QR, and it reads the wall with the tokens it gets.
#[tokio::test]
async fn from_the_qr_on_a_wall_to_the_names_on_it_and_back() {
    let rig = Rig::start().await;
    let ana = rig.owner("ana").await;
    let mut wall = Display::showing(&rig).await;
    let qr = wall.code("verification_uri_complete").replace(&rig.base, "");
    let (mut browser, _) = at_link(&rig, &ana).await;
    let page = browser.go(&qr).await;
    assert_eq!(page.url.as_str(), format!("{}/link", rig.base));
    let page = browser.press(&page, "continue", &[]).await;
    assert_eq!(page.text_of("display-name"), "kitchen-pi");
    assert_eq!(page.text_of("display-network"), "the same as yours");
    let pending = wall.redeem(&rig).await;
    assert_eq!(pending.oauth(), "400 authorization_pending");
    let number = pending.json()["match_number"].as_str().unwrap().to_owned();
    let done = browser.press(&page, "link", &yes(&number)).await;
    assert_eq!(done.heading(), "Kitchen is linked");

    rig.pass(Duration::from_secs(6));
    assert_eq!(wall.redeem(&rig).await.oauth(), "200");
    let shown = wall.get(&rig, "/api/wall").await;
    assert_eq!(shown.outcome(), "200");
    let shown = shown.json();
    assert_eq!(shown["device"], serde_json::json!({ "name": "Kitchen", "room": "Ground floor" }));
    assert_eq!(shown["members"][0]["name"], "ana");

    assert_eq!(browser.press(&done, "undo", &[]).await.heading(), "Undone");
    assert_eq!(wall.get(&rig, "/api/wall").await.outcome(), "401 device.revoked");
}

#[tokio::test]
async fn a_display_is_linked_by_the_code_it_asked_for_over_http() {
    let home = Home { rig: Rig::start().await };
    let ana = home.rig.found(home.person("Ana")).await;
    let mut wall = Display::showing(&home.rig).await;
    let caller = home.with(&ana);
    let asked = crate::link::look_up(&caller, wall.code("user_code")).await.json();
    assert_eq!(asked["same_network"], true);
    let number = wall.redeem(&home.rig).await.json()["match_number"].clone();
    let linked = crate::link::confirm(&caller, &asked["challenge"], number.as_str().unwrap()).await;
    assert_eq!(linked.outcome(), "200");
    home.rig.pass(Duration::from_secs(6));
    assert_eq!(wall.redeem(&home.rig).await.oauth(), "200");
    assert_eq!(wall.token("device_id"), linked.json()["id"]);
}
