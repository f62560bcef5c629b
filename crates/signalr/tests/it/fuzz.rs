//! The fuzz target `hub_frame`: any bytes, cut anywhere, are never a panic, and what is written is read
//! again.

use bytes::Bytes;
use luminous_signalr::codec::{
    HandshakeRequest, HandshakeResponse, Message, Outcome, ProtocolError, Records,
};
use luminous_signalr::{Arguments, Limits};
use proptest::prelude::*;
use serde_json::value::{RawValue, Value, to_raw_value};

fn hub_frame(bytes: &[u8]) {
    for limits in [Limits::HUB, Limits::CLIENT] {
        let _ = HandshakeRequest::accept(bytes, limits);
        let _ = HandshakeResponse::decode(bytes, limits);
        if let Ok(message) = Message::decode(bytes, limits) {
            read_again(&message);
        }
    }
}

fn read_again(message: &Message) {
    let record = message.encode();
    if matches!(message, Message::Passed(_)) {
        assert!(record.is_empty());
        return;
    }
    let text = record.strip_suffix('\x1e').expect("every record is ended");
    assert!(!text.contains('\x1e'), "and ended once");
    let again = Message::decode(text.as_bytes(), Limits { record: usize::MAX, depth: usize::MAX });
    let again = again.expect("our own");
    assert_eq!(without_streams(again), without_streams(message.clone()));
}

/// We never upload streams, so their number is not written.
fn without_streams(mut message: Message) -> Message {
    if let Message::Invocation { streams, .. } = &mut message {
        *streams = 0;
    }
    message
}

fn cut(
    bytes: &[u8],
    cuts: &[prop::sample::Index],
    limit: usize,
) -> Result<Vec<Vec<u8>>, ProtocolError> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    let (mut records, mut taken, mut from) = (Records::new(limit), Vec::new(), 0);
    for end in ends {
        records.add(Bytes::copy_from_slice(&bytes[from..end]))?;
        from = end;
        while let Some(record) = records.next()? {
            taken.push(record.to_vec());
        }
    }
    Ok(taken)
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn raw() -> impl Strategy<Value = Box<RawValue>> {
    json().prop_map(|value| to_raw_value(&value).expect("it is JSON"))
}

fn message() -> impl Strategy<Value = Message> {
    let id = prop::option::of("[^\x00]{1,8}");
    let arguments = prop::collection::vec(raw(), 0..4).prop_map(Arguments);
    let outcome = prop_oneof![
        Just(Outcome::Void),
        raw().prop_map(Outcome::Result),
        any::<String>().prop_map(Outcome::Error),
    ];
    let error = prop::option::of(any::<String>());
    prop_oneof![
        (id, any::<String>(), arguments).prop_map(|(id, target, arguments)| Message::Invocation {
            id,
            target,
            arguments,
            streams: 0,
            streaming: false
        }),
        (any::<String>(), outcome).prop_map(|(id, outcome)| Message::Completion { id, outcome }),
        Just(Message::Ping),
        (error, any::<bool>())
            .prop_map(|(error, allow_reconnect)| Message::Close { error, allow_reconnect }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn p12_hub_frame_arbitrary_bytes_are_no_panic(bytes in any::<Vec<u8>>()) {
        hub_frame(&bytes);
    }

    #[test]
    fn p12_hub_frame_arbitrary_objects_are_no_panic(value in json(), kind in -1i64..10) {
        let mut object = serde_json::Map::from_iter([("type".to_owned(), Value::from(kind))]);
        for name in ["invocationId", "target", "arguments", "result", "error", "streamIds", "protocol"] {
            object.insert(name.to_owned(), value.clone());
            hub_frame(Value::Object(object.clone()).to_string().as_bytes());
        }
    }

    #[test]
    fn p12_hub_frame_changed_messages_are_no_panic(
        message in message(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut record = message.encode().into_bytes();
        let at = at.index(record.len());
        record[at] = byte;
        hub_frame(&record);
        record.truncate(at);
        hub_frame(&record);
    }

    #[test]
    fn p12_hub_frame_what_is_written_is_read_again(message in message()) {
        read_again(&message);
    }

    #[test]
    fn p12_hub_frame_records_do_not_depend_on_where_chunks_end(
        bytes in prop::collection::vec(prop_oneof![Just(0x1Eu8), any::<u8>()], 0..256),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut expected: Vec<Vec<u8>> = bytes.split(|byte| *byte == 0x1E).map(<[u8]>::to_vec).collect();
        let unended = expected.pop().unwrap_or_default();
        prop_assert_eq!(cut(&bytes, &cuts, 256), Ok(expected.clone()));
        let longest = expected.iter().map(Vec::len).chain([unended.len()]).max().unwrap_or(0);
        let refused = cut(&bytes, &cuts, longest.saturating_sub(1)).is_err();
        prop_assert_eq!(refused, longest > 0);
    }
}
