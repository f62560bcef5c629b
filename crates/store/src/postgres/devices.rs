//! Wall displays in PostgreSQL.

use async_trait::async_trait;
use luminous_domain::FamilyId;

use super::PostgresStore;
use super::lease::Lease;
use super::rows::device;
use super::trouble::Trouble;
use crate::{Device, Devices, StoreError};

#[async_trait]
impl Devices for PostgresStore {
    async fn devices(&self, family: FamilyId) -> Result<Vec<Device>, StoreError> {
        reading!(self, |lease| of_family(lease, family))
    }
}

async fn of_family(lease: &Lease, family: FamilyId) -> Result<Vec<Device>, Trouble> {
    let rows = lease
        .rows("SELECT * FROM devices WHERE family_id = $1 ORDER BY name, id", &[&family.as_uuid()])
        .await?;
    rows.iter().map(device).collect()
}
