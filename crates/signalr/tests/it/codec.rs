//! Records and messages, as values.

use bytes::Bytes;
use luminous_signalr::codec::{
    HandshakeError, HandshakeRequest, HandshakeResponse, Message, Outcome, ProtocolError, Records,
};
use luminous_signalr::{Arguments, Limits};

fn decode(record: &str) -> Result<Message, ProtocolError> {
    Message::decode(record.as_bytes(), Limits::HUB)
}

fn malformed(record: &str) -> bool {
    matches!(decode(record), Err(ProtocolError::Malformed(_)))
}

#[test]
fn p1_messages_are_read_whatever_the_order_of_their_fields() {
    let read = decode(
        r#"{"arguments":["a",{"b":[1]}],"headers":{"x":"y"},"target":"T","invocationId":"7","type":1,"new":0}"#,
    );
    let Ok(Message::Invocation { id: Some(id), target, arguments, streams: 0, streaming: false }) =
        read
    else {
        panic!("{read:?}");
    };
    assert_eq!((id.as_str(), target.as_str(), arguments.len()), ("7", "T", 2));
    let (a, b): (String, serde_json::Value) = arguments.read().expect("two arguments");
    assert_eq!((a.as_str(), b["b"][0].as_u64()), ("a", Some(1)));
}

#[test]
fn arguments_are_as_many_as_the_method_takes() {
    let arguments = |json: &str| Arguments(serde_json::from_str(json).expect("an array"));
    assert!(arguments("[1,2]").read::<(u8, u8)>().is_ok());
    assert!(arguments("[1,2]").read::<(u8,)>().is_err());
    assert!(arguments("[1]").read::<(u8, u8)>().is_err());
    assert!(arguments("[]").read::<[(); 0]>().is_ok());
    assert!(arguments("[1]").read::<[(); 0]>().is_err());
    assert!(arguments("[\"x\"]").read::<(u8,)>().is_err());
}

