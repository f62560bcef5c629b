//! What people do with a wish: claim it, confirm it, decline it.

use luminous_domain::{
    AccountId, ChallengeId, DeviceId, FamilyId, LinkId, MatchNumber, Permission,
};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{number, state};
use crate::postgres::audit::Line;
use crate::postgres::lease::Lease;
use crate::postgres::rows::{contradiction, described, hash, milliseconds, time};
use crate::postgres::trouble::Trouble;
use crate::postgres::write::Tx;
use crate::{
    Act, Actor, Asked, Claim, Confirmation, Device, EventKind, FormerPlace, LinkKey, LinkState,
    NewClaim, Refusal,
};

/// So many families that typed one code burn it.
const SPRAYED: i64 = 3;
const MOST_DEVICES: usize = 50;

/// What is written although the data says no, such as that a code is burned, is committed: so the
/// refusal is an answer here.
pub(super) type Answer<T> = Result<Result<T, Refusal>, Trouble>;

pub(super) async fn claim(tx: &mut Tx, key: &LinkKey, new: &NewClaim, act: &Act) -> Answer<Claim> {
    tx.lock_family(new.family).await.map_err(|trouble| match trouble {
        Trouble::Refused(_) => Refusal::RoleMissing.into(),
        other => other,
    })?;
    tx.require(new.family, new.member, Permission::DevicesLink).await?;
    let row = typed(tx, key).await?.ok_or(Refusal::LinkInvalid)?;
    let id = LinkId::from_uuid(row.try_get("id")?);
    let stands = state(&row, tx.now)?;
    let is_claimed = match stands {
        LinkState::Pending => false,
        LinkState::Claimed { .. } => true,
        _ => return Ok(Err(Refusal::LinkInvalid)),
    };
    if is_claimed && is_of(&row, new.family, new.account)? {
        return told(tx, &row, new.family).await.map(Ok);
    }
    if families_that_tried(tx, id, new.family).await? >= SPRAYED {
        spray(tx, id, &row, is_claimed, act).await?;
        return Ok(Err(Refusal::LinkSprayed));
    }
    if is_claimed {
        return Ok(Err(Refusal::LinkInvalid));
    }
    take(tx, id, new).await?;
    let line = Line::done(Some(new.family), "device.code_claimed");
    tx.log(act, &line.about(&id, Some(row.try_get("described_name")?))).await?;
    tx.hint_link(id).await?;
    let taken = typed(tx, key).await?.ok_or(contradiction("a claim that is not there"))?;
    told(tx, &taken, new.family).await.map(Ok)
}

/// The wish with this code, locked, whatever its state. No two have the same code within its life.
async fn typed(tx: &Tx, key: &LinkKey) -> Result<Option<Row>, Trouble> {
    let (column, hash) = match key {
        LinkKey::UserCode(hash) => ("user_code", hash),
        LinkKey::Qr(hash) => ("qr", hash),
    };
    let sql = format!(
        "SELECT * FROM links WHERE {column} = $1 AND expires_at >= $2 \
         ORDER BY created_at DESC LIMIT 1 FOR UPDATE"
    );
    tx.row(&sql, &[&hash.as_slice(), &tx.now]).await
}

fn is_of(row: &Row, family: FamilyId, account: AccountId) -> Result<bool, Trouble> {
    let (whose, who) = (row.try_get("family_id")?, row.try_get("account_id")?);
    Ok((Some(family.as_uuid()), Some(account.as_uuid())) == (whose, who))
}

/// This one included.
async fn families_that_tried(tx: &Tx, link: LinkId, family: FamilyId) -> Result<i64, Trouble> {
    let link = link.as_uuid();
    let note = "INSERT INTO link_families (link_id, family_id) VALUES ($1, $2) \
         ON CONFLICT DO NOTHING";
    tx.run(note, &[&link, &family.as_uuid()]).await?;
    let count = "SELECT count(*) FROM link_families WHERE link_id = $1";
    let row = tx.row(count, &[&link]).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get(0))?)
}

