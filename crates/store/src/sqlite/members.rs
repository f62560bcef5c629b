//! Who belongs to a family.

use async_trait::async_trait;
use luminous_domain::{AccountId, FamilyId, MemberId, Permission, Role};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::audit::{Line, never_before};
use super::rows::{Id as _, at, id, maybe_id, maybe_time, role, state, state_word, time};
use super::seen::Seen;
use super::{Read, SqliteStore, Write, accounts, devices, families};
use crate::audit::Act;
use crate::error::{Failure, Refusal, StoreError};
use crate::events::EventKind;
use crate::members::{Member, MemberChange, MemberState, Members, NewChild};

/// How many a family may have.
const MOST: u32 = 50;

const SELECT: &str = "SELECT m.id, m.family_id, m.account_id, m.name, a.email, m.role, m.state, \
     m.joined_at, a.last_seen_at \
     FROM members m LEFT JOIN accounts a ON a.id = m.account_id WHERE m.family_id = ?1";

fn member(row: &Row<'_>) -> Result<Member, rusqlite::Error> {
    Ok(Member {
        id: id(row, 0)?,
        family: id(row, 1)?,
        account: maybe_id(row, 2)?,
        name: row.get(3)?,
        email: row.get(4)?,
        role: role(row, 5)?,
        state: state(row, 6)?,
        joined_at: time(row, 7)?,
        last_seen_at: maybe_time(row, 8)?,
    })
}

/// The member of this family.
pub(super) fn find(
    connection: &Connection,
    family: FamilyId,
    id: MemberId,
) -> Result<Option<Member>, rusqlite::Error> {
    let mut query = connection.prepare_cached(&format!("{SELECT} AND m.id = ?2"))?;
    query.query_row([family.key(), id.key()], member).optional()
}

/// The role that `by` acts with now in this family.
pub(super) fn ruling(write: &Write<'_>, family: FamilyId, by: MemberId) -> Result<Role, Failure> {
    match find(write.connection, family, by)? {
        Some(by) if by.state == MemberState::Active => Ok(by.role),
        _ => Err(Refusal::RoleMissing.into()),
    }
}

/// Refuses whoever does not have `permission` now in this family.
pub(super) fn require(
    write: &Write<'_>,
    family: FamilyId,
    by: MemberId,
    permission: Permission,
) -> Result<(), Failure> {
    if ruling(write, family, by)?.may(permission) {
        Ok(())
    } else {
        Err(Refusal::RoleMissing.into())
    }
}

/// A row to be.
pub(super) struct NewRow<'a> {
    pub(super) id: MemberId,
    pub(super) family: FamilyId,
    pub(super) account: Option<AccountId>,
    pub(super) name: &'a str,
    pub(super) role: Role,
}

/// Takes somebody in, unless the family is full.
pub(super) fn insert(write: &Write<'_>, new: &NewRow<'_>) -> Result<(), Failure> {
    let sql = "SELECT count(*) FROM members WHERE family_id = ?1";
    let mut query = write.connection.prepare_cached(sql)?;
    let count: u32 = query.query_row([new.family.key()], |row| row.get(0))?;
    if count >= MOST {
        return Err(Refusal::TooMany.into());
    }
    let sql = "INSERT INTO members (id, family_id, account_id, name, role, state, joined_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, 'active', ?6)";
    write.connection.prepare_cached(sql)?.execute(params![
        new.id.key(),
        new.family.key(),
        new.account.map(AccountId::key),
        new.name,
        new.role.as_str(),
        write.now
    ])?;
    accounts::standing_changed(write, new.account)?;
    Ok(())
}

fn add_child(
    write: &Write<'_>,
    new: &NewChild,
    by: MemberId,
    act: &Act,
) -> Result<Member, Failure> {
    families::family(write.connection, new.family)?.ok_or(Refusal::NotFound)?;
    require(write, new.family, by, Permission::ChildrenManage)?;
    let (id, family, name) = (new.id, new.family, new.name.as_str());
    never_before(write, family, &id, "member.child_added")?;
    insert(write, &NewRow { id, family, account: None, name, role: Role::Child })?;
    write.event(family, EventKind::MembersChanged, Some(&id))?;
    Line::new(family, act, "member.child_added").about(&id).called(name).write(write)?;
    Ok(Member {
        id,
        family,
        account: None,
        name: new.name.clone(),
        email: None,
        role: Role::Child,
        state: MemberState::Active,
        joined_at: at(write.now),
        last_seen_at: None,
    })
}

fn may_rename(who: MemberId, ruling: Role, member: &Member) -> bool {
    who == member.id
        || ruling.may_grant(member.role)
        || member.account.is_none() && ruling.may(Permission::ChildrenManage)
}

/// Whether `who`, acting as `ruling`, may do all of `change` to `member`.
fn may_change(who: MemberId, ruling: Role, member: &Member, change: &MemberChange) -> bool {
    let role = |role: Role| {
        ruling.may_grant(member.role)
            && ruling.may_grant(role)
            && (member.account.is_some() || role == Role::Child)
    };
    (change.name.is_none() || may_rename(who, ruling, member))
        && change.role.is_none_or(role)
        && (change.state.is_none() || ruling.may_grant(member.role))
}

/// An owner who can act.
fn counts_as_owner(member: &Member) -> bool {
    member.role == Role::Owner && member.state == MemberState::Active && member.account.is_some()
}

/// Fails when the family has no owner who can act; asked after the change, which is undone then.
fn keep_an_owner(write: &Write<'_>, family: FamilyId) -> Result<(), Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM members WHERE family_id = ?1 AND role = 'owner' \
         AND state = 'active' AND account_id IS NOT NULL)";
    let mut query = write.connection.prepare_cached(sql)?;
    if query.query_row([family.key()], |row| row.get(0))? {
        Ok(())
    } else {
        Err(Refusal::LastOwner.into())
    }
}

