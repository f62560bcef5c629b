//! How a display gets its first tokens.

use std::time::Duration;

use luminous_domain::{DeviceId, FamilyId, LinkId, MemberId, Permission};
use tokio_postgres::Row;

use super::{number, state};
use crate::postgres::audit::Line;
use crate::postgres::devices::{by_itself, issue};
use crate::postgres::lease::Lease;
use crate::postgres::rows::{DISPLAY, contradiction, device, milliseconds};
use crate::postgres::trouble::Trouble;
use crate::postgres::write::Tx;
use crate::{Device, DeviceState, EventKind, LinkState, Redeemed, Redemption};

/// How much longer the wait between polls gets when one came too soon, in ms (RFC 8628 section 3.5).
const SLOWER: i64 = 5_000;

/// What most are told, without a transaction; `None` when there may be tokens. A poll that is
/// forgotten in a power cut is no loss: the disk need not be waited for.
pub(super) async fn look(lease: &Lease, asked: &Redemption) -> Result<Option<Redeemed>, Trouble> {
    let sql = "WITH link AS MATERIALIZED (SELECT l.*, clock.now, \
         $3 AND l.polled_at IS NOT NULL AND clock.now < l.polled_at + l.poll_interval \
         AS too_soon FROM links l, (SELECT luminous_now() AS now) AS clock, \
         set_config('synchronous_commit', 'off', true) \
         WHERE l.device_code = $1 AND l.key = $2 FOR UPDATE OF l), \
         polled AS (UPDATE links l SET polled_at = link.now, poll_interval = l.poll_interval + \
         CASE WHEN link.too_soon THEN $4::bigint ELSE 0 END FROM link WHERE l.id = link.id AND $3 \
         AND link.state IN ('open', 'claimed') AND link.expires_at >= link.now) \
         SELECT * FROM link";
    let (code, key) = (asked.device_code.as_slice(), asked.key.as_slice());
    let row = lease.row(sql, &[&code, &key, &asked.is_poll, &SLOWER]).await?;
    let Some(row) = row else { return Ok(Some(Redeemed::Unknown)) };
    Ok(match state(&row, row.try_get("now")?)? {
        LinkState::Pending | LinkState::Claimed { .. } if row.try_get("too_soon")? => {
            let interval = row.try_get::<_, i64>("poll_interval")?.saturating_add(SLOWER);
            let interval = Duration::from_millis(interval.try_into().unwrap_or_default());
            Some(Redeemed::TooFast { interval })
        }
        LinkState::Pending => Some(Redeemed::Pending { number: None }),
        LinkState::Claimed { .. } => Some(Redeemed::Pending { number: Some(number(&row)?) }),
        LinkState::Denied => Some(Redeemed::Denied),
        LinkState::Expired => Some(Redeemed::Expired),
        LinkState::Linked | LinkState::Redeemed => None,
    })
}

pub(super) async fn give(tx: &mut Tx, asked: &Redemption) -> Result<Redeemed, Trouble> {
    // Two wishes of one key would end each other's displays.
    tx.lock_key(&asked.key).await?;
    let Some(row) = wish(tx, asked, "").await? else { return Ok(Redeemed::Unknown) };
    let family = FamilyId::from_uuid(row.try_get("family_id")?);
    let elsewhere = elsewhere(tx, asked, family).await?;
    lock_families(tx, family, &elsewhere).await?;
    let Some(row) = wish(tx, asked, "FOR UPDATE").await? else { return Ok(Redeemed::Unknown) };
    match state(&row, tx.now)? {
        LinkState::Linked if is_still_meant(tx, family, &row).await? => {
            first_time(tx, asked, &row, elsewhere).await
        }
        LinkState::Linked => refuse(tx, asked, &row).await,
        LinkState::Redeemed => again(tx, asked, family, &row).await,
        LinkState::Denied => Ok(Redeemed::Denied),
        LinkState::Expired => Ok(Redeemed::Expired),
        LinkState::Pending | LinkState::Claimed { .. } => {
            Err(contradiction("a wish that was confirmed and is not"))
        }
    }
}