/// The log of a family tells no stranger's name: the system did it.
async fn spray(tx: &Tx, id: LinkId, row: &Row, is_claimed: bool, act: &Act) -> Result<(), Trouble> {
    tx.burn(id).await?;
    let family: Option<uuid::Uuid> = row.try_get("family_id")?;
    let family = family.filter(|_| is_claimed).map(FamilyId::from_uuid);
    let act = Act { actor: Actor::System, network: act.network };
    let name = row.try_get("described_name")?;
    tx.log(&act, &alarm(family, "device.code_sprayed").about(&id, Some(name))).await
}

fn alarm(family: Option<FamilyId>, action: &str) -> Line<'_> {
    Line { outcome: action, ..Line::done(family, action) }
}

async fn take(tx: &Tx, id: LinkId, new: &NewClaim) -> Result<(), Trouble> {
    tx.run(
        "UPDATE links SET state = 'claimed', challenge = $2, number = $3, account_id = $4, \
         family_id = $5, claim_expires_at = least(expires_at, $6) WHERE id = $1",
        &[
            &id.as_uuid(),
            &new.challenge.as_uuid(),
            &i16::from(new.number.value()),
            &new.account.as_uuid(),
            &new.family.as_uuid(),
            &(tx.now + milliseconds(new.lifetime)),
        ],
    )
    .await?;
    Ok(())
}

/// What the claimant is asked.
async fn told(lease: &Lease, row: &Row, family: FamilyId) -> Result<Claim, Trouble> {
    let key = hash(row, "key")?;
    let sql = "SELECT id, name, room FROM displays WHERE family_id = $1 AND key = $2";
    let former = lease.row(sql, &[&family.as_uuid(), &key.as_slice()]).await?;
    let former = former.map(|row| -> Result<_, Trouble> {
        let device = DeviceId::from_uuid(row.try_get("id")?);
        Ok(FormerPlace { device, name: row.try_get("name")?, room: row.try_get("room")? })
    });
    Ok(Claim {
        challenge: ChallengeId::from_uuid(row.try_get("challenge")?),
        described: described(row)?,
        shown_at: time(row.try_get("created_at")?)?,
        expires_at: time(row.try_get("claim_expires_at")?)?,
        network: hash(row, "network")?,
        former: former.transpose()?,
    })
}

/// What became of the question.
pub(super) async fn look(
    lease: &Lease,
    challenge: ChallengeId,
    (family, account): (FamilyId, AccountId),
) -> Result<Option<Asked>, Trouble> {
    let sql = "SELECT *, luminous_now() AS now FROM links WHERE challenge = $1";
    let Some(row) = lease.row(sql, &[&challenge.as_uuid()]).await? else { return Ok(None) };
    if !is_of(&row, family, account)? {
        return Ok(None);
    }
    Ok(match state(&row, row.try_get("now")?)? {
        LinkState::Claimed { .. } => Some(Asked::Open(told(lease, &row, family).await?)),
        LinkState::Linked | LinkState::Redeemed => {
            Some(Asked::Linked(DeviceId::from_uuid(row.try_get("device_id")?)))
        }
        LinkState::Pending | LinkState::Denied | LinkState::Expired => None,
    })
}

/// The wish that this person of this family claimed and may still decide over, locked.
async fn claimed(
    tx: &Tx,
    challenge: ChallengeId,
    (family, account): (FamilyId, AccountId),
) -> Result<(LinkId, MatchNumber, Row), Trouble> {
    let sql = "SELECT * FROM links WHERE challenge = $1 FOR UPDATE";
    let row = tx.row(sql, &[&challenge.as_uuid()]).await?.ok_or(Refusal::LinkInvalid)?;
    let is_claimed = matches!(state(&row, tx.now)?, LinkState::Claimed { .. });
    if !is_claimed || !is_of(&row, family, account)? {
        return Err(Refusal::LinkInvalid.into());
    }
    Ok((LinkId::from_uuid(row.try_get("id")?), number(&row)?, row))
}

