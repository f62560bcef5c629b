//! Who belongs to a family, in PostgreSQL.

use async_trait::async_trait;
use luminous_domain::{FamilyId, MemberId, Permission, Role};

use super::PostgresStore;
use super::audit::Line;
use super::lease::Lease;
use super::rows::{MEMBER, contradiction, member};
use super::trouble::Trouble;
use super::write::Tx;
use crate::{
    Act, EventKind, Failure, Member, MemberChange, MemberState, Members, NewChild, Refusal,
    StoreError,
};

pub(super) const MOST_MEMBERS: i64 = 50;

#[async_trait]
impl Members for PostgresStore {
    async fn members(&self, family: FamilyId) -> Result<Vec<Member>, StoreError> {
        reading!(self, |lease| of_family(lease, family))
    }

    async fn member(&self, family: FamilyId, id: MemberId) -> Result<Option<Member>, StoreError> {
        reading!(self, |lease| lease.member(family, id))
    }

    async fn add_child(&self, new: &NewChild, by: MemberId, act: &Act) -> Result<Member, Failure> {
        writing!(self, |tx| add_child(tx, new, by, act))
    }

    async fn change_member(
        &self,
        family: FamilyId,
        id: MemberId,
        change: &MemberChange,
        by: MemberId,
        act: &Act,
    ) -> Result<Member, Failure> {
        writing!(self, |tx| change_member(tx, (family, id), change, by, act))
    }

    async fn remove_member(
        &self,
        family: FamilyId,
        id: MemberId,
        by: MemberId,
        act: &Act,
    ) -> Result<(), Failure> {
        writing!(self, |tx| remove_member(tx, (family, id), by, act))
    }

    async fn leave_family(&self, family: FamilyId, id: MemberId, act: &Act) -> Result<(), Failure> {
        writing!(self, |tx| leave(tx, (family, id), act))
    }
}

pub(super) async fn of_family(lease: &Lease, family: FamilyId) -> Result<Vec<Member>, Trouble> {
    let sql = format!("SELECT {MEMBER} WHERE m.family_id = $1 ORDER BY m.joined_at, m.id");
    lease.rows(&sql, &[&family.as_uuid()]).await?.iter().map(member).collect()
}

impl Lease {
    pub(super) async fn member(
        &self,
        family: FamilyId,
        id: MemberId,
    ) -> Result<Option<Member>, Trouble> {
        let sql = format!("SELECT {MEMBER} WHERE m.family_id = $1 AND m.id = $2");
        let row = self.row(&sql, &[&family.as_uuid(), &id.as_uuid()]).await?;
        row.as_ref().map(member).transpose()
    }

    /// The role that they can act with; `None` when they are not here or switched off.
    pub(super) async fn active_role(
        &self,
        family: FamilyId,
        id: MemberId,
    ) -> Result<Option<Role>, Trouble> {
        let member = self.member(family, id).await?;
        Ok(member.filter(|one| one.state == MemberState::Active).map(|one| one.role))
    }

    /// Refuses whoever does not have `permission` now in this family.
    pub(super) async fn require(
        &self,
        family: FamilyId,
        by: MemberId,
        permission: Permission,
    ) -> Result<(), Trouble> {
        match self.active_role(family, by).await? {
            Some(role) if role.may(permission) => Ok(()),
            _ => Err(Refusal::RoleMissing.into()),
        }
    }

    pub(super) async fn count_members(&self, family: FamilyId) -> Result<i64, Trouble> {
        let sql = "SELECT count(*) FROM members WHERE family_id = $1";
        let row = self.row(sql, &[&family.as_uuid()]).await?;
        Ok(row.map_or(Ok(0), |row| row.try_get(0))?)
    }
}

async fn add_child(
    tx: &mut Tx,
    new: &NewChild,
    by: MemberId,
    act: &Act,
) -> Result<Member, Trouble> {
    tx.lock_family(new.family).await?;
    tx.require(new.family, by, Permission::ChildrenManage).await?;
    tx.never_before(new.family, &new.id, "member.child_added").await?;
    if tx.count_members(new.family).await? >= MOST_MEMBERS {
        return Err(Refusal::TooMany.into());
    }
    tx.run(
        "INSERT INTO members (id, family_id, name, role, joined_at) \
         VALUES ($1, $2, $3, 'child', $4)",
        &[&new.id.as_uuid(), &new.family.as_uuid(), &new.name, &tx.now],
    )
    .await?;
    let line = Line::done(Some(new.family), "member.child_added");
    tx.log(act, &line.about(&new.id, Some(&new.name))).await?;
    tx.tell(new.family, EventKind::MembersChanged, Some(&new.id)).await?;
    tx.member(new.family, new.id).await?.ok_or(contradiction("a child that is not there"))
}

