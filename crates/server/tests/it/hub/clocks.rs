//! DB10: replicas whose clocks are 90 s apart. The database has that of the first.

use std::sync::Arc;
use std::time::Duration;

use luminous_domain::Clock as _;
use luminous_testkit::FrozenClock;
use luminous_wire::api::hub::family_hub;
use reqwest::Method;

use super::raw::Raw;
use super::{Listener, negotiate, ticket};
use crate::display::Display;
use crate::rig::{Answer, Rig};

const APART: Duration = Duration::from_secs(90);
const WALL: &str = "/api/wall";

/// A replica with the right time, one that is behind it, one that is ahead, and a display.
async fn three() -> ([Rig; 3], Display) {
    let right = Rig::start().await;
    let now = right.clock.now();
    let mut others = Vec::new();
    for wrong in [now - APART, now + APART] {
        let clock = Arc::new(FrozenClock::at(wrong));
        others.push(right.replica_at(Arc::clone(&right.store), clock).await);
    }
    let ana = right.owner("Ana").await;
    let display = Display::linked(&right, &ana).await;
    let [behind, ahead] = others.try_into().ok().unwrap();
    ([right, behind, ahead], display)
}

async fn buy(rig: &Rig, display: &Display) -> &'static str {
    ticket(&Answer::of(display.ask(rig, Method::POST, "/api/hub/ticket")).await)
}

#[tokio::test]
async fn db10_a_token_is_good_at_every_replica_whichever_gave_it() {
    let (rigs, mut display) = three().await;
    for gives in &rigs {
        assert_eq!(display.refresh(gives).await.oauth(), "200");
        for asked in &rigs {
            assert_eq!(display.get(asked, WALL).await.outcome(), "200");
        }
    }
}

#[tokio::test]
async fn db10_a_proof_that_is_dated_by_another_clock_is_refused_and_the_answer_tells_the_time() {
    let ([right, behind, ahead], display) = three().await;
    let token = display.token("access_token");
    for there in [behind, ahead] {
        let proof = display.proof(&right, &Method::GET, WALL, Some(token));
        let request = there.request(Method::GET, WALL).header("dpop", proof);
        let refused = Answer::of(request.header("authorization", format!("DPoP {token}"))).await;
        assert_eq!(refused.outcome(), "401 token.proof_invalid");
        assert!(!refused.header("date").is_empty());
        assert_eq!(display.get(&there, WALL).await.outcome(), "200", "by its own time");
    }
}

#[tokio::test]
async fn db10_p8_what_one_replica_sells_opens_the_hub_of_another() {
    let (rigs, display) = three().await;
    let [right, behind, ahead] = &rigs;
    for (one, other) in [(right, behind), (right, ahead), (behind, right), (ahead, right)] {
        Listener::at(other, family_hub::PATH, buy(one, &display).await).await;
        let negotiated = negotiate(one, family_hub::PATH, buy(one, &display).await).await.json();
        let connection = negotiated["connectionToken"].as_str().unwrap();
        Raw::at(other, &format!("?id={connection}"), "").await;
    }
}

#[tokio::test]
async fn db10_p8_a_ticket_is_good_once_for_as_long_as_any_replica_takes_it() {
    let (rigs, display) = three().await;
    let [right, behind, _] = &rigs;
    let mut bought = Vec::new();
    for _ in 0..3 {
        bought.push(buy(right, &display).await);
    }
    assert_eq!(negotiate(right, family_hub::PATH, bought[0]).await.outcome(), "200");
    let pass = |seconds| rigs.iter().for_each(|rig| rig.pass(Duration::from_secs(seconds)));
    // Where it was sold its time is long over, and it would be forgotten if that were all.
    pass(209);
    assert_eq!(negotiate(right, family_hub::PATH, bought[1]).await.outcome(), "401 push.ticket");
    assert_eq!(negotiate(behind, family_hub::PATH, bought[1]).await.outcome(), "200");
    assert_eq!(negotiate(behind, family_hub::PATH, bought[0]).await.outcome(), "401 push.ticket");
    pass(2);
    assert_eq!(negotiate(behind, family_hub::PATH, bought[2]).await.outcome(), "401 push.ticket");
}
