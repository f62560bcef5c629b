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
/// How long the tokens of a display whose time is over are kept, in ms, so that it is told why.
const ENDED_KEPT: i64 = 7 * 24 * 3_600_000;
/// [`crate::events::RETENTION`], in ms; the 1000 below is [`crate::events::MOST_KEPT`].
const EVENTS_KEPT: i64 = 24 * 3_600_000;

/// How many rows one transaction of the sweep takes, so that none of them is long.
const BATCH: i64 = 1000;

/// Our own notes about writes, which are nothing that anybody stored; `$1` and `$2` as in [`ENDED`].
const OLD_WRITES: &str = "DELETE FROM writes WHERE ctid = ANY (ARRAY( \
     SELECT ctid FROM writes WHERE at < $1 LIMIT $2))";

/// What has ended, each with for how long it is kept beyond its end (`$1` is that long ago, `$2` how
/// many to take). By place, for that is quick and a row that was prolonged meanwhile has moved.
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
        "DELETE FROM device_tokens WHERE ctid = ANY (ARRAY(SELECT t.ctid FROM displays d \
         JOIN device_tokens t ON t.device_id = d.id \
         WHERE least(d.idle_until, d.expires_at) < $1 LIMIT $2))",
        ENDED_KEPT,
    ),
    (
        "DELETE FROM used_once WHERE ctid = ANY (ARRAY( \
         SELECT ctid FROM used_once WHERE expires_at < $1 LIMIT $2))",
        0,
    ),
    // Of each family all up to the newest of those taken, so that there is no gap where the
    // database's clock was set back.
    (
        "DELETE FROM events WHERE ctid = ANY (ARRAY(SELECT e.ctid FROM \
         (SELECT family_id, max(seq) AS seq FROM (SELECT family_id, seq FROM events \
         WHERE at < $1 ORDER BY at LIMIT $2) AS aged GROUP BY family_id) AS old \
         JOIN events e ON e.family_id = old.family_id AND e.seq <= old.seq))",
        EVENTS_KEPT,
    ),
];

/// What is too much, or belongs to nothing, whatever its time; `$1` is how many to take.
const SURPLUS: &[&str] = &[
    // The lowest numbers first, so that what is left has no gap although many sweeps take some each.
    "DELETE FROM events WHERE ctid = ANY (ARRAY(SELECT e.ctid FROM event_counters c \
     JOIN events e ON e.family_id = c.family_id AND e.seq <= c.latest - 1000 \
     ORDER BY e.family_id, e.seq LIMIT $1))",
    "DELETE FROM event_counters WHERE ctid = ANY (ARRAY(SELECT c.ctid FROM event_counters c \
     WHERE NOT EXISTS (SELECT FROM families f WHERE f.id = c.family_id) \
     AND NOT EXISTS (SELECT FROM events e WHERE e.family_id = c.family_id) LIMIT $1))",
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
        "SELECT count(*) FROM (SELECT FROM device_tokens WHERE spent_at IS NULL \
         GROUP BY device_id, used_at IS NULL HAVING count(*) > 1) AS forked",
        "displays whose tokens live on in two branches",
    ),
    (
        "SELECT count(*) FROM (SELECT family_id, max(seq) AS newest FROM events \
         GROUP BY family_id) AS e LEFT JOIN event_counters c USING (family_id) \
         WHERE coalesce(c.latest, 0) < e.newest",
        "families with events beyond the newest number",
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
        // First, for whatever fails below leaves one more of them each time.
        let mut failed = self.sweep_all(OLD_WRITES, Some(WRITES_KEPT)).await.err();
        let mut swept = 0;
        let ended = ENDED.iter().map(|(sql, kept)| (*sql, Some(*kept)));
        for (sql, kept) in ended.chain(SURPLUS.iter().map(|sql| (*sql, None))) {
            match self.sweep_all(sql, kept).await {
                Ok(gone) => swept += gone,
                // The others are swept all the same.
                Err(error) => drop(failed.get_or_insert(error)),
            }
        }
        failed.map_or(Ok(swept), Err)
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

impl PostgresStore {
    /// All of what `sql` names, in batches; answers how many rows.
    async fn sweep_all(&self, sql: &str, kept: Option<i64>) -> Result<u64, StoreError> {
        let mut swept = 0;
        loop {
            let gone: Result<u64, StoreError> = writing!(self, |tx| sweep_some(tx, sql, kept));
            let gone = gone?;
            swept += gone;
            if gone < BATCH.unsigned_abs() {
                return Ok(swept);
            }
        }
    }
}

/// One batch of what `sql` names, where it asks for the time of what ended `kept` ms ago.
async fn sweep_some(tx: &Tx, sql: &str, kept: Option<i64>) -> Result<u64, Trouble> {
    match kept {
        Some(kept) => tx.run(sql, &[&(tx.now - kept), &BATCH]).await,
        None => tx.run(sql, &[&BATCH]).await,
    }
}
