//! Who a person is, across issuers and policies.

use serde::{Deserialize, Serialize};

/// The directory a person lives in: a B2C or Entra tenant GUID, or for any other provider its
/// issuer URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(String);

/// A person's immutable id within the directory: `oid`, or `sub` where there is no `oid`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectId(String);

macro_rules! text_id {
    ($name:ident) => {
        impl $name {
            /// Takes the id as the verified token spelt it.
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}
text_id!(TenantId);
text_id!(ObjectId);

/// The one key of a person: never `sub` alone, never an e-mail address.
///
/// `sub` and `iss` change when a B2C tenant is served as Entra External ID, and an e-mail address
/// can be taken over (nOAuth); tenant and object id stay.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PersonKey {
    /// The directory.
    pub tenant: TenantId,
    /// The person within it.
    pub object: ObjectId,
}
