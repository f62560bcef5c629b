//! A display as it is kept.

use luminous_domain::{DeviceId, FamilyId};
use rusqlite::{Connection, Error, OptionalExtension as _};

use crate::devices::{Device, DeviceState, KeyThumbprint};
use crate::links::SelfDescription;
use crate::sqlite::rows::{Id as _, id, maybe_id, maybe_time, time};

/// A display that had tokens.
#[derive(Debug, Clone)]
pub(in crate::sqlite) struct Row {
    /// Its state is told by [`Row::at`].
    pub(in crate::sqlite) device: Device,
    /// One of before there were keys has none.
    pub(in crate::sqlite) key: Option<KeyThumbprint>,
    pub(in crate::sqlite) is_revoked: bool,
    /// When it ends unless it is heard of.
    pub(super) idle_until: i64,
}

const SELECT: &str = "SELECT id, family_id, key, name, room, described_name, model, app_version, \
     state = 'revoked', linked_by, linked_by_name, linked_at, idle_until, expires_at, last_seen_at, \
     reused_at FROM devices";

fn row(row: &rusqlite::Row<'_>) -> Result<Row, Error> {
    let device = Device {
        id: id(row, 0)?,
        family: id(row, 1)?,
        name: row.get(3)?,
        room: row.get(4)?,
        described: SelfDescription {
            name: row.get(5)?,
            model: row.get(6)?,
            app_version: row.get(7)?,
        },
        state: DeviceState::Active,
        linked_by: maybe_id(row, 9)?,
        linked_by_name: row.get(10)?,
        linked_at: time(row, 11)?,
        expires_at: time(row, 13)?,
        last_seen_at: maybe_time(row, 14)?,
        reused_at: maybe_time(row, 15)?,
    };
    Ok(Row { device, key: row.get(2)?, is_revoked: row.get(8)?, idle_until: row.get(12)? })
}

impl Row {
    /// How it stands.
    pub(in crate::sqlite) fn state(&self, now: i64) -> DeviceState {
        if self.is_revoked {
            DeviceState::Revoked
        } else if self.idle_until < now || self.device.expires_at.as_millisecond() < now {
            DeviceState::Expired
        } else {
            DeviceState::Active
        }
    }

    /// The display as it stands.
    pub(in crate::sqlite) fn at(&self, now: i64) -> Device {
        Device { state: self.state(now), ..self.device.clone() }
    }
}

/// The display of this family, also a revoked one.
pub(in crate::sqlite) fn find(
    connection: &Connection,
    family: FamilyId,
    id: DeviceId,
) -> Result<Option<Row>, Error> {
    let sql = format!("{SELECT} WHERE family_id = ?1 AND id = ?2");
    connection.prepare_cached(&sql)?.query_row([family.key(), id.key()], row).optional()
}

/// The display, of whichever family: for whoever holds a token of it.
pub(super) fn by_id(connection: &Connection, id: DeviceId) -> Result<Option<Row>, Error> {
    let sql = format!("{SELECT} WHERE id = ?1");
    connection.prepare_cached(&sql)?.query_row([id.key()], row).optional()
}

/// The display of this family with this key, also a revoked one.
pub(in crate::sqlite) fn by_key(
    connection: &Connection,
    family: FamilyId,
    key: &KeyThumbprint,
) -> Result<Option<Row>, Error> {
    let sql = format!("{SELECT} WHERE family_id = ?1 AND key = ?2");
    connection.prepare_cached(&sql)?.query_row((family.key(), key), row).optional()
}

/// Those with this key that have not been revoked, in all families but this one.
pub(super) fn elsewhere(
    connection: &Connection,
    family: FamilyId,
    key: &KeyThumbprint,
) -> Result<Vec<Row>, Error> {
    let sql = format!("{SELECT} WHERE key = ?2 AND family_id <> ?1 AND state <> 'revoked'");
    connection.prepare_cached(&sql)?.query_map((family.key(), key), row)?.collect()
}

/// The family's, with the revoked ones.
pub(super) fn all(connection: &Connection, family: FamilyId) -> Result<Vec<Row>, Error> {
    let sql = format!("{SELECT} WHERE family_id = ?1");
    connection.prepare_cached(&sql)?.query_map([family.key()], row)?.collect()
}

/// The family's that were ended since `since` because a token came back, the newest first.
pub(super) fn reused(
    connection: &Connection,
    family: FamilyId,
    since: i64,
) -> Result<Vec<Row>, Error> {
    let sql =
        format!("{SELECT} WHERE family_id = ?1 AND reused_at >= ?2 ORDER BY reused_at DESC, id");
    connection.prepare_cached(&sql)?.query_map((family.key(), since), row)?.collect()
}

/// The family's, without the revoked ones.
pub(super) fn of(connection: &Connection, family: FamilyId) -> Result<Vec<Row>, Error> {
    let sql = format!("{SELECT} WHERE family_id = ?1 AND state <> 'revoked'");
    connection.prepare_cached(&sql)?.query_map([family.key()], row)?.collect()
}