#[test]
fn a_completion_never_carries_both_and_null_is_a_result() {
    let end = |rest: &str| decode(&format!(r#"{{"type":3,"invocationId":"1"{rest}}}"#));
    let outcome = |rest| match end(rest) {
        Ok(Message::Completion { outcome, .. }) => outcome,
        other => panic!("{other:?}"),
    };
    assert_eq!(outcome(""), Outcome::Void);
    assert_eq!(outcome(r#","error":"e""#), Outcome::Error("e".to_owned()));
    assert!(matches!(outcome(r#","result":null"#), Outcome::Result(raw) if raw.get() == "null"));
    assert!(matches!(outcome(r#","result":[1]"#), Outcome::Result(raw) if raw.get() == "[1]"));
    assert_eq!(end(r#","result":null,"error":"e""#), Err(ProtocolError::ResultAndError));
}

#[test]
fn p12_what_is_no_message_is_refused() {
    for record in [
        "",
        " ",
        "null",
        "1",
        "[1]",
        "{",
        "{}",
        "{\"type\":\"1\"}",
        "{\"type\":null}",
        "{\"type\":1}",
        "{\"type\":1,\"target\":\"T\"}",
        "{\"type\":1,\"target\":1,\"arguments\":[]}",
        "{\"type\":1,\"target\":\"T\",\"arguments\":{}}",
        "{\"type\":3}",
        "{\"type\":4,\"target\":\"T\",\"arguments\":[]}",
        "{\"type\":6}x",
        "{\"type\":7,\"error\":1}",
        "{\"type\":1e999}",
        "\u{feff}{\"type\":6}",
        "{\"type\":6,\"type\":6}",
    ] {
        assert!(malformed(record), "{record:?} gave {:?}", decode(record));
    }
    assert!(matches!(
        Message::decode(b"{\"type\":6,\"x\":\"\xff\"}", Limits::HUB),
        Ok(Message::Ping) | Err(_)
    ));
}

#[test]
fn p12_unknown_types_are_passed_over_and_stateful_reconnect_is_refused() {
    for kind in [2, 5, 99, -1, 0] {
        let record = format!(r#"{{"type":{kind},"invocationId":3,"target":[]}}"#);
        assert_eq!(decode(&record), Ok(Message::Passed(kind)));
    }
    for kind in [8, 9] {
        let record = format!(r#"{{"type":{kind},"sequenceId":1}}"#);
        assert_eq!(decode(&record), Err(ProtocolError::NotNegotiated(kind)));
    }
}

#[test]
fn p12_nesting_is_limited_and_brackets_in_strings_do_not_count() {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"type":1,"target":"T","arguments":{open}{close}}}"#)
    };
    assert!(decode(&nested(63)).is_ok());
    assert_eq!(decode(&nested(64)), Err(ProtocolError::TooDeep(64)));
    assert_eq!(decode(&nested(30_000)), Err(ProtocolError::TooDeep(64)));
    let text = format!(r#"{{"type":1,"target":"T","arguments":["{}\"["]}}"#, "[{".repeat(100));
    assert!(decode(&text).is_ok());
}

#[test]
fn p12_records_are_cut_wherever_the_chunks_end() {
    let mut records = Records::new(8);
    let mut take = |chunk: &'static str| {
        records.add(Bytes::from(chunk)).expect("within the limit");
        let mut taken = Vec::new();
        while let Some(record) = records.next().expect("within the limit") {
            taken.push(String::from_utf8(record.to_vec()).expect("text"));
        }
        (taken, records.is_within_record())
    };
    assert_eq!(take("a\x1eb\x1e"), (vec!["a".to_owned(), "b".to_owned()], false));
    assert_eq!(take("c"), (vec![], true));
    assert_eq!(take("d"), (vec![], true));
    assert_eq!(take("e\x1e\x1ef"), (vec!["cde".to_owned(), String::new()], true));
    assert_eq!(take("\x1e"), (vec!["f".to_owned()], false));
    assert_eq!(take("12345678\x1e"), (vec!["12345678".to_owned()], false));
    let _ = take("12345678");
    assert_eq!(records.add("9".into()), Err(ProtocolError::TooLong(8)));
}

#[test]
fn p12_a_record_that_never_ends_is_refused_at_the_limit() {
    let mut records = Records::new(8);
    records.add("123456789".into()).expect("nothing is looked at yet");
    assert_eq!(records.next(), Err(ProtocolError::TooLong(8)));
}

#[test]
fn the_handshake_is_answered_in_microsofts_words() {
    let accept = |record: &str| HandshakeRequest::accept(record.as_bytes(), Limits::HUB);
    assert!(accept(r#"{"protocol":"json","version":1,"x":[]}"#).is_ok());
    let words = |record| HandshakeResponse::refused(&accept(record).expect_err("refused")).encode();
    assert_eq!(
        words(r#"{"protocol":"messagepack","version":1}"#),
        "{\"error\":\"The protocol 'messagepack' is not supported.\"}\x1e"
    );
    assert_eq!(
        words(r#"{"protocol":"json","version":2}"#),
        "{\"error\":\"The server does not support version 2 of the 'json' protocol.\"}\x1e"
    );
    for bad in ["", "x", "[\"json\",1]", "{}", r#"{"protocol":"json"}"#, r#"{"type":6}"#] {
        assert!(matches!(accept(bad), Err(HandshakeError::Malformed(_))), "{bad}");
    }
}

#[test]
fn a_handshake_response_is_no_other_message() {
    let read = |record: &str| HandshakeResponse::decode(record.as_bytes(), Limits::HUB);
    assert_eq!(read("{}").map(|response| response.error), Ok(None));
    let refused = read(r#"{"error":"no","minorVersion":1}"#).map(|response| response.error);
    assert_eq!(refused, Ok(Some("no".to_owned())));
    assert!(read(r#"{"type":6}"#).is_err());
    assert!(read("[]").is_err());
}

#[test]
fn what_is_called_with_is_an_array() {
    assert_eq!(
        Message::call("T", &("a", 1)).expect("an array"),
        "{\"type\":1,\"target\":\"T\",\"arguments\":[\"a\",1]}\x1e"
    );
    assert_eq!(
        Message::call_with(Some("7"), "T", &()).expect("none"),
        "{\"type\":1,\"invocationId\":\"7\",\"target\":\"T\",\"arguments\":[]}\x1e"
    );
    assert!(Message::call("T", &"a").is_err());
    assert!(
        !Message::call("T", &["\x1e"]).expect("escaped").trim_end_matches('\x1e').contains('\x1e')
    );
}
