//! Wall displays, and the tokens they live on.

mod change;
mod row;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use luminous_domain::{DeviceId, FamilyId, MemberId, TokenId};
use rusqlite::Connection;

use super::device_standings::Found;
use super::rows::{at, ms};
use super::seen::Seen;
use super::writer::closed;
use super::{Read, SqliteStore, Write, links};
use crate::SecretHash;
use crate::audit::{Act, Network};
use crate::devices::{
    Device, DeviceChange, DeviceGrant, DeviceStanding, DeviceState, Devices, KeyThumbprint,
    Refresh, RefreshRecord,
};
use crate::error::{Failure, StoreError};

pub(super) use self::change::{end_elsewhere, put};
pub(super) use self::row::{Row, by_key, find};
pub(super) use self::tokens::{begin_tokens, has_used_tokens, sweep};

/// The ids of the family's displays that had tokens, without the revoked ones.
pub(super) fn listed(
    connection: &Connection,
    family: FamilyId,
) -> Result<Vec<DeviceId>, rusqlite::Error> {
    Ok(row::of(connection, family)?.into_iter().map(|row| row.device.id).collect())
}

/// To be called before a family is deleted: nothing kept in memory may outlive its displays.
pub(super) fn family_goes(write: &Write<'_>, family: FamilyId) -> Result<(), StoreError> {
    for row in row::all(write.connection, family)? {
        write.device_changed(row.device.id);
    }
    Ok(())
}

/// To be called before a member goes, whose displays stay.
pub(super) fn linker_leaves(
    write: &Write<'_>,
    family: FamilyId,
    member: MemberId,
) -> Result<(), StoreError> {
    for row in row::all(write.connection, family)? {
        if row.device.linked_by == Some(member) {
            write.device_changed(row.device.id);
        }
    }
    Ok(())
}

/// All that the family sees, by name.
fn of(read: &Read<'_>, family: FamilyId) -> Result<Vec<Device>, StoreError> {
    let waiting = links::waiting(read.connection, family, read.now)?;
    let waiting = waiting.iter().filter_map(|link| Some(link.device(link.place.as_ref()?)));
    let placed = row::of(read.connection, family)?;
    let mut devices: Vec<Device> = Vec::new();
    // One that is linked again waits for its tokens.
    for device in waiting.chain(placed.iter().map(|row| row.at(read.now))) {
        if devices.iter().all(|listed| listed.id != device.id) {
            devices.push(device);
        }
    }
    devices.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
    Ok(devices)
}

fn look_up(read: &Read<'_>, device: DeviceId) -> Result<Option<Arc<Found>>, StoreError> {
    let Some(row) = row::by_id(read.connection, device)? else { return Ok(None) };
    let tokens = tokens::live(read.connection, device)?;
    Ok(Some(Arc::new(Found { row, tokens })))
}

/// How it stands at `now`; one that never had a key has no standing.
fn standing(found: &Found, token: TokenId, now: i64) -> Option<DeviceStanding> {
    let device = found.row.at(now);
    let live = found.tokens.iter().find(|(id, _)| *id == token);
    Some(DeviceStanding {
        key: found.row.key?,
        is_token_live: live.is_some() && device.state == DeviceState::Active,
        is_token_used: live.is_some_and(|(_, used)| *used),
        device,
    })
}

/// What is newer in memory than in the file.
pub(super) fn with_last_seen(mut device: Device, seen: &Seen<DeviceId>) -> Device {
    device.last_seen_at = device.last_seen_at.max(seen.latest(device.id).map(at));
    device
}

impl SqliteStore {
    async fn found_device(&self, device: DeviceId) -> Result<Option<Arc<Found>>, StoreError> {
        if self.readers.is_closed() {
            return Err(closed());
        }
        if let Some(found) = self.memory.device_standings.get(device) {
            return Ok(found);
        }
        let version = self.memory.device_standings.version(device);
        let found = self.read(move |read| look_up(read, device)).await?;
        self.memory.device_standings.keep(version, device, &found);
        Ok(found)
    }
}

