//! A wish as it is kept.

use luminous_domain::{
    AccountId, ChallengeId, DeviceId, FamilyId, LinkId, MatchNumber, MemberId, Timestamp,
};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension as _, ToSql};

use crate::SecretHash;
use crate::devices::{Device, DeviceState, KeyThumbprint};
use crate::links::{LinkState, SelfDescription};
use crate::sqlite::rows::{at, id, maybe_id, maybe_time, word};

/// What was written down of how a wish stands; time is asked on top of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Open,
    Claimed,
    Linked,
    Redeemed,
    Denied,
    Replaced,
}

/// A claim, live or not.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) challenge: ChallengeId,
    pub(super) number: MatchNumber,
    pub(super) account: AccountId,
    pub(super) family: FamilyId,
    pub(super) expires_at: i64,
}

/// What was confirmed.
#[derive(Debug)]
pub(in crate::sqlite) struct Place {
    pub(in crate::sqlite) device: DeviceId,
    pub(in crate::sqlite) family: FamilyId,
    pub(in crate::sqlite) name: String,
    pub(in crate::sqlite) room: Option<String>,
    pub(in crate::sqlite) linked_by: MemberId,
    pub(in crate::sqlite) linked_by_name: String,
    pub(in crate::sqlite) linked_at: i64,
    /// When the display ends unless renewed.
    pub(in crate::sqlite) expires_at: i64,
    /// Whether `linked_by` is still of the family.
    pub(super) is_linker_there: bool,
    /// When the display was last heard of in its former place.
    pub(super) last_seen_at: Option<Timestamp>,
}

/// A wish.
#[derive(Debug)]
pub(in crate::sqlite) struct Row {
    pub(in crate::sqlite) id: LinkId,
    pub(super) key: KeyThumbprint,
    pub(in crate::sqlite) described: SelfDescription,
    pub(super) network: SecretHash,
    pub(super) written: Written,
    pub(super) created_at: i64,
    pub(super) lifetime_ms: i64,
    pub(super) interval_ms: i64,
    pub(super) expires_at: i64,
    pub(super) claim: Option<Claimed>,
    pub(in crate::sqlite) place: Option<Place>,
}

const SELECT: &str = "SELECT id, key, described_name, model, app_version, network, state, \
     created_at, lifetime_ms, interval_ms, expires_at, challenge, number, account_id, family_id, \
     claim_expires_at, device_id, name, room, linked_by, linked_by_name, linked_at, \
     device_expires_at, \
     EXISTS (SELECT 1 FROM members m WHERE m.id = linked_by AND m.family_id = links.family_id), \
     (SELECT d.last_seen_at FROM devices d WHERE d.id = device_id \
     AND d.family_id = links.family_id) FROM links";

fn written(text: &str) -> Option<Written> {
    Some(match text {
        "open" => Written::Open,
        "claimed" => Written::Claimed,
        "linked" => Written::Linked,
        "redeemed" => Written::Redeemed,
        "denied" => Written::Denied,
        "replaced" => Written::Replaced,
        _ => return None,
    })
}

fn row(row: &rusqlite::Row<'_>) -> Result<Row, Error> {
    Ok(Row {
        id: id(row, 0)?,
        key: row.get(1)?,
        described: SelfDescription {
            name: row.get(2)?,
            model: row.get(3)?,
            app_version: row.get(4)?,
        },
        network: row.get(5)?,
        written: word(row, 6, written)?,
        created_at: row.get(7)?,
        lifetime_ms: row.get(8)?,
        interval_ms: row.get(9)?,
        expires_at: row.get(10)?,
        claim: claim(row)?,
        place: place(row)?,
    })
}

fn claim(row: &rusqlite::Row<'_>) -> Result<Option<Claimed>, Error> {
    let Some(challenge) = maybe_id(row, 11)? else { return Ok(None) };
    let number = MatchNumber::from_value(row.get(12)?)
        .ok_or_else(|| Error::InvalidColumnType(12, "number".to_owned(), Type::Integer))?;
    let (account, family) = (id(row, 13)?, id(row, 14)?);
    Ok(Some(Claimed { challenge, number, account, family, expires_at: row.get(15)? }))
}