/// A family that is gone has no claims.
async fn lock_claimants_family(tx: &mut Tx, family: FamilyId) -> Result<(), Trouble> {
    match tx.lock_family(family).await {
        Err(Trouble::Refused(_)) => Err(Refusal::LinkInvalid.into()),
        other => other.map(drop),
    }
}

pub(super) async fn confirm(tx: &mut Tx, yes: &Confirmation, act: &Act) -> Answer<Device> {
    lock_claimants_family(tx, yes.family).await?;
    let (id, shown, row) = claimed(tx, yes.challenge, (yes.family, yes.account)).await?;
    tx.require(yes.family, yes.member, Permission::DevicesLink).await?;
    let name: &str = row.try_get("described_name")?;
    if shown != yes.number {
        tx.burn(id).await?;
        let line = alarm(Some(yes.family), "device.confirm_mismatch");
        tx.log(act, &line.about(&id, Some(name))).await?;
        return Ok(Err(Refusal::ConfirmMismatch));
    }
    let device = place(tx, yes, hash(&row, "key")?).await?;
    let others = tx.devices(yes.family).await?.into_iter().filter(|other| other.id != device);
    if others.count() >= MOST_DEVICES {
        return Err(Refusal::TooMany.into());
    }
    link(tx, id, yes, device).await?;
    let line = Line::done(Some(yes.family), "device.linked").about(&device, Some(&yes.name));
    tx.log(act, &Line { detail: yes.room.as_deref(), ..line }).await?;
    let made = tx.device(yes.family, device).await?;
    tx.hint_link(id).await?;
    tx.tell(yes.family, EventKind::DeviceLinked, Some(&device)).await?;
    Ok(Ok(made.ok_or(contradiction("a display that is not there"))?))
}

/// The id that the display had in this family, or that it waits with already, for who only names a key
/// ends no other wish of it; or the new one.
async fn place(tx: &Tx, yes: &Confirmation, key: [u8; 32]) -> Result<DeviceId, Trouble> {
    let sql = "SELECT id FROM displays WHERE family_id = $1 AND key = $2 UNION ALL \
         SELECT device_id FROM links WHERE family_id = $1 AND key = $2 AND state = 'linked' \
         AND expires_at >= $3 LIMIT 1";
    let former = tx.row(sql, &[&yes.family.as_uuid(), &key.as_slice(), &tx.now]).await?;
    Ok(former.map_or(Ok(yes.device), |row| row.try_get("id").map(DeviceId::from_uuid))?)
}

async fn link(tx: &Tx, id: LinkId, yes: &Confirmation, device: DeviceId) -> Result<(), Trouble> {
    let member = tx.member(yes.family, yes.member).await?;
    let member = member.ok_or(contradiction("a member that is not there"))?;
    let (device, by) = (device.as_uuid(), member.id.as_uuid());
    let (id, absolute) = (id.as_uuid(), tx.now + milliseconds(yes.absolute));
    let values: [&(dyn ToSql + Sync); 8] =
        [&id, &device, &yes.name, &yes.room, &by, &member.name, &tx.now, &absolute];
    tx.run(
        "UPDATE links SET state = 'linked', device_id = $2, name = $3, room = $4, \
         linked_by = $5, linked_by_name = $6, linked_at = $7, device_expires_at = $8, \
         expires_at = $7 + lifetime WHERE id = $1",
        &values,
    )
    .await?;
    Ok(())
}

pub(super) async fn decline(
    tx: &mut Tx,
    challenge: ChallengeId,
    (family, account): (FamilyId, AccountId),
    act: &Act,
) -> Result<(), Trouble> {
    lock_claimants_family(tx, family).await?;
    let (id, _, row) = claimed(tx, challenge, (family, account)).await?;
    let line = Line::done(Some(family), "device.declined");
    tx.log(act, &line.about(&id, Some(row.try_get("described_name")?))).await?;
    tx.burn(id).await
}
