//! Who is at the other end of a hub's connection.

use luminous_domain::{AccountId, DeviceId, FamilyId, LinkId, PersonKey, Timestamp, TokenId};
use luminous_store::Network;
use serde::{Deserialize, Serialize};

use super::sealed;
use crate::AppState;

/// What callers are sealed for.
const PURPOSE: &str = "hub callers";

/// Who is at the other end of a hub's connection. It travels, sealed, in tickets and connection
/// tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Caller {
    /// A member of a family.
    Person {
        /// Who, to their provider.
        person: PersonKey,
        /// Who, to us.
        account: AccountId,
        /// In which family.
        family: FamilyId,
        /// When they last proved who they are, in Unix seconds, as their token tells it.
        proved_at_s: i64,
        /// When their token ends, and the connection with it, in Unix seconds.
        until_s: i64,
    },
    /// A linked display.
    Display {
        /// Which.
        device: DeviceId,
        /// In which family.
        family: FamilyId,
        /// By which of its tokens.
        token: TokenId,
        /// When that ends, and the connection with it, in Unix seconds.
        until_s: i64,
    },
    /// A display that waits for somebody's yes.
    Waiting {
        /// Its wish.
        link: LinkId,
        /// When its code ends, in Unix ms.
        until_ms: i64,
        /// Where it asks from.
        #[serde(with = "network")]
        network: Network,
    },
}

impl Caller {
    /// For a connection token; where that cannot be made, nothing that could be opened again.
    pub(super) fn seal(&self, state: &AppState) -> Vec<u8> {
        let plain = serde_json::to_vec(self).unwrap_or_default();
        sealed::seal(state, PURPOSE, &plain).unwrap_or_default()
    }

    /// From a connection token.
    pub(super) fn open(state: &AppState, sealed: &[u8]) -> Option<Self> {
        serde_json::from_slice(&sealed::open(state, PURPOSE, sealed)?).ok()
    }

    /// Whether both are connections of one person, or of one display.
    pub(super) fn is_same_bearer(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Person { account: one, .. }, Self::Person { account: other, .. }) => {
                one == other
            }
            (Self::Display { device: one, .. }, Self::Display { device: other, .. }) => {
                one == other
            }
            (Self::Waiting { link: one, .. }, Self::Waiting { link: other, .. }) => one == other,
            _ => false,
        }
    }

    /// The family, if there is one yet.
    #[must_use]
    pub fn family(&self) -> Option<FamilyId> {
        match self {
            Self::Person { family, .. } | Self::Display { family, .. } => Some(*family),
            Self::Waiting { .. } => None,
        }
    }

    /// When the connection ends by itself; `None` where that cannot be said as a time.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Person { until_s, .. } | Self::Display { until_s, .. } => {
                Timestamp::from_second(*until_s).ok()
            }
            Self::Waiting { until_ms, .. } => Timestamp::from_millisecond(*until_ms).ok(),
        }
    }
}

/// What kind of network, as one letter.
mod network {
    use luminous_store::Network;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(network: &Network, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_char(match network {
            Network::Loopback => 'l',
            Network::Private => 'p',
            Network::Public => 'i',
        })
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Network, D::Error> {
        match char::deserialize(from)? {
            'l' => Ok(Network::Loopback),
            'p' => Ok(Network::Private),
            'i' => Ok(Network::Public),
            _ => Err(de::Error::custom("no such network")),
        }
    }
}
