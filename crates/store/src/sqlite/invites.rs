//! Invitations. One that was accepted or withdrawn is deleted, so that it cannot be told from one
//! that never was.

use async_trait::async_trait;
use luminous_domain::{AccountId, FamilyId, InviteId, MemberId, Permission, Role};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::audit::{Line, never_before};
use super::members::{self, NewRow};
use super::rows::{Id as _, after_lasting, at, id, role, standing_of, state, time};
use super::{SqliteStore, Write, families};
use crate::SecretHash;
use crate::accounts::Membership;
use crate::audit::Act;
use crate::error::{Failure, Refusal, StoreError};
use crate::events::EventKind;
use crate::invites::{Invite, Invites, NewInvite, Offer};
use crate::members::MemberState;

/// How many may stand open in a family.
const MOST: u32 = 20;

const SELECT: &str = "SELECT i.id, i.family_id, i.role, i.invited_by, m.name, i.created_at, \
     i.expires_at, m.role, m.state, f.name \
     FROM invites i JOIN members m ON m.id = i.invited_by JOIN families f ON f.id = i.family_id";

fn invite(row: &Row<'_>) -> Result<Invite, rusqlite::Error> {
    Ok(Invite {
        id: id(row, 0)?,
        family: id(row, 1)?,
        role: role(row, 2)?,
        invited_by: id(row, 3)?,
        invited_by_name: row.get(4)?,
        created_at: time(row, 5)?,
        expires_at: time(row, 6)?,
    })
}

/// The open invitation with this code, while whoever made it may still give its role.
fn offer(
    connection: &Connection,
    code: &SecretHash,
    now: i64,
) -> Result<Option<Offer>, rusqlite::Error> {
    let sql = format!("{SELECT} WHERE i.code = ?1 AND i.expires_at >= ?2");
    let mut query = connection.prepare_cached(&sql)?;
    let found = query.query_row(params![code, now], |row| {
        let offer = Offer { invite: invite(row)?, family_name: row.get(9)? };
        let maker = (role(row, 7)?, state(row, 8)?);
        Ok((offer, maker))
    });
    let counts = |(offer, (maker, state)): &(Offer, (Role, MemberState))| {
        *state == MemberState::Active && maker.may_grant(offer.invite.role)
    };
    Ok(found.optional()?.filter(counts).map(|(offer, _)| offer))
}

fn create(write: &Write<'_>, new: &NewInvite, act: &Act) -> Result<Invite, Failure> {
    families::family(write.connection, new.family)?.ok_or(Refusal::NotFound)?;
    let maker = members::find(write.connection, new.family, new.invited_by)?
        .filter(|maker| maker.state == MemberState::Active && maker.role.may_grant(new.role))
        .ok_or(Refusal::RoleMissing)?;
    never_before(write, new.family, &new.id, "invite.created")?;
    let sql = "SELECT count(*) FROM invites WHERE family_id = ?1 AND expires_at >= ?2";
    let mut query = write.connection.prepare_cached(sql)?;
    let open: u32 = query.query_row(params![new.family.key(), write.now], |row| row.get(0))?;
    if open >= MOST {
        return Err(Refusal::TooMany.into());
    }
    let expires_at = after_lasting(write.now, new.lifetime);
    let sql = "INSERT INTO invites (id, family_id, role, code, invited_by, created_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    write.connection.prepare_cached(sql)?.execute(params![
        new.id.key(),
        new.family.key(),
        new.role.as_str(),
        new.code,
        new.invited_by.key(),
        write.now,
        expires_at
    ])?;
    let line = Line::new(new.family, act, "invite.created");
    line.about(&new.id).detail(new.role.as_str()).write(write)?;
    Ok(Invite {
        id: new.id,
        family: new.family,
        role: new.role,
        invited_by: new.invited_by,
        invited_by_name: maker.name,
        created_at: at(write.now),
        expires_at: at(expires_at),
    })
}

fn withdraw(
    write: &Write<'_>,
    family: FamilyId,
    id: InviteId,
    by: MemberId,
    act: &Act,
) -> Result<(), Failure> {
    families::family(write.connection, family)?.ok_or(Refusal::NotFound)?;
    members::require(write, family, by, Permission::InvitesManage)?;
    let sql = "DELETE FROM invites WHERE family_id = ?1 AND id = ?2 AND expires_at >= ?3 \
         RETURNING role";
    let mut delete = write.connection.prepare_cached(sql)?;
    let given = delete
        .query_row(params![family.key(), id.key(), write.now], |row| role(row, 0))
        .optional()?
        .ok_or(Refusal::NotFound)?;
    let line = Line::new(family, act, "invite.withdrawn");
    line.about(&id).detail(given.as_str()).write(write)?;
    Ok(())
}

fn accept(
    write: &Write<'_>,
    code: &SecretHash,
    account: AccountId,
    member: MemberId,
    act: &Act,
) -> Result<Membership, Failure> {
    let Offer { invite, .. } =
        offer(write.connection, code, write.now)?.ok_or(Refusal::InviteInvalid)?;
    let person = standing_of(write.connection, account)?.ok_or(Refusal::NotFound)?;
    if person.membership.is_some() {
        return Err(Refusal::AlreadyMember.into());
    }
    let family =
        families::family(write.connection, invite.family)?.ok_or(Refusal::InviteInvalid)?;
    let mut delete = write.connection.prepare_cached("DELETE FROM invites WHERE id = ?1")?;
    delete.execute([invite.id.key()])?;
    let (account, name) = (Some(account), person.account.name.as_str());
    let new = NewRow { id: member, family: family.id, account, name, role: invite.role };
    members::insert(write, &new)?;
    write.event(family.id, EventKind::MembersChanged, Some(&member))?;
    let line = Line::new(family.id, act, "invite.accepted");
    line.about(&invite.id).detail(invite.role.as_str()).write(write)?;
    Ok(Membership { family, member, role: invite.role, state: MemberState::Active })
}

#[async_trait]
impl Invites for SqliteStore {
    async fn create_invite(&self, new: &NewInvite, act: &Act) -> Result<Invite, Failure> {
        let (new, act) = (new.clone(), act.clone());
        self.write(move |write| create(write, &new, &act)).await
    }

    async fn open_invites(&self, family: FamilyId) -> Result<Vec<Invite>, StoreError> {
        self.read(move |read| {
            let sql = format!(
                "{SELECT} WHERE i.family_id = ?1 AND i.expires_at >= ?2 \
                 ORDER BY i.created_at DESC, i.id DESC"
            );
            let mut query = read.connection.prepare_cached(&sql)?;
            let rows = query.query_map(params![family.key(), read.now], invite)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn withdraw_invite(
        &self,
        family: FamilyId,
        id: InviteId,
        by: MemberId,
        act: &Act,
    ) -> Result<(), Failure> {
        let act = act.clone();
        self.write(move |write| withdraw(write, family, id, by, &act)).await
    }

    async fn offer(&self, code: &SecretHash) -> Result<Option<Offer>, StoreError> {
        let code = *code;
        self.read(move |read| Ok(offer(read.connection, &code, read.now)?)).await
    }

    async fn accept_invite(
        &self,
        code: &SecretHash,
        account: AccountId,
        member: MemberId,
        act: &Act,
    ) -> Result<Membership, Failure> {
        let (code, act) = (*code, act.clone());
        self.write(move |write| accept(write, &code, account, member, &act)).await
    }
}
