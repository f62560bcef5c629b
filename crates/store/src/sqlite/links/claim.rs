//! Somebody typed a code.

use luminous_domain::{ChallengeId, FamilyId, Permission};
use rusqlite::{Connection, params};

use super::row::{self, Claimed, Row};
use super::set_state;
use crate::audit::{Act, Actor};
use crate::error::{Failure, Refusal, StoreError};
use crate::events::Hint;
use crate::links::{Claim, FormerPlace, LinkKey, NewClaim};
use crate::sqlite::audit::Line;
use crate::sqlite::rows::{Id as _, after_lasting, at};
use crate::sqlite::{Write, devices, members};

/// A code that so many families typed is burned: somebody sends it around.
const FAMILIES: u32 = 3;

pub(super) fn claim(
    write: &Write<'_>,
    key: &LinkKey,
    new: &NewClaim,
    act: &Act,
) -> Result<Result<Claim, Refusal>, Failure> {
    members::require(write, new.family, new.member, Permission::DevicesLink)?;
    let found = match key {
        LinkKey::UserCode(code) => row::find(write.connection, "user_code", code)?,
        LinkKey::Qr(secret) => row::find(write.connection, "qr", secret)?,
    };
    let Some(row) = found.filter(|row| row.is_open(write.now)) else {
        return Err(Refusal::LinkInvalid.into());
    };
    if count_family(write, &row, new)? >= FAMILIES {
        burn(write, &row, act)?;
        return Ok(Err(Refusal::LinkSprayed));
    }
    let own = |claim: &Claimed| claim.account == new.account && claim.family == new.family;
    match row.live_claim(write.now) {
        Some(claim) if own(claim) => {
            Ok(Ok(answer(write.connection, &row, new.family, (claim.challenge, claim.expires_at))?))
        }
        Some(_) => Ok(Err(Refusal::LinkInvalid)),
        None => take(write, &row, new, act),
    }
}

/// How many families typed it, this one counted.
fn count_family(write: &Write<'_>, row: &Row, new: &NewClaim) -> Result<u32, StoreError> {
    let sql = "INSERT INTO link_families (link_id, family_id) VALUES (?1, ?2) \
         ON CONFLICT DO NOTHING";
    write.connection.prepare_cached(sql)?.execute([row.id.key(), new.family.key()])?;
    let sql = "SELECT count(*) FROM link_families WHERE link_id = ?1";
    Ok(write.connection.prepare_cached(sql)?.query_row([row.id.key()], |row| row.get(0))?)
}

fn burn(write: &Write<'_>, row: &Row, act: &Act) -> Result<(), StoreError> {
    set_state(write, row.id, "'open', 'claimed'", "denied")?;
    let family = row.live_claim(write.now).map(|claim| claim.family);
    let action = "device.code_sprayed";
    // Not by name: the log of one family does not tell of people of another.
    let act = Act { actor: Actor::System, network: act.network };
    let line = Line::new(family, &act, action).about(&row.id).called(&row.described.name);
    Line { outcome: action, ..line }.write(write)
}

fn take(
    write: &Write<'_>,
    row: &Row,
    new: &NewClaim,
    act: &Act,
) -> Result<Result<Claim, Refusal>, Failure> {
    let expires_at = after_lasting(write.now, new.lifetime).min(row.expires_at);
    let sql = "UPDATE links SET state = 'claimed', challenge = ?2, number = ?3, account_id = ?4, \
         family_id = ?5, claim_expires_at = ?6 \
         WHERE id = ?1 AND expires_at >= ?7 \
         AND (state = 'open' OR state = 'claimed' AND claim_expires_at < ?7)";
    let taken = write.connection.prepare_cached(sql)?.execute(params![
        row.id.key(),
        new.challenge.key(),
        new.number.value(),
        new.account.key(),
        new.family.key(),
        expires_at,
        write.now
    ])?;
    if taken == 0 {
        return Ok(Err(Refusal::LinkInvalid));
    }
    write.hint(Hint::Link { link: row.id });
    let line = Line::new(new.family, act, "device.code_claimed");
    line.about(&row.id).called(&row.described.name).write(write)?;
    Ok(Ok(answer(write.connection, row, new.family, (new.challenge, expires_at))?))
}

/// What the claimant is asked.
pub(super) fn answer(
    connection: &Connection,
    row: &Row,
    family: FamilyId,
    (challenge, expires_at): (ChallengeId, i64),
) -> Result<Claim, StoreError> {
    let former = devices::by_key(connection, family, &row.key)?.map(|former| {
        let device = former.device;
        FormerPlace { device: device.id, name: device.name, room: device.room }
    });
    Ok(Claim {
        challenge,
        described: row.described.clone(),
        shown_at: at(row.created_at),
        expires_at: at(expires_at),
        network: row.network,
        former,
    })
}
