//! Fitness and upkeep of a PostgreSQL database.

use async_trait::async_trait;

use super::lease::Lease;
use super::trouble::Trouble;
use super::write::Tx;
use super::{PostgresStore, migrate};
use crate::{Health, StoreError};

/// How long the ids of committed writes are kept, in ms: far longer than any repetition takes.
const WRITES_KEPT: i64 = 3_600_000;

/// What must hold between rows although no constraint says it, and what it means if one is found.
const RULES: &[(&str, &str)] = &[
    (
        "SELECT count(*) FROM families f WHERE NOT EXISTS (SELECT FROM members m \
         WHERE m.family_id = f.id AND m.role = 'owner' AND m.active AND m.account_id IS NOT NULL)",
        "families without an owner who can act",
    ),
    (
        "SELECT count(*) FROM invites i JOIN members m ON m.id = i.invited_by \
         WHERE m.family_id <> i.family_id",
        "invitations into a family that their maker is not in",
    ),
    (
        "SELECT count(*) FROM notes n JOIN members m ON m.id = n.author \
         WHERE m.family_id <> n.family_id",
        "notes on the wall of a family that their author is not in",
    ),
    (
        "SELECT count(*) FROM audit WHERE at > luminous_now() + 60000",
        "lines in the log from the future: the database's clock was set back",
    ),
    (
        "SELECT count(*) FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid \
         WHERE t.relnamespace = current_schema()::regnamespace AND NOT c.convalidated",
        "constraints that were never checked",
    ),
    (
        "SELECT count(*) FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid \
         WHERE t.relnamespace = current_schema()::regnamespace AND NOT i.indisvalid",
        "indexes that cannot be used",
    ),
    (
        "SELECT count(*) FROM (SELECT 1 WHERE NOT EXISTS (SELECT FROM pg_trigger \
         WHERE tgrelid = 'audit'::regclass AND tgname = 'audit_only_grows' \
         AND tgenabled = 'O')) AS missing",
        "guards of the log that are switched off",
    ),
    (
        "SELECT count(*) FROM (SELECT 1 WHERE current_setting('fsync') = 'off' \
         OR current_setting('full_page_writes') = 'off') AS unsafe",
        "settings that lose data in a power cut (fsync, full_page_writes)",
    ),
];

#[async_trait]
impl Health for PostgresStore {
    async fn ping(&self) -> Result<(), StoreError> {
        let asked: Result<u64, StoreError> =
            reading!(self, |lease| lease.run("SELECT FROM families LIMIT 1", &[]));
        asked.map(drop)
    }

    async fn examine(&self) -> Result<Vec<String>, StoreError> {
        reading!(self, |lease| examine(lease))
    }

    async fn sweep(&self) -> Result<u64, StoreError> {
        writing!(self, |tx| sweep(tx))
    }

    async fn close(&self) {
        self.pool.close();
    }
}

async fn examine(lease: &Lease) -> Result<Vec<String>, Trouble> {
    let mut wrong = Vec::new();
    if let Err(error) = migrate::require(migrate::version(lease).await?) {
        wrong.push(error.to_string());
    }
    for (sql, meaning) in RULES {
        let row = lease.row(sql, &[]).await?;
        let count: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
        if count > 0 {
            wrong.push(format!("{count} {meaning}"));
        }
    }
    Ok(wrong)
}

async fn sweep(tx: &Tx) -> Result<u64, Trouble> {
    let mut swept = 0;
    for sql in [
        "DELETE FROM pending_sign_ins WHERE expires_at < $1",
        "DELETE FROM web_sessions WHERE expires_at < $1 OR last_seen_at + idle < $1",
        "DELETE FROM invites WHERE expires_at < $1",
        "DELETE FROM notes WHERE expires_at < $1",
        "DELETE FROM attempts WHERE forget_at < $1",
    ] {
        swept += tx.run(sql, &[&tx.now]).await?;
    }
    tx.run("DELETE FROM writes WHERE at < $1", &[&(tx.now - WRITES_KEPT)]).await?;
    Ok(swept)
}
