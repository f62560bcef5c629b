//! Wishes of displays to be linked, in PostgreSQL.
//!
//! Locks are taken in this order: the key (an advisory lock), families, the wish, the display, the
//! count of new wishes (another one), and counters of events at the end. Whoever decides over a wish has its row, so of two one comes
//! second and finds another state.

mod claims;
mod redeem;

use async_trait::async_trait;
use luminous_domain::{AccountId, ChallengeId, DeviceId, FamilyId, LinkId, MatchNumber, Timestamp};
use tokio_postgres::Row;

use super::PostgresStore;
use super::lease::Lease;
use super::rows::{contradiction, milliseconds, time};
use super::trouble::Trouble;
use super::write::Tx;
use crate::{
    Act, Asked, Claim, Confirmation, Device, EventKind, Failure, KeyThumbprint, Link, LinkKey,
    LinkState, Links, NewClaim, NewLink, Redeemed, Redemption, Refusal, SecretHash, StoreError,
};

/// For how long no code comes back, in ms.
const CODE_RESTS: i64 = 24 * 3_600_000;
/// Whoever begins a wish has this lock, so that those who count do not all count the same. Any
/// number that nobody else takes in this database.
const BEGINNING: i64 = i64::from_be_bytes(*b"newlinks");

#[async_trait]
impl Links for PostgresStore {
    async fn begin_link(&self, new: &NewLink) -> Result<Link, Failure> {
        writing!(self, |tx| begin(tx, new))
    }

    async fn open_links(&self) -> Result<u32, StoreError> {
        reading!(self, |lease| count_open(lease))
    }

    async fn link_of(
        &self,
        device_code: &SecretHash,
        key: &KeyThumbprint,
    ) -> Result<Option<(LinkId, LinkState, Timestamp)>, StoreError> {
        reading!(self, |lease| of_display(lease, device_code, key))
    }

    async fn link_state(&self, id: LinkId) -> Result<Option<LinkState>, StoreError> {
        reading!(self, |lease| of_id(lease, id))
    }

    async fn claim_link(&self, key: &LinkKey, new: &NewClaim, act: &Act) -> Result<Claim, Failure> {
        let answer: Result<_, Failure> = writing!(self, |tx| claims::claim(tx, key, new, act));
        answer?.map_err(Into::into)
    }

    async fn asked_link(
        &self,
        challenge: ChallengeId,
        account: AccountId,
        family: FamilyId,
    ) -> Result<Option<Asked>, StoreError> {
        reading!(self, |lease| claims::look(lease, challenge, (family, account)))
    }

    async fn confirm_link(&self, yes: &Confirmation, act: &Act) -> Result<Device, Failure> {
        let answer: Result<_, Failure> = writing!(self, |tx| claims::confirm(tx, yes, act));
        answer?.map_err(Into::into)
    }

    async fn decline_link(
        &self,
        challenge: ChallengeId,
        account: AccountId,
        family: FamilyId,
        act: &Act,
    ) -> Result<(), Failure> {
        writing!(self, |tx| claims::decline(tx, challenge, (family, account), act))
    }

    async fn redeem_link(&self, redemption: &Redemption) -> Result<Redeemed, StoreError> {
        let seen: Result<_, StoreError> = reading!(self, |lease| redeem::look(lease, redemption));
        match seen? {
            Some(answer) => Ok(answer),
            None => writing!(self, |tx| redeem::give(tx, redemption)),
        }
    }
}

async fn begin(tx: &Tx, new: &NewLink) -> Result<Link, Trouble> {
    tx.lock_key(&new.key).await?;
    let replaced = tx
        .rows(
            "UPDATE links SET state = 'replaced' WHERE $3 AND key = $1 \
             AND state IN ('open', 'claimed', 'linked') AND expires_at >= $2 \
             RETURNING id, device_id, family_id",
            &[&new.key.as_slice(), &tx.now, &new.is_key_proven],
        )
        .await?;
    // Not before the wishes are had, for whoever decides over one of them may take its time.
    tx.run("SELECT pg_advisory_xact_lock($1)", &[&BEGINNING]).await?;
    if count_open(tx).await? >= new.most {
        return Err(Refusal::TooMany.into());
    }
    let lately = "SELECT FROM links WHERE user_code = $1 AND expires_at >= $2 LIMIT 1";
    if tx.row(lately, &[&new.user_code.as_slice(), &(tx.now - CODE_RESTS)]).await?.is_some() {
        return Err(Refusal::Repeated.into());
    }
    let expires_at = insert(tx, new).await?;
    for row in &replaced {
        tx.hint_link(LinkId::from_uuid(row.try_get("id")?)).await?;
    }
    // One that was confirmed is listed as waiting.
    for row in &replaced {
        let device = row.try_get::<_, Option<_>>("device_id")?.map(DeviceId::from_uuid);
        if let Some(device) = device {
            let family = FamilyId::from_uuid(row.try_get("family_id")?);
            tx.tell(family, EventKind::DevicesChanged, Some(&device)).await?;
        }
    }
    Ok(Link { id: new.id, expires_at: time(expires_at)? })
}

