//! Families.

use luminous_domain::FamilyId;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FamilyView {
    /// Its id.
    pub id: FamilyId,
    /// What it calls itself.
    pub name: String,
    /// When it was created, Unix time in ms.
    #[ts(type = "number")]
    pub created_at_ms: i64,
}

/// A new family, with whoever asks for it as its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateFamily {
    /// What it calls itself: 1 to 60 characters after trimming, no control characters.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 60))]
    pub name: String,
}

/// Another name for the family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RenameFamily {
    /// As for [`CreateFamily::name`].
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 60))]
    pub name: String,
}

/// The end of a family, for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeleteFamily {
    /// The family's name, typed again: nobody deletes a family by one click.
    #[cfg_attr(feature = "openapi", schema(max_length = 60))]
    pub name: String,
}
