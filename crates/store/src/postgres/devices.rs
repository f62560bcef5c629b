//! Wall displays in PostgreSQL.
//!
//! A display that waits for its tokens is the `linked` row of its wish; with its first tokens it gets
//! a row of its own ([`super::links`]), or its former one back. What is done to a display is done
//! under its family's lock, and to whichever of the two rows there are. Its tokens are
//! [`tokens`]' affair.

mod tokens;

pub(super) use tokens::issue;

use std::sync::LazyLock;
use std::time::Duration;

use async_trait::async_trait;
use luminous_domain::{DeviceId, FamilyId, LinkId, MemberId, Permission, TokenId};
use tokio_postgres::Row;

use super::PostgresStore;
use super::audit::Line;
use super::lease::Lease;
use super::rows::{DISPLAY, WAITING, device, milliseconds, time};
use super::trouble::Trouble;
use super::write::Tx;
use crate::{
    Act, Actor, Device, DeviceChange, DeviceGrant, DeviceStanding, DeviceState, Devices, EventKind,
    EventReason, Failure, KeyThumbprint, Network, Refresh, RefreshRecord, Refusal, SecretHash,
    StoreError,
};

#[async_trait]
impl Devices for PostgresStore {
    async fn devices(&self, family: FamilyId) -> Result<Vec<Device>, StoreError> {
        reading!(self, |lease| lease.devices(family))
    }

    async fn reused_devices(
        &self,
        family: FamilyId,
        within: Duration,
    ) -> Result<Vec<Device>, StoreError> {
        reading!(self, |lease| lease.reused(family, within))
    }

    async fn device_standing(
        &self,
        device: DeviceId,
        token: TokenId,
    ) -> Result<Option<DeviceStanding>, StoreError> {
        reading!(self, |lease| tokens::standing(lease, device, token))
    }

    async fn confirm_token(&self, device: DeviceId, token: TokenId) -> Result<(), StoreError> {
        writing!(self, |tx| tokens::confirm(tx, device, token))
    }

    async fn device_seen(&self, device: DeviceId) -> Result<(), StoreError> {
        // As with people: once a minute is enough, and the disk need not be waited for.
        let sql = "UPDATE displays d SET last_seen_at = clock.now \
             FROM (SELECT luminous_now() AS now) AS clock, \
             set_config('synchronous_commit', 'off', true) WHERE d.id = $1 \
             AND (d.last_seen_at IS NULL OR d.last_seen_at <= clock.now - 60000)";
        let id = device.as_uuid();
        let done: Result<u64, StoreError> = reading!(self, |lease| lease.run(sql, &[&id]));
        done.map(drop)
    }

    async fn refresh_tokens(&self, refresh: &Refresh) -> Result<DeviceGrant, Failure> {
        let granted: Result<_, Failure> = writing!(self, |tx| tokens::refresh(tx, refresh));
        if let Some(grant) = granted? {
            return Ok(grant);
        }
        let alarm: Result<(), Failure> = writing!(self, |tx| tokens::end_for_reuse(tx, refresh));
        alarm?;
        Err(Refusal::TokenReused.into())
    }

    async fn refresh_record(&self, hash: &SecretHash) -> Result<Option<RefreshRecord>, StoreError> {
        reading!(self, |lease| tokens::record(lease, hash))
    }

    async fn give_back_token(
        &self,
        hash: &SecretHash,
        key: &KeyThumbprint,
        network: Network,
    ) -> Result<(), StoreError> {
        writing!(self, |tx| tokens::give_back(tx, hash, key, network))
    }

    async fn change_device(
        &self,
        family: FamilyId,
        id: DeviceId,
        change: &DeviceChange,
        by: MemberId,
        act: &Act,
    ) -> Result<Device, Failure> {
        writing!(self, |tx| change_device(tx, (family, id), change, by, act))
    }

    async fn revoke_device(
        &self,
        family: FamilyId,
        id: DeviceId,
        by: MemberId,
        act: &Act,
    ) -> Result<(), Failure> {
        writing!(self, |tx| revoke(tx, (family, id), by, act))
    }

    async fn undo_link(
        &self,
        family: FamilyId,
        id: DeviceId,
        window: Duration,
        by: MemberId,
        act: &Act,
    ) -> Result<(), Failure> {
        writing!(self, |tx| undo(tx, (family, id), window, by, act))
    }

