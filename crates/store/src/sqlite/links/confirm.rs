//! Whoever typed a code says yes or no.

use luminous_domain::{AccountId, ChallengeId, DeviceId, FamilyId, Permission};
use rusqlite::params;

use super::claim::answer;
use super::row::{self, Place, Row};
use super::{set_state, waiting};
use crate::audit::Act;
use crate::devices::{Device, KeyThumbprint};
use crate::error::{Failure, Refusal, StoreError};
use crate::events::{EventKind, Hint};
use crate::links::{Asked, Confirmation, LinkState};
use crate::sqlite::audit::Line;
use crate::sqlite::rows::{Id as _, after_lasting};
use crate::sqlite::{Read, Write, devices, members};

/// How many displays a family may have.
const MOST: usize = 50;

/// The wish that this account of this family has claimed and is asked about.
fn asked(
    write: &Write<'_>,
    challenge: ChallengeId,
    account: AccountId,
    family: FamilyId,
) -> Result<Row, Failure> {
    row::find(write.connection, "challenge", challenge.key())?
        .filter(|row| {
            let claim = row.live_claim(write.now);
            claim.is_some_and(|claim| claim.account == account && claim.family == family)
        })
        .ok_or_else(|| Refusal::LinkInvalid.into())
}

/// What became of the question.
pub(super) fn look(
    read: &Read<'_>,
    challenge: ChallengeId,
    account: AccountId,
    family: FamilyId,
) -> Result<Option<Asked>, StoreError> {
    let found = row::find(read.connection, "challenge", challenge.key())?.filter(|row| {
        row.claim.as_ref().is_some_and(|by| by.account == account && by.family == family)
    });
    let Some(row) = found else { return Ok(None) };
    if let Some(claim) = row.live_claim(read.now) {
        let claim = answer(read.connection, &row, family, (challenge, claim.expires_at))?;
        return Ok(Some(Asked::Open(claim)));
    }
    let is_linked = matches!(row.state(read.now), LinkState::Linked | LinkState::Redeemed);
    Ok(row.place.filter(|_| is_linked).map(|place| Asked::Linked(place.device)))
}

pub(super) fn confirm(
    write: &Write<'_>,
    yes: &Confirmation,
    act: &Act,
) -> Result<Result<Device, Refusal>, Failure> {
    let row = asked(write, yes.challenge, yes.account, yes.family)?;
    members::require(write, yes.family, yes.member, Permission::DevicesLink)?;
    if row.live_claim(write.now).is_none_or(|claim| claim.number != yes.number) {
        burn(write, &row, yes.family, act)?;
        return Ok(Err(Refusal::ConfirmMismatch));
    }
    let place = place(write, &row, yes)?;
    if !set_place(write, &row, &place)? {
        return Err(Refusal::LinkInvalid.into());
    }
    write.hint(Hint::Link { link: row.id });
    write.event(yes.family, EventKind::DeviceLinked, Some(&place.device))?;
    let line = Line::new(yes.family, act, "device.linked").about(&place.device).called(&yes.name);
    Line { detail: yes.room.as_deref(), ..line }.write(write)?;
    Ok(Ok(row.device(&place)))
}

/// One try: a wrong number ends it.
fn burn(write: &Write<'_>, row: &Row, family: FamilyId, act: &Act) -> Result<(), StoreError> {
    set_state(write, row.id, "'claimed'", "denied")?;
    let action = "device.confirm_mismatch";
    let line = Line::new(family, act, action).about(&row.id).called(&row.described.name);
    Line { outcome: action, ..line }.write(write)
}

/// The display's former place, or the one it waits in already, or a new one if there is room for it.
fn place(write: &Write<'_>, row: &Row, yes: &Confirmation) -> Result<Place, Failure> {
    let former = devices::by_key(write.connection, yes.family, &row.key)?;
    let waits = waiting_with(write, yes.family, &row.key)?;
    let is_listed = waits.is_some() || former.as_ref().is_some_and(|former| !former.is_revoked);
    if !is_listed && count(write, yes.family)? >= MOST {
        return Err(Refusal::TooMany.into());
    }
    let linked_by = members::find(write.connection, yes.family, yes.member)?;
    Ok(Place {
        device: former.as_ref().map(|former| former.device.id).or(waits).unwrap_or(yes.device),
        family: yes.family,
        name: yes.name.clone(),
        room: yes.room.clone(),
        linked_by: yes.member,
        linked_by_name: linked_by.map(|member| member.name).unwrap_or_default(),
        linked_at: write.now,
        expires_at: after_lasting(write.now, yes.absolute),
        is_linker_there: true,
        last_seen_at: former.and_then(|former| former.device.last_seen_at),
    })
}

/// The display that waits for its tokens with this key: who only names a key ends no other wish of it,
/// so there may be one.
fn waiting_with(
    write: &Write<'_>,
    family: FamilyId,
    key: &KeyThumbprint,
) -> Result<Option<DeviceId>, StoreError> {
    let mut rows = waiting(write.connection, family, write.now)?.into_iter();
    Ok(rows.find(|row| row.key == *key).and_then(|row| row.place).map(|place| place.device))
}

/// How many displays the family has, those that wait for their tokens counted.
fn count(write: &Write<'_>, family: FamilyId) -> Result<usize, StoreError> {
    let mut listed: Vec<DeviceId> = devices::listed(write.connection, family)?;
    for row in waiting(write.connection, family, write.now)? {
        listed.extend(row.place.map(|place| place.device));
    }
    listed.sort_unstable();
    listed.dedup();
    Ok(listed.len())
}

fn set_place(write: &Write<'_>, row: &Row, place: &Place) -> Result<bool, StoreError> {
    let sql = "UPDATE links SET state = 'linked', expires_at = ?2, device_id = ?3, name = ?4, \
         room = ?5, linked_by = ?6, linked_by_name = ?7, linked_at = ?8, device_expires_at = ?9 \
         WHERE id = ?1 AND state = 'claimed' AND claim_expires_at >= ?8";
    let changed = write.connection.prepare_cached(sql)?.execute(params![
        row.id.key(),
        write.now.saturating_add(row.lifetime_ms),
        place.device.key(),
        place.name,
        place.room,
        place.linked_by.key(),
        place.linked_by_name,
        place.linked_at,
        place.expires_at
    ])?;
    Ok(changed > 0)
}

pub(super) fn decline(
    write: &Write<'_>,
    challenge: ChallengeId,
    account: AccountId,
    family: FamilyId,
    act: &Act,
) -> Result<(), Failure> {
    let row = asked(write, challenge, account, family)?;
    set_state(write, row.id, "'claimed'", "denied")?;
    let line = Line::new(family, act, "device.declined");
    Ok(line.about(&row.id).called(&row.described.name).write(write)?)
}
