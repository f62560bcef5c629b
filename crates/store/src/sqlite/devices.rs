//! Wall displays.

use async_trait::async_trait;
use luminous_domain::FamilyId;
use rusqlite::Row;

use super::SqliteStore;
use super::rows::{Id as _, id, maybe_time, time};
use crate::devices::{Device, Devices};
use crate::error::StoreError;

fn device(row: &Row<'_>) -> Result<Device, rusqlite::Error> {
    Ok(Device {
        id: id(row, 0)?,
        family: id(row, 1)?,
        name: row.get(2)?,
        room: row.get(3)?,
        linked_at: time(row, 4)?,
        last_seen_at: maybe_time(row, 5)?,
    })
}

#[async_trait]
impl Devices for SqliteStore {
    async fn devices(&self, family: FamilyId) -> Result<Vec<Device>, StoreError> {
        self.read(move |read| {
            let sql = "SELECT id, family_id, name, room, linked_at, last_seen_at FROM devices \
                 WHERE family_id = ?1 ORDER BY name, id";
            let mut query = read.connection.prepare_cached(sql)?;
            let rows = query.query_map([family.key()], device)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }
}