    async fn renew_device(
        &self,
        family: FamilyId,
        id: DeviceId,
        absolute: Duration,
        by: MemberId,
        act: &Act,
    ) -> Result<Device, Failure> {
        writing!(self, |tx| renew(tx, (family, id), absolute, by, act))
    }
}

/// All displays of a family that are listed. One that links anew is told as waiting, in its place; one
/// that waits in two wishes as it was confirmed last.
static LISTED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH clock AS MATERIALIZED (SELECT luminous_now() AS now), \
         waiting AS (SELECT DISTINCT ON (l.device_id) {WAITING}, clock \
         WHERE l.family_id = $1 AND l.state = 'linked' AND l.expires_at >= clock.now \
         ORDER BY l.device_id, l.linked_at DESC, l.id DESC) \
         SELECT listed.*, clock.now FROM (SELECT * FROM waiting UNION ALL \
         SELECT {DISPLAY} FROM displays d WHERE d.family_id = $1 AND d.state = 'active' \
         AND d.id NOT IN (SELECT id FROM waiting)) AS listed, clock \
         WHERE $2::uuid IS NULL OR listed.id = $2 ORDER BY listed.name COLLATE \"C\", listed.id"
    )
});

/// From a row that holds the time as well.
fn at_its_time(row: &Row) -> Result<Device, Trouble> {
    device(row, row.try_get("now")?)
}

impl Lease {
    pub(super) async fn devices(&self, family: FamilyId) -> Result<Vec<Device>, Trouble> {
        let any: Option<uuid::Uuid> = None;
        self.rows(&LISTED, &[&family.as_uuid(), &any]).await?.iter().map(at_its_time).collect()
    }

    async fn reused(&self, family: FamilyId, within: Duration) -> Result<Vec<Device>, Trouble> {
        let sql = format!(
            "SELECT {DISPLAY}, clock.now FROM displays d, \
             (SELECT luminous_now() AS now) AS clock WHERE d.family_id = $1 \
             AND d.reused_at >= clock.now - $2::bigint ORDER BY d.reused_at DESC, d.id"
        );
        let rows = self.rows(&sql, &[&family.as_uuid(), &milliseconds(within)]).await?;
        rows.iter().map(at_its_time).collect()
    }

    pub(super) async fn device(
        &self,
        family: FamilyId,
        id: DeviceId,
    ) -> Result<Option<Device>, Trouble> {
        let row = self.row(&LISTED, &[&family.as_uuid(), &Some(id.as_uuid())]).await?;
        row.as_ref().map(at_its_time).transpose()
    }
}

/// The display, under its family's lock, for somebody who may.
async fn ruled(
    tx: &mut Tx,
    (family, id): (FamilyId, DeviceId),
    by: MemberId,
    permission: Permission,
) -> Result<Device, Trouble> {
    tx.lock_family(family).await?;
    let device = tx.device(family, id).await?.ok_or(Refusal::NotFound)?;
    tx.require(family, by, permission).await?;
    Ok(device)
}

async fn change_device(
    tx: &mut Tx,
    place: (FamilyId, DeviceId),
    change: &DeviceChange,
    by: MemberId,
    act: &Act,
) -> Result<Device, Trouble> {
    let before = ruled(tx, place, by, Permission::DevicesManage).await?;
    let after = Device {
        name: change.name.clone().unwrap_or_else(|| before.name.clone()),
        room: change.room.clone().unwrap_or_else(|| before.room.clone()),
        ..before.clone()
    };
    // While it links again, its former place as well; but nothing there that nobody asked for.
    for sql in [
        "UPDATE displays SET name = coalesce($3, name), \
         room = CASE WHEN $4 THEN $5 ELSE room END WHERE family_id = $1 AND id = $2",
        "UPDATE links SET name = coalesce($3, name), room = CASE WHEN $4 THEN $5 ELSE room END \
         WHERE family_id = $1 AND device_id = $2 AND state = 'linked'",
    ] {
        let place = (after.family.as_uuid(), after.id.as_uuid());
        let moves = change.room.is_some();
        tx.run(sql, &[&place.0, &place.1, &change.name, &moves, &after.room]).await?;
    }
    let line =
        |action| Line::done(Some(before.family), action).about(&before.id, Some(&before.name));
    if before.name != after.name {
        tx.log(act, &line("device.renamed").with(&after.name)).await?;
    }
    if before.room != after.room {
        let moved = Line { detail: after.room.as_deref(), ..line("device.moved") };
        tx.log(act, &moved).await?;
    }
    if before != after {
        tx.tell(after.family, EventKind::DevicesChanged, Some(&after.id)).await?;
    }
    Ok(after)
}

