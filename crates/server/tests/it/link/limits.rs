//! How often wrong codes may be tried (cases.md D2-D6).

use std::ops::Range;
use std::time::Duration;

use luminous_domain::Role;
use luminous_server::Server;
use luminous_store::AuditFilter;
use serde_json::json;
use tokio::net::TcpListener;

use super::stand_in::StandIn;
use super::{behind_a_proxy, challenge, link, look_up};
use crate::home::{Caller, Home};
use crate::rig::{Answer, Rig, Someone};

/// No display shows it.
const WRONG: &str = "000000";

/// Tries wrong codes and expects to be told so.
async fn guess(caller: &Caller<'_>, times: usize) {
    for nth in 1..=times {
        let answer = look_up(caller, WRONG).await;
        assert_eq!(answer.outcome(), "404 device.code_invalid", "the {nth}.");
    }
}

async fn is_locked(caller: &Caller<'_>, code: &str, retry_after: &str) {
    let answer = look_up(caller, code).await;
    assert_eq!(answer.outcome(), "429 device.rate_limited");
    assert_eq!(answer.header("retry-after"), retry_after);
    assert!(answer.json()["detail"].as_str().unwrap().contains("QR"), "{answer:?}");
}

#[tokio::test]
async fn d2_after_five_wrong_codes_a_person_is_locked_out_of_the_right_one_too() {
    let home = Home::start().await;
    let olga = home.rig.found(home.person("Olga")).await;
    let display = StandIn::new(&home.rig).await;
    for _ in 0..20 {
        challenge(&home.with(&olga), &display).await;
    }
    guess(&home.with(&olga), 5).await;
    is_locked(&home.with(&olga), WRONG, "600").await;
    is_locked(&home.with(&olga), display.code.expose(), "600").await;
    home.rig.pass(Duration::from_secs(601));
    let fresh = StandIn::new(&home.rig).await;
    challenge(&home.with(&olga), &fresh).await;
}

#[tokio::test]
async fn d2_ten_wrong_codes_are_enough_for_a_day() {
    let home = Home::start().await;
    let olga = home.rig.found(home.person("Olga")).await;
    guess(&home.with(&olga), 5).await;
    home.rig.pass(Duration::from_secs(601));
    guess(&home.with(&olga), 5).await;
    home.rig.pass(Duration::from_secs(601));
    is_locked(&home.with(&olga), WRONG, "86400").await;
    home.rig.pass(Duration::from_secs(86_400));
    guess(&home.with(&olga), 1).await;
}

#[tokio::test]
async fn d3_ten_wrong_codes_of_one_address_are_enough_whoever_it_says_it_is() {
    let home = behind_a_proxy().await;
    let mut people = Vec::new();
    for name in ["Olga", "Otto", "Ona", "Omar"] {
        people.push(home.rig.found(home.person(name)).await);
    }
    // An IPv6 subscriber has a /64.
    for (person, address) in people.iter().zip(["2001:db8::1", "2001:db8::ffff:2"]) {
        guess(&home.with(person).from(address), 5).await;
    }
    let same = home.with(&people[2]).from("2001:db8::3");
    is_locked(&same, WRONG, "600").await;
    // What stands before the address that the trusted proxy saw, anybody may have written.
    let spoofed = home.with(&people[2]).from("203.0.113.77, 2001:db8::3");
    is_locked(&spoofed, WRONG, "600").await;
    guess(&home.with(&people[2]).from("2001:db8:0:1::3"), 1).await;
}

#[tokio::test]
async fn d3_a_forwarded_address_counts_only_from_a_trusted_proxy() {
    let home = Home::start().await;
    let mut people = Vec::new();
    for name in ["Olga", "Otto", "Ona"] {
        people.push(home.rig.found(home.person(name)).await);
    }
    guess(&home.with(&people[0]).from("203.0.113.1"), 5).await;
    guess(&home.with(&people[1]).from("203.0.113.2"), 5).await;
    is_locked(&home.with(&people[2]).from("203.0.113.3"), WRONG, "600").await;
}

#[tokio::test]
async fn ten_wrong_codes_of_one_family_are_enough() {
    let home = behind_a_proxy().await;
    let olga = home.rig.found(home.person("Olga")).await;
    let ben = home.rig.take_in(&olga, home.person("Ben"), Role::Adult).await;
    let eva = home.rig.take_in(&olga, home.person("Eva"), Role::Adult).await;
    guess(&home.with(&olga).from("203.0.113.1"), 5).await;
    guess(&home.with(&ben).from("203.0.113.2"), 5).await;
    is_locked(&home.with(&eva).from("203.0.113.3"), WRONG, "600").await;
    let otto = home.rig.found(home.person("Otto")).await;
    guess(&home.with(&otto).from("203.0.113.3"), 1).await;
}

/// A server whose budget is what is left with so many displays waiting.
async fn with_budget(guesses_per_hour: u32) -> Home {
    let rig = Rig::with(|config, _| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.displays.guesses_per_hour = guesses_per_hour;
    });
    Home { rig: rig.await }
}

