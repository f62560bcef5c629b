//! The hub against hand-written requests and frames (P1, P8, P12).

use std::sync::Arc;
use std::time::Duration;

use futures_util::SinkExt as _;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::held::Held;
use crate::house::House;
use crate::raw::{Ended, HANDSHAKE, Raw, http, negotiate};

const TICKET: &str = "authorization: Bearer ticket-anna\r\n";

#[tokio::test]
async fn p1_negotiation_speaks_versions_0_and_1_and_says_which() {
    let house = House::start().await;
    let ask = async |query: &str| -> Value {
        let (status, head, body) =
            http(&house, "POST", &format!("/negotiate{query}"), TICKET).await;
        assert_eq!(status, 200);
        assert!(head.contains("content-type: application/json"), "{head}");
        assert!(head.contains("cache-control: no-store"), "{head}");
        serde_json::from_str(&body).unwrap()
    };
    let transports = json!([{"transport": "WebSockets", "transferFormats": ["Text"]}]);
    for query in ["?negotiateVersion=1", "?NegotiateVersion=7"] {
        let answer = ask(query).await;
        assert_eq!(answer["negotiateVersion"], 1);
        assert_eq!(answer["connectionId"].as_str().unwrap().len(), 22);
        assert!(answer["connectionToken"].is_string());
        assert_eq!(answer["availableTransports"], transports);
    }
    let answer = ask("").await;
    assert_eq!(answer["negotiateVersion"], 0);
    assert_eq!(answer["connectionToken"], Value::Null);
    let query = format!("?id={}", answer["connectionId"].as_str().unwrap());
    assert!(Raw::open(&house, &query, &[]).await.is_ok(), "in version 0 the id opens");
    assert_eq!(
        ask("?negotiateVersion=x").await,
        json!({"error": "The client requested a non-integer protocol version."})
    );
    assert_eq!(
        ask("?negotiateVersion=-1").await["error"],
        "The client requested version '-1', but the server does not support this version."
    );
}

#[tokio::test]
async fn p8_who_has_no_ticket_negotiates_nothing_and_opens_nothing() {
    let house = House::start().await;
    assert_eq!(http(&house, "POST", "/negotiate", "").await.0, 401);
    assert_eq!(http(&house, "GET", "/negotiate", TICKET).await.0, 405);
    assert_eq!(Raw::open(&house, "", &[]).await.err(), Some(401));
    assert!(Raw::open(&house, "?access_token=ticket%2Danna", &[]).await.is_ok());
    assert_eq!(http(&house, "POST", "/negotiate?access_token=ticket-anna", "").await.0, 200);
}

#[tokio::test]
async fn p8_pages_of_other_origins_are_refused_at_both_routes() {
    let house = House::start().await;
    let token = negotiate(&house, "anna").await;
    let query = format!("?id={token}");
    for other in ["https://evil.example", "null", "https://family.example.evil"] {
        let headers = format!("{TICKET}origin: {other}\r\n");
        assert_eq!(http(&house, "POST", "/negotiate", &headers).await.0, 403, "{other}");
        assert_eq!(Raw::open(&house, &query, &[("origin", other)]).await.err(), Some(403));
    }
    assert!(house.rooms().tickets.lock().unwrap().len() == 1, "nobody else was even asked");
    let ours = [("origin", "https://family.example")];
    assert!(Raw::open(&house, &query, &ours).await.is_ok());
}

#[tokio::test]
async fn p1_a_connection_token_opens_one_socket() {
    let house = House::start().await;
    let query = format!("?id={}", negotiate(&house, "anna").await);
    let mut first = Raw::open(&house, &query, &[]).await.expect("the first");
    assert_eq!(Raw::open(&house, &query, &[]).await.err(), Some(409), "it is open");
    first.socket.close(None).await.unwrap();
    first.ended().await;
    house.empty().await;
    assert_eq!(Raw::open(&house, &query, &[]).await.err(), Some(409), "it was used");
    house.clock.advance(Duration::from_secs(30));
    assert_eq!(Raw::open(&house, &query, &[]).await.err(), Some(404), "it is forgotten");
}

#[tokio::test]
async fn p1_unknown_garbled_and_expired_connection_tokens_are_404() {
    let house = House::start().await;
    let token = negotiate(&house, "anna").await;
    let mut garbled = token.clone().into_bytes();
    garbled[0] ^= 1;
    for id in ["x", "%00", &"A".repeat(200), std::str::from_utf8(&garbled).unwrap()] {
        assert_eq!(Raw::open(&house, &format!("?id={id}"), &[]).await.err(), Some(404), "{id}");
    }
    house.clock.advance(Duration::from_secs(30));
    assert_eq!(Raw::open(&house, &format!("?id={token}"), &[]).await.err(), Some(404));
}

