//! Silence, sleep and the end of a ticket's time, on tokio's clock (P7, P9).

use std::time::Duration;

use luminous_signalr::client::{Event, Lost};

use crate::client::start;
use crate::foreign::Foreign;
use crate::held::Held;
use crate::house::House;
use crate::raw::{HANDSHAKE, Raw};

const PING: &str = r#"{"type":6}"#;
const CALL: &str = "{\"type\":1,\"invocationId\":\"1\",\"target\":\"Quiet\",\"arguments\":[]}\x1e";
const ANSWER: &str = r#"{"type":3,"invocationId":"1","result":null}"#;

#[tokio::test]
async fn p7_the_hub_pings_a_silent_client_and_lets_it_go_after_30_seconds() {
    let house = House::start().await;
    let mut raw = Raw::greeted(&house).await;
    let held = Held::time();
    held.pass(14.5).await;
    raw.say(CALL).await;
    assert_eq!(raw.record().await, ANSWER, "no ping before it is time");
    held.pass(15.1).await;
    assert_eq!(raw.record().await, PING);
    held.pass(14.8).await;
    assert_eq!(house.rooms().open.lock().unwrap().len(), 1, "29.9 s are not enough");
    held.pass(0.2).await;
    let close = raw.ended().await;
    let last = close.records.last().expect("a last word");
    assert_eq!(
        last,
        r#"{"type":7,"error":"Client hasn't sent a message/ping within the configured ClientTimeoutInterval.","allowReconnect":true}"#
    );
    house.empty().await;
}

#[tokio::test]
async fn p7_a_half_open_connection_is_gone_from_the_hub_within_35_seconds() {
    let mut house = House::start().await;
    let raw = Raw::greeted(&house).await;
    house.came.recv().await.expect("it came");
    let held = Held::time();
    held.pass(29.9).await;
    assert_eq!(house.hub.connections(), 1);
    let connection = house.rooms().open.lock().unwrap()[0].clone();
    held.pass(0.2).await;
    assert!(!connection.is_open(), "nothing is sent to it any more");
    // It never answers the close.
    held.pass(4.9).await;
    held.pass(0.2).await;
    house.empty().await;
    assert!(house.rooms().open.lock().unwrap().is_empty());
    drop(raw);
}

#[tokio::test]
async fn p7_what_the_client_sends_keeps_it_alive() {
    let house = House::start().await;
    let mut raw = Raw::greeted(&house).await;
    let held = Held::time();
    for _ in 0..10 {
        held.pass(20.0).await;
        assert_eq!(raw.record().await, PING);
        raw.say(CALL).await;
        assert_eq!(raw.record().await, ANSWER);
    }
}

#[tokio::test]
async fn p7_while_the_hub_is_busy_with_a_client_its_silence_proves_nothing() {
    let house = House::start().await;
    let mut raw = Raw::greeted(&house).await;
    raw.say("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Wait\",\"arguments\":[]}\x1e").await;
    house.rooms().waiting.notified().await;
    let held = Held::time();
    for _ in 0..6 {
        held.pass(16.0).await;
        assert_eq!(raw.record().await, PING, "the hub itself is not silent");
    }
    house.rooms().go_on.notify_one();
    assert_eq!(raw.record().await, ANSWER);
}

#[tokio::test]
async fn p7_the_client_pings_and_notices_a_silent_hub_after_30_seconds() {
    let mut hub = Foreign::start().await;
    let (_client, mut events) = start(&hub.url());
    let mut socket = hub.greet().await;
    assert_eq!(events.next().await, Some(Event::Connected));
    let held = Held::time();
    held.pass(15.1).await;
    assert_eq!(socket.text().await, format!("{PING}\x1e"));
    held.pass(15.0).await;
    let lost = events.next().await.expect("it is lost");
    assert!(matches!(lost, Event::Lost { why: Lost::Silent, .. }), "{lost:?}");
}

#[tokio::test]
async fn p9_at_the_end_of_its_time_a_connection_is_closed_and_may_be_made_anew() {
    let house = House::start().await;
    *house.rooms().life.lock().unwrap() = Some(Duration::from_secs(25));
    let mut raw = Raw::silent(&house).await;
    raw.say(HANDSHAKE).await;
    assert_eq!(raw.record().await, "{}");
    let held = Held::time();
    held.pass(24.0).await;
    assert_eq!(raw.record().await, PING);
    held.pass(1.1).await;
    let close = r#"{"type":7,"error":"push.expired","allowReconnect":true}"#;
    assert_eq!(raw.ended().await.records, [close]);
}
