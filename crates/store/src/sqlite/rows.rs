//! Between rows and values. A row that cannot be one is told from a failure of the driver.

use std::time::Duration;

use luminous_domain::{
    AccountId, AuditId, ChallengeId, DeviceId, FamilyId, InviteId, LinkId, MemberId, NoteId,
    ObjectId, PersonKey, Role, TenantId, Timestamp, TokenId, WebSessionId,
};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, Error, OptionalExtension as _, Row};

use crate::accounts::{Account, Membership, Standing};
use crate::families::Family;
use crate::members::MemberState;
use crate::web_sessions::WebSession;

/// An id as it is kept.
pub(super) trait Id: Copy {
    /// Its 16 bytes.
    fn key(self) -> [u8; 16];
    /// The id of these bytes.
    fn from_key(key: [u8; 16]) -> Self;
}

macro_rules! ids {
    ($($id:ident)*) => {$(
        impl Id for $id {
            fn key(self) -> [u8; 16] {
                self.as_uuid().into_bytes()
            }

            fn from_key(key: [u8; 16]) -> Self {
                Self::from_uuid(uuid::Uuid::from_bytes(key))
            }
        }
    )*};
}
ids! {
    AccountId AuditId ChallengeId DeviceId FamilyId InviteId LinkId MemberId NoteId TokenId
    WebSessionId
}

/// The id in column `at`.
pub(super) fn id<T: Id>(row: &Row<'_>, at: usize) -> Result<T, Error> {
    row.get(at).map(T::from_key)
}

/// The id in column `at`, if there is one.
pub(super) fn maybe_id<T: Id>(row: &Row<'_>, at: usize) -> Result<Option<T>, Error> {
    Ok(row.get::<_, Option<[u8; 16]>>(at)?.map(T::from_key))
}

/// The time in column `at`.
pub(super) fn time(row: &Row<'_>, at: usize) -> Result<Timestamp, Error> {
    let ms = row.get(at)?;
    Timestamp::from_millisecond(ms).map_err(|_| Error::IntegralValueOutOfRange(at, ms))
}

/// The time in column `at`, if there is one.
pub(super) fn maybe_time(row: &Row<'_>, at: usize) -> Result<Option<Timestamp>, Error> {
    match row.get::<_, Option<i64>>(at)? {
        Some(_) => time(row, at).map(Some),
        None => Ok(None),
    }
}

/// A time that is not a row's: `ms` came from the clock, or from [`after_lasting`].
pub(super) fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
}

/// When what begins at `now` and lasts for `lifetime` ends (Unix ms), at the latest at the end of
/// the calendar.
pub(super) fn after_lasting(now: i64, lifetime: Duration) -> i64 {
    now.saturating_add(ms(lifetime)).min(Timestamp::MAX.as_millisecond())
}

/// Milliseconds.
pub(super) fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The word in column `index` that `parse` knows.
pub(super) fn word<T>(
    row: &Row<'_>,
    index: usize,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Error> {
    let text: String = row.get(index)?;
    parse(&text).ok_or_else(|| Error::InvalidColumnType(index, String::new(), Type::Text))
}

/// The word in a column, or nothing.
pub(super) fn maybe_word<T>(
    row: &Row<'_>,
    index: usize,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    let is_there = row.get_ref(index)? != ValueRef::Null;
    is_there.then(|| word(row, index, parse)).transpose()
}

/// The role in column `at`.
pub(super) fn role(row: &Row<'_>, at: usize) -> Result<Role, Error> {
    word(row, at, Role::parse)
}

/// The state in column `at`.
pub(super) fn state(row: &Row<'_>, at: usize) -> Result<MemberState, Error> {
    word(row, at, |text| match text {
        "active" => Some(MemberState::Active),
        "deactivated" => Some(MemberState::Deactivated),
        _ => None,
    })
}

/// As it is written down.
pub(super) const fn state_word(state: MemberState) -> &'static str {
    match state {
        MemberState::Active => "active",
        MemberState::Deactivated => "deactivated",
    }
}