async fn insert(tx: &Tx, new: &NewLink) -> Result<i64, Trouble> {
    let lifetime = milliseconds(new.lifetime);
    let expires_at = tx.now + lifetime;
    tx.run(
        "INSERT INTO links (id, device_code, user_code, qr, key, described_name, model, \
         app_version, network, state, created_at, lifetime, expires_at, poll_interval) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10, $11, $12, $13)",
        &[
            &new.id.as_uuid(),
            &new.device_code.as_slice(),
            &new.user_code.as_slice(),
            &new.qr.as_slice(),
            &new.key.as_slice(),
            &new.described.name,
            &new.described.model,
            &new.described.app_version,
            &new.network.as_slice(),
            &tx.now,
            &lifetime,
            &expires_at,
            &milliseconds(new.interval),
        ],
    )
    .await?;
    Ok(expires_at)
}

async fn count_open(lease: &Lease) -> Result<u32, Trouble> {
    let sql = "SELECT count(*) FROM links l, (SELECT luminous_now() AS now) AS clock \
         WHERE l.state IN ('open', 'claimed') AND l.expires_at >= clock.now";
    let count: i64 = lease.row(sql, &[]).await?.map_or(Ok(0), |row| row.try_get(0))?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

async fn of_display(
    lease: &Lease,
    device_code: &SecretHash,
    key: &KeyThumbprint,
) -> Result<Option<(LinkId, LinkState, Timestamp)>, Trouble> {
    let sql = "SELECT *, luminous_now() AS now FROM links WHERE device_code = $1 AND key = $2";
    let row = lease.row(sql, &[&device_code.as_slice(), &key.as_slice()]).await?;
    let Some(row) = row else { return Ok(None) };
    let ends = time(row.try_get("expires_at")?)?;
    let state = state(&row, row.try_get("now")?)?;
    Ok(Some((LinkId::from_uuid(row.try_get("id")?), state, ends)))
}

async fn of_id(lease: &Lease, id: LinkId) -> Result<Option<LinkState>, Trouble> {
    let sql = "SELECT *, luminous_now() AS now FROM links WHERE id = $1";
    let row = lease.row(sql, &[&id.as_uuid()]).await?;
    row.map(|row| state(&row, row.try_get("now")?)).transpose()
}

/// Where the wish stands at `now`.
fn state(row: &Row, now: i64) -> Result<LinkState, Trouble> {
    Ok(match row.try_get("state")? {
        "denied" => LinkState::Denied,
        "redeemed" => LinkState::Redeemed,
        "replaced" => LinkState::Expired,
        _ if now > row.try_get("expires_at")? => LinkState::Expired,
        "linked" => LinkState::Linked,
        "claimed" if now <= row.try_get("claim_expires_at")? => {
            LinkState::Claimed { number: number(row)? }
        }
        "open" | "claimed" => LinkState::Pending,
        _ => return Err(contradiction("an unknown state of a wish")),
    })
}

fn number(row: &Row) -> Result<MatchNumber, Trouble> {
    let number = u8::try_from(row.try_get::<_, i16>("number")?).ok();
    number.and_then(MatchNumber::from_value).ok_or(contradiction("a number of another length"))
}

impl Tx {
    /// Whoever makes or redeems a wish of this key has this lock: there is one at a time.
    async fn lock_key(&self, key: &KeyThumbprint) -> Result<(), Trouble> {
        let lock = "SELECT pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 0))";
        self.run(lock, &[&key.as_slice()]).await.map(drop)
    }

    /// The wish is over.
    async fn burn(&self, link: LinkId) -> Result<(), Trouble> {
        let sql = "UPDATE links SET state = 'denied' WHERE id = $1";
        self.run(sql, &[&link.as_uuid()]).await?;
        self.hint_link(link).await
    }
}