async fn wish(tx: &Tx, asked: &Redemption, lock: &str) -> Result<Option<Row>, Trouble> {
    let sql = format!("SELECT * FROM links WHERE device_code = $1 AND key = $2 {lock}");
    tx.row(&sql, &[&asked.device_code.as_slice(), &asked.key.as_slice()]).await
}

/// Where this key has its tokens in other families.
async fn elsewhere(tx: &Tx, asked: &Redemption, family: FamilyId) -> Result<Vec<Device>, Trouble> {
    let sql = format!(
        "SELECT {DISPLAY} FROM displays d WHERE d.key = $1 AND d.family_id <> $2 \
         AND d.state = 'active' ORDER BY d.family_id"
    );
    let rows = tx.rows(&sql, &[&asked.key.as_slice(), &family.as_uuid()]).await?;
    rows.iter().map(|row| device(row, tx.now)).collect()
}

/// All families that will hear of it, in the order of their ids, so that none waits in a circle.
async fn lock_families(tx: &mut Tx, family: FamilyId, elsewhere: &[Device]) -> Result<(), Trouble> {
    let mut families: Vec<_> = elsewhere.iter().map(|device| device.family.as_uuid()).collect();
    families.push(family.as_uuid());
    let lock = "SELECT FROM families WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE";
    tx.run(lock, &[&families]).await?;
    let clock = tx.row("SELECT luminous_now()", &[]).await?;
    tx.now = clock.ok_or(contradiction("no time"))?.try_get(0)?;
    Ok(())
}

/// Whether whoever confirmed it still may.
async fn is_still_meant(tx: &Tx, family: FamilyId, row: &Row) -> Result<bool, Trouble> {
    let by = MemberId::from_uuid(row.try_get("linked_by")?);
    let role = tx.active_role(family, by).await?;
    Ok(role.is_some_and(|role| role.may(Permission::DevicesLink)))
}

async fn first_time(
    tx: &Tx,
    asked: &Redemption,
    row: &Row,
    elsewhere: Vec<Device>,
) -> Result<Redeemed, Trouble> {
    let link = LinkId::from_uuid(row.try_get("id")?);
    tx.run(
        "UPDATE links SET state = 'redeemed', redeemed_at = $2 WHERE id = $1",
        &[&link.as_uuid(), &tx.now],
    )
    .await?;
    let device = hang(tx, asked, row).await?;
    let grant = replace(tx, asked, device).await?;
    let device = &grant.device;
    let line = Line::done(Some(device.family), "device.signed_in");
    let act = by_itself(device, asked.network);
    tx.log(&act, &line.about(&device.id, Some(&device.name))).await?;
    tx.hint_link(link).await?;
    end_elsewhere(tx, asked, elsewhere, device).await?;
    Ok(Redeemed::Done(grant))
}

/// The events of all families come last, in the order of their ids.
async fn end_elsewhere(
    tx: &Tx,
    asked: &Redemption,
    elsewhere: Vec<Device>,
    here: &Device,
) -> Result<(), Trouble> {
    let mut told = vec![(here.family, EventKind::DevicesChanged, here.id)];
    for device in elsewhere {
        let id = device.id.as_uuid();
        let sql = "UPDATE displays SET state = 'revoked' WHERE id = $1 AND state = 'active'";
        if tx.run(sql, &[&id]).await? == 0 {
            continue;
        }
        let line = Line::done(Some(device.family), "device.signed_out").with("linked_elsewhere");
        let act = by_itself(&device, asked.network);
        tx.log(&act, &line.about(&device.id, Some(&device.name))).await?;
        told.push((device.family, EventKind::DeviceRevoked, device.id));
    }
    told.sort_by_key(|(family, ..)| *family);
    for (family, kind, device) in told {
        tx.tell(family, kind, Some(&device)).await?;
    }
    Ok(())
}

