//! A display asks for its first tokens.

use luminous_domain::Permission;
use rusqlite::params;

use super::row::{self, Place, Row, Written};
use super::set_state;
use crate::audit::{Act, Actor, Network};
use crate::error::StoreError;
use crate::events::{EventKind, Hint};
use crate::links::{LinkState, Redeemed, Redemption};
use crate::members::MemberState;
use crate::sqlite::audit::Line;
use crate::sqlite::rows::Id as _;
use crate::sqlite::{Write, devices, members};

pub(super) fn redeem(write: &Write<'_>, redemption: &Redemption) -> Result<Redeemed, StoreError> {
    let found = row::find(write.connection, "device_code", redemption.device_code)?;
    let Some(row) = found.filter(|row| row.key == redemption.key) else {
        return Ok(Redeemed::Unknown);
    };
    let place = match (row.state(write.now), &row.place) {
        (LinkState::Pending, _) => return Ok(Redeemed::Pending { number: None }),
        (LinkState::Claimed { number }, _) => {
            return Ok(Redeemed::Pending { number: Some(number) });
        }
        (LinkState::Denied, _) => return Ok(Redeemed::Denied),
        (LinkState::Linked | LinkState::Redeemed, Some(place)) => place,
        (LinkState::Expired | LinkState::Linked | LinkState::Redeemed, _) => {
            return Ok(Redeemed::Expired);
        }
    };
    if row.written == Written::Redeemed {
        return again(write, &row, place, redemption);
    }
    if !may_still_link(write, place)? {
        refuse(write, &row, place, redemption.network)?;
        return Ok(Redeemed::Denied);
    }
    first(write, &row, place, redemption)
}

/// Whether whoever confirmed may link now: they may have left, or been demoted, since.
fn may_still_link(write: &Write<'_>, place: &Place) -> Result<bool, StoreError> {
    let member = members::find(write.connection, place.family, place.linked_by)?;
    Ok(member.is_some_and(|member| {
        member.state == MemberState::Active && member.role.may(Permission::DevicesLink)
    }))
}

fn act(place: &Place, network: Network) -> Act {
    let actor = Actor::Display { id: place.device, name: place.name.clone() };
    Act { actor, network }
}

fn refuse(write: &Write<'_>, row: &Row, place: &Place, network: Network) -> Result<(), StoreError> {
    set_state(write, row.id, "'linked'", "denied")?;
    write.event(place.family, EventKind::DevicesChanged, Some(&place.device))?;
    let act = act(place, network);
    let line = Line::new(place.family, &act, "device.signed_in");
    let line = line.about(&place.device).called(&place.name);
    Line { outcome: "access_denied", ..line }.write(write)
}

fn first(
    write: &Write<'_>,
    row: &Row,
    place: &Place,
    redemption: &Redemption,
) -> Result<Redeemed, StoreError> {
    let sql = "UPDATE links SET state = 'redeemed', redeemed_at = ?2 \
         WHERE id = ?1 AND state = 'linked' AND expires_at >= ?2";
    let mut redeem = write.connection.prepare_cached(sql)?;
    if redeem.execute(params![row.id.key(), write.now])? == 0 {
        return Ok(Redeemed::Expired);
    }
    write.hint(Hint::Link { link: row.id });
    devices::end_elsewhere(write, &row.key, place, redemption.network)?;
    devices::put(write, row, &row.key, place)?;
    let act = act(place, redemption.network);
    let line = Line::new(place.family, &act, "device.signed_in");
    line.about(&place.device).called(&place.name).write(write)?;
    write.event(place.family, EventKind::DevicesChanged, Some(&place.device))?;
    devices::begin_tokens(write, place.device, &redemption.token).map(Redeemed::Done)
}

/// The answer was lost: others, while the first were not used and nobody ended the display.
fn again(
    write: &Write<'_>,
    row: &Row,
    place: &Place,
    redemption: &Redemption,
) -> Result<Redeemed, StoreError> {
    let device = devices::find(write.connection, place.family, place.device)?;
    if device.is_none_or(|device| device.is_revoked) {
        return Ok(Redeemed::Denied);
    }
    if row.expires_at < write.now || devices::has_used_tokens(write, place.device)? {
        return Ok(Redeemed::Expired);
    }
    if !may_still_link(write, place)? {
        return Ok(Redeemed::Denied);
    }
    devices::begin_tokens(write, place.device, &redemption.token).map(Redeemed::Done)
}