#[tokio::test]
async fn p1_any_replica_takes_the_socket_and_only_one() {
    let claimed = Arc::default();
    let anywhere = "127.0.0.1:0".parse().unwrap();
    let here = House::replica(Arc::clone(&claimed), anywhere).await;
    let there = House::replica(claimed, anywhere).await;
    let query = format!("?id={}", negotiate(&here, "anna").await);
    let mut raw = Raw::open(&there, &query, &[]).await.expect("the other replica");
    raw.say(HANDSHAKE).await;
    raw.say("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Who\",\"arguments\":[]}\x1e").await;
    assert_eq!(raw.record().await, "{}");
    assert_eq!(raw.record().await, r#"{"type":3,"invocationId":"1","result":"anna"}"#);
    assert_eq!(Raw::open(&here, &query, &[]).await.err(), Some(409), "used elsewhere");
    assert_eq!(here.hub.connections(), 0);
}

#[tokio::test]
async fn p1_other_transports_are_refused_as_microsofts_server_refuses_them() {
    let house = House::start().await;
    let known = format!("?id={}", negotiate(&house, "anna").await);
    for (method, target, status, words) in [
        ("GET", "", 400, "Connection ID required"),
        ("POST", "", 400, "Connection ID required"),
        ("GET", "?id=x", 404, "No Connection with that ID"),
        ("GET", known.as_str(), 404, "LongPolling transport not supported by this end point type"),
        ("POST", &known, 405, "POST requests are not allowed for WebSocket connections."),
        ("DELETE", &known, 400, "Cannot terminate this connection using the DELETE endpoint."),
        ("PUT", "", 405, ""),
    ] {
        let (got, _, body) = http(&house, method, target, "").await;
        assert_eq!((got, body.as_str()), (status, words), "{method} {target}");
    }
}

#[tokio::test]
async fn p1_a_bad_handshake_is_told_and_closed() {
    let house = House::start().await;
    for (said, error, code) in [
        (
            "{\"protocol\":\"messagepack\",\"version\":1}\x1e",
            "The protocol 'messagepack' is not supported.",
            1000,
        ),
        (
            "{\"protocol\":\"json\",\"version\":3}\x1e",
            "The server does not support version 3 of the 'json' protocol.",
            1000,
        ),
        ("{\"type\":6}\x1e", "An unexpected error occurred during connection handshake.", 1002),
        ("hello\x1e", "An unexpected error occurred during connection handshake.", 1002),
    ] {
        let mut raw = Raw::silent(&house).await;
        raw.say(said).await;
        let records = vec![json!({"error": error}).to_string()];
        assert_eq!(raw.ended().await, Ended { records, code }, "{said}");
    }
    house.empty().await;
    assert!(house.rooms().open.lock().unwrap().is_empty());
}

#[tokio::test]
async fn p1_a_handshake_that_does_not_come_is_not_waited_for() {
    let house = House::start().await;
    let mut raw = Raw::silent(&house).await;
    raw.say("{\"protocol\":").await;
    let held = Held::time();
    held.pass(15.1).await;
    let records = vec![r#"{"error":"Handshake was canceled."}"#.to_owned()];
    assert_eq!(raw.ended().await, Ended { records, code: 1000 });
}

#[tokio::test]
async fn p1_records_come_joined_and_split_in_any_way() {
    let house = House::start().await;
    let mut raw = Raw::silent(&house).await;
    let call = |id: u32| {
        format!(
            "{{\"type\":1,\"invocationId\":\"{id}\",\"target\":\"Sum\",\"arguments\":[{id},1]}}\x1e"
        )
    };
    // Handshake and two calls in one message.
    raw.say(&format!("{HANDSHAKE}{}{}", call(1), call(2))).await;
    assert_eq!(raw.record().await, "{}");
    assert_eq!(raw.json().await["result"], 2);
    assert_eq!(raw.json().await["result"], 3);
    // One call in many messages, the last of which begins another.
    let joined = format!("{}{}", call(3), call(4));
    for character in joined.chars() {
        raw.say(&character.to_string()).await;
    }
    assert_eq!(raw.json().await["result"], 4);
    assert_eq!(raw.json().await["result"], 5);
}

#[tokio::test]
async fn p1_invocations_end_as_with_microsofts_server() {
    let house = House::start().await;
    let mut raw = Raw::greeted(&house).await;
    let mut invoke = async |target: &str, arguments: Value| {
        let message =
            json!({"type": 1, "invocationId": "i", "target": target, "arguments": arguments});
        raw.say(&format!("{message}\x1e")).await;
        raw.record().await
    };
    let result = |value: &str| format!(r#"{{"type":3,"invocationId":"i","result":{value}}}"#);
    let error = |text: &str| json!({"type": 3, "invocationId": "i", "error": text});
    assert_eq!(invoke("Echo", json!(["häl😀lo"])).await, result("\"häl😀lo\""));
    assert_eq!(invoke("eCHO", json!(["x"])).await, result("\"x\""), "in any case");
    assert_eq!(invoke("Quiet", json!([])).await, result("null"), "void is null");
    for (target, arguments, words) in [
        ("Nope", json!([]), "Unknown hub method 'Nope'"),
        ("Echo", json!([]), "Failed to invoke 'Echo' due to an error on the server."),
        ("Echo", json!([1]), "Failed to invoke 'Echo' due to an error on the server."),
        (
            "Fail",
            json!([]),
            "An unexpected error occurred invoking 'Fail' on the server. HubException: it did not work",
        ),
        ("Break", json!([]), "An unexpected error occurred invoking 'Break' on the server."),
        ("Panic", json!([]), "An unexpected error occurred invoking 'Panic' on the server."),
    ] {
        let got: Value = serde_json::from_str(&invoke(target, arguments).await).unwrap();
        assert_eq!(got, error(words));
    }
}

#[tokio::test]
async fn p1_without_an_invocation_id_there_is_no_reply() {
    let house = House::start().await;
    let mut raw = Raw::greeted(&house).await;
    for target in ["Echo", "Nope", "Fail"] {
        raw.say(&format!("{{\"type\":1,\"target\":\"{target}\",\"arguments\":[]}}\x1e")).await;
    }
    raw.say("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Quiet\",\"arguments\":[]}\x1e").await;
    assert_eq!(raw.json().await["invocationId"], "1");
}

#[tokio::test]
async fn p1_streams_are_refused_and_what_belongs_to_none_is_passed_over() {
    let house = House::start().await;
    let mut raw = Raw::greeted(&house).await;
    raw.say("{\"type\":4,\"invocationId\":\"1\",\"target\":\"Echo\",\"arguments\":[\"x\"]}\x1e")
        .await;
    assert_eq!(
        raw.json().await["error"],
        "The client attempted to invoke the non-streaming 'Echo' method with a streaming invocation."
    );
    raw.say("{\"type\":1,\"invocationId\":\"2\",\"target\":\"Echo\",\"arguments\":[],\"streamIds\":[\"3\"]}\x1e").await;
    assert_eq!(
        raw.json().await["error"],
        "An unexpected error occurred invoking 'Echo' on the server. HubException: Client sent 1 stream(s), Hub method expects 0."
    );
    // A stream's item, a completion and a cancellation of nothing, a ping, a type of the future.
    for passed in ["2,\"item\":1", "3", "5", "6", "99"] {
        raw.say(&format!("{{\"invocationId\":\"3\",\"type\":{passed}}}\x1e")).await;
    }
    raw.say("{\"type\":1,\"invocationId\":\"4\",\"target\":\"Quiet\",\"arguments\":[]}\x1e").await;
    assert_eq!(raw.json().await["invocationId"], "4");
}

#[tokio::test]
async fn p12_what_breaks_the_protocol_closes_the_connection() {
    let house = House::start().await;
    let long = "x".repeat(65 * 1024);
    let deep = format!("{{\"type\":1,\"target\":\"T\",\"arguments\":{}", "[".repeat(1000));
    for (said, code) in [
        (Message::text("not json\x1e"), 1002),
        (Message::text("[]\x1e"), 1002),
        (Message::text("\x1e"), 1002),
        (Message::text("{\"type\":8,\"sequenceId\":1}\x1e"), 1002),
        (Message::text("{\"type\":9,\"sequenceId\":1}\x1e"), 1002),
        (
            Message::text("{\"type\":3,\"invocationId\":\"1\",\"result\":1,\"error\":\"e\"}\x1e"),
            1002,
        ),
        (Message::text(format!("{deep}\x1e")), 1002),
        (Message::binary("{\"type\":6}\x1e"), 1002),
        (Message::text(format!("{{\"type\":6,\"x\":\"{long}\"}}\x1e")), 1009),
        (Message::text(long.clone()), 1009),
    ] {
        let mut raw = Raw::greeted(&house).await;
        raw.socket.send(said.clone()).await.unwrap();
        let records = vec![r#"{"type":7,"error":"Connection closed with an error."}"#.to_owned()];
        assert_eq!(raw.ended().await, Ended { records, code }, "{:.60}", format!("{said:?}"));
    }
    house.empty().await;
    assert!(house.rooms().open.lock().unwrap().is_empty(), "each is told to be over");
}

#[tokio::test]
async fn p12_what_is_far_too_long_is_not_even_read() {
    let house = House::start().await;
    let mut raw = Raw::greeted(&house).await;
    // The hub leaves before all of it is sent; whether its last words get through is up to TCP.
    let _ = raw.socket.send(Message::text("x".repeat(4 * 1024 * 1024))).await;
    let code = raw.ended().await.code;
    assert!([1006, 1009].contains(&code), "{code}");
    house.empty().await;
}

#[tokio::test]
async fn p12_a_record_split_over_messages_is_as_long_as_any_other() {
    let house = House::start().await;
    let mut raw = Raw::greeted(&house).await;
    for _ in 0..5 {
        raw.say(&"x".repeat(15 * 1024)).await;
    }
    assert_eq!(raw.ended().await.code, 1009);
}

#[tokio::test]
async fn p1_who_is_unwelcome_after_the_handshake_is_told_so_for_good() {
    let house = House::start().await;
    let ticket = [("authorization", "Bearer ticket-unwelcome")];
    let mut raw = Raw::open(&house, "", &ticket).await.unwrap();
    raw.say(HANDSHAKE).await;
    let close = r#"{"type":7,"error":"Connection closed with an error. HubException: not you"}"#;
    let records = vec!["{}".to_owned(), close.to_owned()];
    assert_eq!(raw.ended().await, Ended { records, code: 1000 });
}

#[tokio::test]
async fn p1_a_connection_closed_by_its_own_invocation_still_answers_it() {
    let house = House::start().await;
    let mut raw = Raw::greeted(&house).await;
    raw.say("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Leave\",\"arguments\":[]}\x1e").await;
    let records = vec![
        r#"{"type":3,"invocationId":"1","result":"gone"}"#.to_owned(),
        r#"{"type":7,"error":"go"}"#.to_owned(),
    ];
    assert_eq!(raw.ended().await, Ended { records, code: 1000 });
}

#[tokio::test]
async fn p1_pushes_come_in_order_and_before_a_close() {
    let mut house = House::start().await;
    let mut raw = Raw::greeted(&house).await;
    let connection = house.came.recv().await.unwrap();
    for number in 0..100 {
        connection.send("Event", &(number, "x")).unwrap();
    }
    connection.close(None, true);
    assert!(connection.send("Event", &()).is_err());
    for number in 0..100 {
        let event = json!({"type": 1, "target": "Event", "arguments": [number, "x"]});
        assert_eq!(raw.json().await, event);
    }
    let records = vec![r#"{"type":7,"allowReconnect":true}"#.to_owned()];
    assert_eq!(raw.ended().await, Ended { records, code: 1000 });
}

#[tokio::test]
async fn p1_at_shutdown_everybody_is_asked_to_come_again_and_nobody_new_is_taken() {
    let house = House::start().await;
    let mut raws = [Raw::greeted(&house).await, Raw::greeted(&house).await];
    let waiting = "{\"type\":1,\"target\":\"Quiet\",\"arguments\":[]}\x1e";
    raws[1].say(waiting).await;
    house.shutdown.cancel();
    for raw in &mut raws {
        let records = vec![r#"{"type":7,"allowReconnect":true}"#.to_owned()];
        assert_eq!(raw.ended().await, Ended { records, code: 1000 });
    }
    house.hub.drained().await;
    assert!(house.rooms().open.lock().unwrap().is_empty());
}

#[tokio::test]
async fn p1_a_client_that_takes_its_leave_is_let_go() {
    let house = House::start().await;
    let mut raw = Raw::greeted(&house).await;
    raw.say("{\"type\":7}\x1e").await;
    assert_eq!(raw.ended().await, Ended { records: vec![], code: 1000 });
    // And one that breaks off within a record.
    let mut raw = Raw::greeted(&house).await;
    raw.say("{\"type\":1,").await;
    drop(raw);
    house.empty().await;
    assert!(house.rooms().open.lock().unwrap().is_empty());
}
