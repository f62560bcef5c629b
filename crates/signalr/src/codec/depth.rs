//! How deeply a record is nested, known before it is parsed.

use super::ProtocolError;

/// Refuses a record that nests arrays and objects deeper than `limit`. Brackets within strings do not
/// count; whether the record is JSON at all is for the parser to say.
pub(super) fn check(record: &[u8], limit: usize) -> Result<(), ProtocolError> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in record {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return Err(ProtocolError::TooDeep(limit));
        }
    }
    Ok(())
}

/// A struct could be read from an array as well; the protocol knows objects only.
pub(super) fn expect_object(record: &[u8]) -> Result<(), ProtocolError> {
    match record.trim_ascii_start().first() {
        Some(b'{') => Ok(()),
        _ => Err(ProtocolError::Malformed("expected an object".to_owned())),
    }
}
