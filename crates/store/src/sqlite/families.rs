//! Families.

use async_trait::async_trait;
use luminous_domain::{AccountId, FamilyId, MemberId, Permission, Role};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::audit::{Line, never_a_family};
use super::members::{self, NewRow};
use super::rows::{Id as _, at, id, maybe_id, standing_of, time};
use super::{SqliteStore, Write, accounts, devices};
use crate::accounts::Membership;
use crate::audit::Act;
use crate::error::{Failure, Refusal, StoreError};
use crate::events::EventKind;
use crate::families::{Families, Family, NewFamily};
use crate::members::MemberState;

pub(super) fn family(
    connection: &Connection,
    family: FamilyId,
) -> Result<Option<Family>, StoreError> {
    let sql = "SELECT id, name, created_at FROM families WHERE id = ?1";
    let mut query = connection.prepare_cached(sql)?;
    let found = query.query_row([family.key()], |row| {
        Ok(Family { id: id(row, 0)?, name: row.get(1)?, created_at: time(row, 2)? })
    });
    Ok(found.optional()?)
}

fn create(write: &Write<'_>, new: &NewFamily, act: &Act) -> Result<Membership, Failure> {
    let owner = standing_of(write.connection, new.owner)?.ok_or(Refusal::NotFound)?;
    match owner.membership {
        Some(place) if place.family.id == new.id && place.role == Role::Owner => return Ok(place),
        Some(_) => return Err(Refusal::AlreadyMember.into()),
        None => {}
    }
    never_a_family(write, new.id)?;
    let sql = "INSERT INTO families (id, name, created_at) VALUES (?1, ?2, ?3)";
    let values = params![new.id.key(), new.name, write.now];
    write.connection.prepare_cached(sql)?.execute(values)?;
    let owner = NewRow {
        id: new.member,
        family: new.id,
        account: Some(new.owner),
        name: &owner.account.name,
        role: Role::Owner,
    };
    members::insert(write, &owner)?;
    Line::new(new.id, act, "family.created").called(&new.name).write(write)?;
    let family = Family { id: new.id, name: new.name.clone(), created_at: at(write.now) };
    let (role, state) = (Role::Owner, MemberState::Active);
    Ok(Membership { family, member: new.member, role, state })
}

fn rename(
    write: &Write<'_>,
    id: FamilyId,
    name: &str,
    by: MemberId,
    act: &Act,
) -> Result<Family, Failure> {
    let old = family(write.connection, id)?.ok_or(Refusal::NotFound)?;
    members::require(write, id, by, Permission::FamilyRename)?;
    let sql = "UPDATE families SET name = ?2 WHERE id = ?1";
    write.connection.prepare_cached(sql)?.execute(params![id.key(), name])?;
    write.standing_changed();
    write.event(id, EventKind::FamilyChanged, None)?;
    Line::new(id, act, "family.renamed").called(&old.name).detail(name).write(write)?;
    Ok(Family { name: name.to_owned(), ..old })
}

fn delete(write: &Write<'_>, id: FamilyId, by: MemberId, act: &Act) -> Result<(), Failure> {
    let family = family(write.connection, id)?.ok_or(Refusal::NotFound)?;
    members::require(write, id, by, Permission::FamilyDelete)?;
    for account in accounts_in(write, id)? {
        accounts::standing_changed(write, account)?;
    }
    devices::family_goes(write, id)?;
    // Members, invitations, notes and displays go with it (ON DELETE CASCADE).
    write.connection.prepare_cached("DELETE FROM families WHERE id = ?1")?.execute([id.key()])?;
    write.event(id, EventKind::FamilyChanged, None)?;
    Line::new(id, act, "family.deleted").called(&family.name).write(write)?;
    Ok(())
}

fn accounts_in(write: &Write<'_>, id: FamilyId) -> Result<Vec<Option<AccountId>>, StoreError> {
    let sql = "SELECT account_id FROM members WHERE family_id = ?1";
    let mut query = write.connection.prepare_cached(sql)?;
    let rows = query.query_map([id.key()], |row| maybe_id(row, 0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[async_trait]
impl Families for SqliteStore {
    async fn create_family(&self, new: &NewFamily, act: &Act) -> Result<Membership, Failure> {
        let (new, act) = (new.clone(), act.clone());
        self.write(move |write| create(write, &new, &act)).await
    }

    async fn rename_family(
        &self,
        id: FamilyId,
        name: &str,
        by: MemberId,
        act: &Act,
    ) -> Result<Family, Failure> {
        let (name, act) = (name.to_owned(), act.clone());
        self.write(move |write| rename(write, id, &name, by, &act)).await
    }

    async fn delete_family(&self, id: FamilyId, by: MemberId, act: &Act) -> Result<(), Failure> {
        let act = act.clone();
        self.write(move |write| delete(write, id, by, &act)).await
    }
}