fn change(
    write: &Write<'_>,
    old: &Member,
    change: MemberChange,
    act: &Act,
) -> Result<Member, Failure> {
    let new = Member {
        name: change.name.unwrap_or_else(|| old.name.clone()),
        role: change.role.unwrap_or(old.role),
        state: change.state.unwrap_or(old.state),
        ..old.clone()
    };
    let sql = "UPDATE members SET name = ?3, role = ?4, state = ?5 \
         WHERE family_id = ?1 AND id = ?2";
    write.connection.prepare_cached(sql)?.execute(params![
        new.family.key(),
        new.id.key(),
        new.name,
        new.role.as_str(),
        state_word(new.state)
    ])?;
    if counts_as_owner(old) && !counts_as_owner(&new) {
        keep_an_owner(write, new.family)?;
    }
    if (new.role, new.state) != (old.role, old.state) {
        accounts::standing_changed(write, new.account)?;
    }
    if new != *old {
        write.event(new.family, EventKind::MembersChanged, Some(&new.id))?;
    }
    write_changes(write, old, &new, act)?;
    Ok(new)
}

/// A line for each thing that changed.
fn write_changes(
    write: &Write<'_>,
    old: &Member,
    new: &Member,
    act: &Act,
) -> Result<(), StoreError> {
    let line = |action| Line::new(old.family, act, action).about(&old.id).called(&old.name);
    if new.name != old.name {
        line("member.renamed").detail(&new.name).write(write)?;
    }
    if new.role != old.role {
        line("member.role_changed").detail(new.role.as_str()).write(write)?;
    }
    match new.state {
        state if state == old.state => Ok(()),
        MemberState::Active => line("member.reactivated").write(write),
        MemberState::Deactivated => line("member.deactivated").write(write),
    }
}

fn remove(write: &Write<'_>, member: &Member, action: &str, act: &Act) -> Result<(), Failure> {
    devices::linker_leaves(write, member.family, member.id)?;
    // Their invitations go along, their notes and displays stay without them (foreign keys).
    let sql = "DELETE FROM members WHERE family_id = ?1 AND id = ?2";
    write.connection.prepare_cached(sql)?.execute([member.family.key(), member.id.key()])?;
    if counts_as_owner(member) {
        keep_an_owner(write, member.family)?;
    }
    accounts::standing_changed(write, member.account)?;
    write.event(member.family, EventKind::MembersChanged, Some(&member.id))?;
    Line::new(member.family, act, action)
        .about(&member.id)
        .called(&member.name)
        .detail(member.role.as_str())
        .write(write)?;
    Ok(())
}

/// All of a family, by the time they came.
pub(super) fn of(read: &Read<'_>, family: FamilyId) -> Result<Vec<Member>, StoreError> {
    let sql = format!("{SELECT} ORDER BY m.joined_at, m.id");
    let mut query = read.connection.prepare_cached(&sql)?;
    let rows = query.query_map([family.key()], member)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What is newer in memory than in the file.
pub(super) fn with_last_seen(mut member: Member, seen: &Seen<AccountId>) -> Member {
    if let Some(ms) = member.account.and_then(|account| seen.latest(account)) {
        member.last_seen_at = Some(at(ms));
    }
    member
}

#[async_trait]
impl Members for SqliteStore {
    async fn members(&self, family: FamilyId) -> Result<Vec<Member>, StoreError> {
        let members = self.read(move |read| of(read, family)).await?;
        Ok(members.into_iter().map(|member| with_last_seen(member, &self.memory.seen)).collect())
    }

    async fn member(&self, family: FamilyId, id: MemberId) -> Result<Option<Member>, StoreError> {
        let member = self.read(move |read| Ok(find(read.connection, family, id)?)).await?;
        Ok(member.map(|member| with_last_seen(member, &self.memory.seen)))
    }

    async fn add_child(&self, new: &NewChild, by: MemberId, act: &Act) -> Result<Member, Failure> {
        let (new, act) = (new.clone(), act.clone());
        self.write(move |write| add_child(write, &new, by, &act)).await
    }

    async fn change_member(
        &self,
        family: FamilyId,
        id: MemberId,
        change: &MemberChange,
        by: MemberId,
        act: &Act,
    ) -> Result<Member, Failure> {
        let (change, act) = (change.clone(), act.clone());
        let changed = self
            .write(move |write| {
                let member = find(write.connection, family, id)?.ok_or(Refusal::NotFound)?;
                let ruling = ruling(write, family, by)?;
                if !may_change(by, ruling, &member, &change) {
                    return Err(Refusal::RoleMissing.into());
                }
                self::change(write, &member, change, &act)
            })
            .await?;
        Ok(with_last_seen(changed, &self.memory.seen))
    }

    async fn remove_member(
        &self,
        family: FamilyId,
        id: MemberId,
        by: MemberId,
        act: &Act,
    ) -> Result<(), Failure> {
        let act = act.clone();
        self.write(move |write| {
            let member = find(write.connection, family, id)?.ok_or(Refusal::NotFound)?;
            let ruling = ruling(write, family, by)?;
            let managed = member.account.is_none() && ruling.may(Permission::ChildrenManage);
            if !(managed || ruling.may_grant(member.role)) {
                return Err(Refusal::RoleMissing.into());
            }
            remove(write, &member, "member.removed", &act)
        })
        .await
    }

    async fn leave_family(&self, family: FamilyId, id: MemberId, act: &Act) -> Result<(), Failure> {
        let act = act.clone();
        self.write(move |write| {
            let member = find(write.connection, family, id)?.ok_or(Refusal::NotFound)?;
            remove(write, &member, "member.left", &act)
        })
        .await
    }
}
