//! A client that does not read what it is sent (P6).

use luminous_signalr::hub::Frame;
use serde_json::Value;

use crate::held::Held;
use crate::house::House;
use crate::raw::Raw;

#[tokio::test]
async fn p6_a_slow_consumer_is_closed_and_nobody_else_notices() {
    let mut house = House::start().await;
    let slow = Raw::greeted(&house).await;
    let to_slow = house.came.recv().await.expect("the slow one");
    let mut quick = Raw::greeted(&house).await;
    let to_quick = house.came.recv().await.expect("the quick one");

    let padding = "x".repeat(8 * 1024);
    let mut sent = 0u32;
    // What the operating system buffers is some megabytes at most; the rest waits in the queue.
    while to_slow.is_open() {
        assert!(sent < 20_000, "nothing bounds what waits for a slow consumer");
        let frame = Frame::call("Event", &(sent, &padding)).expect("an array");
        let _ = to_slow.send_frame(&frame);
        to_quick.send_frame(&frame).expect("the quick one has room");
        let event = quick.json().await;
        assert_eq!(event["arguments"][0], sent, "in order, at once");
        sent += 1;
    }
    assert!(to_quick.is_open());
    let held = Held::time();
    held.pass(0.0).await;
    // What waits for it has five seconds to go out, and the last words have as many.
    for _ in 0..2 {
        held.pass(5.1).await;
    }
    house.down_to(1).await;
    assert_eq!(house.rooms().open.lock().unwrap().len(), 1);
    drop(slow);
}

#[tokio::test]
async fn p6_a_slow_consumer_that_reads_again_in_time_is_told_why() {
    let mut house = House::start().await;
    let mut slow = Raw::greeted(&house).await;
    let to_slow = house.came.recv().await.expect("the slow one");
    let frame = Frame::call("Event", &["x".repeat(8 * 1024)]).expect("an array");
    while to_slow.send_frame(&frame).is_ok() {
        tokio::task::yield_now().await;
    }
    let ended = slow.ended().await;
    let last: Value = serde_json::from_str(ended.records.last().expect("a last word")).unwrap();
    assert_eq!(last["error"], "push.slow_consumer");
    assert_eq!(last["allowReconnect"], true);
}

#[tokio::test]
async fn p6_who_sends_in_pieces_may_send_any_number_and_who_does_not_is_stopped() {
    let house = House::start().await;
    let flood = |count: u32, at_once: u32| {
        format!(
            "{{\"type\":1,\"invocationId\":\"1\",\"target\":\"Flood\",\"arguments\":[{count},{at_once}]}}\x1e"
        )
    };
    let mut raw = Raw::greeted(&house).await;
    raw.say(&flood(5000, 256)).await;
    for number in 0..5000 {
        assert_eq!(raw.json().await["arguments"][0], number);
    }
    assert_eq!(raw.json().await["type"], 3);
    raw.say(&flood(257, 1000)).await;
    let ended = raw.ended().await;
    assert!(ended.records.last().is_some_and(|last| last.contains("push.slow_consumer")));
}

#[tokio::test]
async fn p6_who_waits_for_a_slow_consumer_is_let_go_with_it() {
    let mut house = House::start().await;
    let slow = Raw::greeted(&house).await;
    let to_slow = house.came.recv().await.expect("the slow one");
    let frame = Frame::call("Event", &["x".repeat(8 * 1024)]).expect("an array");
    while to_slow.send_frame(&frame).is_ok() {
        tokio::task::yield_now().await;
    }
    to_slow.caught_up().await;
    assert!(!to_slow.is_open());
    drop(slow);
}
