//! Linking a wall display over HTTP (cases.md, section D).

mod audit;
mod limits;
mod races;
pub mod stand_in;

use std::time::Duration;

use luminous_domain::Role;
use luminous_server::config::Proximity;
use luminous_store::{EventKind, LinkState};
use serde_json::{Value, json};

use crate::home::{Caller, Home};
use crate::rig::{Answer, Rig, Someone};
use stand_in::StandIn;

/// A server that believes a proxy on this machine, so that requests can come from anywhere.
pub async fn behind_a_proxy() -> Home {
    let rig = Rig::with(|config, _| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
    });
    Home { rig: rig.await }
}

/// Types a code.
pub async fn look_up(caller: &Caller<'_>, code: &str) -> Answer {
    caller.post("/api/link/lookup", json!({ "user_code": code })).await
}

/// Types the code of `display`, which is right.
pub async fn challenge(caller: &Caller<'_>, display: &StandIn) -> Value {
    let answer = look_up(caller, display.code.expose()).await;
    assert_eq!(answer.outcome(), "200", "{answer:?}");
    answer.json()
}

/// Answers a challenge.
pub async fn confirm(caller: &Caller<'_>, challenge: &Value, number: &str) -> Answer {
    let body = json!({ "challenge": challenge, "number": number, "name": "Kitchen" });
    caller.post("/api/link/confirm", body).await
}

/// Declines a challenge.
pub async fn decline(caller: &Caller<'_>, challenge: &Value) -> Answer {
    caller.post("/api/link/decline", json!({ "challenge": challenge })).await
}

/// Links `display` from the code to the tokens; answers the display as the family sees it then.
pub async fn link(home: &Home, person: &Someone, display: &StandIn) -> Value {
    let caller = home.with(person);
    let challenge = challenge(&caller, display).await;
    let number = display.number(&home.rig).await;
    let linked = confirm(&caller, &challenge["challenge"], &number).await;
    assert_eq!(linked.outcome(), "200", "{linked:?}");
    display.redeem(&home.rig).await;
    linked.json()
}

async fn adult(home: &Home) -> Someone {
    home.rig.found(home.person("Olga")).await
}

#[tokio::test]
async fn d14_a_display_is_linked_with_the_number_that_only_it_shows() {
    let home = Home::start().await;
    let olga = adult(&home).await;
    let caller = home.with(&olga);
    let display = StandIn::new(&home.rig).await;
    home.rig.pass(Duration::from_secs(130));
    let asked = challenge(&caller, &display).await;
    assert!(asked["expires_at_ms"].as_i64().unwrap() <= home.now_ms() + 180_000);
    let seen = [
        ("device_name", json!("kitchen-pi")),
        ("device_model", json!("Raspberry Pi 5")),
        ("app_version", json!("0.1.0")),
        ("minutes_shown", json!(2)),
        ("same_network", json!(true)),
        ("former", Value::Null),
    ];
    for (name, expected) in seen {
        assert_eq!(asked[name], expected, "{name}");
    }
    assert!(!asked.to_string().contains("number"), "only the display shows it");
    let again = challenge(&caller, &display).await;
    assert_eq!(again["challenge"], asked["challenge"], "the same person is asked the same");

    let number = display.number(&home.rig).await;
    let body = json!({
        "challenge": asked["challenge"], "number": number, "name": " Kitchen ", "room": "Ground floor",
    });
    let linked = caller.post("/api/link/confirm", body.clone()).await;
    assert_eq!(linked.outcome(), "200");
    let linked = linked.json();
    assert_eq!(
        (&linked["name"], &linked["room"], &linked["state"], &linked["linked_by_name"]),
        (&json!("Kitchen"), &json!("Ground floor"), &json!("pending"), &json!("Olga"))
    );
    assert_eq!(display.state(&home.rig).await, LinkState::Linked);
    let twice = caller.post("/api/link/confirm", body).await;
    assert_eq!(twice.outcome(), "404 device.code_invalid");
    let figures = home.rig.server.state().meters().render(0);
    for line in [
        "luminous_link_lookups_total{outcome=\"ok\"} 2",
        "luminous_link_confirmations_total{outcome=\"ok\"} 1",
        "luminous_link_confirmations_total{outcome=\"device.code_invalid\"} 1",
    ] {
        assert!(figures.contains(line), "{line}: {figures}");
    }
    let grant = display.redeem(&home.rig).await;
    assert_eq!(json!(grant.device.id.to_string()), linked["id"]);
    let listed = caller.get(&format!("/api/families/{}/devices", olga.family())).await.json();
    assert_eq!(listed["devices"][0]["state"], "active");
}

