//! People and where they stand.

use async_trait::async_trait;
use luminous_domain::{AccountId, PersonKey};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::audit::{Line, by_account, family_of};
use super::rows::{Id as _, STANDING, STANDING_FROM, at, standing, standing_of};
use super::{SqliteStore, Write, notes, web_sessions};
use crate::accounts::{AccountExport, Accounts, Arrival, Standing};
use crate::audit::{Act, Actor};
use crate::error::StoreError;
use crate::events::{EventKind, Hint};

/// How many lines of the log an export holds.
const EXPORTED_LINES: u32 = 1000;

fn by_person(
    connection: &Connection,
    person: &PersonKey,
) -> Result<Option<Standing>, rusqlite::Error> {
    let sql =
        format!("SELECT {STANDING} FROM {STANDING_FROM} WHERE a.tenant = ?1 AND a.object = ?2");
    let mut query = connection.prepare_cached(&sql)?;
    let key = (person.tenant.as_str(), person.object.as_str());
    query.query_row(key, |row| standing(row, 0)).optional()
}

fn up_to_date(standing: &Standing, arrival: &Arrival) -> bool {
    standing.account.name == arrival.name && standing.account.email == arrival.email
}

/// Finds or makes the account, and brings it up to date.
fn arrive(write: &Write<'_>, arrival: &Arrival) -> Result<Standing, StoreError> {
    let found = by_person(write.connection, &arrival.person)?;
    match found {
        Some(standing) if up_to_date(&standing, arrival) => return Ok(standing),
        Some(standing) => {
            let id = standing.account.id.key();
            // A name that the family gave is the family's.
            let sql = "UPDATE members SET name = ?2 WHERE account_id = ?1 AND name = ?3";
            let values = params![id, arrival.name, standing.account.name];
            let followed = write.connection.prepare_cached(sql)?.execute(values)? > 0;
            let place = standing.membership.filter(|_| standing.account.name != arrival.name);
            if let Some(place) = place.filter(|_| followed) {
                let kind = EventKind::MembersChanged;
                write.event(place.family.id, kind, Some(&place.member))?;
            }
            let sql = "UPDATE accounts SET name = ?2, email = ?3 WHERE id = ?1";
            let values = params![id, arrival.name, arrival.email];
            write.connection.prepare_cached(sql)?.execute(values)?;
        }
        None => create(write, arrival)?,
    }
    write.standing_changed();
    by_person(write.connection, &arrival.person)?
        .ok_or(StoreError::Contradiction("an account that was just written is not there"))
}

fn create(write: &Write<'_>, arrival: &Arrival) -> Result<(), StoreError> {
    let sql = "INSERT INTO accounts (id, tenant, object, name, email, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let (tenant, object) = (arrival.person.tenant.as_str(), arrival.person.object.as_str());
    write.connection.prepare_cached(sql)?.execute(params![
        arrival.id.key(),
        tenant,
        object,
        arrival.name,
        arrival.email,
        write.now
    ])?;
    let actor = Actor::Account { id: arrival.id, name: arrival.name.clone() };
    let act = Act { actor, network: arrival.network };
    Line::new(None, &act, "account.created").write(write)
}

/// Marks that the account's place in a family changed just now.
pub(super) fn standing_changed(
    write: &Write<'_>,
    account: Option<AccountId>,
) -> Result<(), StoreError> {
    if let Some(account) = account {
        let sql = "UPDATE accounts SET standing_changed_at = ?2 WHERE id = ?1";
        write.connection.prepare_cached(sql)?.execute(params![account.key(), write.now])?;
        write.standing_changed();
    }
    Ok(())
}

#[async_trait]
impl Accounts for SqliteStore {
    async fn arrive(&self, arrival: &Arrival) -> Result<Standing, StoreError> {
        // Most arrivals bring nothing new, and a question costs no commit.
        if let Some(standing) = self.standing(&arrival.person).await?
            && up_to_date(&standing, arrival)
        {
            return Ok(standing);
        }
        let arrival = arrival.clone();
        self.store(move |write| self::arrive(write, &arrival)).await
    }

    async fn standing(&self, person: &PersonKey) -> Result<Option<Standing>, StoreError> {
        if self.readers.is_closed() {
            return Err(super::writer::closed());
        }
        if let Some(standing) = self.memory.standings.get(person) {
            return Ok(standing);
        }
        let version = self.memory.standings.version();
        let key = person.clone();
        let standing = self.read(move |read| Ok(by_person(read.connection, &key)?)).await?;
        self.memory.standings.keep(version, person, &standing);
        Ok(standing)
    }

    async fn seen(&self, account: AccountId) -> Result<(), StoreError> {
        if self.readers.is_closed() {
            return Err(super::writer::closed());
        }
        self.memory.seen.note(account, self.readers.now());
        Ok(())
    }

    async fn end_sign_ins(&self, account: AccountId, act: &Act) -> Result<(), StoreError> {
        let act = act.clone();
        self.store(move |write| {
            let sql = "UPDATE accounts SET not_before = ?2 WHERE id = ?1";
            let dated =
                write.connection.prepare_cached(sql)?.execute(params![account.key(), write.now])?;
            if dated == 0 {
                return Ok(());
            }
            write.standing_changed();
            write.hint(Hint::Account { account });
            let sql = "DELETE FROM web_sessions WHERE account_id = ?1";
            write.connection.prepare_cached(sql)?.execute([account.key()])?;
            let family = family_of(write, account)?;
            Line::new(family, &act, "account.signed_out_everywhere").write(write)
        })
        .await
    }

    async fn export(&self, account: AccountId) -> Result<Option<AccountExport>, StoreError> {
        self.read(move |read| {
            let Some(standing) = standing_of(read.connection, account)? else { return Ok(None) };
            let notes = match &standing.membership {
                Some(place) => notes::written_by(read, place.member)?,
                None => Vec::new(),
            };
            let sessions = web_sessions::lasting(read, account)?;
            let audit = by_account(read, account, EXPORTED_LINES)?;
            let exported_at = at(read.now);
            Ok(Some(AccountExport { standing, exported_at, notes, sessions, audit }))
        })
        .await
    }
}
