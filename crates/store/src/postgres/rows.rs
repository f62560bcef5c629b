//! Rows as values. What cannot be one is a contradiction in what is stored, not a panic.

use std::time::Duration;

use luminous_domain::{
    AccountId, DeviceId, FamilyId, InviteId, MemberId, NoteId, ObjectId, PersonKey, Role, TenantId,
    Timestamp, WebSessionId,
};
use tokio_postgres::Row;

use super::trouble::Trouble;
use crate::{
    Account, Device, DeviceState, Family, Invite, Member, MemberState, Membership, Note,
    SelfDescription, Standing, StoreError, WebSession,
};

/// A hundred years: longer than anything lasts, short enough to be added to any time.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// A time as the database gives it.
pub(super) fn time(ms: i64) -> Result<Timestamp, Trouble> {
    Timestamp::from_millisecond(ms).map_err(|_| contradiction("a time out of range"))
}

/// A duration as the database adds it.
pub(super) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.min(LONGEST).as_millis()).unwrap_or_default()
}

pub(super) const fn contradiction(what: &'static str) -> Trouble {
    Trouble::Store(StoreError::Contradiction(what))
}

fn optional_time(row: &Row, column: &str) -> Result<Option<Timestamp>, Trouble> {
    row.try_get::<_, Option<i64>>(column)?.map(time).transpose()
}

fn required_time(row: &Row, column: &str) -> Result<Timestamp, Trouble> {
    time(row.try_get(column)?)
}

pub(super) fn role(text: &str) -> Result<Role, Trouble> {
    Role::parse(text).ok_or(contradiction("an unknown role"))
}

const fn state(active: bool) -> MemberState {
    if active { MemberState::Active } else { MemberState::Deactivated }
}

/// What [`standing`] reads; `WHERE` follows.
pub(super) const STANDING: &str = "a.id AS account_id, a.tenant, a.object, \
     a.name AS account_name, a.email, a.created_at AS account_created_at, a.not_before, \
     a.standing_changed_at, m.id AS member_id, m.role, m.active, f.id AS family_id, \
     f.name AS family_name, f.created_at AS family_created_at \
     FROM accounts a LEFT JOIN members m ON m.account_id = a.id \
     LEFT JOIN families f ON f.id = m.family_id";

pub(super) fn standing(row: &Row) -> Result<Standing, Trouble> {
    let account = Account {
        id: AccountId::from_uuid(row.try_get("account_id")?),
        person: PersonKey {
            tenant: TenantId::new(row.try_get::<_, String>("tenant")?),
            object: ObjectId::new(row.try_get::<_, String>("object")?),
        },
        name: row.try_get("account_name")?,
        email: row.try_get("email")?,
        created_at: required_time(row, "account_created_at")?,
        not_before: optional_time(row, "not_before")?,
        standing_changed_at: optional_time(row, "standing_changed_at")?,
    };
    let member: Option<uuid::Uuid> = row.try_get("member_id")?;
    let membership = member.map(|member| membership(row, MemberId::from_uuid(member)));
    Ok(Standing { account, membership: membership.transpose()? })
}

fn membership(row: &Row, member: MemberId) -> Result<Membership, Trouble> {
    let family = Family {
        id: FamilyId::from_uuid(row.try_get("family_id")?),
        name: row.try_get("family_name")?,
        created_at: required_time(row, "family_created_at")?,
    };
    let role = role(row.try_get("role")?)?;
    Ok(Membership { family, member, role, state: state(row.try_get("active")?) })
}

/// From the columns of `families`.
pub(super) fn family(row: &Row) -> Result<Family, Trouble> {
    Ok(Family {
        id: FamilyId::from_uuid(row.try_get("id")?),
        name: row.try_get("name")?,
        created_at: required_time(row, "created_at")?,
    })
}

/// What [`member`] reads; `WHERE` follows.
pub(super) const MEMBER: &str = "m.id, m.family_id, m.account_id, m.name, a.email, m.role, \
     m.active, m.joined_at, v.seen_at \
     FROM members m LEFT JOIN accounts a ON a.id = m.account_id \
     LEFT JOIN visits v ON v.account_id = m.account_id";

pub(super) fn member(row: &Row) -> Result<Member, Trouble> {
    Ok(Member {
        id: MemberId::from_uuid(row.try_get("id")?),
        family: FamilyId::from_uuid(row.try_get("family_id")?),
        account: row.try_get::<_, Option<_>>("account_id")?.map(AccountId::from_uuid),
        name: row.try_get("name")?,
        email: row.try_get("email")?,
        role: role(row.try_get("role")?)?,
        state: state(row.try_get("active")?),
        joined_at: required_time(row, "joined_at")?,
        last_seen_at: optional_time(row, "seen_at")?,
    })
}