#[tokio::test]
async fn d1_whatever_is_wrong_with_a_code_looks_the_same() {
    let home = Home::start().await;
    let (olga, otto) = (adult(&home).await, home.rig.found(home.person("Otto")).await);
    let expired = StandIn::new(&home.rig).await;
    home.rig.pass(Duration::from_secs(601));
    let used = StandIn::new(&home.rig).await;
    link(&home, &otto, &used).await;
    let declined = StandIn::new(&home.rig).await;
    let asked = challenge(&home.with(&otto), &declined).await;
    let declining = decline(&home.with(&otto), &asked["challenge"]).await;
    assert_eq!(declining.outcome(), "204");
    let somebody_elses = StandIn::new(&home.rig).await;
    challenge(&home.with(&otto), &somebody_elses).await;
    let mut seen = Vec::new();
    let codes = [&expired, &used, &declined, &somebody_elses].map(|display| display.code.expose());
    for code in codes.into_iter().chain(["000000"]) {
        let answer = look_up(&home.with(&olga), code).await;
        let mut body = answer.json();
        body.as_object_mut().unwrap().remove("request_id");
        seen.push((answer.outcome(), body));
    }
    assert_eq!(seen[0].0, "404 device.code_invalid");
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:#?}");
}

#[tokio::test]
async fn d11_the_family_is_the_callers_own_and_no_field_of_the_body() {
    let home = Home::start().await;
    let (olga, otto) = (adult(&home).await, home.rig.found(home.person("Otto")).await);
    let display = StandIn::new(&home.rig).await;
    let foreign = json!({ "user_code": display.code.expose(), "family_id": otto.family() });
    let answer = home.with(&olga).post("/api/link/lookup", foreign).await;
    assert_eq!(answer.outcome(), "400 input.invalid");
    assert_eq!(answer.json()["detail"], "there is no field `family_id`");
    let linked = link(&home, &olga, &display).await;
    for (person, count) in [(&olga, 1), (&otto, 0)] {
        let listed = home.rig.store.devices(person.family()).await.unwrap();
        assert_eq!(listed.len(), count);
    }
    assert!(linked["id"].is_string());
}

#[tokio::test]
async fn d12_who_may_not_link_is_refused_and_the_code_stays_good_for_an_adult() {
    let home = Home::start().await;
    let olga = adult(&home).await;
    let display = StandIn::new(&home.rig).await;
    for role in [Role::Teen, Role::Child, Role::Caregiver] {
        let person = home.rig.take_in(&olga, home.person(role.as_str()), role).await;
        let answer = look_up(&home.with(&person), display.code.expose()).await;
        assert_eq!(answer.outcome(), "403 authz.role_missing", "{role}");
    }
    let outside = home.person("Outside");
    let answer = look_up(&home.with(&outside), display.code.expose()).await;
    assert_eq!(answer.outcome(), "403 authz.family_mismatch");
    for denied in [json!(false), json!("false")] {
        let spec = home.rig.spec(&olga).with("email_verified", denied);
        let unverified = home.bearer(home.rig.mint(&spec));
        let answer = look_up(&unverified, display.code.expose()).await;
        assert_eq!(answer.outcome(), "403 authz.role_missing");
    }
    assert_eq!(display.state(&home.rig).await, LinkState::Pending);
    let spec = home.rig.spec(&olga).with("email_verified", true);
    challenge(&home.bearer(home.rig.mint(&spec)), &display).await;
}

/// What an operator is woken by.
fn alarms(home: &Home) -> Vec<String> {
    let figures = home.rig.server.state().meters().render(0);
    let alarms = figures.lines().filter(|line| line.starts_with("luminous_link_alarms_total"));
    alarms.map(str::to_owned).collect()
}

