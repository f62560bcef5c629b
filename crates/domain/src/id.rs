//! Ids of what the family server keeps: each its own type, all of them UUIDs of version 7
//! (RFC 9562 section 5.7), so that they sort by age. They are names, not secrets.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::entropy::{Entropy, NoEntropy};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = Uuid))]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, made now.
            ///
            /// # Errors
            /// [`NoEntropy`].
            pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
                let mut random = [0; 10];
                entropy.fill(&mut random)?;
                let ms = u64::try_from(now.as_millisecond()).unwrap_or_default();
                Ok(Self(uuid::Builder::from_unix_timestamp_millis(ms, &random).into_uuid()))
            }

            /// The id that was written down as `uuid`.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The id as a UUID.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    )*};
}

id! {
    /// A person who signs in, as the server knows them.
    AccountId,
    /// A family.
    FamilyId,
    /// Somebody's place in a family: an account's, or a child's without one.
    MemberId,
    /// An invitation into a family.
    InviteId,
    /// A note to the wall.
    NoteId,
    /// A wall display.
    DeviceId,
    /// A display's wish to be linked: one showing of a code.
    LinkId,
    /// What a person is asked once they typed a display's code.
    ChallengeId,
    /// One pair of a display's tokens; the `jti` of its access token.
    TokenId,
    /// A sign-in of a browser at the server itself.
    WebSessionId,
    /// A line of the audit log.
    AuditId,
}
