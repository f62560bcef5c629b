//! Wall displays. Linking them comes with its own concern; here they are listed.

use async_trait::async_trait;
use luminous_domain::{DeviceId, FamilyId, Timestamp};

use crate::error::StoreError;

/// A wall display of a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id.
    pub id: DeviceId,
    /// The family.
    pub family: FamilyId,
    /// What the family calls it.
    pub name: String,
    /// Where it hangs.
    pub room: Option<String>,
    /// When it was linked.
    pub linked_at: Timestamp,
    /// When it was last heard of.
    pub last_seen_at: Option<Timestamp>,
}

/// Wall displays.
#[async_trait]
pub trait Devices: Send + Sync {
    /// The family's displays, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn devices(&self, family: FamilyId) -> Result<Vec<Device>, StoreError>;
}