async fn revoke(
    tx: &mut Tx,
    place: (FamilyId, DeviceId),
    by: MemberId,
    act: &Act,
) -> Result<(), Trouble> {
    let device = ruled(tx, place, by, Permission::DevicesManage).await?;
    tx.end_device(&device, None, &Line::done(Some(device.family), "device.revoked"), act).await
}

async fn undo(
    tx: &mut Tx,
    (family, id): (FamilyId, DeviceId),
    window: Duration,
    by: MemberId,
    act: &Act,
) -> Result<(), Trouble> {
    tx.lock_family(family).await?;
    let device = tx.device(family, id).await?.ok_or(Refusal::NotFound)?;
    if tx.now > device.linked_at.as_millisecond() + milliseconds(window) {
        return Err(Refusal::NotFound.into());
    }
    tx.require(family, by, Permission::DevicesLink).await?;
    tx.end_device(&device, None, &Line::done(Some(family), "device.undone"), act).await
}

async fn renew(
    tx: &mut Tx,
    place: (FamilyId, DeviceId),
    absolute: Duration,
    by: MemberId,
    act: &Act,
) -> Result<Device, Trouble> {
    let (family, id) = place;
    tx.lock_family(family).await?;
    let device = tx.device(family, id).await?.ok_or(Refusal::NotFound)?;
    if device.state == DeviceState::Expired {
        return Err(Refusal::NotFound.into());
    }
    tx.require(family, by, Permission::DevicesManage).await?;
    let expires_at = tx.now + milliseconds(absolute);
    // While it links again, its former place as well, unless that has ended.
    for sql in [
        "UPDATE displays SET expires_at = $3 WHERE family_id = $1 AND id = $2 \
         AND state = 'active' AND least(idle_until, expires_at) >= $4",
        "UPDATE links SET device_expires_at = $3 WHERE family_id = $1 AND device_id = $2 \
         AND state = 'linked' AND expires_at >= $4",
    ] {
        tx.run(sql, &[&family.as_uuid(), &id.as_uuid(), &expires_at, &tx.now]).await?;
    }
    let line = Line::done(Some(family), "device.renewed").about(&id, Some(&device.name));
    tx.log(act, &line).await?;
    tx.tell(family, EventKind::DevicesChanged, Some(&id)).await?;
    Ok(Device { expires_at: time(expires_at)?, ..device })
}

impl Tx {
    /// Ends the display, whether it has its tokens or waits for them, for a reason that is remembered
    /// with it. Its tokens stay, to be told that they are revoked.
    pub(super) async fn end_device(
        &self,
        device: &Device,
        reason: Option<EventReason>,
        line: &Line<'_>,
        act: &Act,
    ) -> Result<(), Trouble> {
        let (family, id) = (device.family.as_uuid(), device.id.as_uuid());
        let reused_at = (reason == Some(EventReason::Reuse)).then_some(self.now);
        let sql = "UPDATE displays SET state = 'revoked', reused_at = $3 \
             WHERE family_id = $1 AND id = $2";
        self.run(sql, &[&family, &id, &reused_at]).await?;
        let sql = "UPDATE links SET state = 'denied' WHERE family_id = $1 AND device_id = $2 \
             AND state = 'linked' AND expires_at >= $3 RETURNING id";
        for row in self.rows(sql, &[&family, &id, &self.now]).await? {
            self.hint_link(LinkId::from_uuid(row.try_get("id")?)).await?;
        }
        let line = Line {
            subject: Some(device.id.to_string()),
            subject_name: Some(&device.name),
            ..*line
        };
        self.log(act, &line).await?;
        self.tell_for(device.family, EventKind::DeviceRevoked, Some(&device.id), reason).await
    }
}

/// What a display does by itself, by the name that the family gave it.
pub(super) fn by_itself(device: &Device, network: Network) -> Act {
    Act { actor: Actor::Display { id: device.id, name: device.name.clone() }, network }
}