fn place(row: &rusqlite::Row<'_>) -> Result<Option<Place>, Error> {
    let Some(device) = maybe_id(row, 16)? else { return Ok(None) };
    Ok(Some(Place {
        device,
        family: id(row, 14)?,
        name: row.get(17)?,
        room: row.get(18)?,
        linked_by: id(row, 19)?,
        linked_by_name: row.get(20)?,
        linked_at: row.get(21)?,
        expires_at: row.get(22)?,
        is_linker_there: row.get(23)?,
        last_seen_at: maybe_time(row, 24)?,
    }))
}

/// The wish whose `column` is `value`.
pub(super) fn find(
    connection: &Connection,
    column: &str,
    value: impl ToSql,
) -> Result<Option<Row>, Error> {
    let sql = format!("{SELECT} WHERE {column} = ?1 ORDER BY created_at DESC LIMIT 1");
    connection.prepare_cached(&sql)?.query_row([value], row).optional()
}

/// Those of this key that may still become something.
pub(super) fn unfinished(
    connection: &Connection,
    key: &KeyThumbprint,
    now: i64,
) -> Result<Vec<Row>, Error> {
    let sql = format!(
        "{SELECT} WHERE key = ?1 AND state IN ('open', 'claimed', 'linked') AND expires_at >= ?2"
    );
    let mut query = connection.prepare_cached(&sql)?;
    query.query_map((key, now), row)?.collect()
}

/// Those of the family that are confirmed and wait for their tokens, the latest first. Two may wait in
/// one place, of a key that was only named.
pub(in crate::sqlite) fn waiting(
    connection: &Connection,
    family: FamilyId,
    now: i64,
) -> Result<Vec<Row>, Error> {
    use crate::sqlite::rows::Id as _;
    let sql = format!(
        "{SELECT} WHERE family_id = ?1 AND state = 'linked' AND expires_at >= ?2 \
         ORDER BY linked_at DESC, id DESC"
    );
    let mut query = connection.prepare_cached(&sql)?;
    query.query_map((family.key(), now), row)?.collect()
}

impl Row {
    /// Where it stands.
    pub(super) fn state(&self, now: i64) -> LinkState {
        match self.written {
            Written::Redeemed => LinkState::Redeemed,
            Written::Denied => LinkState::Denied,
            Written::Replaced => LinkState::Expired,
            _ if self.expires_at < now => LinkState::Expired,
            Written::Linked => LinkState::Linked,
            Written::Open | Written::Claimed => match self.live_claim(now) {
                Some(claim) => LinkState::Claimed { number: claim.number },
                None => LinkState::Pending,
            },
        }
    }

    /// Whether somebody may claim it or has claimed it.
    pub(super) fn is_open(&self, now: i64) -> bool {
        matches!(self.written, Written::Open | Written::Claimed) && self.expires_at >= now
    }

    /// The claim that waits for its number.
    pub(super) fn live_claim(&self, now: i64) -> Option<&Claimed> {
        let claim = self.claim.as_ref()?;
        let live =
            self.written == Written::Claimed && self.expires_at >= now && claim.expires_at >= now;
        live.then_some(claim)
    }

    /// Whether it was confirmed as this display.
    pub(super) fn is_for(&self, device: DeviceId) -> bool {
        self.place.as_ref().is_some_and(|place| place.device == device)
    }

    /// The display that waits for its tokens.
    pub(in crate::sqlite) fn device(&self, place: &Place) -> Device {
        Device {
            id: place.device,
            family: place.family,
            name: place.name.clone(),
            room: place.room.clone(),
            described: self.described.clone(),
            state: DeviceState::Pending,
            linked_by: place.is_linker_there.then_some(place.linked_by),
            linked_by_name: place.linked_by_name.clone(),
            linked_at: at(place.linked_at),
            expires_at: at(place.expires_at),
            last_seen_at: place.last_seen_at,
            reused_at: None,
        }
    }
}
