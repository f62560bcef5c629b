//! What a family does with its displays, and how displays end.

use std::time::Duration;

use luminous_domain::{DeviceId, FamilyId, MemberId, Permission};
use rusqlite::params;

use super::row::{self, Row};
use crate::audit::{Act, Actor, Network};
use crate::devices::{Device, DeviceChange, DeviceState, KeyThumbprint};
use crate::error::{Failure, Refusal, StoreError};
use crate::events::{EventKind, EventReason};
use crate::sqlite::audit::Line;
use crate::sqlite::rows::{Id as _, after_lasting, at, ms};
use crate::sqlite::{Write, links, members};

/// A display that the family sees: one that waits for its tokens, one that had them, or both when
/// it is being linked again.
struct Listed {
    waiting: Option<Device>,
    placed: Option<Row>,
}

impl Listed {
    fn find(write: &Write<'_>, family: FamilyId, id: DeviceId) -> Result<Self, Failure> {
        let waiting = links::waiting_as(write, family, id)?
            .and_then(|link| link.place.as_ref().map(|place| link.device(place)));
        let placed = row::find(write.connection, family, id)?.filter(|row| !row.is_revoked);
        if waiting.is_none() && placed.is_none() {
            return Err(Refusal::NotFound.into());
        }
        Ok(Self { waiting, placed })
    }

    /// As the family sees it.
    fn device(&self, now: i64) -> Result<Device, Failure> {
        let placed = || self.placed.as_ref().map(|row| row.at(now));
        let device = self.waiting.clone().or_else(placed);
        device.ok_or_else(|| Refusal::NotFound.into())
    }
}

/// What a display does itself.
pub(super) struct Tell<'a> {
    act: Act,
    device: &'a Device,
}

/// The display does something, from `network`.
pub(super) fn tell(device: &Device, network: Network) -> Tell<'_> {
    let actor = Actor::Display { id: device.id, name: device.name.clone() };
    Tell { act: Act { actor, network }, device }
}

impl Tell<'_> {
    pub(super) fn line<'a>(&'a self, action: &'a str) -> Line<'a> {
        let line = Line::new(self.device.family, &self.act, action);
        line.about(&self.device.id).called(&self.device.name)
    }
}

/// Ends it, whether it has its tokens or waits for them, and tells the family's displays. Its tokens
/// stay, so that whoever presents one is told what happened.
pub(super) fn end(write: &Write<'_>, device: &Device) -> Result<(), StoreError> {
    end_for(write, device, None)
}

/// Ends it for this reason, which is remembered with it.
pub(super) fn end_for(
    write: &Write<'_>,
    device: &Device,
    reason: Option<EventReason>,
) -> Result<(), StoreError> {
    links::deny(write, device.family, device.id)?;
    let reused_at = (reason == Some(EventReason::Reuse)).then_some(write.now);
    let sql = "UPDATE devices SET state = 'revoked', reused_at = ?2 WHERE id = ?1";
    write.connection.prepare_cached(sql)?.execute(params![device.id.key(), reused_at])?;
    write.device_changed(device.id);
    write.event_for(device.family, EventKind::DeviceRevoked, Some(&device.id), reason)
}

/// Ends the displays of this key in all families but that of `place`.
pub(in crate::sqlite) fn end_elsewhere(
    write: &Write<'_>,
    key: &KeyThumbprint,
    place: &links::Place,
    network: Network,
) -> Result<(), StoreError> {
    for row in row::elsewhere(write.connection, place.family, key)? {
        end(write, &row.device)?;
        tell(&row.device, network)
            .line("device.signed_out")
            .detail("linked_elsewhere")
            .write(write)?;
    }
    Ok(())
}

/// The display gives its tokens back.
pub(super) fn sign_out(write: &Write<'_>, row: &Row, network: Network) -> Result<(), StoreError> {
    end(write, &row.device)?;
    tell(&row.device, network).line("device.signed_out").write(write)
}

/// Makes the display of a confirmed wish, or brings it back to its place.
pub(in crate::sqlite) fn put(
    write: &Write<'_>,
    link: &links::Row,
    key: &KeyThumbprint,
    place: &links::Place,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO devices (id, family_id, key, name, room, described_name, model, \
         app_version, state, linked_by, linked_by_name, linked_at, idle_until, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'active', ?9, ?10, ?11, ?11, ?12) \
         ON CONFLICT (family_id, key) DO UPDATE SET name = excluded.name, room = excluded.room, \
         described_name = excluded.described_name, model = excluded.model, \
         app_version = excluded.app_version, state = excluded.state, \
         linked_by = excluded.linked_by, linked_by_name = excluded.linked_by_name, \
         linked_at = excluded.linked_at, expires_at = excluded.expires_at, reused_at = NULL";
    write.connection.prepare_cached(sql)?.execute(params![
        place.device.key(),
        place.family.key(),
        key,
        place.name,
        place.room,
        link.described.name,
        link.described.model,
        link.described.app_version,
        place.linked_by.key(),
        place.linked_by_name,
        place.linked_at,
        place.expires_at
    ])?;
    write.device_changed(place.device);
    Ok(())
}

