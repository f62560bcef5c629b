//! Cutting a stream of WebSocket messages into records.

use bytes::{Bytes, BytesMut};

use super::{ProtocolError, SEPARATOR};

/// Records out of chunks: several may come in one chunk, and one may be spread over several.
///
/// Holds no memory between whole records, looks at every byte once, and never keeps more than the limit.
#[derive(Debug)]
pub struct Records {
    limit: usize,
    partial: BytesMut,
    head: Option<Bytes>,
    rest: Bytes,
}

impl Records {
    /// Takes records up to `limit` bytes, without the separator.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, partial: BytesMut::new(), head: None, rest: Bytes::new() }
    }

    /// Adds a chunk. Take all records with [`Records::next`] before adding another.
    ///
    /// # Errors
    /// [`ProtocolError::TooLong`]; nothing can be read afterwards.
    pub fn add(&mut self, mut chunk: Bytes) -> Result<(), ProtocolError> {
        if !self.partial.is_empty() {
            let end = position(&chunk);
            let more = chunk.split_to(end.unwrap_or(chunk.len()));
            if self.partial.len() + more.len() > self.limit {
                return Err(ProtocolError::TooLong(self.limit));
            }
            self.partial.extend_from_slice(&more);
            if end.is_some() {
                self.head = Some(std::mem::take(&mut self.partial).freeze());
                let _ = chunk.split_to(1);
            }
        }
        self.rest = chunk;
        Ok(())
    }

    /// The next whole record, without its separator.
    ///
    /// # Errors
    /// [`ProtocolError::TooLong`]; nothing can be read afterwards.
    #[expect(clippy::should_implement_trait, reason = "it is not an iterator: more may be added")]
    pub fn next(&mut self) -> Result<Option<Bytes>, ProtocolError> {
        if let Some(head) = self.head.take() {
            return Ok(Some(head));
        }
        let end = position(&self.rest);
        if end.unwrap_or(self.rest.len()) > self.limit {
            return Err(ProtocolError::TooLong(self.limit));
        }
        let Some(end) = end else {
            let rest = std::mem::take(&mut self.rest);
            self.partial.extend_from_slice(&rest);
            return Ok(None);
        };
        let record = self.rest.split_to(end);
        let _ = self.rest.split_to(1);
        Ok(Some(record))
    }

    /// Whether a record has begun and not ended.
    #[must_use]
    pub fn is_within_record(&self) -> bool {
        !self.partial.is_empty()
    }
}

fn position(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == SEPARATOR)
}