/// What [`standing`] reads, from [`STANDING_FROM`].
pub(super) const STANDING: &str = "a.id, a.tenant, a.object, a.name, a.email, a.created_at, \
     a.not_before, a.standing_changed_at, m.id, m.role, m.state, f.id, f.name, f.created_at";

/// Where [`STANDING`] is.
pub(super) const STANDING_FROM: &str = "accounts a LEFT JOIN members m ON m.account_id = a.id \
     LEFT JOIN families f ON f.id = m.family_id";

/// The standing that begins at column `at`.
pub(super) fn standing(row: &Row<'_>, at: usize) -> Result<Standing, Error> {
    let account = Account {
        id: id(row, at)?,
        person: PersonKey {
            tenant: TenantId::new(row.get::<_, String>(at + 1)?),
            object: ObjectId::new(row.get::<_, String>(at + 2)?),
        },
        name: row.get(at + 3)?,
        email: row.get(at + 4)?,
        created_at: time(row, at + 5)?,
        not_before: maybe_time(row, at + 6)?,
        standing_changed_at: maybe_time(row, at + 7)?,
    };
    let membership = match maybe_id(row, at + 8)? {
        Some(member) => Some(Membership {
            family: Family {
                id: id(row, at + 11)?,
                name: row.get(at + 12)?,
                created_at: time(row, at + 13)?,
            },
            member,
            role: role(row, at + 9)?,
            state: state(row, at + 10)?,
        }),
        None => None,
    };
    Ok(Standing { account, membership })
}

/// Where the account stands.
pub(super) fn standing_of(
    connection: &Connection,
    account: AccountId,
) -> Result<Option<Standing>, Error> {
    let sql = format!("SELECT {STANDING} FROM {STANDING_FROM} WHERE a.id = ?1");
    let mut query = connection.prepare_cached(&sql)?;
    query.query_row([account.key()], |row| standing(row, 0)).optional()
}

/// What [`session`] reads, of `web_sessions s`.
pub(super) const SESSION: &str = "s.id, s.account_id, s.user_agent, s.auth_time, s.created_at, \
     s.last_seen_at, s.expires_at, s.email_unverified";

/// The session in the first eight columns.
pub(super) fn session(row: &Row<'_>) -> Result<WebSession, Error> {
    Ok(WebSession {
        id: id(row, 0)?,
        account: id(row, 1)?,
        user_agent: row.get(2)?,
        auth_time: maybe_time(row, 3)?,
        created_at: time(row, 4)?,
        last_seen_at: time(row, 5)?,
        expires_at: time(row, 6)?,
        is_email_unverified: row.get(7)?,
    })
}

/// The newest line of the log.
pub(super) fn newest_line(connection: &Connection) -> Result<Option<AuditId>, Error> {
    connection
        .query_row("SELECT id FROM audit ORDER BY id DESC LIMIT 1", [], |row| id(row, 0))
        .optional()
}

/// The id right after `newest`.
pub(super) fn after(newest: AuditId) -> AuditId {
    AuditId::from_uuid(uuid::Uuid::from_u128(newest.as_uuid().as_u128().wrapping_add(1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_end_is_always_a_time_and_never_before_the_beginning(
            now in 0..4_102_444_800_000_i64,
            seconds: u64,
            nanos in 0..1_000_000_000_u32,
        ) {
            let end = after_lasting(now, Duration::new(seconds, nanos));
            prop_assert!(end >= now);
            prop_assert_eq!(at(end).as_millisecond(), end);
        }

        #[test]
        fn ids_are_kept_whole_and_the_next_one_sorts_after(bytes: [u8; 16]) {
            let id = AuditId::from_key(bytes);
            prop_assert_eq!(id.key(), bytes);
            if bytes != [0xFF; 16] {
                prop_assert!(after(id) > id);
            }
        }
    }
}
