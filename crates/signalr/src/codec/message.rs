//! The messages of the hub protocol (HubProtocol.md, "JSON Encoding").

use std::borrow::Cow;

use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::{Arguments, Limits, ProtocolError, depth};

/// One message, either way.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Type 1: call a method. Type 4 (`streaming`) asks for a stream of results, which nothing here
    /// gives.
    Invocation {
        /// What the completion shall carry. Without one, no reply is allowed.
        id: Option<String>,
        /// The method.
        target: String,
        /// Its arguments.
        arguments: Arguments,
        /// How many streams the caller means to upload.
        streams: usize,
        /// Whether it is of type 4.
        streaming: bool,
    },
    /// Type 3: the end of an invocation.
    Completion {
        /// Of which.
        id: String,
        /// How it ended.
        outcome: Outcome,
    },
    /// Type 6: still there.
    Ping,
    /// Type 7: no more will follow.
    Close {
        /// Why, when it is an error.
        error: Option<String>,
        /// Whether to come again.
        allow_reconnect: bool,
    },
    /// Types 2 and 5 (a stream's item, a cancellation), which can only be about what was never begun
    /// here, and types of the future: to be passed over, as the specification and Microsoft's reader do.
    Passed(i64),
}

/// How an invocation ended. There is no way to say both result and error.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Well, with nothing to say.
    Void,
    /// Well, with this, which may be `null`.
    Result(Box<RawValue>),
    /// Not.
    Error(String),
}

impl PartialEq for Outcome {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Void, Self::Void) => true,
            (Self::Result(ours), Self::Result(theirs)) => ours.get() == theirs.get(),
            (Self::Error(ours), Self::Error(theirs)) => ours == theirs,
            _ => false,
        }
    }
}

/// The arguments cannot be written as a JSON array.
#[derive(Debug, thiserror::Error)]
#[error("the arguments cannot be written as a JSON array")]
pub struct EncodeError(#[source] serde_json::Error);

#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Call {
    #[serde(default)]
    invocation_id: Option<String>,
    target: String,
    arguments: Vec<Box<RawValue>>,
    #[serde(default)]
    stream_ids: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    invocation_id: String,
    #[serde(default, deserialize_with = "present")]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct End {
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    allow_reconnect: bool,
}

/// Tells `"result":null` from no result at all.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(from).map(Some)
}

impl Message {
    /// Reads a record (without its separator).
    ///
    /// # Errors
    /// [`ProtocolError`]: the connection cannot go on.
    pub fn decode(record: &[u8], limits: Limits) -> Result<Self, ProtocolError> {
        if record.len() > limits.record {
            return Err(ProtocolError::TooLong(limits.record));
        }
        depth::check(record, limits.depth)?;
        depth::expect_object(record)?;
        match parse::<Kind>(record)?.kind {
            kind @ (1 | 4) => parse(record).and_then(|call| Self::from_call(call, kind == 4)),
            3 => parse(record).and_then(Self::from_done),
            6 => Ok(Self::Ping),
            7 => parse(record)
                .map(|End { error, allow_reconnect }| Self::Close { error, allow_reconnect }),
            kind @ (8 | 9) => Err(ProtocolError::NotNegotiated(kind)),
            kind => Ok(Self::Passed(kind)),
        }
    }

    fn from_call(call: Call, streaming: bool) -> Result<Self, ProtocolError> {
        // An empty id is none (Microsoft's server looks at it that way).
        let id = call.invocation_id.filter(|id| !id.is_empty());
        if streaming && id.is_none() {
            return Err(ProtocolError::Malformed("a stream invocation without an id".to_owned()));
        }
        Ok(Self::Invocation {
            id,
            target: call.target,
            arguments: Arguments(call.arguments),
            streams: call.stream_ids.map_or(0, |ids| ids.len()),
            streaming,
        })
    }

    fn from_done(done: Done) -> Result<Self, ProtocolError> {
        let outcome = match (done.result, done.error) {
            (Some(_), Some(_)) => return Err(ProtocolError::ResultAndError),
            (None, Some(error)) => Outcome::Error(error),
            (Some(result), None) => Outcome::Result(result),
            (None, None) => Outcome::Void,
        };
        Ok(Self::Completion { id: done.invocation_id, outcome })
    }

    /// The record, with its separator. [`Message::Passed`] is nothing that could be sent and gives an
    /// empty string.
    #[must_use]
    pub fn encode(&self) -> String {
        match self {
            Self::Invocation { id, target, arguments, streaming, .. } => {
                let listed: Vec<&str> = arguments.0.iter().map(|raw| raw.get()).collect();
                let id = id.as_ref().map_or(String::new(), |id| field("invocationId", id));
                let kind = if *streaming { 4 } else { 1 };
                let target = quoted(target);
                let listed = listed.join(",");
                format!("{{\"type\":{kind}{id},\"target\":{target},\"arguments\":[{listed}]}}\x1e")
            }
            Self::Completion { id, outcome } => {
                let end = match outcome {
                    Outcome::Void => Cow::Borrowed(""),
                    Outcome::Result(raw) => Cow::Owned(format!(",\"result\":{}", raw.get())),
                    Outcome::Error(error) => Cow::Owned(field("error", error)),
                };
                format!("{{\"type\":3,\"invocationId\":{}{end}}}\x1e", quoted(id))
            }
            Self::Ping => "{\"type\":6}\x1e".to_owned(),
            Self::Close { error, allow_reconnect } => {
                let error = error.as_ref().map_or(String::new(), |error| field("error", error));
                let again = if *allow_reconnect { ",\"allowReconnect\":true" } else { "" };
                format!("{{\"type\":7{error}{again}}}\x1e")
            }
            Self::Passed(_) => String::new(),
        }
    }

    /// The record of an invocation that expects no reply. `arguments` is a tuple, an array or a vector;
    /// `()` is none.
    ///
    /// # Errors
    /// [`EncodeError`].
    pub fn call(target: &str, arguments: &impl Serialize) -> Result<String, EncodeError> {
        Self::call_with(None, target, arguments)
    }

    /// The record of an invocation; with an `id` a completion is expected.
    ///
    /// # Errors
    /// [`EncodeError`].
    pub fn call_with(
        id: Option<&str>,
        target: &str,
        arguments: &impl Serialize,
    ) -> Result<String, EncodeError> {
        let listed = match serde_json::to_string(arguments).map_err(EncodeError)? {
            none if none == "null" => "[]".to_owned(),
            array if array.starts_with('[') => array,
            _ => return Err(EncodeError(serde_json::Error::custom("not an array"))),
        };
        let (id, target) =
            (id.map_or(String::new(), |id| field("invocationId", id)), quoted(target));
        Ok(format!("{{\"type\":1{id},\"target\":{target},\"arguments\":{listed}}}\x1e"))
    }
}

fn parse<'a, T: Deserialize<'a>>(record: &'a [u8]) -> Result<T, ProtocolError> {
    serde_json::from_slice(record).map_err(|error| ProtocolError::Malformed(error.to_string()))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn field(name: &str, text: &str) -> String {
    format!(",\"{name}\":{}", quoted(text))
}
