//! Wishes of displays to be linked.

mod claim;
mod confirm;
mod polls;
mod redeem;
mod row;

use std::time::Duration;

use async_trait::async_trait;
use luminous_domain::{AccountId, ChallengeId, DeviceId, FamilyId, LinkId, Timestamp};
use rusqlite::{Connection, params};

use super::devices::with_last_seen;
use super::rows::{Id as _, after_lasting, at, ms};
use super::{SqliteStore, Write};
use crate::SecretHash;
use crate::audit::Act;
use crate::devices::{Device, KeyThumbprint};
use crate::error::{Failure, Refusal, StoreError};
use crate::events::{EventKind, Hint};
use crate::links::{
    Asked, Claim, Confirmation, Link, LinkKey, LinkState, Links, NewClaim, NewLink, Redeemed,
    Redemption,
};

pub(super) use self::polls::Polls;
pub(super) use self::row::{Place, Row, waiting};

/// How long no code comes back, and how long a wish is kept after its end.
const DAY_MS: i64 = 24 * 3_600_000;

fn count_open(connection: &Connection, now: i64) -> Result<u32, rusqlite::Error> {
    let sql = "SELECT count(*) FROM links \
         WHERE expires_at >= ?1 AND state IN ('open', 'claimed')";
    connection.prepare_cached(sql)?.query_row([now], |row| row.get(0))
}

/// Whether the code was given lately.
fn is_known(write: &Write<'_>, code: &SecretHash) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM links WHERE user_code = ?1 AND expires_at >= ?2)";
    let mut query = write.connection.prepare_cached(sql)?;
    let from = write.now.saturating_sub(DAY_MS);
    Ok(query.query_row(params![code, from], |row| row.get(0))?)
}

/// Writes down how the wish stands now, if it still stood as one of `from`.
fn set_state(write: &Write<'_>, link: LinkId, from: &str, to: &str) -> Result<bool, StoreError> {
    let sql = format!("UPDATE links SET state = ?2 WHERE id = ?1 AND state IN ({from})");
    let changed = write.connection.prepare_cached(&sql)?.execute(params![link.key(), to])?;
    write.hint(Hint::Link { link });
    Ok(changed > 0)
}

/// Ends the confirmed wishes that the device waits in, by somebody of the family.
pub(super) fn deny(
    write: &Write<'_>,
    family: FamilyId,
    device: DeviceId,
) -> Result<(), StoreError> {
    for link in waiting(write.connection, family, write.now)? {
        if link.is_for(device) {
            set_state(write, link.id, "'linked'", "denied")?;
        }
    }
    Ok(())
}

fn replace_former(write: &Write<'_>, key: &KeyThumbprint) -> Result<(), StoreError> {
    for former in row::unfinished(write.connection, key, write.now)? {
        set_state(write, former.id, "'open', 'claimed', 'linked'", "replaced")?;
        if let Some(place) = former.place {
            write.event(place.family, EventKind::DevicesChanged, Some(&place.device))?;
        }
    }
    Ok(())
}

fn begin(write: &Write<'_>, new: &NewLink) -> Result<Link, Failure> {
    if new.is_key_proven {
        replace_former(write, &new.key)?;
    }
    if count_open(write.connection, write.now)? >= new.most {
        return Err(Refusal::TooMany.into());
    }
    if is_known(write, &new.user_code)? {
        return Err(Refusal::Repeated.into());
    }
    let expires_at = after_lasting(write.now, new.lifetime);
    let sql = "INSERT INTO links (id, device_code, user_code, qr, key, described_name, model, \
         app_version, network, state, created_at, lifetime_ms, interval_ms, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'open', ?10, ?11, ?12, ?13)";
    write.connection.prepare_cached(sql)?.execute(params![
        new.id.key(),
        new.device_code,
        new.user_code,
        new.qr,
        new.key,
        new.described.name,
        new.described.model,
        new.described.app_version,
        new.network,
        write.now,
        expires_at - write.now,
        ms(new.interval),
        expires_at
    ])?;
    Ok(Link { id: new.id, expires_at: at(expires_at) })
}