/// From the columns of `invites`, and the maker's name as `invited_by_name`.
pub(super) fn invite(row: &Row) -> Result<Invite, Trouble> {
    Ok(Invite {
        id: InviteId::from_uuid(row.try_get("id")?),
        family: FamilyId::from_uuid(row.try_get("family_id")?),
        role: role(row.try_get("role")?)?,
        invited_by: MemberId::from_uuid(row.try_get("invited_by")?),
        invited_by_name: row.try_get("invited_by_name")?,
        created_at: required_time(row, "created_at")?,
        expires_at: required_time(row, "expires_at")?,
    })
}

/// From the columns of `notes`.
pub(super) fn note(row: &Row) -> Result<Note, Trouble> {
    Ok(Note {
        id: NoteId::from_uuid(row.try_get("id")?),
        family: FamilyId::from_uuid(row.try_get("family_id")?),
        text: row.try_get("text")?,
        author: row.try_get::<_, Option<_>>("author")?.map(MemberId::from_uuid),
        author_name: row.try_get("author_name")?,
        posted_at: required_time(row, "posted_at")?,
        expires_at: optional_time(row, "expires_at")?,
    })
}

/// What [`device`] reads of a display that has its tokens.
pub(super) const DISPLAY: &str = "d.id, d.family_id, d.name, d.room, d.described_name, d.model, \
     d.app_version, d.state, d.linked_by, d.linked_by_name, d.linked_at, d.idle_until, \
     d.expires_at, d.last_seen_at, d.reused_at";

/// The same of one that waits for them, whose former place may have heard of it.
pub(super) const WAITING: &str = "l.device_id AS id, l.family_id, l.name, l.room, \
     l.described_name, l.model, l.app_version, 'pending' AS state, m.id AS linked_by, \
     l.linked_by_name, l.linked_at, l.device_expires_at AS idle_until, \
     l.device_expires_at AS expires_at, former.last_seen_at, NULL::bigint AS reused_at \
     FROM links l \
     LEFT JOIN members m ON m.id = l.linked_by AND m.family_id = l.family_id \
     LEFT JOIN displays former ON former.id = l.device_id AND former.family_id = l.family_id";

/// As it stands at `now`.
pub(super) fn device(row: &Row, now: i64) -> Result<Device, Trouble> {
    let ends: i64 = row.try_get::<_, i64>("idle_until")?.min(row.try_get("expires_at")?);
    let state = match row.try_get("state")? {
        "pending" => DeviceState::Pending,
        "revoked" => DeviceState::Revoked,
        "active" if now > ends => DeviceState::Expired,
        "active" => DeviceState::Active,
        _ => return Err(contradiction("an unknown state of a display")),
    };
    Ok(Device {
        id: DeviceId::from_uuid(row.try_get("id")?),
        family: FamilyId::from_uuid(row.try_get("family_id")?),
        name: row.try_get("name")?,
        room: row.try_get("room")?,
        described: described(row)?,
        state,
        linked_by: row.try_get::<_, Option<_>>("linked_by")?.map(MemberId::from_uuid),
        linked_by_name: row.try_get("linked_by_name")?,
        linked_at: required_time(row, "linked_at")?,
        expires_at: required_time(row, "expires_at")?,
        last_seen_at: optional_time(row, "last_seen_at")?,
        reused_at: optional_time(row, "reused_at")?,
    })
}

/// What a display says of itself.
pub(super) fn described(row: &Row) -> Result<SelfDescription, Trouble> {
    Ok(SelfDescription {
        name: row.try_get("described_name")?,
        model: row.try_get("model")?,
        app_version: row.try_get("app_version")?,
    })
}

/// A hash or thumbprint.
pub(super) fn hash(row: &Row, column: &str) -> Result<[u8; 32], Trouble> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| contradiction("a hash of another length"))
}

/// What [`session`] reads.
pub(super) const SESSION: &str = "s.id AS session_id, s.account_id AS session_account, \
     s.user_agent, s.auth_time, s.email_unverified, s.created_at AS session_created_at, \
     s.last_seen_at, s.expires_at";

pub(super) fn session(row: &Row) -> Result<WebSession, Trouble> {
    Ok(WebSession {
        id: WebSessionId::from_uuid(row.try_get("session_id")?),
        account: AccountId::from_uuid(row.try_get("session_account")?),
        user_agent: row.try_get("user_agent")?,
        auth_time: optional_time(row, "auth_time")?,
        is_email_unverified: row.try_get("email_unverified")?,
        created_at: required_time(row, "session_created_at")?,
        last_seen_at: required_time(row, "last_seen_at")?,
        expires_at: required_time(row, "expires_at")?,
    })
}
