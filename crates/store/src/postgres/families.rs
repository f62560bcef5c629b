//! Families in PostgreSQL.
//!
//! Whatever changes a family or what is in it first takes the family's row ([`Tx::lock_family`]),
//! so that the writers of one family come one after the other, on all replicas. Locks are taken in
//! one order, families before accounts, so that none waits in a circle.

use async_trait::async_trait;
use luminous_domain::{FamilyId, MemberId, Permission, Role};

use super::PostgresStore;
use super::audit::Line;
use super::rows::{contradiction, family, time};
use super::trouble::Trouble;
use super::write::Tx;
use crate::{
    Act, EventKind, Failure, Families, Family, MemberState, Membership, NewFamily, Refusal,
};

#[async_trait]
impl Families for PostgresStore {
    async fn create_family(&self, new: &NewFamily, act: &Act) -> Result<Membership, Failure> {
        writing!(self, |tx| create(tx, new, act))
    }

    async fn rename_family(
        &self,
        id: FamilyId,
        name: &str,
        by: MemberId,
        act: &Act,
    ) -> Result<Family, Failure> {
        writing!(self, |tx| rename(tx, id, name, by, act))
    }

    async fn delete_family(&self, id: FamilyId, by: MemberId, act: &Act) -> Result<(), Failure> {
        writing!(self, |tx| delete(tx, id, by, act))
    }
}

impl Tx {
    /// Takes the family for this transaction, and the time when it was got.
    pub(super) async fn lock_family(&mut self, id: FamilyId) -> Result<Family, Trouble> {
        let row = self
            .row("SELECT * FROM families WHERE id = $1 FOR NO KEY UPDATE", &[&id.as_uuid()])
            .await?
            .ok_or(Refusal::NotFound)?;
        let clock = self.row("SELECT luminous_now()", &[]).await?;
        self.now = clock.ok_or(contradiction("no time"))?.try_get(0)?;
        family(&row)
    }
}

async fn create(tx: &Tx, new: &NewFamily, act: &Act) -> Result<Membership, Trouble> {
    let standing = tx.lock_account(new.owner).await?.ok_or(Refusal::NotFound)?;
    if let Some(place) = standing.membership {
        let again = place.family.id == new.id && place.role == Role::Owner;
        return if again { Ok(place) } else { Err(Refusal::AlreadyMember.into()) };
    }
    tx.never_a_family(new.id).await?;
    let (id, member) = (new.id.as_uuid(), new.member.as_uuid());
    let made = tx
        .run(
            "INSERT INTO families (id, name, created_at) VALUES ($1, $2, $3) \
             ON CONFLICT DO NOTHING",
            &[&id, &new.name, &tx.now],
        )
        .await?;
    if made == 0 {
        // Somebody else's, made since the log was asked.
        return Err(Refusal::Repeated.into());
    }
    tx.run(
        "INSERT INTO members (id, family_id, account_id, name, role, joined_at) \
         VALUES ($1, $2, $3, $4, 'owner', $5)",
        &[&member, &id, &new.owner.as_uuid(), &standing.account.name, &tx.now],
    )
    .await?;
    tx.move_account(new.owner).await?;
    let mut line = Line::done(Some(new.id), "family.created");
    line.subject_name = Some(&new.name);
    tx.log(act, &line).await?;
    let family = Family { id: new.id, name: new.name.clone(), created_at: time(tx.now)? };
    Ok(Membership { family, member: new.member, role: Role::Owner, state: MemberState::Active })
}

async fn rename(
    tx: &mut Tx,
    id: FamilyId,
    name: &str,
    by: MemberId,
    act: &Act,
) -> Result<Family, Trouble> {
    let before = tx.lock_family(id).await?;
    tx.require(id, by, Permission::FamilyRename).await?;
    tx.run("UPDATE families SET name = $2 WHERE id = $1", &[&id.as_uuid(), &name]).await?;
    let mut line = Line::done(Some(id), "family.renamed").with(name);
    line.subject_name = Some(&before.name);
    tx.log(act, &line).await?;
    tx.tell(id, EventKind::FamilyChanged, None).await?;
    Ok(Family { name: name.to_owned(), ..before })
}

async fn delete(tx: &mut Tx, id: FamilyId, by: MemberId, act: &Act) -> Result<(), Trouble> {
    let family = tx.lock_family(id).await?;
    tx.require(id, by, Permission::FamilyDelete).await?;
    tx.run(
        "UPDATE accounts a SET standing_changed_at = $2 FROM members m \
         WHERE m.family_id = $1 AND m.account_id = a.id",
        &[&id.as_uuid(), &tx.now],
    )
    .await?;
    tx.run("DELETE FROM families WHERE id = $1", &[&id.as_uuid()]).await?;
    let mut line = Line::done(Some(id), "family.deleted");
    line.subject_name = Some(&family.name);
    tx.log(act, &line).await?;
    tx.tell(id, EventKind::FamilyChanged, None).await
}
