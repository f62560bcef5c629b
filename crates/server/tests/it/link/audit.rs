//! T28: each step is one line of the log, and none holds a secret.

use luminous_store::AuditFilter;
use serde_json::json;

use super::stand_in::StandIn;
use super::{challenge, confirm, decline, link, look_up};
use crate::home::Home;
use crate::rig::Someone;

/// What the family's log says about displays, the oldest first: action and outcome.
pub async fn actions(home: &Home, person: &Someone) -> Vec<String> {
    let filter = AuditFilter { action: Some("device".to_owned()), ..AuditFilter::default() };
    let rows = home.rig.store.audit(person.family(), &filter, 200).await.unwrap();
    rows.into_iter().rev().map(|row| format!("{} {}", row.action, row.outcome)).collect()
}

#[tokio::test]
async fn t28_each_step_of_a_link_is_one_line() {
    let home = Home::start().await;
    let olga = home.rig.found(home.person("Olga")).await;
    let display = StandIn::new(&home.rig).await;
    let linked = link(&home, &olga, &display).await;
    let path = format!("/api/devices/{}", linked["id"].as_str().unwrap());
    let proved = home.proved(&olga);
    proved.patch(&path, json!({ "name": "Hall", "room": "Upstairs" })).await;
    proved.post(&format!("{path}/renew"), json!({})).await;
    proved.post(&format!("{path}/revoke"), json!({})).await;
    let expected = [
        "device.code_claimed ok",
        "device.linked ok",
        "device.signed_in ok",
        "device.renamed ok",
        "device.moved ok",
        "device.renewed ok",
        "device.revoked ok",
    ];
    assert_eq!(actions(&home, &olga).await, expected);
}

#[tokio::test]
async fn t28_each_refused_step_is_one_line() {
    let home = Home::start().await;
    let olga = home.rig.found(home.person("Olga")).await;
    let caller = home.with(&olga);
    let display = StandIn::new(&home.rig).await;
    look_up(&caller, "000000").await;
    look_up(&caller, "no code at all").await;
    let asked = challenge(&caller, &display).await;
    let wrong = display.other_number(&home.rig).await;
    confirm(&caller, &asked["challenge"], &wrong).await;
    decline(&caller, &asked["challenge"]).await;
    let other = StandIn::new(&home.rig).await;
    let asked = challenge(&caller, &other).await;
    decline(&caller, &asked["challenge"]).await;
    let expected = [
        "device.code_claimed device.code_invalid",
        "device.code_claimed ok",
        "device.confirm_mismatch device.confirm_mismatch",
        "device.declined device.code_invalid",
        "device.code_claimed ok",
        "device.declined ok",
    ];
    assert_eq!(actions(&home, &olga).await, expected);
}

#[tokio::test]
async fn t28_no_line_holds_a_code_a_number_or_the_secret_of_a_qr() {
    let home = Home::start().await;
    let olga = home.rig.found(home.person("Olga")).await;
    let display = StandIn::new(&home.rig).await;
    link(&home, &olga, &display).await;
    let rows = home.rig.store.audit(olga.family(), &AuditFilter::default(), 200).await.unwrap();
    assert!(rows.len() >= 4, "there is something to look at");
    for row in rows {
        let text = format!("{row:?}");
        for secret in [display.code.expose(), &display.code.grouped(), &display.qr] {
            assert!(!text.contains(secret), "{text}");
        }
        assert_eq!(row.detail, None, "nor a number");
    }
}

#[tokio::test]
async fn one_account_cannot_fill_the_log_with_refusals() {
    let home = Home::start().await;
    let olga = home.rig.found(home.person("Olga")).await;
    let caller = home.with(&olga);
    for _ in 0..40 {
        look_up(&caller, "000000").await;
    }
    assert_eq!(actions(&home, &olga).await.len(), 20);
}
