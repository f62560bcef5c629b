//! The tokens of displays: confirm-by-use rotation, as [`crate::Devices`] tells it.
//!
//! Live are those that are not spent: the one that was used last, and at most one child of it that
//! was not used yet.

use luminous_domain::{DeviceId, TokenId};
use rusqlite::{Connection, Error, OptionalExtension as _, params};

use super::change::{end_for, tell};
use super::row::{self, Row};
use crate::SecretHash;
use crate::devices::{DeviceGrant, DeviceState, KeyThumbprint, NewToken, Refresh, RefreshRecord};
use crate::error::{Failure, Refusal, StoreError};
use crate::events::EventReason;
use crate::sqlite::audit::Line;
use crate::sqlite::rows::{Id as _, after_lasting, at, id};
use crate::sqlite::{Read, Write};

/// How long a spent token is remembered, and those of a display whose time is over.
const REMEMBERED_MS: i64 = 7 * 24 * 3_600_000;

/// A refresh token.
pub(super) struct Token {
    id: TokenId,
    device: DeviceId,
    issued_at: i64,
    is_spent: bool,
}

fn by_hash(connection: &Connection, hash: &SecretHash) -> Result<Option<(Token, Row)>, StoreError> {
    let sql = "SELECT id, device_id, issued_at, spent_at IS NOT NULL \
         FROM device_tokens WHERE refresh = ?1";
    let found = connection.prepare_cached(sql)?.query_row([hash], |row| {
        Ok(Token {
            id: id(row, 0)?,
            device: id(row, 1)?,
            issued_at: row.get(2)?,
            is_spent: row.get(3)?,
        })
    });
    let Some(token) = found.optional()? else { return Ok(None) };
    let device = row::by_id(connection, token.device)?;
    Ok(device.map(|device| (token, device)))
}

/// The live ones, and whether each was used.
pub(super) fn live(
    connection: &Connection,
    device: DeviceId,
) -> Result<Vec<(TokenId, bool)>, Error> {
    let sql = "SELECT id, used_at IS NOT NULL FROM device_tokens \
         WHERE device_id = ?1 AND spent_at IS NULL";
    let mut query = connection.prepare_cached(sql)?;
    query.query_map([device.key()], |row| Ok((id(row, 0)?, row.get(1)?)))?.collect()
}

/// Gives the display its first tokens; those it had before are dead.
pub(in crate::sqlite) fn begin_tokens(
    write: &Write<'_>,
    device: DeviceId,
    new: &NewToken,
) -> Result<DeviceGrant, StoreError> {
    let sql = "DELETE FROM device_tokens WHERE device_id = ?1";
    write.connection.prepare_cached(sql)?.execute([device.key()])?;
    give(write, device, None, new)
}

/// Whether any token of the display was used.
pub(in crate::sqlite) fn has_used_tokens(
    write: &Write<'_>,
    device: DeviceId,
) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM device_tokens \
         WHERE device_id = ?1 AND used_at IS NOT NULL)";
    Ok(write.connection.prepare_cached(sql)?.query_row([device.key()], |row| row.get(0))?)
}

fn give(
    write: &Write<'_>,
    device: DeviceId,
    parent: Option<TokenId>,
    new: &NewToken,
) -> Result<DeviceGrant, StoreError> {
    let idle_until = after_lasting(write.now, new.idle);
    let sql = "INSERT INTO device_tokens (id, device_id, refresh, parent, issued_at) \
         VALUES (?1, ?2, ?3, ?4, ?5)";
    write.connection.prepare_cached(sql)?.execute(params![
        new.id.key(),
        device.key(),
        new.refresh,
        parent.map(TokenId::key),
        write.now
    ])?;
    let sql = "UPDATE devices SET idle_until = ?2, last_seen_at = ?3 WHERE id = ?1";
    write.connection.prepare_cached(sql)?.execute(params![device.key(), idle_until, write.now])?;
    write.device_changed(device);
    let row = row::by_id(write.connection, device)?
        .ok_or(StoreError::Contradiction("tokens of a display that is not there"))?;
    let device = row.at(write.now);
    let refresh_expires_at = device.expires_at.min(at(idle_until));
    Ok(DeviceGrant { device, token: new.id, refresh_expires_at, issued_at: at(write.now) })
}