#[async_trait]
impl Devices for SqliteStore {
    async fn devices(&self, family: FamilyId) -> Result<Vec<Device>, StoreError> {
        let devices = self.read(move |read| of(read, family)).await?;
        let seen = &self.memory.seen_devices;
        Ok(devices.into_iter().map(|device| with_last_seen(device, seen)).collect())
    }

    async fn reused_devices(
        &self,
        family: FamilyId,
        within: Duration,
    ) -> Result<Vec<Device>, StoreError> {
        self.read(move |read| {
            let rows = row::reused(read.connection, family, read.now.saturating_sub(ms(within)))?;
            Ok(rows.iter().map(|row| row.at(read.now)).collect())
        })
        .await
    }

    async fn device_standing(
        &self,
        device: DeviceId,
        token: TokenId,
    ) -> Result<Option<DeviceStanding>, StoreError> {
        let found = self.found_device(device).await?;
        let standing = found.and_then(|found| standing(&found, token, self.readers.now()));
        Ok(standing.map(|standing| DeviceStanding {
            device: with_last_seen(standing.device, &self.memory.seen_devices),
            ..standing
        }))
    }

    async fn confirm_token(&self, device: DeviceId, token: TokenId) -> Result<(), StoreError> {
        self.device_seen(device).await?;
        let found = self.found_device(device).await?;
        let unused = found.is_some_and(|found| found.tokens.contains(&(token, false)));
        if unused {
            self.store(move |write| tokens::mark_used(write, device, token).map(drop)).await?;
        }
        Ok(())
    }

    async fn device_seen(&self, device: DeviceId) -> Result<(), StoreError> {
        if self.readers.is_closed() {
            return Err(closed());
        }
        self.memory.seen_devices.note(device, self.readers.now());
        Ok(())
    }

    async fn refresh_tokens(&self, refresh: &Refresh) -> Result<DeviceGrant, Failure> {
        let refresh = *refresh;
        self.write_anyway(move |write| tokens::refresh(write, &refresh)).await
    }

    async fn refresh_record(&self, hash: &SecretHash) -> Result<Option<RefreshRecord>, StoreError> {
        let hash = *hash;
        self.read(move |read| tokens::record(read, &hash)).await
    }

    async fn give_back_token(
        &self,
        hash: &SecretHash,
        key: &KeyThumbprint,
        network: Network,
    ) -> Result<(), StoreError> {
        let (hash, key) = (*hash, *key);
        self.store(move |write| match tokens::owner(write, &hash, &key)? {
            Some(row) => change::sign_out(write, &row, network),
            None => Ok(()),
        })
        .await
    }

    async fn change_device(
        &self,
        family: FamilyId,
        id: DeviceId,
        change: &DeviceChange,
        by: MemberId,
        act: &Act,
    ) -> Result<Device, Failure> {
        let (change, act) = (change.clone(), act.clone());
        let changed =
            self.write(move |write| change::change(write, (family, id), &change, by, &act)).await?;
        Ok(with_last_seen(changed, &self.memory.seen_devices))
    }

    async fn revoke_device(
        &self,
        family: FamilyId,
        id: DeviceId,
        by: MemberId,
        act: &Act,
    ) -> Result<(), Failure> {
        let act = act.clone();
        self.write(move |write| change::revoke(write, family, id, by, &act)).await
    }

    async fn undo_link(
        &self,
        family: FamilyId,
        id: DeviceId,
        window: Duration,
        by: MemberId,
        act: &Act,
    ) -> Result<(), Failure> {
        let act = act.clone();
        self.write(move |write| change::undo(write, (family, id), window, by, &act)).await
    }

    async fn renew_device(
        &self,
        family: FamilyId,
        id: DeviceId,
        absolute: Duration,
        by: MemberId,
        act: &Act,
    ) -> Result<Device, Failure> {
        let act = act.clone();
        let renewed =
            self.write(move |write| change::renew(write, (family, id), absolute, by, &act)).await?;
        Ok(with_last_seen(renewed, &self.memory.seen_devices))
    }
}
