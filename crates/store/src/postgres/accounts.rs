//! People in PostgreSQL.

use std::sync::LazyLock;

use async_trait::async_trait;
use luminous_domain::{AccountId, FamilyId, MemberId, PersonKey};

use super::PostgresStore;
use super::audit::{self, Line};
use super::lease::Lease;
use super::rows::{SESSION, STANDING, note, session, standing, time};
use super::trouble::Trouble;
use super::write::Tx;
use crate::{AccountExport, Accounts, Act, Actor, Arrival, EventKind, Standing, StoreError};

static BY_PERSON: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {STANDING} WHERE a.tenant = $1 AND a.object = $2"));
static BY_ACCOUNT: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {STANDING} WHERE a.id = $1"));

#[async_trait]
impl Accounts for PostgresStore {
    async fn arrive(&self, arrival: &Arrival) -> Result<Standing, StoreError> {
        if let Some(known) = self.standing(&arrival.person).await?
            && known.account.name == arrival.name
            && known.account.email == arrival.email
        {
            return Ok(known);
        }
        writing!(self, |tx| arrive(tx, arrival))
    }

    async fn standing(&self, person: &PersonKey) -> Result<Option<Standing>, StoreError> {
        reading!(self, |lease| of_person(lease, person))
    }

    async fn seen(&self, account: AccountId) -> Result<(), StoreError> {
        // Once a minute is enough for "last seen", and the disk need not be waited for.
        let sql = "INSERT INTO visits (account_id, seen_at) SELECT a.id, luminous_now() \
             FROM accounts a, set_config('synchronous_commit', 'off', true) WHERE a.id = $1 \
             ON CONFLICT (account_id) DO UPDATE SET seen_at = excluded.seen_at \
             WHERE visits.seen_at <= excluded.seen_at - 60000";
        let account = account.as_uuid();
        let done: Result<u64, StoreError> = reading!(self, |lease| lease.run(sql, &[&account]));
        done.map(drop)
    }

    async fn end_sign_ins(&self, account: AccountId, act: &Act) -> Result<(), StoreError> {
        writing!(self, |tx| end_sign_ins(tx, account, act))
    }

    async fn export(&self, account: AccountId) -> Result<Option<AccountExport>, StoreError> {
        reading!(self, |lease| export(lease, account))
    }
}

async fn of_person(lease: &Lease, person: &PersonKey) -> Result<Option<Standing>, Trouble> {
    let (tenant, object) = (person.tenant.as_str(), person.object.as_str());
    let row = lease.row(&BY_PERSON, &[&tenant, &object]).await?;
    row.as_ref().map(standing).transpose()
}

async fn of_account(lease: &Lease, account: AccountId) -> Result<Option<Standing>, Trouble> {
    let row = lease.row(&BY_ACCOUNT, &[&account.as_uuid()]).await?;
    row.as_ref().map(standing).transpose()
}

async fn arrive(tx: &Tx, arrival: &Arrival) -> Result<Standing, Trouble> {
    let (tenant, object) = (arrival.person.tenant.as_str(), arrival.person.object.as_str());
    let made = tx
        .run(
            "INSERT INTO accounts (id, tenant, object, name, email, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant, object) DO NOTHING",
            &[&arrival.id.as_uuid(), &tenant, &object, &arrival.name, &arrival.email, &tx.now],
        )
        .await?;
    if made == 1 {
        let actor = Actor::Account { id: arrival.id, name: arrival.name.clone() };
        let act = Act { actor, network: arrival.network };
        tx.log(&act, &Line::done(None, "account.created")).await?;
    } else {
        // A name that the family gave is the family's.
        let renamed = tx
            .row(
                "UPDATE members m SET name = $3 FROM accounts a WHERE m.account_id = a.id \
                 AND a.tenant = $1 AND a.object = $2 AND m.name = a.name AND m.name <> $3 \
                 RETURNING m.family_id, m.id",
                &[&tenant, &object, &arrival.name],
            )
            .await?;
        tx.run(
            "UPDATE accounts SET name = $3, email = $4 WHERE tenant = $1 AND object = $2",
            &[&tenant, &object, &arrival.name, &arrival.email],
        )
        .await?;
        if let Some(row) = renamed {
            let member = MemberId::from_uuid(row.try_get("id")?);
            let family = FamilyId::from_uuid(row.try_get("family_id")?);
            tx.tell(family, EventKind::MembersChanged, Some(&member)).await?;
        }
    }
    let standing = of_person(tx, &arrival.person).await?;
    standing.ok_or(super::rows::contradiction("an account that is not there"))
}

async fn end_sign_ins(tx: &Tx, account: AccountId, act: &Act) -> Result<(), Trouble> {
    let id = account.as_uuid();
    tx.run("UPDATE accounts SET not_before = $2 WHERE id = $1", &[&id, &tx.now]).await?;
    tx.run("DELETE FROM web_sessions WHERE account_id = $1", &[&id]).await?;
    tx.log(act, &Line::affair(account, "account.signed_out_everywhere")).await?;
    tx.hint(format!("account:{account}")).await
}

/// All of it as it was at one moment.
async fn export(lease: &Lease, account: AccountId) -> Result<Option<AccountExport>, Trouble> {
    lease.simple("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let export = match of_account(lease, account).await? {
        Some(standing) => Some(everything_of(lease, standing).await?),
        None => None,
    };
    lease.simple("COMMIT").await?;
    Ok(export)
}

async fn everything_of(lease: &Lease, standing: Standing) -> Result<AccountExport, Trouble> {
    let id = standing.account.id.as_uuid();
    let clock = lease.rows("SELECT luminous_now()", &[]).await?;
    let now: i64 = clock.first().map_or(Ok(0), |row| row.try_get(0))?;
    let member = standing.membership.as_ref().map(|place| place.member.as_uuid());
    let notes = lease
        .rows(
            "SELECT * FROM notes WHERE author = $1 AND (expires_at IS NULL OR expires_at >= $2) \
             ORDER BY posted_at DESC, id DESC",
            &[&member, &now],
        )
        .await?;
    let sessions = lease
        .rows(
            &format!(
                "SELECT {SESSION} FROM web_sessions s WHERE account_id = $1 \
                 AND expires_at >= $2 AND last_seen_at + idle >= $2 \
                 ORDER BY created_at DESC, id DESC"
            ),
            &[&id, &now],
        )
        .await?;
    let log = lease.rows(&audit::by_account(), &[&id]).await?;
    Ok(AccountExport {
        standing,
        exported_at: time(now)?,
        notes: notes.iter().map(note).collect::<Result<_, _>>()?,
        sessions: sessions.iter().map(session).collect::<Result<_, _>>()?,
        audit: audit::lines(&log)?,
    })
}

impl Tx {
    /// Takes the account for this transaction, after the family's lock if there is one, and answers
    /// where it stands.
    pub(super) async fn lock_account(
        &self,
        account: AccountId,
    ) -> Result<Option<Standing>, Trouble> {
        let id = account.as_uuid();
        self.run("SELECT FROM accounts WHERE id = $1 FOR NO KEY UPDATE", &[&id]).await?;
        of_account(self, account).await
    }

    /// The account's place is another from now on.
    pub(super) async fn move_account(&self, account: AccountId) -> Result<(), Trouble> {
        self.run(
            "UPDATE accounts SET standing_changed_at = $2 WHERE id = $1",
            &[&account.as_uuid(), &self.now],
        )
        .await?;
        Ok(())
    }
}
