//! The connection token: all that negotiation found out, authenticated, so that any replica can go on.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use luminous_domain::Timestamp;

use super::ConnectionId;

/// How long a connection may wait for its socket, in seconds.
pub(super) const LIFE: i64 = 30;
const ID: usize = 16;
const EXPIRY: usize = 8;
const TAG: usize = 32;
/// So that a key that also serves something else signs nothing else for us.
const PURPOSE: &[u8] = b"luminous-signalr connection 1";

pub(super) struct TokenKey(hmac::Key);

/// What a token says: id, expiry in seconds since the epoch, the sealed caller.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) id: ConnectionId,
    pub(super) expires: i64,
    pub(super) sealed: Vec<u8>,
}

impl TokenKey {
    pub(super) fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    pub(super) fn seal(&self, id: ConnectionId, now: Timestamp, caller: &[u8]) -> String {
        let mut token = Vec::with_capacity(ID + EXPIRY + caller.len() + TAG);
        token.extend_from_slice(id.as_bytes());
        token.extend_from_slice(&(now.as_second() + LIFE).to_be_bytes());
        token.extend_from_slice(caller);
        let tag = hmac::sign(&self.0, &[PURPOSE, &token].concat());
        token.extend_from_slice(tag.as_ref());
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Nothing for what was not sealed with this key. Whether it has expired is the caller's question:
    /// an old token of a living connection is answered differently.
    pub(super) fn open(&self, token: &str) -> Option<Opened> {
        let token = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (said, tag) = token.split_at_checked(token.len().checked_sub(TAG)?)?;
        hmac::verify(&self.0, &[PURPOSE, said].concat(), tag).ok()?;
        let (id, rest) = said.split_first_chunk::<ID>()?;
        let (expires, sealed) = rest.split_first_chunk::<EXPIRY>()?;
        Some(Opened {
            id: ConnectionId::from_bytes(*id),
            expires: i64::from_be_bytes(*expires),
            sealed: sealed.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn key() -> TokenKey {
        TokenKey::new(&[7; 32])
    }

    #[test]
    fn a_token_opens_on_every_replica_with_the_key() {
        let id = ConnectionId::from_bytes([1; 16]);
        let token = key().seal(id, NOW, b"caller");
        let opened = key().open(&token).expect("sealed with the same key");
        assert_eq!(opened, Opened { id, expires: LIFE, sealed: b"caller".to_vec() });
        assert_eq!(TokenKey::new(&[8; 32]).open(&token), None);
    }

    #[test]
    fn a_token_with_any_bit_changed_or_cut_anywhere_opens_nothing() {
        let token = key().seal(ConnectionId::from_bytes([1; 16]), NOW, b"caller");
        let bytes = URL_SAFE_NO_PAD.decode(&token).expect("our own");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(key().open(&URL_SAFE_NO_PAD.encode(changed)), None);
            assert_eq!(key().open(&URL_SAFE_NO_PAD.encode(&bytes[..at])), None);
        }
        assert_eq!(key().open("not base64!"), None);
    }
}
