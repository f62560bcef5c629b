//! Fitness and upkeep of a PostgreSQL database.

use async_trait::async_trait;

use super::lease::Lease;
use super::trouble::Trouble;
use super::write::Tx;
use super::{PostgresStore, migrate};
use crate::{Health, StoreError};

/// How long the ids of committed writes are kept, in ms: far longer than any repetition takes.
const WRITES_KEPT: i64 = 3_600_000;

/// How long a code is remembered beyond its end, in ms, so that it does not come back.
const CODES_KEPT: i64 = 24 * 3_600_000;
/// How long a token whose child was used is remembered, in ms, so that a thief is found out.
const SPENT_KEPT: i64 = 7 * 24 * 3_600_000;
/// [`crate::events::RETENTION`], in ms; the 1000 below is [`crate::events::MOST_KEPT`].
const EVENTS_KEPT: i64 = 24 * 3_600_000;

/// How many rows one transaction of the sweep takes, so that none of them is long.
const BATCH: i64 = 1000;

/// What has ended, each with for how long it is kept beyond its end. By place, for that is quick and
/// a row that was prolonged meanwhile has moved.
const ENDED: &[(&str, i64)] = &[
    (
        "DELETE FROM pending_sign_ins WHERE ctid = ANY (ARRAY( \
         SELECT ctid FROM pending_sign_ins WHERE expires_at < $1 LIMIT $2))",
        0,
    ),
    (
        "DELETE FROM web_sessions WHERE ctid = ANY (ARRAY(SELECT ctid FROM web_sessions \
         WHERE expires_at < $1 OR last_seen_at + idle < $1 LIMIT $2))",
        0,
    ),
    (
        "DELETE FROM invites WHERE ctid = ANY (ARRAY( \
         SELECT ctid FROM invites WHERE expires_at < $1 LIMIT $2))",
        0,
    ),
    (
        "DELETE FROM notes WHERE ctid = ANY (ARRAY( \
         SELECT ctid FROM notes WHERE expires_at < $1 LIMIT $2))",
        0,
    ),
    (
        "DELETE FROM attempts WHERE ctid = ANY (ARRAY( \
         SELECT ctid FROM attempts WHERE forget_at < $1 LIMIT $2))",
        0,
    ),
    (
        "DELETE FROM links WHERE ctid = ANY (ARRAY( \
         SELECT ctid FROM links WHERE expires_at < $1 LIMIT $2))",
        CODES_KEPT,
    ),
    (
        "DELETE FROM device_tokens WHERE ctid = ANY (ARRAY( \
         SELECT ctid FROM device_tokens WHERE spent_at < $1 LIMIT $2))",
        SPENT_KEPT,
    ),
    (
        "DELETE FROM used_once WHERE ctid = ANY (ARRAY( \
         SELECT ctid FROM used_once WHERE expires_at < $1 LIMIT $2))",
        0,
    ),
    // The lowest numbers first, so that what is left has no gap although many sweeps take some each.
    (
        "DELETE FROM events WHERE ctid = ANY (ARRAY(SELECT e.ctid FROM event_counters c \
         CROSS JOIN LATERAL (SELECT greatest(c.latest - 1000, (SELECT max(o.seq) FROM events o \
         WHERE o.family_id = c.family_id AND o.at < $1)) AS seq) AS old \
         JOIN events e ON e.family_id = c.family_id AND e.seq <= old.seq \
         ORDER BY e.family_id, e.seq LIMIT $2))",
        EVENTS_KEPT,
    ),
    (
        "DELETE FROM writes WHERE ctid = ANY (ARRAY( \
         SELECT ctid FROM writes WHERE at < $1 LIMIT $2))",
        WRITES_KEPT,
    ),
];

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
        let mut swept = 0;
        for (sql, kept) in ENDED {
            loop {
                let gone: Result<u64, StoreError> = writing!(self, |tx| sweep_some(tx, sql, *kept));
                let gone = gone?;
                // Our own notes about writes are nothing that anybody stored.
                swept += if *kept == WRITES_KEPT { 0 } else { gone };
                if gone < BATCH.unsigned_abs() {
                    break;
                }
            }
        }
        Ok(swept)
    }

    async fn close(&self) {
        self.hints.stop();
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

/// One batch of what `sql` names; answers how many rows.
async fn sweep_some(tx: &Tx, sql: &str, kept: i64) -> Result<u64, Trouble> {
    tx.run(sql, &[&(tx.now - kept), &BATCH]).await
}