/// Somebody, and the role of whoever wants something of them.
async fn locked(
    tx: &mut Tx,
    (family, id): (FamilyId, MemberId),
    by: MemberId,
) -> Result<(Member, Role), Trouble> {
    tx.lock_family(family).await?;
    let target = tx.member(family, id).await?.ok_or(Refusal::NotFound)?;
    let ruling = tx.active_role(family, by).await?.ok_or(Refusal::RoleMissing)?;
    Ok((target, ruling))
}

async fn change_member(
    tx: &mut Tx,
    place: (FamilyId, MemberId),
    change: &MemberChange,
    by: MemberId,
    act: &Act,
) -> Result<Member, Trouble> {
    let (before, ruling) = locked(tx, place, by).await?;
    if !may_change(ruling, &before, change, by) {
        return Err(Refusal::RoleMissing.into());
    }
    let after = Member {
        name: change.name.clone().unwrap_or_else(|| before.name.clone()),
        role: change.role.unwrap_or(before.role),
        state: change.state.unwrap_or(before.state),
        ..before.clone()
    };
    if counts_as_owner(&before) && !counts_as_owner(&after) {
        require_another_owner(tx, &before).await?;
    }
    let active = after.state == MemberState::Active;
    tx.run(
        "UPDATE members SET name = $2, role = $3, active = $4 WHERE id = $1",
        &[&after.id.as_uuid(), &after.name, &after.role.as_str(), &active],
    )
    .await?;
    if (before.role, before.state) != (after.role, after.state)
        && let Some(account) = after.account
    {
        tx.move_account(account).await?;
    }
    log_changes(tx, &before, &after, act).await?;
    if before != after {
        tx.tell(after.family, EventKind::MembersChanged, Some(&after.id)).await?;
    }
    Ok(after)
}

/// Each thing that is named needs its right, changed or not.
fn may_change(ruling: Role, target: &Member, change: &MemberChange, by: MemberId) -> bool {
    let rules = ruling.may_grant(target.role);
    let managed = target.account.is_none();
    let name = rules
        || target.id == by
        || managed && ruling.may(Permission::ChildrenManage)
        || change.name.is_none();
    let role = change
        .role
        .is_none_or(|to| rules && ruling.may_grant(to) && !(managed && to != Role::Child));
    let state = change.state.is_none() || rules;
    name && role && state
}

/// One line for each thing that is another now.
async fn log_changes(tx: &Tx, before: &Member, after: &Member, act: &Act) -> Result<(), Trouble> {
    let line =
        |action| Line::done(Some(before.family), action).about(&before.id, Some(&before.name));
    if before.name != after.name {
        tx.log(act, &line("member.renamed").with(&after.name)).await?;
    }
    if before.role != after.role {
        tx.log(act, &line("member.role_changed").with(after.role.as_str())).await?;
    }
    match (before.state, after.state) {
        (MemberState::Active, MemberState::Deactivated) => {
            tx.log(act, &line("member.deactivated")).await
        }
        (MemberState::Deactivated, MemberState::Active) => {
            tx.log(act, &line("member.reactivated")).await
        }
        _ => Ok(()),
    }
}

async fn remove_member(
    tx: &mut Tx,
    place: (FamilyId, MemberId),
    by: MemberId,
    act: &Act,
) -> Result<(), Trouble> {
    let (target, ruling) = locked(tx, place, by).await?;
    let managed = target.account.is_none() && ruling.may(Permission::ChildrenManage);
    if !managed && !ruling.may_grant(target.role) {
        return Err(Refusal::RoleMissing.into());
    }
    take_out(tx, &target, "member.removed", act).await
}

async fn leave(tx: &mut Tx, (family, id): (FamilyId, MemberId), act: &Act) -> Result<(), Trouble> {
    tx.lock_family(family).await?;
    let target = tx.member(family, id).await?.ok_or(Refusal::NotFound)?;
    take_out(tx, &target, "member.left", act).await
}

async fn take_out(tx: &Tx, target: &Member, action: &str, act: &Act) -> Result<(), Trouble> {
    if counts_as_owner(target) {
        require_another_owner(tx, target).await?;
    }
    tx.run("DELETE FROM members WHERE id = $1", &[&target.id.as_uuid()]).await?;
    if let Some(account) = target.account {
        tx.move_account(account).await?;
    }
    let line = Line::done(Some(target.family), action).about(&target.id, Some(&target.name));
    tx.log(act, &line.with(target.role.as_str())).await?;
    tx.tell(target.family, EventKind::MembersChanged, Some(&target.id)).await
}

fn counts_as_owner(member: &Member) -> bool {
    member.role == Role::Owner && member.state == MemberState::Active && member.account.is_some()
}

async fn require_another_owner(tx: &Tx, leaving: &Member) -> Result<(), Trouble> {
    let other = tx
        .row(
            "SELECT FROM members WHERE family_id = $1 AND id <> $2 AND role = 'owner' \
             AND active AND account_id IS NOT NULL LIMIT 1",
            &[&leaving.family.as_uuid(), &leaving.id.as_uuid()],
        )
        .await?;
    other.map(drop).ok_or(Refusal::LastOwner.into())
}
