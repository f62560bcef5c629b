//! The audit log: filtered, page by page, and as a file.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::home::Home;
use crate::rig::Answer;

fn actions(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let entries = json["entries"].as_array().unwrap_or_else(|| panic!("no entries: {answer:?}"));
    entries.iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_log_tells_who_did_what_the_newest_first() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let base = format!("/api/families/{family}");
    let child = home.with(&olga).post(&format!("{base}/members"), json!({ "name": "Mia" })).await;
    home.with(&olga).patch(&base, json!({ "name": "Lumen" })).await;
    let log = home.with(&olga).get(&format!("{base}/audit")).await;
    assert_eq!(actions(&log), ["family.renamed", "member.child_added", "family.created"]);
    let entry = &log.json()["entries"][1];
    assert_eq!(entry["actor"]["kind"], "account");
    assert_eq!(entry["actor"]["name"], "Olga");
    assert_eq!(entry["subject"], child.json()["id"]);
    assert_eq!(entry["subject_name"], "Mia");
    assert_eq!((&entry["outcome"], &entry["network"]), (&json!("ok"), &json!("loopback")));
    assert_eq!(log.json()["next"], Value::Null);
}

#[tokio::test]
async fn a_filter_shows_what_it_says_and_one_with_a_slip_shows_nothing() {
    let home = Home::start().await;
    let (family, owner, others) = home.full_house().await;
    let audit = format!("/api/families/{family}/audit");
    let asked = home
        .with(&others[1].1)
        .post(&format!("/api/families/{family}/notes"), json!({ "text": "Hi" }))
        .await;
    assert_eq!(asked.status, 201);
    let me = home.with(&others[1].1).get("/api/me").await.json();
    let account = me["account"]["id"].as_str().unwrap();
    // A refusal of an act that needs a second factor is written down.
    let refused = home
        .with(&others[1].1)
        .delete(&format!("/api/families/{family}/members/{}", others[2].2))
        .await;
    assert_eq!(refused.outcome(), "403 authz.role_missing");
    home.rig.pass(Duration::from_secs(60));
    let noon = home.now_ms();
    home.rig.pass(Duration::from_secs(60));
    home.with(&owner).patch(&format!("/api/families/{family}"), json!({ "name": "Lumen" })).await;

    let get = async |query: &str| home.with(&owner).get(&format!("{audit}?{query}")).await;
    assert_eq!(actions(&get("action=note").await), ["note.posted"]);
    assert_eq!(actions(&get("action=note.posted").await), ["note.posted"]);
    assert_eq!(actions(&get("action=not").await), [""; 0]);
    let mine = actions(&get(&format!("account={account}&refused=false")).await);
    assert_eq!(mine, ["note.posted", "invite.accepted"]);
    let refusals = get("refused=true").await;
    assert_eq!(actions(&refusals), ["members.manage"]);
    assert_eq!(refusals.json()["entries"][0]["outcome"], "authz.role_missing");
    assert_eq!(actions(&get(&format!("from={noon}")).await), ["family.renamed"]);
    let before = actions(&get(&format!("until={noon}&action=family")).await);
    assert_eq!(before, ["family.created"]);
    for slip in [
        "acton=note",
        "action=note%25",
        "action=",
        "account=olga",
        "refused=maybe",
        "limit=0",
        "limit=201",
        "limit=-1",
        "from=yesterday",
        "from=-1",
        "until=99999999999999999",
        "before=1",
        "format=xml",
        "limit=5&limit=6",
    ] {
        assert_eq!(get(slip).await.outcome(), "400 input.invalid", "{slip}");
    }
}

#[tokio::test]
async fn pages_join_into_the_whole_log_without_gap_or_repetition() {
    let home = Home::start().await;
    let (family, owner, _) = home.full_house().await;
    let audit = format!("/api/families/{family}/audit");
    let whole = home.with(&owner).get(&format!("{audit}?limit=200")).await.json();
    let mut pages = Vec::new();
    let mut path = format!("{audit}?limit=3");
    loop {
        let page = home.with(&owner).get(&path).await.json();
        pages.extend(page["entries"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{audit}?limit=3&before={next}");
    }
    assert_eq!(json!(pages), whole["entries"]);
    // A last page that is full knows that it is the last.
    let exact = home.with(&owner).get(&format!("{audit}?limit={}", pages.len())).await.json();
    assert_eq!(exact["next"], Value::Null);
}

#[tokio::test]
async fn the_file_has_every_line_and_no_formula() {
    let home = Home::start().await;
    let mallory = home.person("=HYPERLINK(\"http://evil.example\",\"x\")");
    let family = home.family(&mallory, "Lum").await;
    let members = format!("/api/families/{family}/members");
    for name in ["+1", "-2", "@SUM(A1)", "a, \"b\""] {
        let added = home.with(&mallory).post(&members, json!({ "name": name })).await;
        assert_eq!(added.status, 201, "{name}");
    }
    let audit = format!("/api/families/{family}/audit");
    let file = home.with(&mallory).get(&format!("{audit}?format=csv&action=member")).await;
    assert_eq!(file.status, 200);
    assert!(file.header("content-type").starts_with("text/csv"), "{file:?}");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"luminous-audit.csv\"");
    let mut reader = csv::Reader::from_reader(file.text.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let at = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let (actor, subject) = (at("actor"), at("subject_name"));
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    let subjects: Vec<_> = rows.iter().map(|row| row[subject].to_owned()).collect();
    assert_eq!(subjects, ["a, \"b\"", "'@SUM(A1)", "'-2", "'+1"]);
    assert!(rows.iter().all(|row| row[actor].starts_with("'=HYPERLINK")), "{rows:?}");

    let asked = home.rig.request(Method::GET, &audit).header("accept", "text/csv");
    let asked = Answer::of(asked.bearer_auth(home.rig.token(&mallory))).await;
    assert!(asked.header("content-type").starts_with("text/csv"), "{asked:?}");
}

#[tokio::test]
async fn a_long_log_is_written_page_by_page_and_complete() {
    let home = Home::start().await;
    let olga = home.person("Olga");
    let family = home.family(&olga, "Lum").await;
    let (_, act) = home.rig.arrive(&olga).await;
    for n in 0..1203 {
        let store = &home.rig.store;
        store
            .record_refusal(Some(family), &act, "test.line", Some(&n.to_string()), "x")
            .await
            .unwrap();
    }
    let file = home.with(&olga).get(&format!("/api/families/{family}/audit?format=csv")).await;
    let mut reader = csv::Reader::from_reader(file.text.as_bytes());
    let column = reader.headers().unwrap().iter().position(|column| column == "subject").unwrap();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1203 + 1, "and the creation");
    let numbers: Vec<i64> = rows.iter().filter_map(|row| row[column].parse().ok()).collect();
    assert_eq!(numbers, (0..1203).rev().collect::<Vec<_>>());
}