/// Forgets wishes a day after their end; answers how many.
pub(super) fn sweep(write: &Write<'_>) -> Result<usize, StoreError> {
    let sql = "DELETE FROM links WHERE expires_at < ?1";
    Ok(write.connection.prepare_cached(sql)?.execute([write.now.saturating_sub(DAY_MS)])?)
}

/// The confirmed wish that the device waits in, of this family: the latest.
pub(super) fn waiting_as(
    write: &Write<'_>,
    family: FamilyId,
    device: DeviceId,
) -> Result<Option<Row>, StoreError> {
    let rows = waiting(write.connection, family, write.now)?;
    Ok(rows.into_iter().find(|row| row.is_for(device)))
}

#[async_trait]
impl Links for SqliteStore {
    async fn begin_link(&self, new: &NewLink) -> Result<Link, Failure> {
        let new = new.clone();
        self.write(move |write| begin(write, &new)).await
    }

    async fn open_links(&self) -> Result<u32, StoreError> {
        self.read(|read| Ok(count_open(read.connection, read.now)?)).await
    }

    async fn link_of(
        &self,
        device_code: &SecretHash,
        key: &KeyThumbprint,
    ) -> Result<Option<(LinkId, LinkState, Timestamp)>, StoreError> {
        let (device_code, key) = (*device_code, *key);
        self.read(move |read| {
            let found = row::find(read.connection, "device_code", device_code)?;
            let found = found.filter(|row| row.key == key);
            Ok(found.map(|row| (row.id, row.state(read.now), at(row.expires_at))))
        })
        .await
    }

    async fn link_state(&self, id: LinkId) -> Result<Option<LinkState>, StoreError> {
        self.read(move |read| {
            let found = row::find(read.connection, "id", id.key())?;
            Ok(found.map(|row| row.state(read.now)))
        })
        .await
    }

    async fn claim_link(&self, key: &LinkKey, new: &NewClaim, act: &Act) -> Result<Claim, Failure> {
        let (key, new, act) = (*key, new.clone(), act.clone());
        self.write_anyway(move |write| claim::claim(write, &key, &new, &act)).await
    }

    async fn asked_link(
        &self,
        challenge: ChallengeId,
        account: AccountId,
        family: FamilyId,
    ) -> Result<Option<Asked>, StoreError> {
        self.read(move |read| confirm::look(read, challenge, account, family)).await
    }

    async fn confirm_link(&self, yes: &Confirmation, act: &Act) -> Result<Device, Failure> {
        let (yes, act) = (yes.clone(), act.clone());
        let made = self.write_anyway(move |write| confirm::confirm(write, &yes, &act)).await?;
        Ok(with_last_seen(made, &self.memory.seen_devices))
    }

    async fn decline_link(
        &self,
        challenge: ChallengeId,
        account: AccountId,
        family: FamilyId,
        act: &Act,
    ) -> Result<(), Failure> {
        let act = act.clone();
        self.write(move |write| confirm::decline(write, challenge, account, family, &act)).await
    }

    async fn redeem_link(&self, redemption: &Redemption) -> Result<Redeemed, StoreError> {
        // Most displays that ask are told to wait, and a question costs no commit.
        let (device_code, key) = (redemption.device_code, redemption.key);
        let found = self
            .read(move |read| {
                let found = row::find(read.connection, "device_code", device_code)?;
                Ok(found.filter(|row| row.key == key).map(|row| (row.state(read.now), row)))
            })
            .await?;
        let Some((state, row)) = found else { return Ok(Redeemed::Unknown) };
        let number = match state {
            LinkState::Pending => None,
            LinkState::Claimed { number } => Some(number),
            _ => {
                self.polls.forget(row.id);
                let redemption = redemption.clone();
                return self.store(move |write| redeem::redeem(write, &redemption)).await;
            }
        };
        let (interval, until, now) = (row.interval_ms, row.expires_at, self.readers.now());
        let slowed = || self.polls.slowed(row.id, interval, until, now);
        Ok(match redemption.is_poll.then(slowed).flatten() {
            Some(ms) => Redeemed::TooFast { interval: Duration::from_millis(ms.unsigned_abs()) },
            None => Redeemed::Pending { number },
        })
    }
}