/// Notes that the token was used, which spends its parent; whether it was unused.
pub(super) fn mark_used(
    write: &Write<'_>,
    device: DeviceId,
    token: TokenId,
) -> Result<bool, StoreError> {
    let sql = "UPDATE device_tokens SET used_at = ?3 \
         WHERE id = ?1 AND device_id = ?2 AND used_at IS NULL AND spent_at IS NULL";
    let mut mark = write.connection.prepare_cached(sql)?;
    if mark.execute(params![token.key(), device.key(), write.now])? == 0 {
        return Ok(false);
    }
    let sql = "UPDATE device_tokens SET spent_at = ?2 WHERE spent_at IS NULL \
         AND id = (SELECT parent FROM device_tokens WHERE id = ?1)";
    write.connection.prepare_cached(sql)?.execute(params![token.key(), write.now])?;
    write.device_changed(device);
    Ok(true)
}

pub(super) fn refresh(
    write: &Write<'_>,
    refresh: &Refresh,
) -> Result<Result<DeviceGrant, Refusal>, Failure> {
    let Some((token, row)) = by_hash(write.connection, &refresh.presented)?
        .filter(|(_, row)| row.key == Some(refresh.key))
    else {
        return Err(Refusal::TokenUnknown.into());
    };
    let state = row.state(write.now);
    if state == DeviceState::Revoked {
        let reused = row.device.reused_at.is_some();
        return Err(if reused { Refusal::TokenReused } else { Refusal::DeviceRevoked }.into());
    }
    if token.is_spent {
        reused(write, &row, refresh)?;
        return Ok(Err(Refusal::TokenReused));
    }
    if state == DeviceState::Expired {
        return Err(Refusal::DeviceExpired.into());
    }
    mark_used(write, token.device, token.id)?;
    // Its child was not used, or it would be spent: the answer was lost.
    let sql = "DELETE FROM device_tokens WHERE parent = ?1";
    write.connection.prepare_cached(sql)?.execute([token.id.key()])?;
    Ok(Ok(give(write, token.device, Some(token.id), &refresh.next)?))
}

/// Somebody presents what was used up: one of two has stolen it, and nobody can tell which.
fn reused(write: &Write<'_>, row: &Row, refresh: &Refresh) -> Result<(), StoreError> {
    end_for(write, &row.device, Some(EventReason::Reuse))?;
    let action = "device.token_reused";
    let tell = tell(&row.device, refresh.network);
    Line { outcome: action, ..tell.line(action) }.write(write)
}

pub(super) fn record(
    read: &Read<'_>,
    hash: &SecretHash,
) -> Result<Option<RefreshRecord>, StoreError> {
    let Some((token, row)) = by_hash(read.connection, hash)? else { return Ok(None) };
    let live = !token.is_spent && row.state(read.now) == DeviceState::Active;
    let Some(key) = row.key.filter(|_| live) else { return Ok(None) };
    let device = row.at(read.now);
    let expires_at = device.expires_at.min(at(row.idle_until));
    let issued_at = at(token.issued_at);
    Ok(Some(RefreshRecord { device, token: token.id, key, issued_at, expires_at }))
}

/// The display that this token is or was of, unless it is revoked already.
pub(super) fn owner(
    write: &Write<'_>,
    hash: &SecretHash,
    key: &KeyThumbprint,
) -> Result<Option<Row>, StoreError> {
    let found = by_hash(write.connection, hash)?.map(|(_, row)| row);
    Ok(found.filter(|row| row.key.as_ref() == Some(key) && !row.is_revoked))
}

/// Forgets spent tokens after a while, and those of displays whose time is over, revoked or not;
/// answers how many.
pub(in crate::sqlite) fn sweep(write: &Write<'_>) -> Result<usize, StoreError> {
    let until = write.now.saturating_sub(REMEMBERED_MS);
    let sql = "DELETE FROM device_tokens WHERE spent_at < ?1";
    let spent = write.connection.prepare_cached(sql)?.execute([until])?;
    let sql = "DELETE FROM device_tokens WHERE device_id IN \
         (SELECT id FROM devices WHERE min(idle_until, expires_at) < ?1)";
    Ok(spent + write.connection.prepare_cached(sql)?.execute([until])?)
}