/// Tries five wrong codes as each of these accounts, each with an address and a family of its own;
/// answers how many were looked at.
async fn attack(home: &Home, accounts: Range<u32>) -> usize {
    let mut looked_at = 0;
    for number in accounts {
        let attacker = home.rig.found(home.person(&format!("Attacker {number}"))).await;
        let address = format!("10.{}.{}.7", number / 250, number % 250);
        let caller = home.with(&attacker).from(&address);
        for _ in 0..5 {
            match look_up(&caller, WRONG).await.outcome().as_str() {
                "404 device.code_invalid" => looked_at += 1,
                outcome => assert_eq!(outcome, "429 device.rate_limited"),
            }
        }
    }
    looked_at
}

/// Somebody who has had a display for more than a day.
async fn trusted(home: &Home, name: &str) -> Someone {
    let person = home.rig.found(home.person(name)).await;
    link(home, &person, &StandIn::new(&home.rig).await).await;
    home.rig.pass(Duration::from_secs(86_401));
    person
}

#[tokio::test]
async fn d4_two_hundred_accounts_use_up_the_half_of_the_untrusted_and_no_more() {
    let home = with_budget(1073).await;
    let olga = trusted(&home, "Olga").await;
    let newcomer = home.rig.found(home.person("Newcomer")).await;
    let displays = [StandIn::new(&home.rig).await, StandIn::new(&home.rig).await];
    // Two codes are on walls: 1073 / 2 = 536 an hour, half of them for the untrusted.
    assert_eq!(attack(&home, 0..200).await, 268);
    let newcomer = home.with(&newcomer).from("198.51.100.1");
    is_locked(&newcomer, displays[0].code.expose(), "3600").await;
    challenge(&home.with(&olga).from("198.51.100.2"), &displays[0]).await;

    let figures = home.rig.server.state().meters().render(0);
    let spent = "luminous_link_budget_spent_total{half=\"untrusted\"} 733";
    assert!(figures.contains(spent), "{figures}");
    home.rig.pass(Duration::from_secs(3601));
    let late = StandIn::new(&home.rig).await;
    challenge(&newcomer, &late).await;
}

#[tokio::test]
async fn d6_families_with_a_display_go_on_linking_while_the_budget_is_spent() {
    let home = with_budget(20).await;
    let mut families = Vec::new();
    for number in 0..5 {
        families.push(trusted(&home, &format!("Family {number}")).await);
    }
    let first = StandIn::new(&home.rig).await;
    assert_eq!(attack(&home, 0..3).await, 10);
    for (number, person) in (3..).zip(&families) {
        let display = StandIn::new(&home.rig).await;
        let caller = home.with(person).from(&format!("198.51.100.{number}"));
        challenge(&caller, &display).await;
        assert_eq!(attack(&home, number..number + 1).await, 0, "and it is spent all the while");
    }
    let newcomer = home.rig.found(home.person("Newcomer")).await;
    let newcomer = home.with(&newcomer).from("198.51.100.99");
    is_locked(&newcomer, first.code.expose(), "3600").await;
}

#[tokio::test]
async fn d4_an_old_account_without_a_display_is_not_trusted_nor_a_new_one_with_one() {
    let home = with_budget(2).await;
    let old = home.rig.found(home.person("Old")).await;
    let olga = trusted(&home, "Olga").await;
    let ben = home.rig.take_in(&olga, home.person("Ben"), Role::Adult).await;
    let display = StandIn::new(&home.rig).await;
    assert_eq!(attack(&home, 0..1).await, 1, "one of two is for the untrusted");
    for (person, address) in [(&old, "198.51.100.1"), (&ben, "198.51.100.2")] {
        is_locked(&home.with(person).from(address), display.code.expose(), "3600").await;
    }
    challenge(&home.with(&olga).from("198.51.100.3"), &display).await;
}

#[tokio::test]
async fn d5_replicas_share_every_counter() {
    let home = Home::start().await;
    let olga = home.rig.found(home.person("Olga")).await;
    let state = home.rig.server.state();
    let mut replicas = Vec::new();
    for _ in 0..2 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (config, parts) = (state.config().clone(), state.parts().clone());
        replicas.push((address, Server::start_on(listener, config, parts).await.unwrap()));
    }
    let token = home.rig.token(&olga);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = |base: String| {
        let request = http.post(format!("{base}/api/link/lookup")).bearer_auth(&token);
        Answer::of(request.json(&json!({ "user_code": WRONG })))
    };
    let mut bases = vec![home.rig.base.clone()];
    bases.extend(replicas.iter().map(|(address, _)| format!("http://{address}")));
    let asked = bases.iter().cycle().take(30).map(|base| ask(base.clone()));
    let answers = futures_util::future::join_all(asked).await;
    let looked_at = answers.iter().filter(|answer| answer.status == 404).count();
    assert_eq!(looked_at, 5);
    assert!(answers.iter().all(|answer| [404, 429].contains(&answer.status.as_u16())));
}

#[tokio::test]
async fn the_alarm_about_a_spent_budget_is_written_down_and_in_no_familys_log() {
    let home = with_budget(2).await;
    let olga = home.rig.found(home.person("Olga")).await;
    let _display = StandIn::new(&home.rig).await;
    attack(&home, 0..4).await;
    let path = home.rig.server.state().config().store.sqlite.clone();
    let database = std::fs::read(path.with_extension("sqlite-wal")).unwrap();
    let lines = database.windows(14).filter(|bytes| *bytes == b"device.guesses").count();
    assert!(lines > 0, "it was written down");
    let rows = home.rig.store.audit(olga.family(), &AuditFilter::default(), 200).await.unwrap();
    assert!(rows.iter().all(|row| row.action != "device.guesses"));
}
