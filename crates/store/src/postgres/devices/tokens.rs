//! The tokens of displays, in PostgreSQL.
//!
//! Whatever changes a display's tokens first takes the display's row, so that of many refreshes at
//! many replicas one comes after the other; and only under that lock what the tokens say counts. A
//! refresh takes no family's lock, for it is what displays do all the time. Where the family must
//! hear of it, which is when a token was used twice, it is done again from the beginning, with the
//! family's lock first.

use luminous_domain::{DeviceId, TokenId};
use tokio_postgres::Row;

use super::by_itself;
use crate::postgres::audit::Line;
use crate::postgres::lease::Lease;
use crate::postgres::rows::{DISPLAY, contradiction, device, hash, milliseconds, time};
use crate::postgres::trouble::Trouble;
use crate::postgres::write::Tx;
use crate::{
    Device, DeviceGrant, DeviceStanding, DeviceState, EventReason, KeyThumbprint, Network,
    NewToken, Refresh, RefreshRecord, Refusal, SecretHash,
};

/// One indexed read: the door asks this on each request.
pub(super) async fn standing(
    lease: &Lease,
    id: DeviceId,
    token: TokenId,
) -> Result<Option<DeviceStanding>, Trouble> {
    let sql = "SELECT d.*, t.id IS NOT NULL AND t.spent_at IS NULL AS is_live, \
         t.used_at IS NOT NULL AS is_used, luminous_now() AS now FROM displays d \
         LEFT JOIN device_tokens t ON t.device_id = d.id AND t.id = $2 WHERE d.id = $1";
    let row = lease.row(sql, &[&id.as_uuid(), &token.as_uuid()]).await?;
    // One that was made before displays had keys cannot be asked about.
    let Some(row) = row.filter(has_key) else { return Ok(None) };
    let device = device(&row, row.try_get("now")?)?;
    Ok(Some(DeviceStanding {
        key: hash(&row, "key")?,
        is_token_live: row.try_get("is_live")? && device.state == DeviceState::Active,
        is_token_used: row.try_get("is_used")?,
        device,
    }))
}

fn has_key(row: &Row) -> bool {
    row.try_get::<_, Option<&[u8]>>("key").is_ok_and(|key| key.is_some())
}

pub(super) async fn record(
    lease: &Lease,
    presented: &SecretHash,
) -> Result<Option<RefreshRecord>, Trouble> {
    let sql = "SELECT d.*, t.id AS token, t.issued_at, luminous_now() AS now \
         FROM device_tokens t JOIN displays d ON d.id = t.device_id \
         WHERE t.refresh = $1 AND t.spent_at IS NULL AND d.key IS NOT NULL";
    let Some(row) = lease.row(sql, &[&presented.as_slice()]).await? else { return Ok(None) };
    let device = device(&row, row.try_get("now")?)?;
    if device.state != DeviceState::Active {
        return Ok(None);
    }
    let ends = row.try_get::<_, i64>("idle_until")?.min(row.try_get("expires_at")?);
    Ok(Some(RefreshRecord {
        token: TokenId::from_uuid(row.try_get("token")?),
        key: hash(&row, "key")?,
        issued_at: time(row.try_get("issued_at")?)?,
        expires_at: time(ends)?,
        device,
    }))
}

/// The access token of this id was used: so it is the branch that lives, and its parent is none.
pub(super) async fn confirm(tx: &Tx, id: DeviceId, token: TokenId) -> Result<(), Trouble> {
    let (device, token) = (id.as_uuid(), token.as_uuid());
    tx.run("SELECT FROM displays WHERE id = $1 FOR NO KEY UPDATE", &[&device]).await?;
    let used = tx
        .run(
            "WITH used AS (UPDATE device_tokens SET used_at = $3 WHERE id = $2 \
             AND device_id = $1 AND used_at IS NULL RETURNING parent), \
             spent AS (UPDATE device_tokens t SET spent_at = $3 FROM used \
             WHERE t.id = used.parent AND t.spent_at IS NULL) SELECT FROM used",
            &[&device, &token, &tx.now],
        )
        .await?;
    // As in `device_seen`, but to the millisecond when it is new.
    let seen = "UPDATE displays SET last_seen_at = $2 WHERE id = $1 \
         AND ($3 OR last_seen_at IS NULL OR last_seen_at <= $2::bigint - 60000)";
    tx.run(seen, &[&device, &tx.now, &(used == 1)]).await?;
    Ok(())
}

/// A token as it was presented, under its display's lock.
struct Presented {
    token: TokenId,
    is_spent: bool,
    device: Device,
}

/// Takes the display of a token, if the token is this key's.
async fn presented(
    tx: &Tx,
    refresh: &SecretHash,
    key: &KeyThumbprint,
) -> Result<Option<Presented>, Trouble> {
    let (refresh, key) = (refresh.as_slice(), key.as_slice());
    let lock = "SELECT FROM displays WHERE key = $2 AND id = \
         (SELECT device_id FROM device_tokens WHERE refresh = $1) FOR NO KEY UPDATE";
    if tx.run(lock, &[&refresh, &key]).await? == 0 {
        return Ok(None);
    }
    // In a statement of its own, which sees what was committed while this one waited.
    let sql = format!(
        "SELECT {DISPLAY}, t.id AS token, t.spent_at IS NOT NULL AS is_spent \
         FROM device_tokens t JOIN displays d ON d.id = t.device_id \
         WHERE t.refresh = $1 AND d.key = $2"
    );
    let Some(row) = tx.row(&sql, &[&refresh, &key]).await? else { return Ok(None) };
    Ok(Some(Presented {
        token: TokenId::from_uuid(row.try_get("token")?),
        is_spent: row.try_get("is_spent")?,
        device: device(&row, tx.now)?,
    }))
}

