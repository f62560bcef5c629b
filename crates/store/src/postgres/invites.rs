//! Invitations in PostgreSQL. One that was used or withdrawn is deleted; the log remembers it.

use async_trait::async_trait;
use luminous_domain::{AccountId, FamilyId, InviteId, MemberId, Permission, Role};
use tokio_postgres::Row;

use super::PostgresStore;
use super::audit::Line;
use super::lease::Lease;
use super::members::MOST_MEMBERS;
use super::rows::{invite, milliseconds, role, time};
use super::trouble::Trouble;
use super::write::Tx;
use crate::{
    Act, EventKind, Failure, Invite, Invites, MemberState, Membership, NewInvite, Offer, Refusal,
    SecretHash, StoreError,
};

const MOST_OPEN: i64 = 20;

#[async_trait]
impl Invites for PostgresStore {
    async fn create_invite(&self, new: &NewInvite, act: &Act) -> Result<Invite, Failure> {
        writing!(self, |tx| create(tx, new, act))
    }

    async fn open_invites(&self, family: FamilyId) -> Result<Vec<Invite>, StoreError> {
        reading!(self, |lease| open(lease, family))
    }

    async fn withdraw_invite(
        &self,
        family: FamilyId,
        id: InviteId,
        by: MemberId,
        act: &Act,
    ) -> Result<(), Failure> {
        writing!(self, |tx| withdraw(tx, (family, id), by, act))
    }

    async fn offer(&self, code: &SecretHash) -> Result<Option<Offer>, StoreError> {
        reading!(self, |lease| offered(lease, code))
    }

    async fn accept_invite(
        &self,
        code: &SecretHash,
        account: AccountId,
        member: MemberId,
        act: &Act,
    ) -> Result<Membership, Failure> {
        writing!(self, |tx| accept(tx, code, account, member, act))
    }
}

fn may_invite(maker: Role, given: Role) -> bool {
    maker.may(Permission::InvitesManage) && maker.may_grant(given)
}

async fn create(tx: &mut Tx, new: &NewInvite, act: &Act) -> Result<Invite, Trouble> {
    let (family, maker) = (new.family, new.invited_by);
    tx.lock_family(family).await?;
    let maker = tx.member(family, maker).await?.ok_or(Refusal::RoleMissing)?;
    if maker.state != MemberState::Active || !may_invite(maker.role, new.role) {
        return Err(Refusal::RoleMissing.into());
    }
    tx.never_before(family, &new.id, "invite.created").await?;
    let open = tx
        .row(
            "SELECT count(*) FROM invites WHERE family_id = $1 AND expires_at >= $2",
            &[&family.as_uuid(), &tx.now],
        )
        .await?;
    if open.map_or(Ok(0), |row| row.try_get::<_, i64>(0))? >= MOST_OPEN {
        return Err(Refusal::TooMany.into());
    }
    let expires_at = tx.now + milliseconds(new.lifetime);
    tx.run(
        "INSERT INTO invites (id, family_id, role, code, invited_by, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[
            &new.id.as_uuid(),
            &family.as_uuid(),
            &new.role.as_str(),
            &new.code.as_slice(),
            &maker.id.as_uuid(),
            &tx.now,
            &expires_at,
        ],
    )
    .await?;
    let line = Line::done(Some(family), "invite.created").about(&new.id, None);
    tx.log(act, &line.with(new.role.as_str())).await?;
    Ok(Invite {
        id: new.id,
        family,
        role: new.role,
        invited_by: maker.id,
        invited_by_name: maker.name,
        created_at: time(tx.now)?,
        expires_at: time(expires_at)?,
    })
}

async fn open(lease: &Lease, family: FamilyId) -> Result<Vec<Invite>, Trouble> {
    let rows = lease
        .rows(
            "SELECT i.*, m.name AS invited_by_name FROM invites i \
             JOIN members m ON m.id = i.invited_by \
             WHERE i.family_id = $1 AND i.expires_at >= luminous_now() \
             ORDER BY i.created_at DESC, i.id DESC",
            &[&family.as_uuid()],
        )
        .await?;
    rows.iter().map(invite).collect()
}

async fn withdraw(
    tx: &mut Tx,
    (family, id): (FamilyId, InviteId),
    by: MemberId,
    act: &Act,
) -> Result<(), Trouble> {
    tx.lock_family(family).await?;
    tx.require(family, by, Permission::InvitesManage).await?;
    let gone = tx
        .row(
            "DELETE FROM invites WHERE family_id = $1 AND id = $2 AND expires_at >= $3 \
             RETURNING role",
            &[&family.as_uuid(), &id.as_uuid(), &tx.now],
        )
        .await?
        .ok_or(Refusal::NotFound)?;
    let line = Line::done(Some(family), "invite.withdrawn").about(&id, None);
    tx.log(act, &line.with(gone.try_get("role")?)).await
}

async fn offered(lease: &Lease, code: &SecretHash) -> Result<Option<Offer>, Trouble> {
    let row = lease
        .row(
            "SELECT i.*, f.name AS family_name, m.name AS invited_by_name, \
             m.role AS maker_role, m.active AS maker_active FROM invites i \
             JOIN families f ON f.id = i.family_id JOIN members m ON m.id = i.invited_by \
             WHERE i.code = $1 AND i.expires_at >= luminous_now()",
            &[&code.as_slice()],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let offer = Offer { invite: invite(&row)?, family_name: row.try_get("family_name")? };
    Ok(still_counts(&row, offer.invite.role)?.then_some(offer))
}

/// Whether whoever made it may still give this role.
fn still_counts(row: &Row, given: Role) -> Result<bool, Trouble> {
    let maker = role(row.try_get("maker_role")?)?;
    Ok(row.try_get("maker_active")? && may_invite(maker, given))
}

async fn accept(
    tx: &mut Tx,
    code: &SecretHash,
    account: AccountId,
    member: MemberId,
    act: &Act,
) -> Result<Membership, Trouble> {
    // The invitation says which family to lock, and only under the lock what it says counts.
    let seen = offered(tx, code).await?.ok_or(Refusal::InviteInvalid)?;
    let family = tx.lock_family(seen.invite.family).await.map_err(|trouble| match trouble {
        Trouble::Refused(_) => Refusal::InviteInvalid.into(),
        other => other,
    })?;
    let invite = offered(tx, code).await?.ok_or(Refusal::InviteInvalid)?.invite;
    let standing = tx.lock_account(account).await?.ok_or(Refusal::NotFound)?;
    if standing.membership.is_some() {
        return Err(Refusal::AlreadyMember.into());
    }
    if tx.count_members(family.id).await? >= MOST_MEMBERS {
        return Err(Refusal::TooMany.into());
    }
    tx.run("DELETE FROM invites WHERE id = $1", &[&invite.id.as_uuid()]).await?;
    tx.run(
        "INSERT INTO members (id, family_id, account_id, name, role, joined_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            &member.as_uuid(),
            &family.id.as_uuid(),
            &account.as_uuid(),
            &standing.account.name,
            &invite.role.as_str(),
            &tx.now,
        ],
    )
    .await?;
    tx.move_account(account).await?;
    let line = Line::done(Some(family.id), "invite.accepted").about(&invite.id, None);
    tx.log(act, &line.with(invite.role.as_str())).await?;
    tx.tell(family.id, EventKind::MembersChanged, Some(&member)).await?;
    Ok(Membership { family, member, role: invite.role, state: MemberState::Active })
}
