//! D8: of many who type one code, one links it.

use futures_util::future::join_all;
use luminous_store::AuditFilter;
use serde_json::Value;

use super::stand_in::StandIn;
use super::{challenge, confirm, look_up};
use crate::home::{Caller, Home};
use crate::rig::Answer;

fn count(answers: &[Answer], outcome: &str) -> usize {
    answers.iter().filter(|answer| answer.outcome() == outcome).count()
}

#[tokio::test]
async fn d8_two_families_with_one_code_at_once_and_one_wins() {
    for _ in 0..5 {
        let home = Home::start().await;
        let olga = home.rig.found(home.person("Olga")).await;
        let otto = home.rig.found(home.person("Otto")).await;
        let display = StandIn::new(&home.rig).await;
        let callers = [home.with(&olga), home.with(&otto)];
        let asked = (0..4).map(|nth| look_up(&callers[nth % 2], display.code.expose()));
        let answers = join_all(asked).await;
        assert_eq!(count(&answers, "200"), 2, "the winner's own");
        assert_eq!(count(&answers, "404 device.code_invalid"), 2);
        let winners = answers.iter().filter(|answer| answer.status == 200);
        let challenges: Vec<Value> = winners.map(|one| one.json()["challenge"].clone()).collect();
        assert_eq!(challenges[0], challenges[1]);
    }
}

#[tokio::test]
async fn d8_of_a_hundred_confirmations_one_makes_one_device() {
    let home = Home::start().await;
    let olga = home.rig.found(home.person("Olga")).await;
    let otto = home.rig.found(home.person("Otto")).await;
    let display = StandIn::new(&home.rig).await;
    let (hers, his) = (home.with(&olga), home.with(&otto));
    let asked = challenge(&hers, &display).await;
    let number = display.number(&home.rig).await;
    let callers: Vec<&Caller<'_>> = [&hers, &his].into_iter().cycle().take(100).collect();
    let confirmed = callers.iter().map(|one| confirm(one, &asked["challenge"], &number));
    let answers = join_all(confirmed).await;
    assert_eq!(count(&answers, "200"), 1);
    assert_eq!(count(&answers, "404 device.code_invalid"), 99);
    let store = &home.rig.store;
    assert_eq!(store.devices(olga.family()).await.unwrap().len(), 1);
    assert_eq!(store.devices(otto.family()).await.unwrap().len(), 0);
    let filter = AuditFilter {
        action: Some("device.linked".to_owned()),
        refused: Some(false),
        ..AuditFilter::default()
    };
    assert_eq!(store.audit(olga.family(), &filter, 200).await.unwrap().len(), 1);
}