/// `None` when the token was used up and the display still stands: it has to be ended.
pub(super) async fn refresh(tx: &Tx, asked: &Refresh) -> Result<Option<DeviceGrant>, Trouble> {
    let found = presented(tx, &asked.presented, &asked.key).await?;
    let Presented { token, is_spent, device } = found.ok_or(Refusal::TokenUnknown)?;
    match device.state {
        DeviceState::Revoked if device.reused_at.is_none() => {
            return Err(Refusal::DeviceRevoked.into());
        }
        DeviceState::Revoked => return Err(Refusal::TokenReused.into()),
        _ if is_spent => return Ok(None),
        DeviceState::Expired => return Err(Refusal::DeviceExpired.into()),
        DeviceState::Active => {}
        DeviceState::Pending => return Err(contradiction("a token of a waiting display")),
    }
    let parent = token.as_uuid();
    tx.run(
        "WITH used AS (UPDATE device_tokens SET used_at = coalesce(used_at, $2) WHERE id = $1 \
         RETURNING parent), \
         replaced AS (DELETE FROM device_tokens WHERE parent = $1) \
         UPDATE device_tokens t SET spent_at = $2 FROM used \
         WHERE t.id = used.parent AND t.spent_at IS NULL",
        &[&parent, &tx.now],
    )
    .await?;
    issue(tx, device, Some(token), &asked.next).await.map(Some)
}

/// Gives the display these tokens, whose parent has no others.
pub(in crate::postgres) async fn issue(
    tx: &Tx,
    device: Device,
    parent: Option<TokenId>,
    next: &NewToken,
) -> Result<DeviceGrant, Trouble> {
    let idle_until = tx.now + milliseconds(next.idle);
    tx.run(
        "WITH heard AS (UPDATE displays SET idle_until = $6, last_seen_at = $5 WHERE id = $2) \
         INSERT INTO device_tokens (id, device_id, refresh, parent, issued_at) \
         VALUES ($1, $2, $3, $4, $5)",
        &[
            &next.id.as_uuid(),
            &device.id.as_uuid(),
            &next.refresh.as_slice(),
            &parent.map(TokenId::as_uuid),
            &tx.now,
            &idle_until,
        ],
    )
    .await?;
    let now = time(tx.now)?;
    Ok(DeviceGrant {
        refresh_expires_at: time(idle_until)?.min(device.expires_at),
        token: next.id,
        issued_at: now,
        device: Device { last_seen_at: Some(now), ..device },
    })
}

/// The token was presented although its child was used: somebody else has it too. Ends the display,
/// unless somebody was quicker.
pub(super) async fn end_for_reuse(tx: &mut Tx, asked: &Refresh) -> Result<(), Trouble> {
    let Some(found) = locked(tx, &asked.presented, &asked.key).await? else { return Ok(()) };
    if found.is_spent {
        let alarm = Line {
            outcome: "device.token_reused",
            ..Line::done(Some(found.device.family), "device.token_reused")
        };
        let act = by_itself(&found.device, asked.network);
        tx.end_device(&found.device, Some(EventReason::Reuse), &alarm, &act).await?;
    }
    Ok(())
}

pub(super) async fn give_back(
    tx: &mut Tx,
    refresh: &SecretHash,
    key: &KeyThumbprint,
    network: Network,
) -> Result<(), Trouble> {
    let Some(found) = locked(tx, refresh, key).await? else { return Ok(()) };
    let line = Line::done(Some(found.device.family), "device.signed_out");
    tx.end_device(&found.device, None, &line, &by_itself(&found.device, network)).await
}

/// As [`presented`], with the family's lock first; `None` also when the display was revoked.
async fn locked(
    tx: &mut Tx,
    refresh: &SecretHash,
    key: &KeyThumbprint,
) -> Result<Option<Presented>, Trouble> {
    let sql = format!(
        "SELECT {DISPLAY} FROM device_tokens t JOIN displays d ON d.id = t.device_id \
         WHERE t.refresh = $1 AND d.key = $2"
    );
    let row = tx.row(&sql, &[&refresh.as_slice(), &key.as_slice()]).await?;
    let Some(row) = row else { return Ok(None) };
    let device = device(&row, tx.now)?;
    if device.state == DeviceState::Revoked {
        // For as long as its tokens are remembered, whoever has one may come with it.
        return Ok(None);
    }
    match tx.lock_family(device.family).await {
        Err(Trouble::Refused(_)) => return Ok(None),
        other => other?,
    };
    let found = presented(tx, refresh, key).await?;
    Ok(found.filter(|found| found.device.state != DeviceState::Revoked))
}