#[tokio::test]
async fn d15_a_wrong_number_burns_the_code_at_once() {
    let home = Home::start().await;
    let olga = adult(&home).await;
    let caller = home.with(&olga);
    let display = StandIn::new(&home.rig).await;
    let asked = challenge(&caller, &display).await;
    let (right, wrong) = (display.number(&home.rig).await, display.other_number(&home.rig).await);
    for none in ["7", "007", "ab", ""] {
        let answer = confirm(&caller, &asked["challenge"], none).await;
        assert_eq!(answer.outcome(), "400 input.invalid", "{none:?} is no try");
    }
    let answer = confirm(&caller, &asked["challenge"], &wrong).await;
    assert_eq!(answer.outcome(), "409 device.confirm_mismatch");
    assert_eq!(alarms(&home), ["luminous_link_alarms_total{alarm=\"confirm_mismatch\"} 1"]);
    assert_eq!(display.state(&home.rig).await, LinkState::Denied);
    let answer = confirm(&caller, &asked["challenge"], &right).await;
    assert_eq!(answer.outcome(), "404 device.code_invalid");
    let answer = look_up(&caller, display.code.expose()).await;
    assert_eq!(answer.outcome(), "404 device.code_invalid");
}

#[tokio::test]
async fn a_challenge_is_answered_only_by_whom_it_was_put_to_and_in_time() {
    let home = Home::start().await;
    let olga = adult(&home).await;
    let ben = home.rig.take_in(&olga, home.person("Ben"), Role::Adult).await;
    let otto = home.rig.found(home.person("Otto")).await;
    let display = StandIn::new(&home.rig).await;
    let asked = challenge(&home.with(&olga), &display).await;
    let number = display.number(&home.rig).await;
    for person in [&ben, &otto] {
        let caller = home.with(person);
        let answer = confirm(&caller, &asked["challenge"], &number).await;
        assert_eq!(answer.outcome(), "404 device.code_invalid");
        let answer = decline(&caller, &asked["challenge"]).await;
        assert_eq!(answer.outcome(), "404 device.code_invalid");
    }
    home.rig.pass(Duration::from_secs(181));
    let late = confirm(&home.with(&olga), &asked["challenge"], &number).await;
    assert_eq!(late.outcome(), "404 device.code_invalid");
    assert!(home.rig.store.devices(olga.family()).await.unwrap().is_empty());
}

#[tokio::test]
async fn d16_a_display_in_another_network_is_told_or_refused() {
    for (proximity, display_at, outcome, same) in [
        (Proximity::Warn, "198.51.100.7", "200", json!(true)),
        (Proximity::Warn, "203.0.113.9", "200", json!(false)),
        (Proximity::Warn, "192.168.1.20", "200", json!(false)),
        (Proximity::Require, "198.51.100.7", "200", json!(true)),
        (Proximity::Require, "203.0.113.9", "403 device.proximity_required", Value::Null),
    ] {
        let rig = Rig::with(|config, _| {
            config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
            config.displays.proximity = proximity;
        });
        let home = Home { rig: rig.await };
        let olga = adult(&home).await;
        let address = display_at.parse().unwrap();
        let display = StandIn::at(&home.rig, address).await;
        let caller = home.with(&olga).from("198.51.100.7");
        let answer = look_up(&caller, display.code.expose()).await;
        assert_eq!(answer.outcome(), outcome, "{proximity:?} {display_at}");
        assert_eq!(answer.json()["same_network"], same, "{proximity:?} {display_at}");
        if outcome != "200" {
            let near = look_up(&home.with(&olga).from(display_at), display.code.expose()).await;
            assert_eq!(near.outcome(), "200", "who comes near may link it");
        }
    }
}

#[tokio::test]
async fn d17_everybody_is_told_of_a_new_display_and_any_adult_takes_it_back_for_a_day() {
    let home = Home::start().await;
    let olga = adult(&home).await;
    let ben = home.rig.take_in(&olga, home.person("Ben"), Role::Adult).await;
    let tim = home.rig.take_in(&olga, home.person("Tim"), Role::Teen).await;
    let family = olga.family();
    let before = home.rig.store.events_after(family, 0, 100).await.unwrap().latest;
    let linked = link(&home, &olga, &StandIn::new(&home.rig).await).await;
    let id = linked["id"].as_str().unwrap();
    let told = home.rig.store.events_after(family, before, 100).await.unwrap().events;
    assert_eq!((told[0].kind, told[0].subject.as_deref()), (EventKind::DeviceLinked, Some(id)));

    let undo = format!("/api/devices/{id}/undo");
    home.rig.pass(Duration::from_secs(23 * 3600));
    let teen = home.with(&tim).post(&undo, json!({})).await;
    assert_eq!(teen.outcome(), "403 authz.role_missing");
    let stranger = home.rig.found(home.person("Otto")).await;
    let foreign = home.with(&stranger).post(&undo, json!({})).await;
    assert_eq!(foreign.outcome(), "404 resource.not_found");
    assert_eq!(home.with(&ben).post(&undo, json!({})).await.outcome(), "204");
    let again = home.with(&ben).post(&undo, json!({})).await;
    assert_eq!(again.outcome(), "404 resource.not_found");
    assert!(home.rig.store.devices(family).await.unwrap().is_empty());

    let linked = link(&home, &olga, &StandIn::new(&home.rig).await).await;
    home.rig.pass(Duration::from_secs(24 * 3600 + 1));
    let undo = format!("/api/devices/{}/undo", linked["id"].as_str().unwrap());
    let late = home.with(&ben).post(&undo, json!({})).await;
    assert_eq!(late.outcome(), "404 resource.not_found");
}