pub(super) fn change(
    write: &Write<'_>,
    (family, id): (FamilyId, DeviceId),
    change: &DeviceChange,
    by: MemberId,
    act: &Act,
) -> Result<Device, Failure> {
    let listed = Listed::find(write, family, id)?;
    members::require(write, family, by, Permission::DevicesManage)?;
    let old = listed.device(write.now)?;
    let new = Device {
        name: change.name.clone().unwrap_or_else(|| old.name.clone()),
        room: change.room.clone().unwrap_or_else(|| old.room.clone()),
        ..old.clone()
    };
    // While it links again, its former place as well; but nothing there that nobody asked for.
    for sql in [
        "UPDATE devices SET name = coalesce(?3, name), room = iif(?4, ?5, room) \
         WHERE family_id = ?1 AND id = ?2",
        "UPDATE links SET name = coalesce(?3, name), room = iif(?4, ?5, room) \
         WHERE family_id = ?1 AND device_id = ?2 AND state = 'linked'",
    ] {
        let moves = change.room.is_some();
        let values = params![family.key(), id.key(), change.name, moves, new.room];
        write.connection.prepare_cached(sql)?.execute(values)?;
    }
    write.device_changed(id);
    tell_changes(write, &old, &new, act)?;
    Ok(new)
}

/// A line for each thing that changed.
fn tell_changes(
    write: &Write<'_>,
    old: &Device,
    new: &Device,
    act: &Act,
) -> Result<(), StoreError> {
    let line = |action| Line::new(old.family, act, action).about(&old.id).called(&old.name);
    if new.name != old.name {
        line("device.renamed").detail(&new.name).write(write)?;
    }
    if new.room != old.room {
        Line { detail: new.room.as_deref(), ..line("device.moved") }.write(write)?;
    }
    if (&new.name, &new.room) != (&old.name, &old.room) {
        write.event(old.family, EventKind::DevicesChanged, Some(&old.id))?;
    }
    Ok(())
}

pub(super) fn revoke(
    write: &Write<'_>,
    family: FamilyId,
    id: DeviceId,
    by: MemberId,
    act: &Act,
) -> Result<(), Failure> {
    let listed = Listed::find(write, family, id)?;
    members::require(write, family, by, Permission::DevicesManage)?;
    let device = listed.device(write.now)?;
    end(write, &device)?;
    let line = Line::new(family, act, "device.revoked");
    Ok(line.about(&id).called(&device.name).write(write)?)
}

pub(super) fn undo(
    write: &Write<'_>,
    (family, id): (FamilyId, DeviceId),
    window: Duration,
    by: MemberId,
    act: &Act,
) -> Result<(), Failure> {
    let listed = Listed::find(write, family, id)?;
    let device = listed.device(write.now)?;
    if device.linked_at.as_millisecond().saturating_add(ms(window)) < write.now {
        return Err(Refusal::NotFound.into());
    }
    members::require(write, family, by, Permission::DevicesLink)?;
    end(write, &device)?;
    let line = Line::new(family, act, "device.undone");
    Ok(line.about(&id).called(&device.name).write(write)?)
}

pub(super) fn renew(
    write: &Write<'_>,
    (family, id): (FamilyId, DeviceId),
    absolute: Duration,
    by: MemberId,
    act: &Act,
) -> Result<Device, Failure> {
    let listed = Listed::find(write, family, id)?;
    let device = listed.device(write.now)?;
    if device.state == DeviceState::Expired {
        return Err(Refusal::NotFound.into());
    }
    members::require(write, family, by, Permission::DevicesManage)?;
    let expires_at = after_lasting(write.now, absolute);
    // While it links again, its former place as well, unless that has ended.
    for sql in [
        "UPDATE devices SET expires_at = ?3 WHERE family_id = ?1 AND id = ?2 \
         AND state = 'active' AND min(idle_until, expires_at) >= ?4",
        "UPDATE links SET device_expires_at = ?3 WHERE family_id = ?1 AND device_id = ?2 \
         AND state = 'linked' AND expires_at >= ?4",
    ] {
        let values = params![family.key(), id.key(), expires_at, write.now];
        write.connection.prepare_cached(sql)?.execute(values)?;
    }
    write.device_changed(id);
    write.event(family, EventKind::DevicesChanged, Some(&id))?;
    Line::new(family, act, "device.renewed").about(&id).called(&device.name).write(write)?;
    Ok(Device { expires_at: at(expires_at), ..device })
}