/// Puts the display into its place, the former one if it had one.
async fn hang(tx: &Tx, asked: &Redemption, row: &Row) -> Result<Device, Trouble> {
    // The idle time begins with the tokens.
    let sql = format!(
        "INSERT INTO displays AS d (id, family_id, key, name, room, described_name, model, \
         app_version, state, linked_by, linked_by_name, linked_at, idle_until, expires_at) \
         SELECT device_id, family_id, key, name, room, described_name, model, app_version, \
         'active', linked_by, linked_by_name, linked_at, $2, device_expires_at \
         FROM links WHERE id = $1 \
         ON CONFLICT (family_id, key) DO UPDATE SET name = excluded.name, room = excluded.room, \
         described_name = excluded.described_name, model = excluded.model, \
         app_version = excluded.app_version, state = 'active', linked_by = excluded.linked_by, \
         linked_by_name = excluded.linked_by_name, linked_at = excluded.linked_at, \
         idle_until = excluded.idle_until, expires_at = excluded.expires_at, reused_at = NULL \
         RETURNING {DISPLAY}"
    );
    let link: uuid::Uuid = row.try_get("id")?;
    let idle_until = tx.now + milliseconds(asked.token.idle);
    let made = tx.row(&sql, &[&link, &idle_until]).await?;
    device(&made.ok_or(contradiction("a display that is not there"))?, tx.now)
}

/// Whatever tokens the display had are dead.
async fn replace(
    tx: &Tx,
    asked: &Redemption,
    device: Device,
) -> Result<crate::DeviceGrant, Trouble> {
    let sql = "DELETE FROM device_tokens WHERE device_id = $1";
    tx.run(sql, &[&device.id.as_uuid()]).await?;
    issue(tx, device, None, &asked.token).await
}

/// The answer to the first time was lost, if nobody used what was in it.
async fn again(
    tx: &Tx,
    asked: &Redemption,
    family: FamilyId,
    row: &Row,
) -> Result<Redeemed, Trouble> {
    let id: uuid::Uuid = row.try_get("device_id")?;
    let sql = format!("SELECT {DISPLAY} FROM displays d WHERE d.id = $1 FOR NO KEY UPDATE");
    let display = tx.row(&sql, &[&id]).await?.map(|row| device(&row, tx.now)).transpose()?;
    let Some(device) = display.filter(|device| device.state != DeviceState::Revoked) else {
        return Ok(Redeemed::Denied);
    };
    let used = "SELECT FROM device_tokens WHERE device_id = $1 AND used_at IS NOT NULL LIMIT 1";
    let is_late = tx.now > row.try_get("expires_at")?;
    if is_late || tx.row(used, &[&id]).await?.is_some() {
        return Ok(Redeemed::Expired);
    }
    if !is_still_meant(tx, family, row).await? {
        return Ok(Redeemed::Denied);
    }
    replace(tx, asked, device).await.map(Redeemed::Done)
}

/// Whoever confirmed it no longer may.
async fn refuse(tx: &Tx, asked: &Redemption, row: &Row) -> Result<Redeemed, Trouble> {
    tx.burn(LinkId::from_uuid(row.try_get("id")?)).await?;
    let family = FamilyId::from_uuid(row.try_get("family_id")?);
    let id = DeviceId::from_uuid(row.try_get("device_id")?);
    let name: String = row.try_get("name")?;
    let act = crate::Act {
        actor: crate::Actor::Display { id, name: name.clone() },
        network: asked.network,
    };
    let line = Line::done(Some(family), "device.signed_in").about(&id, Some(&name));
    tx.log(&act, &Line { outcome: "access_denied", ..line }).await?;
    tx.tell(family, EventKind::DevicesChanged, Some(&id)).await?;
    Ok(Redeemed::Denied)
}