#[tokio::test]
async fn d18_a_code_that_three_families_typed_is_burned() {
    let home = Home::start().await;
    let mut families = Vec::new();
    for name in ["Olga", "Otto", "Ona"] {
        families.push(home.rig.found(home.person(name)).await);
    }
    let display = StandIn::new(&home.rig).await;
    let asked = challenge(&home.with(&families[0]), &display).await;
    let number = display.number(&home.rig).await;
    for (person, state) in
        [(&families[1], "Claimed"), (&families[1], "Claimed"), (&families[2], "Denied")]
    {
        let answer = look_up(&home.with(person), display.code.expose()).await;
        assert_eq!(answer.outcome(), "404 device.code_invalid");
        let now = format!("{:?}", display.state(&home.rig).await);
        assert!(now.starts_with(state), "{now}");
    }
    let answer = confirm(&home.with(&families[0]), &asked["challenge"], &number).await;
    assert_eq!(answer.outcome(), "404 device.code_invalid");
    assert_eq!(
        audit::actions(&home, &families[0]).await.last().unwrap(),
        "device.linked device.code_invalid"
    );
    let alarm = "device.code_sprayed device.code_sprayed".to_owned();
    assert!(audit::actions(&home, &families[0]).await.contains(&alarm));
    assert_eq!(alarms(&home), ["luminous_link_alarms_total{alarm=\"code_sprayed\"} 1"]);
}

#[tokio::test]
async fn d20_codes_are_read_as_they_were_meant_and_what_is_none_is_no_guess() {
    let home = Home::start().await;
    let olga = adult(&home).await;
    let caller = home.with(&olga);
    let bad = ["", "K7M3Q", "K7M3QXX", "K7M3QU", "K7M \u{1f600}QX"];
    for typed in bad.into_iter().cycle().take(20) {
        let answer = look_up(&caller, typed).await;
        assert_eq!(answer.outcome(), "400 device.code_format", "{typed:?}");
    }
    let display = StandIn::new(&home.rig).await;
    let (shown, grouped) = (display.code.expose(), display.code.grouped());
    let look_alike = shown.replace('0', "o").replace('1', "l");
    let wide: String =
        shown.chars().map(|one| char::from_u32(u32::from(one) + 0xFEE0).unwrap()).collect();
    for typed in [
        grouped.to_lowercase(),
        grouped.replace(' ', "-"),
        format!("  {grouped}\n"),
        look_alike,
        wide,
    ] {
        let answer = look_up(&caller, &typed).await;
        assert_eq!(answer.outcome(), "200", "{typed:?}");
    }
}

#[tokio::test]
async fn a_display_comes_back_into_its_former_place() {
    let home = Home::start().await;
    let olga = adult(&home).await;
    let first = StandIn::new(&home.rig).await;
    let linked = link(&home, &olga, &first).await;
    let revoke = format!("/api/devices/{}/revoke", linked["id"].as_str().unwrap());
    assert_eq!(home.proved(&olga).post(&revoke, json!({})).await.outcome(), "204");
    let again = first.again(&home.rig).await;
    let asked = challenge(&home.with(&olga), &again).await;
    assert_eq!(asked["former"], json!({ "id": linked["id"], "name": "Kitchen", "room": null }));
    let number = again.number(&home.rig).await;
    let relinked = confirm(&home.with(&olga), &asked["challenge"], &number).await.json();
    assert_eq!(relinked["id"], linked["id"]);
}
